package s3

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/minio/minio-go/v7"

	"packhouse/internal/blob"
)

// Open implements blob.Store. It asks for the size; bytes are asked for at the
// first Read and after each Seek, under ctx.
func (s *Store) Open(ctx context.Context, loc blob.Location, size int64) (blob.Object, error) {
	if err := checkLocation(loc); err != nil {
		return nil, err
	}
	return s.client.open(ctx, string(loc), size)
}

func (c *client) open(ctx context.Context, key string, size int64) (*object, error) {
	info, err := c.stat(ctx, key)
	if err != nil {
		return nil, err
	}
	if info.Size != size {
		return nil, wrongSize(info.Size, size)
	}
	return &object{c: c, ctx: ctx, key: key, etag: info.ETag, size: size}, nil
}

// object reads an object from any place.
type object struct {
	c          *client
	ctx        context.Context
	key, etag  string
	size       int64
	offset     int64
	body       io.ReadCloser // gives the bytes at offset; nil: to be asked for
	closed     bool
	failedOnce bool // the last answer broke off before a byte came
}

// Read implements io.Reader. An answer that breaks off is asked for again from
// there, as long as each brings something.
func (o *object) Read(p []byte) (int, error) {
	for {
		switch {
		case o.closed:
			return 0, errors.New("read from a closed object")
		case o.offset >= o.size:
			return 0, io.EOF
		case len(p) == 0:
			return 0, nil
		}
		if o.body == nil {
			body, err := o.c.read(o.ctx, o.key, o.etag, o.offset, o.size)
			if err != nil {
				return 0, err
			}
			o.body = body
		}
		n, err := o.body.Read(p)
		o.offset += int64(n)
		if n > 0 {
			o.failedOnce = false
			if err != nil {
				o.hangUp()
			}
			return n, nil
		}
		if err == nil {
			continue
		}
		o.hangUp()
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		if o.failedOnce || o.ctx.Err() != nil {
			return 0, translate(err)
		}
		o.failedOnce = true
	}
}

// Seek implements io.Seeker; it makes no request.
func (o *object) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += o.offset
	case io.SeekEnd:
		offset += o.size
	}
	if offset < 0 {
		return 0, errors.New("seek before the start")
	}
	if offset != o.offset {
		o.hangUp()
		o.offset = offset
	}
	return offset, nil
}

// Close implements io.Closer.
func (o *object) Close() error {
	o.hangUp()
	o.closed = true
	return nil
}

func (o *object) hangUp() {
	if o.body != nil {
		_ = o.body.Close()
		o.body = nil
	}
}

// read asks for the bytes from offset to size, the end of the object. With an
// etag, those of another object are refused.
func (c *client) read(ctx context.Context, key, etag string, offset, size int64) (io.ReadCloser, error) {
	if offset == size {
		return io.NopCloser(io.LimitReader(nil, 0)), nil
	}
	var o minio.GetObjectOptions
	if offset > 0 {
		if err := o.SetRange(offset, 0); err != nil { // from offset on
			return nil, translate(err)
		}
	}
	if etag != "" {
		if err := o.SetMatchETag(etag); err != nil {
			return nil, translate(err)
		}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(patience, func() { cancel(errSilent) })
	body, info, _, err := c.core.GetObject(ctx, c.bucket, c.prefix+key, o)
	timer.Stop()
	if err == nil && info.Size != size-offset {
		_ = body.Close()
		err = wrongSize(info.Size+offset, size)
	}
	if err != nil {
		cancel(nil)
		return nil, translate(err)
	}
	return &answer{body: body, timer: timer, cancel: cancel}, nil
}

// answer is a body whose sender may not fall silent. The time between reads
// does not count: it is the reader's.
type answer struct {
	body   io.ReadCloser
	timer  *time.Timer
	cancel context.CancelCauseFunc
}

func (a *answer) Read(p []byte) (int, error) {
	a.timer.Reset(patience)
	defer a.timer.Stop()
	return a.body.Read(p)
}

func (a *answer) Close() error {
	a.timer.Stop()
	a.cancel(nil)
	return a.body.Close()
}
