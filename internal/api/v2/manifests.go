package v2

import (
	"net/http"
	"strconv"
	"strings"

	"packhouse/internal/errs"
	"packhouse/internal/httpx"
	"packhouse/internal/oci"
	"packhouse/internal/registry"
)

// getManifest serves the exact bytes of a manifest.
func (h *Handler) getManifest(c *call) error {
	ref, err := existing(c.addr.arg)
	if err != nil {
		return err
	}
	v, err := h.Registry.StatManifest(c.r.Context(), c.who, c.pkg, ref)
	if err != nil {
		return err
	}
	if !oci.Acceptable(c.r.Header.Values("Accept"), v.MediaType) {
		return notAcceptable(v.MediaType)
	}
	header := c.w.Header()
	etag := httpx.ETag(v.Digest.String())
	header["Etag"] = []string{etag}
	header["Docker-Content-Digest"] = []string{v.Digest.String()}
	header["Cache-Control"] = []string{cacheControl(ref)}
	if httpx.NotModified(c.r, etag) {
		c.w.WriteHeader(http.StatusNotModified)
		return nil
	}
	header["Content-Type"] = []string{v.MediaType}
	header["Content-Length"] = []string{strconv.FormatInt(v.Size, 10)}
	header["X-Content-Type-Options"] = []string{"nosniff"}
	if c.r.Method == http.MethodHead {
		h.looked(c, v, ref)
		c.w.WriteHeader(http.StatusOK)
		return nil
	}
	content, err := h.Registry.ManifestContent(c.r.Context(), v)
	if err != nil {
		return err
	}
	h.read(c, v, ref, content)
	_, _ = c.w.Write(content) // an error is the client's going
	return nil
}

// existing parses a reference to something that is said to exist. Nothing can
// exist under what is no tag, so that is unknown rather than malformed.
func existing(arg string) (oci.Reference, error) {
	ref, err := oci.ParseReference(arg)
	if err != nil && !strings.Contains(arg, ":") {
		return ref, errs.Wrap(errs.NotFound, err, "the package has no version %q", arg).WithCode("MANIFEST_UNKNOWN")
	}
	return ref, err
}

// cacheControl lets caches keep what a digest names; a tag may move at any time.
func cacheControl(ref oci.Reference) string {
	if ref.Digest.IsZero() {
		return "private, no-cache, no-transform"
	}
	return "private, max-age=31536000, immutable, no-transform"
}

func notAcceptable(mediaType string) error {
	return errs.New(errs.NotFound, "the version is a %s, and the Accept header of the request does not list that type", mediaType).
		WithCode("MANIFEST_UNKNOWN")
}

// maxTags is how many ?tag= one push may bring.
const maxTags = 64

// errTooManyTags is 414 (distribution-spec, "Pushing manifests").
var errTooManyTags = errs.New(errs.TooLarge, "a push may set %d tags at most", maxTags).WithCode("TAG_INVALID")

// putManifest stores a manifest under a tag or a digest, with further tags.
func (h *Handler) putManifest(c *call) error {
	ref, err := oci.ParseReference(c.addr.arg)
	if err != nil {
		return err
	}
	tags, err := pushTags(c)
	if err != nil {
		return err
	}
	content, err := httpx.ReadBody(c.r, oci.MaxManifestSize)
	if err != nil {
		return err
	}
	if err := h.again(c); err != nil {
		return err
	}
	pushed, err := h.Registry.PushManifest(c.r.Context(), c.who, c.pkg, registry.Push{
		Reference: ref, Tags: tags, ContentType: c.r.Header.Get("Content-Type"), Content: content,
	})
	if err != nil {
		return err
	}
	header := c.w.Header()
	header.Set("Location", "/v2/"+c.pkg.Name.String()+"/manifests/"+pushed.Digest.String())
	header.Set("Docker-Content-Digest", pushed.Digest.String())
	if pushed.Subject != nil {
		header.Set("OCI-Subject", pushed.Subject.Digest.String())
	}
	if len(tags) > 0 {
		names := make([]string, len(pushed.Tags))
		for i, t := range pushed.Tags {
			names[i] = t.String()
		}
		header.Set("OCI-Tag", strings.Join(names, ", "))
	}
	if pushed.Warning != "" {
		header.Set("Warning", `299 - "`+quotable(pushed.Warning)+`"`) // RFC 7234, section 5.5
	}
	c.w.WriteHeader(http.StatusCreated)
	return nil
}

func pushTags(c *call) ([]oci.Tag, error) {
	values := c.q["tag"]
	if len(values) > maxTags {
		return nil, errTooManyTags
	}
	tags := make([]oci.Tag, len(values))
	for i, value := range values {
		tag, err := oci.ParseTag(value)
		if err != nil {
			return nil, err
		}
		tags[i] = tag
	}
	return tags, nil
}

// deleteManifest deletes a tag, or a version and its tags.
func (h *Handler) deleteManifest(c *call) error {
	ref, err := existing(c.addr.arg)
	if err != nil {
		return err
	}
	if err := h.Registry.DeleteManifest(c.r.Context(), c.who, c.pkg, ref); err != nil {
		return err
	}
	c.w.WriteHeader(http.StatusAccepted)
	return nil
}
