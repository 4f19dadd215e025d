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
	blobHeaders(c.w.Header(), d)
	if c.r.Method == http.MethodHead && c.r.Header.Get("Range") == "" && c.r.Header.Get("If-None-Match") == "" {
		c.w.Header().Set("Content-Length", strconv.FormatInt(b.Size, 10))
		c.w.WriteHeader(http.StatusOK)
		return nil
	}
	address, redirect, err := h.Registry.BlobAddress(c.r.Context(), b)
	if err != nil {
		return err
	}
	if redirect {
		return c.redirect(address)
	}
	object, err := h.Registry.OpenBlob(c.r.Context(), b)
	if err != nil {
		return err
	}
	defer object.Close()
	http.ServeContent(c.w, c.r, "", time.Time{}, object)
	return nil
}

// redirect sends the client to the store. The address soon ends, so nobody may
// keep the answer.
func (c *call) redirect(address string) error {
	header := c.w.Header()
	header.Set("Location", address)
	header.Set("Cache-Control", "no-store")
	header.Del("Content-Type")
	c.w.WriteHeader(http.StatusTemporaryRedirect)
	return nil
}

func blobHeaders(header http.Header, d oci.Digest) {
	header.Set("Content-Type", "application/octet-stream")
	header.Set("Docker-Content-Digest", d.String())
	header.Set("Etag", httpx.ETag(d.String()))
	header.Set("Cache-Control", "private, max-age=31536000, immutable, no-transform")
	header.Set("Accept-Ranges", "bytes")
	// A blob is whatever its pusher made it: no browser may take it for a page
	// of ours.
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Content-Disposition", "attachment")
	header.Set("Content-Security-Policy", "sandbox; default-src 'none'")
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
