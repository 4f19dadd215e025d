package s3

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/minio/minio-go/v7"

	"packhouse/internal/errs"
)

var probeText = []byte("packhouse tries out this bucket")

// examine tries out what the store relies on. Conditional writes and checksums
// are used where they work; the rest must.
func (s *Store) examine(ctx context.Context) error {
	nonce, err := s.nonce()
	if err != nil {
		return err
	}
	key := "probe/" + nonce
	c := s.client
	b := &buffer{}
	defer b.free()
	b.append(probeText)
	if err := c.put(ctx, key, b); err != nil {
		return err
	}
	if err := refuse("it does not read back what was just written", c.wantText(ctx, key, 0)); err != nil {
		return err
	}
	if err := refuse("it does not answer a range of bytes", c.wantText(ctx, key, 7)); err != nil {
		return err
	}
	if c.conditional, err = c.refusesSecond(ctx, key, b); err != nil {
		return err
	}
	if c.checked, err = c.refusesWrongSum(ctx, key+".sum", b); err != nil {
		return err
	}
	if err := refuse("multipart uploads do not work", c.checkMultipart(ctx, key+".parts", b)); err != nil {
		return err
	}
	return refuse("it still reads what was just removed", c.checkRemove(ctx, key))
}

// refuse leaves the errors alone that say that the service does not answer.
func refuse(what string, err error) error {
	if err == nil || errs.Is(err, errs.Unavailable) {
		return err
	}
	return errs.Wrap(errs.Unsupported, err, "this S3 service cannot hold blobs: %s", what)
}

// wantText reads the probe object from offset on and compares it.
func (c *client) wantText(ctx context.Context, key string, offset int64) error {
	if err := c.wantSize(ctx, key, int64(len(probeText))); err != nil {
		return err
	}
	r, err := c.read(ctx, key, "", offset, int64(len(probeText)))
	if err != nil {
		return err
	}
	defer r.Close()
	got, err := io.ReadAll(io.LimitReader(r, 1024))
	if err != nil {
		return translate(err)
	}
	if !bytes.Equal(got, probeText[offset:]) {
		return fmt.Errorf("read %q", got)
	}
	return nil
}

// refusesSecond reports whether a second conditional write of one key fails.
func (c *client) refusesSecond(ctx context.Context, key string, b *buffer) (bool, error) {
	var o minio.PutObjectOptions
	o.SetMatchETagExcept("*")
	err := c.tryPut(ctx, key, b, o)
	return errs.Is(err, errs.Precondition), unlessAnswered(err)
}

// refusesWrongSum reports whether bytes with the checksum of others fail.
func (c *client) refusesWrongSum(ctx context.Context, key string, b *buffer) (bool, error) {
	wrong := base64.StdEncoding.EncodeToString(make([]byte, 32))
	err := c.tryPut(ctx, key, b, minio.PutObjectOptions{UserMetadata: map[string]string{"x-amz-checksum-sha256": wrong}})
	if err == nil {
		return false, c.remove(ctx, key)
	}
	var answer minio.ErrorResponse
	refused := errors.As(err, &answer) && answer.StatusCode == 400
	return refused, unlessAnswered(err)
}

func (c *client) tryPut(ctx context.Context, key string, b *buffer, o minio.PutObjectOptions) error {
	sum := b.sum()
	o.DisableContentSha256 = hashed
	body, ctx, stop := watch(ctx, b)
	defer stop()
	_, err := c.core.PutObject(ctx, c.bucket, c.prefix+key, body, int64(b.n), "", hex.EncodeToString(sum[:]), o)
	return translate(err)
}

// unlessAnswered returns err when it is no answer about what was asked: a
// service that lacks something says so with 4xx or 501.
func unlessAnswered(err error) error {
	var answer minio.ErrorResponse
	if errors.As(err, &answer) && (answer.StatusCode < 500 || answer.StatusCode == http.StatusNotImplemented) {
		return nil
	}
	return err
}

func (c *client) checkMultipart(ctx context.Context, key string, b *buffer) error {
	st := state{Object: key, Checked: c.checked}
	var err error
	if st.Upload, err = c.begin(ctx, st); err != nil {
		return err
	}
	p, err := c.putPart(ctx, st, 1, b)
	if err != nil {
		return errors.Join(err, c.abort(ctx, st))
	}
	st.Parts = []part{p}
	if err := c.complete(ctx, st, p.size); err != nil {
		return errors.Join(err, c.abort(ctx, st))
	}
	return errors.Join(c.wantText(ctx, key, 0), c.remove(ctx, key))
}

func (c *client) checkRemove(ctx context.Context, key string) error {
	if err := c.remove(ctx, key); err != nil {
		return err
	}
	_, err := c.stat(ctx, key)
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	return errors.Join(err, errors.New("found"))
}

// Probe implements blob.Store: it writes and removes a small object.
func (s *Store) Probe(ctx context.Context) error {
	nonce, err := s.nonce()
	if err != nil {
		return err
	}
	b := &buffer{}
	defer b.free()
	b.append(probeText)
	if err := s.client.put(ctx, "probe/"+nonce, b); err != nil {
		return err
	}
	return s.client.remove(ctx, "probe/"+nonce)
}
