package v2

import (
	"net/http"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/registry"
)

// postUpload begins an upload, takes a whole blob at once (?digest=), or mounts
// one (?mount=).
func (h *Handler) postUpload(c *call) error {
	q := c.q
	if q.Has("mount") {
		done, err := h.mount(c, q.Get("mount"), q.Get("from"))
		if done || err != nil {
			return err
		}
	}
	if q.Has("digest") {
		d, err := oci.ParseDigest(q.Get("digest"))
		if err != nil {
			return err
		}
		body, err := requestBody(c.r)
		if err != nil {
			return err
		}
		if err := h.Registry.PushBlob(c.r.Context(), c.who, c.pkg, d, body); err != nil {
			return err
		}
		return c.blobCreated(d)
	}
	alg := oci.SHA256
	if q.Has("digest-algorithm") {
		var err error
		if alg, err = oci.ParseAlgorithm(q.Get("digest-algorithm")); err != nil {
			return err
		}
	}
	sess, err := h.Registry.StartUpload(c.r.Context(), c.who, c.pkg, alg)
	if err != nil {
		return err
	}
	c.sessionHeaders(sess)
	c.w.WriteHeader(http.StatusAccepted)
	return nil
}

// mount answers 201 when the blob could be mounted; otherwise an upload begins,
// and nothing tells why.
func (h *Handler) mount(c *call, digest, from string) (bool, error) {
	d, err := oci.ParseDigest(digest)
	if err != nil {
		return false, err
	}
	source := access.Package{Type: h.Type, Also: h.Also}
	if from != "" {
		if source.Name, err = oci.ParseAddress(from); err != nil {
			return false, nil
		}
	}
	ok, err := h.Registry.Mount(c.r.Context(), c.who, c.pkg, d, source)
	if err != nil || !ok {
		return false, err
	}
	return true, c.blobCreated(d)
}

// getUpload tells how far an upload is.
func (h *Handler) getUpload(c *call) error {
	sess, err := h.Registry.UploadStatus(c.r.Context(), c.who, c.pkg, c.addr.arg)
	if err != nil {
		return err
	}
	c.sessionHeaders(sess)
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// patchUpload adds a chunk, or a stream without a range.
func (h *Handler) patchUpload(c *call) error {
	body, err := requestBody(c.r)
	if err != nil {
		return err
	}
	sess, err := h.Registry.AppendUpload(c.r.Context(), c.who, c.pkg, c.addr.arg, body)
	if sess != nil {
		c.sessionHeaders(sess) // also with 416: clients go on from there
	}
	if err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusAccepted)
	return nil
}

// putUpload ends an upload, with or without a last piece.
func (h *Handler) putUpload(c *call) error {
	digest := c.q.Get("digest")
	if digest == "" {
		return errs.New(errs.Invalid, "the request names no digest; add ?digest=").WithCode("DIGEST_INVALID")
	}
	d, err := oci.ParseDigest(digest)
	if err != nil {
		return err
	}
	body, err := requestBody(c.r)
	if err != nil {
		return err
	}
	sess, err := h.Registry.FinishUpload(c.r.Context(), c.who, c.pkg, c.addr.arg, d, body)
	if sess != nil {
		c.sessionHeaders(sess)
	}
	if err != nil {
		return err
	}
	return c.blobCreated(d)
}

func (h *Handler) deleteUpload(c *call) error {
	if err := h.Registry.CancelUpload(c.r.Context(), c.who, c.pkg, c.addr.arg); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// requestBody describes the bytes of a request. Any Content-Type will do.
func requestBody(r *http.Request) (registry.Body, error) {
	body := registry.NoBody()
	if r.ContentLength != 0 && r.Body != nil {
		body.Reader = r.Body
		body.Length = r.ContentLength
	}
	if value := r.Header.Get("Content-Range"); value != "" {
		start, end, err := oci.ParseContentRange(value)
		if err != nil {
			return body, err
		}
		body.Start, body.RangeLength = start, end-start+1
	}
	return body, nil
}

// sessionHeaders describe an upload session.
func (c *call) sessionHeaders(sess *registry.Session) {
	header := c.w.Header()
	header.Set("Location", "/v2/"+c.pkg.Name.String()+"/blobs/uploads/"+sess.ID)
	header.Set("Range", oci.UploadRange(sess.Size))
	header.Set("Docker-Upload-Uuid", sess.ID)
}

func (c *call) blobCreated(d oci.Digest) error {
	header := c.w.Header()
	header.Set("Location", "/v2/"+c.pkg.Name.String()+"/blobs/"+d.String())
	header.Set("Docker-Content-Digest", d.String())
	c.w.WriteHeader(http.StatusCreated)
	return nil
}
