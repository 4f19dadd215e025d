package s3

import (
	"context"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"

	"packhouse/internal/blob"
)

var _ blob.Walker = (*Store)(nil)

// Walk implements blob.Walker, by a listing of up to 1,000 keys at a time. A key
// is made before the digest is known, so no digest is told. Among the keys are
// those of uploads that are still shorter than a part.
func (s *Store) Walk(ctx context.Context, visit func(blob.Published) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	c := s.client
	silent := time.AfterFunc(listPatience, func() { cancel(errSilent) })
	defer silent.Stop()
	for o := range c.core.ListObjectsIter(ctx, c.bucket, minio.ListObjectsOptions{Prefix: c.prefix + "blobs/", Recursive: true}) {
		silent.Stop() // the time of visit does not count
		if o.Err != nil {
			return translate(o.Err)
		}
		p := blob.Published{
			Location: blob.Location(strings.TrimPrefix(o.Key, c.prefix)), Size: o.Size, ModifiedAt: o.LastModified,
		}
		if checkLocation(p.Location) == nil {
			if err := visit(p); err != nil {
				return err
			}
		}
		silent.Reset(listPatience)
	}
	return translate(context.Cause(ctx))
}

// listPatience is how long the service may think about a page of a listing.
const listPatience = 6 * patience
