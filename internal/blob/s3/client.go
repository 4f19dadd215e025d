package s3

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/minio/minio-go/v7/pkg/s3utils"

	"packhouse/internal/errs"
)

// patience is how long the service may be silent. Long transfers may take any
// time as long as bytes move.
const patience = 5 * time.Second

const contentType = "application/octet-stream"

// hashed tells the client library not to hash and sign the bytes piece by
// piece: each request is signed with their SHA-256, which is known before.
const hashed = true

// client makes the requests of a Store. Every call has a limit of time, and
// every error is one of ours.
type client struct {
	core           *minio.Core
	public         *minio.Client // signs for clients; nil without a public endpoint
	bucket, prefix string
	conditional    bool // the service obeys If-None-Match
	checked        bool // the service checks a SHA-256 that comes with the bytes
}

func newClient(c Config) (*client, error) {
	if c.Region == "" {
		c.Region = "us-east-1" // else the library asks the service for it
	}
	o := &minio.Options{
		Creds:      credentials.NewStaticV4(c.AccessKey, c.SecretKey, ""),
		Secure:     c.TLS,
		Region:     c.Region,
		MaxRetries: 3,
		Transport:  &breaker{next: guard{newTransport()}, now: time.Now},
	}
	if strings.Contains(c.Endpoint, "/") {
		return nil, fmt.Errorf("the endpoint %q is not just a host and a port", c.Endpoint)
	}
	if err := s3utils.CheckValidBucketName(c.Bucket); err != nil {
		return nil, err
	}
	core, err := minio.NewCore(c.Endpoint, o)
	if err != nil {
		return nil, err
	}
	cl := &client{core: core, bucket: c.Bucket, prefix: c.Prefix}
	if c.PublicEndpoint == "" {
		return cl, nil
	}
	public, err := url.Parse(c.PublicEndpoint)
	if err != nil {
		return nil, err
	}
	if public.Host == "" || public.Scheme != "https" && public.Scheme != "http" {
		return nil, fmt.Errorf("the public endpoint %q is no address such as https://s3.example.com", c.PublicEndpoint)
	}
	o.Secure = public.Scheme == "https"
	cl.public, err = minio.New(public.Host, o)
	return cl, err
}

func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         (&net.Dialer{Timeout: 2 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
		TLSHandshakeTimeout: 3 * time.Second,
		MaxIdleConns:        128,
		MaxIdleConnsPerHost: 128,
		IdleConnTimeout:     time.Minute,
		DisableCompression:  true,
	}
}

// put writes a new object. That it exists can only mean that an earlier try of
// this call made it and the answer was lost: the key is ours and fresh.
func (c *client) put(ctx context.Context, key string, b *buffer) error {
	sum := b.sum()
	o := minio.PutObjectOptions{ContentType: contentType, UserMetadata: map[string]string{}, DisableContentSha256: hashed}
	if c.checked {
		o.UserMetadata["x-amz-checksum-sha256"] = base64.StdEncoding.EncodeToString(sum[:])
	}
	if c.conditional {
		o.SetMatchETagExcept("*")
	}
	body, ctx, stop := watch(ctx, b)
	defer stop()
	_, err := c.core.PutObject(ctx, c.bucket, c.prefix+key, body, int64(b.n), "", hex.EncodeToString(sum[:]), o)
	if err = translate(err); errs.Is(err, errs.Precondition) {
		return c.wantSize(ctx, key, int64(b.n))
	}
	return err
}

// load appends an object of the given size to b.
func (c *client) load(ctx context.Context, key string, size int64, b *buffer) error {
	o := &object{c: c, ctx: ctx, key: key, size: size}
	defer o.Close()
	_, err := b.ReadFrom(o)
	return err
}

// wantSize checks that an object is there and has the given size.
func (c *client) wantSize(ctx context.Context, key string, size int64) error {
	info, err := c.stat(ctx, key)
	if err == nil && info.Size != size {
		err = wrongSize(info.Size, size)
	}
	return err
}

func wrongSize(have, want int64) *errs.Error {
	return errs.Wrap(errs.Internal, fmt.Errorf("the object has %d bytes, %d were recorded", have, want), "stored bytes are damaged")
}

