package v2

import (
	"io"
	"net/http"
	"strconv"
	"time"

	"packhouse/internal/errs"
	"packhouse/internal/httpx"
	"packhouse/internal/oci"
)

// getBlob serves a blob, whole or in ranges (RFC 9110, section 14).
func (h *Handler) getBlob(c *call) error {
	d, err := oci.ParseDigest(c.addr.arg)
	if err != nil {
		return err
	}
	find := h.Registry.FindBlob
	if c.r.Method == http.MethodHead { // a push may skip what this says is here
		find = h.Registry.StatBlob
	}
	b, err := find(c.r.Context(), c.who, c.pkg, d)
	if err != nil {
		return err
	}
	blobHeaders(c.w.Header(), d)
	if httpx.NotModified(c.r, httpx.ETag(d.String())) {
		c.w.Header().Del("Content-Type")
		c.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	if c.r.Method == http.MethodHead && c.r.Header.Get("Range") == "" {
		c.w.Header().Set("Content-Length", strconv.FormatInt(b.Size, 10))
		c.w.WriteHeader(http.StatusOK)
		return nil
	}
	if err := c.checkRange(b.Size); err != nil {
		return err
	}
	if c.r.Method == http.MethodGet {
		h.readBlob(c, b)
	}
	if c.r.Method == http.MethodGet { // an address is signed for GET alone
		address, redirect, err := h.Registry.BlobAddress(c.r.Context(), b)
		if err != nil {
			return err
		}
		if redirect {
			return c.redirect(address)
		}
	}
	object, err := h.Registry.OpenBlob(c.r.Context(), b)
	if err != nil {
		return err
	}
	defer object.Close()
	http.ServeContent(c.w, c.r, "", time.Time{}, object)
	return nil
}

// checkRange refuses a range that lies outside of size bytes. ServeContent would
// do the same with a body of plain text, which clients cannot read.
func (c *call) checkRange(size int64) error {
	if c.r.Header.Get("Range") == "" {
		return nil
	}
	ask := *c.r
	ask.Method = http.MethodHead
	dry := &dryAnswer{header: c.w.Header().Clone()}
	http.ServeContent(dry, &ask, "", time.Time{}, io.NewSectionReader(nil, 0, size))
	if dry.status != http.StatusRequestedRangeNotSatisfiable {
		return nil
	}
	c.w.Header().Set("Content-Range", "bytes */"+strconv.FormatInt(size, 10))
	return errs.New(errs.BadRange, "the blob has %d bytes, and none of them are in the range", size).WithCode("RANGE_INVALID")
}

// dryAnswer keeps the status alone.
type dryAnswer struct {
	header http.Header
	status int
}

func (d *dryAnswer) Header() http.Header         { return d.header }
func (d *dryAnswer) Write(p []byte) (int, error) { return len(p), nil }
func (d *dryAnswer) WriteHeader(status int)      { d.status = status }

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
	err = h.Registry.DeleteBlob(c.r.Context(), c.who, c.pkg, d)
	if errs.Is(err, errs.Unsupported) { // a version needs it
		c.w.Header().Set("Allow", "GET, HEAD")
	}
	if err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusAccepted)
	return nil
}
