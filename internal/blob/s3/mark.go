package s3

import (
	"context"
	"io"
	"strings"

	"github.com/minio/minio-go/v7"

	"packhouse/internal/blob"
	"packhouse/internal/errs"
)

var _ blob.Marker = (*Store)(nil)

// markKey is the one key that is written more than once.
const markKey = "mark"

// Mark implements blob.Marker.
func (s *Store) Mark(ctx context.Context) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	info, err := s.client.stat(ctx, markKey)
	if errs.Is(err, errs.NotFound) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	o := &object{c: s.client, ctx: ctx, key: markKey, etag: info.ETag, size: info.Size}
	defer o.Close()
	text, err := io.ReadAll(io.LimitReader(o, blob.MaxMark))
	return string(text), err
}

// SetMark implements blob.Marker.
func (s *Store) SetMark(ctx context.Context, text string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c := s.client
	_, err := c.core.PutObject(ctx, c.bucket, c.prefix+markKey, strings.NewReader(text), int64(len(text)), "", "",
		minio.PutObjectOptions{ContentType: contentType})
	return translate(err)
}
