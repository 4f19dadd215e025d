package v2

import (
	"net/http"
	"strconv"
	"time"

	"packhouse/internal/httpx"
	"packhouse/internal/oci"
)

// getBlob serves a blob, whole or in ranges (RFC 9110, section 14).
func (h *Handler) getBlob(c *call) error {
	d, err := oci.ParseDigest(c.addr.arg)
	if err != nil {
		return err
	}
	b, err := h.Registry.StatBlob(c.r.Context(), c.who, c.pkg, d)
	if err != nil {
		return err
	}
	header := c.w.Header()
	header.Set("Content-Type", "application/octet-stream")
	header.Set("Docker-Content-Digest", d.String())
	header.Set("Etag", httpx.ETag(d.String()))
	header.Set("Cache-Control", "private, max-age=31536000, immutable, no-transform")
	header.Set("Accept-Ranges", "bytes")
	if c.r.Method == http.MethodHead && c.r.Header.Get("Range") == "" && c.r.Header.Get("If-None-Match") == "" {
		header.Set("Content-Length", strconv.FormatInt(b.Size, 10))
		c.w.WriteHeader(http.StatusOK)
		return nil
	}
	address, redirect, err := h.Registry.BlobAddress(c.r.Context(), b)
	if err != nil {
		return err
	}
	if redirect {
		header.Set("Location", address)
		header.Del("Content-Type")
		header.Set("Cache-Control", "no-store")
		c.w.WriteHeader(http.StatusTemporaryRedirect)
		return nil
	}
	object, err := h.Registry.OpenBlob(c.r.Context(), b)
	if err != nil {
		return err
	}
	defer object.Close()
	// A blob is whatever its pusher made it: no browser may take it for a page
	// of ours.
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Disposition", "attachment")
	header.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	http.ServeContent(c.w, c.r, "", time.Time{}, object)
	return nil
}

func (h *Handler) deleteBlob(c *call) error {
	d, err := oci.ParseDigest(c.addr.arg)
	if err != nil {
		return err
	}
	if err := h.Registry.DeleteBlob(c.r.Context(), c.who, c.pkg, d); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusAccepted)
	return nil
}
