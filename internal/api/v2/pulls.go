package v2

import (
	"packhouse/internal/downloads"
	"packhouse/internal/httpx"
	"packhouse/internal/oci"
	"packhouse/internal/registry"
)

// client is whom a pull is counted for.
func (c *call) client() downloads.Client {
	return downloads.Client{Principal: c.who.ID(), Address: httpx.EventFrom(c.w).Client}
}

func pulled(v registry.Version) downloads.Version {
	return downloads.Version{PackageID: v.PackageID, VersionID: v.ID, Digest: v.Digest, Index: oci.IsIndexType(v.MediaType)}
}

// tagAsked is the tag of a reference; "" for a digest.
func tagAsked(ref oci.Reference) string {
	if !ref.Digest.IsZero() {
		return ""
	}
	return ref.Tag.String()
}

func (h *Handler) looked(c *call, v registry.Version, ref oci.Reference) {
	if h.Pulls != nil {
		h.Pulls.Looked(c.client(), pulled(v), tagAsked(ref))
	}
}

func (h *Handler) read(c *call, v registry.Version, ref oci.Reference, content []byte) {
	if h.Pulls != nil {
		h.Pulls.Read(c.client(), pulled(v), tagAsked(ref), content)
	}
}

func (h *Handler) readBlob(c *call, b registry.Blob) {
	if h.Pulls != nil {
		h.Pulls.Blob(c.client(), b.PackageID, b.Digest)
	}
}
