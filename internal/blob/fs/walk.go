package fs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"packhouse/internal/blob"
	"packhouse/internal/oci"
)

var _ blob.Walker = (*Store)(nil)

// Walk implements blob.Walker, shard by shard. Files that are none of this
// store are passed over.
func (s *Store) Walk(ctx context.Context, visit func(blob.Published) error) error {
	for _, alg := range []oci.Algorithm{oci.SHA256, oci.SHA512} {
		for i := range 256 {
			if err := s.walkShard(ctx, fmt.Sprintf("%s/%02x", alg, i), visit); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Store) walkShard(ctx context.Context, shard string, visit func(blob.Published) error) error {
	dir, err := s.fs.OpenFile(shard, readOnly)
	if err != nil {
		return translate(err)
	}
	defer dir.Close()
	for {
		entries, err := dir.ReadDir(256)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return translate(err)
		}
		for _, entry := range entries {
			if err := ctx.Err(); err != nil {
				return err
			}
			p, ok, err := published(shard, entry)
			if err != nil {
				return err
			}
			if !ok {
				continue
			}
			if err := visit(p); err != nil {
				return err
			}
		}
	}
}

// published describes a file of a shard; ok is false for one that is not ours or
// has gone meanwhile.
func published(shard string, entry os.DirEntry) (p blob.Published, ok bool, err error) {
	p.Location = blob.Location(shard + "/" + entry.Name())
	if checkLocation(p.Location) != nil {
		return p, false, nil
	}
	info, err := entry.Info()
	if isAbsent(err) {
		return p, false, nil
	}
	if err != nil {
		return p, false, translate(err)
	}
	alg, _, _ := strings.Cut(shard, "/")
	sum, _, _ := strings.Cut(entry.Name(), ".")
	p.Digest, err = oci.ParseDigest(alg + ":" + sum)
	p.Size, p.ModifiedAt = info.Size(), info.ModTime()
	return p, info.Mode().IsRegular(), err
}
