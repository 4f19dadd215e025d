package fs

import (
	"fmt"
	"strings"

	"packhouse/internal/blob"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

const uploadsDir = "uploads"

func shardOf(d oci.Digest) string { return string(d.Algorithm()) + "/" + d.Hex()[:2] }

// stagedName returns where the upload id lies. An id that is no lower-case UUID
// never becomes a path.
func stagedName(id string) (string, error) {
	if !isID(id) {
		return "", errs.Wrap(errs.Internal, fmt.Errorf("upload id %q is no UUID", id), "upload id is not valid")
	}
	return uploadsDir + "/" + id, nil
}

// checkLocation accepts exactly what Publish returns, so that no other text,
// wherever it came from, becomes a path.
func checkLocation(loc blob.Location) error {
	alg, rest, _ := strings.Cut(string(loc), "/")
	shard, file, _ := strings.Cut(rest, "/")
	sum, id, _ := strings.Cut(file, ".")
	d, err := oci.ParseDigest(alg + ":" + sum)
	if err != nil || d.Hex()[:2] != shard || !isID(id) {
		return errs.Wrap(errs.Internal, fmt.Errorf("location %q is not of this store", loc), "blob location is not valid")
	}
	return nil
}

// isID reports whether s is a lower-case UUID.
func isID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch i {
		case 8, 13, 18, 23:
			if c != '-' {
				return false
			}
		default:
			if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
				return false
			}
		}
	}
	return true
}
