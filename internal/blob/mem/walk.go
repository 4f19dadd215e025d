package mem

import (
	"context"
	"maps"
	"strings"

	"packhouse/internal/blob"
	"packhouse/internal/oci"
)

var _ blob.Walker = (*Store)(nil)

// Walk implements blob.Walker. No time is kept: all that it holds is of old.
func (s *Store) Walk(_ context.Context, visit func(blob.Published) error) error {
	s.mu.Lock()
	held := maps.Clone(s.published)
	s.mu.Unlock()
	for loc, content := range held {
		sum, _, _ := strings.Cut(strings.TrimPrefix(string(loc), "mem/"), ".")
		d, err := oci.ParseDigest(string(oci.SHA256) + ":" + sum)
		if err != nil {
			d, err = oci.ParseDigest(string(oci.SHA512) + ":" + sum)
		}
		if err != nil {
			return err
		}
		if err := visit(blob.Published{Location: loc, Digest: d, Size: int64(len(content))}); err != nil {
			return err
		}
	}
	return nil
}
