// Package s3 keeps blobs in a bucket of an S3-compatible service. It owns the
// keys below its prefix and the state by which any node can go on with an
// upload; it never lists a bucket to find something out.
//
//	blobs/ab/<id>.<nonce>    an object: published bytes, or the first bytes of
//	                         an upload that is still shorter than a part
//	uploads/<id>.<nonce>     bytes of an upload behind its last part
//	probe/<nonce>            written and removed when the service is tried out
//
// An upload goes straight to the key where it stays: nothing is renamed, and a
// key is never written twice. What a crash leaves is cleaned up by two rules
// that the bucket should have: abort incomplete multipart uploads, and expire
// uploads/ and probe/, both after more days than an upload session may last.
package s3

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/semaphore"

	"packhouse/internal/blob"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// Config names a bucket and how to reach it.
type Config struct {
	// Endpoint is host or host:port, without a scheme.
	Endpoint string
	// Region is "us-east-1" when empty.
	Region string
	Bucket string
	// Prefix stands before every key; empty, or it ends with a slash.
	Prefix               string
	AccessKey, SecretKey string
	// TLS is off only for a service on the same machine.
	TLS bool
	// PublicEndpoint is the address at which clients reach the service, such
	// as https://s3.example.com. Empty: clients never see it.
	PublicEndpoint string
	// SpareMemory bounds what all uploads together hold, in bytes, beside the
	// one part that each of them gathers; 0 is 12 MiB. More makes uploads
	// faster: that many bytes are sent while the next ones arrive.
	SpareMemory int64
	// Rand is the source of nonces; nil is crypto/rand.
	Rand io.Reader
}

// Store is a blob.Store and a blob.Presigner in a bucket.
type Store struct {
	client *client
	rand   io.Reader
	spare  *semaphore.Weighted // bytes of parts that are under way
}

var (
	_ blob.Store     = (*Store)(nil)
	_ blob.Presigner = (*Store)(nil)
)