func (c *client) stat(ctx context.Context, key string) (minio.ObjectInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	info, err := c.core.StatObject(ctx, c.bucket, c.prefix+key, minio.StatObjectOptions{})
	return info, translate(err)
}

// remove deletes an object; one that is absent is no error.
func (c *client) remove(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	err := translate(c.core.RemoveObject(ctx, c.bucket, c.prefix+key, minio.RemoveObjectOptions{}))
	if errs.Is(err, errs.NotFound) {
		return nil
	}
	return err
}

// begin starts a multipart upload to st.Object and returns its id.
func (c *client) begin(ctx context.Context, st state) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	o := minio.PutObjectOptions{ContentType: contentType}
	if st.Checked {
		o.UserMetadata = map[string]string{"x-amz-checksum-algorithm": "SHA256"}
	}
	id, err := c.core.NewMultipartUpload(ctx, c.bucket, c.prefix+st.Object, o)
	return id, translate(err)
}

// putPart sends one part. The service refuses it when it got other bytes.
func (c *client) putPart(ctx context.Context, st state, number int, b *buffer) (part, error) {
	p := part{size: int64(b.n), sum: b.sum()}
	o := minio.PutObjectPartOptions{Sha256Hex: hex.EncodeToString(p.sum[:]), DisableContentSha256: hashed}
	if st.Checked {
		o.CustomHeader = http.Header{"X-Amz-Checksum-Sha256": {base64.StdEncoding.EncodeToString(p.sum[:])}}
	}
	body, ctx, stop := watch(ctx, b)
	defer stop()
	got, err := c.core.PutObjectPart(ctx, c.bucket, c.prefix+st.Object, st.Upload, number, body, p.size, o)
	p.etag = got.ETag
	return p, translate(err)
}

// copyPart makes a part of the bytes that an object has from start on.
func (c *client) copyPart(ctx context.Context, st state, number int, from string, start, size int64) (part, error) {
	ctx, cancel := context.WithTimeout(ctx, slow(size))
	defer cancel()
	got, err := c.core.CopyObjectPart(ctx, c.bucket, c.prefix+from, c.bucket, c.prefix+st.Object, st.Upload, number, start, size, nil)
	return part{size: size, etag: got.ETag}, translate(err)
}

func (c *client) complete(ctx context.Context, st state, size int64) error {
	ctx, cancel := context.WithTimeout(ctx, slow(size))
	defer cancel()
	parts := make([]minio.CompletePart, len(st.Parts))
	for i, p := range st.Parts {
		parts[i] = minio.CompletePart{PartNumber: i + 1, ETag: p.etag}
		if st.Checked {
			parts[i].ChecksumSHA256 = base64.StdEncoding.EncodeToString(p.sum[:])
		}
	}
	_, err := c.core.CompleteMultipartUpload(ctx, c.bucket, c.prefix+st.Object, st.Upload, parts, minio.PutObjectOptions{})
	return translate(err)
}

func (c *client) abort(ctx context.Context, st state) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return translate(c.core.AbortMultipartUpload(ctx, c.bucket, c.prefix+st.Object, st.Upload))
}

// slow is the limit for what the service does by itself with size bytes: some
// services copy them before they answer.
func slow(size int64) time.Duration {
	return patience + time.Duration(size/(32<<20))*time.Second
}

// watch returns a reader of b and a context that ends when the request has made
// no progress for the time of patience. Sending the same bytes again is none.
func watch(ctx context.Context, b *buffer) (io.ReadSeeker, context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(patience, func() { cancel(errSilent) })
	stop := func() { timer.Stop(); cancel(nil) }
	return &watched{SectionReader: io.NewSectionReader(b, 0, int64(b.n)), timer: timer}, ctx, stop
}

var errSilent = errors.New("the storage service was silent for too long")

type watched struct {
	*io.SectionReader
	timer *time.Timer
	sent  int64 // the furthest byte that was read
}

func (w *watched) Read(p []byte) (int, error) {
	n, err := w.SectionReader.Read(p)
	if at, _ := w.Seek(0, io.SeekCurrent); at > w.sent {
		w.sent = at
		w.timer.Reset(patience)
	}
	return n, err
}
