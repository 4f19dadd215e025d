package v2

import "strings"

// resource is what kind of thing an address names.
type resource string

const (
	resBase      resource = "base"
	resCatalog   resource = "catalog"
	resTags      resource = "tags"
	resManifest  resource = "manifest"
	resBlob      resource = "blob"
	resUploads   resource = "uploads"
	resUpload    resource = "upload"
	resReferrers resource = "referrers"
)

// patterns are the routes' names in the log and the metrics.
var patterns = map[resource]string{
	resBase:      "/v2/",
	resCatalog:   "/v2/_catalog",
	resTags:      "/v2/{name}/tags/list",
	resManifest:  "/v2/{name}/manifests/{reference}",
	resBlob:      "/v2/{name}/blobs/{digest}",
	resUploads:   "/v2/{name}/blobs/uploads/",
	resUpload:    "/v2/{name}/blobs/uploads/{id}",
	resReferrers: "/v2/{name}/referrers/{digest}",
}

// address is a parsed path; name and arg are as they stand in it, unchecked.
type address struct {
	resource resource
	name     string // the package
	arg      string // a reference, a digest or an upload session's id
}

// parsePath reads a path under /v2/ from the right, so that a package may be
// called OWNER/tags or OWNER/manifests. ok is false for any other path.
func parsePath(path string) (a address, ok bool) {
	rest, ok := strings.CutPrefix(path, "/v2/")
	if !ok {
		return address{resource: resBase}, path == "/v2"
	}
	switch rest {
	case "":
		return address{resource: resBase}, true
	case "_catalog":
		return address{resource: resCatalog}, true
	}
	if name, found := strings.CutSuffix(rest, "/tags/list"); found {
		return address{resTags, name, ""}, name != ""
	}
	if name, found := strings.CutSuffix(strings.TrimSuffix(rest, "/"), "/blobs/uploads"); found {
		return address{resUploads, name, ""}, name != ""
	}
	head, arg := cutLast(rest)
	if name, found := strings.CutSuffix(head, "/blobs/uploads"); found {
		return address{resUpload, name, arg}, name != "" && arg != ""
	}
	name, kind := cutLast(head)
	for word, res := range map[string]resource{
		"manifests": resManifest, "blobs": resBlob, "referrers": resReferrers,
	} {
		if kind == word {
			return address{res, name, arg}, name != "" && arg != ""
		}
	}
	return address{}, false
}

// cutLast cuts s around its last slash.
func cutLast(s string) (head, last string) {
	i := strings.LastIndexByte(s, '/')
	if i < 0 {
		return "", s
	}
	return s[:i], s[i+1:]
}