// Open connects to the bucket and tries out what the service can do. One that
// does not read back at once what was written, or lacks ranges or multipart
// uploads, is refused; one that does not answer is Unavailable.
func Open(ctx context.Context, c Config) (*Store, error) {
	if c.Prefix != "" && !strings.HasSuffix(c.Prefix, "/") {
		return nil, errs.New(errs.Invalid, "the prefix of the bucket must end with a slash")
	}
	client, err := newClient(c)
	if err != nil {
		return nil, errs.Wrap(errs.Invalid, err, "the settings of the bucket are not valid")
	}
	s := &Store{client: client, rand: c.Rand, spare: semaphore.NewWeighted(cmp.Or(c.SpareMemory, 12<<20))}
	if s.rand == nil {
		s.rand = rand.Reader
	}
	if err := s.examine(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// nonce returns 16 hex digits that were never used before.
func (s *Store) nonce() (string, error) {
	var b [8]byte
	if _, err := io.ReadFull(s.rand, b[:]); err != nil {
		return "", errs.Wrap(errs.Internal, err, "no randomness")
	}
	return hex.EncodeToString(b[:]), nil
}

// objectKey returns a fresh key for bytes that may be published there.
func (s *Store) objectKey(id string) (string, error) {
	nonce, err := s.nonce()
	return "blobs/" + id[:2] + "/" + id + "." + nonce, err
}

// tailKey returns a fresh key for bytes that wait for their part.
func (s *Store) tailKey(id string) (string, error) {
	nonce, err := s.nonce()
	return "uploads/" + id + "." + nonce, err
}

// checkID accepts lower-case UUIDs.
func checkID(id string) error {
	if parsed, err := uuid.Parse(id); err != nil || parsed.String() != id {
		return errs.Wrap(errs.Internal, fmt.Errorf("upload id %q is no UUID", id), "upload id is not valid")
	}
	return nil
}

// checkLocation accepts exactly what Publish returns.
func checkLocation(loc blob.Location) error {
	rest, ok := strings.CutPrefix(string(loc), "blobs/")
	shard, file, _ := strings.Cut(rest, "/")
	id, nonce, _ := strings.Cut(file, ".")
	b, err := hex.DecodeString(nonce)
	if !ok || checkID(id) != nil || shard != id[:2] || err != nil || len(b) != 8 || strings.ToLower(nonce) != nonce {
		return errs.Wrap(errs.Internal, fmt.Errorf("location %q is not of this store", loc), "blob location is not valid")
	}
	return nil
}

// Publish implements blob.Store. It goes on when the client has gone.
func (s *Store) Publish(ctx context.Context, up blob.Staged, _ oci.Digest) (blob.Location, error) {
	ctx = context.WithoutCancel(ctx)
	st, err := decodeState(up)
	if err != nil {
		return "", err
	}
	key, err := s.publish(ctx, up, st)
	if err != nil {
		if !errs.Is(err, errs.Unavailable) { // else the rules of the bucket clean up
			s.drop(ctx, st)
		}
		return "", err
	}
	for _, leftover := range append(st.Old, st.Tail) {
		if leftover != "" && leftover != key {
			_ = s.client.remove(ctx, leftover) // the bucket's rules take it else
		}
	}
	return blob.Location(key), nil
}

func (s *Store) publish(ctx context.Context, up blob.Staged, st state) (string, error) {
	if len(st.Parts) > 0 {
		return st.Object, s.complete(ctx, up, st)
	}
	if st.Tail != "" {
		return st.Tail, s.client.wantSize(ctx, st.Tail, up.Size)
	}
	key, err := s.objectKey(up.ID)
	if err != nil {
		return "", err
	}
	return key, s.client.put(ctx, key, &buffer{})
}

// complete makes one object of the upload's parts and its tail. It is done only
// with the whole list, and counts only when the service then tells the right
// size. It may be repeated: an object at a key of ours is whole.
func (s *Store) complete(ctx context.Context, up blob.Staged, st state) error {
	if st.Tail != "" {
		tail := &buffer{}
		defer tail.free()
		err := s.client.load(ctx, st.Tail, st.TailSize, tail)
		if errs.Is(err, errs.NotFound) {
			return s.client.wantSize(ctx, st.Object, up.Size) // completed before
		}
		if err != nil {
			return err
		}
		p, err := s.client.putPart(ctx, st, len(st.Parts)+1, tail)
		if err != nil {
			if s.client.wantSize(ctx, st.Object, up.Size) == nil {
				return nil // completed before, so that it takes no more parts
			}
			return err
		}
		st.Parts = append(st.Parts[:len(st.Parts):len(st.Parts)], p)
	}
	if total := st.size(); total != up.Size {
		return errs.Wrap(errs.Internal, fmt.Errorf("the parts hold %d bytes, the upload %d", total, up.Size), "the upload is damaged")
	}
	err := s.client.complete(ctx, st, up.Size)
	if err != nil && !errs.Is(err, errs.NotFound) && !errs.Is(err, errs.Unavailable) {
		return err
	}
	// Also after an error: the service may have done it and its answer was
	// lost, or it did it for an earlier call and knows the upload no more.
	sizeErr := s.client.wantSize(ctx, st.Object, up.Size)
	switch {
	case sizeErr == nil:
		return nil
	case errs.Is(err, errs.Unavailable): // rather than that it is not there
		return errors.Join(err, sizeErr)
	}
	return errors.Join(sizeErr, err)
}

// Discard implements blob.Store.
func (s *Store) Discard(ctx context.Context, up blob.Staged) error {
	st, err := decodeState(up)
	if err != nil {
		return err
	}
	return s.drop(context.WithoutCancel(ctx), st)
}

// drop removes all that belongs to the upload.
func (s *Store) drop(ctx context.Context, st state) error {
	if st.Upload != "" {
		if err := s.client.abort(ctx, st); err != nil && !errs.Is(err, errs.NotFound) {
			return err
		}
	}
	for _, key := range append(st.Old, st.Object, st.Tail) {
		if key == "" {
			continue
		}
		if err := s.client.remove(ctx, key); err != nil {
			return err
		}
	}
	return nil
}

// Remove implements blob.Store.
func (s *Store) Remove(ctx context.Context, loc blob.Location) error {
	if err := checkLocation(loc); err != nil {
		return err
	}
	return s.client.remove(ctx, string(loc))
}

// Presign implements blob.Presigner. The service allows a ttl of up to 7 days.
func (s *Store) Presign(ctx context.Context, loc blob.Location, ttl time.Duration) (string, bool, error) {
	if err := checkLocation(loc); err != nil || s.client.public == nil {
		return "", false, err
	}
	address, err := s.client.public.PresignedGetObject(ctx, s.client.bucket, s.client.prefix+string(loc), ttl, nil)
	if err != nil {
		return "", false, translate(err)
	}
	return address.String(), true, nil
}
