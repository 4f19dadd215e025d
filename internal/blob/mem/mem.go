// Package mem keeps blobs in memory, for tests of other packages. It keeps
// every promise of blob.Store but the one about the loss of power.
package mem

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync"

	"github.com/google/uuid"

	"packhouse/internal/blob"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// Store is a blob.Store in memory. It never removes what nobody removes.
type Store struct {
	mu        sync.Mutex
	staged    map[string][]byte
	published map[blob.Location][]byte
	mark      string
}

var _ blob.Store = (*Store)(nil)

// New returns an empty store.
func New() *Store {
	return &Store{staged: map[string][]byte{}, published: map[blob.Location][]byte{}}
}

// find returns the upload's bytes; an upload without any may be unknown.
func (s *Store) find(up blob.Staged) ([]byte, error) {
	if id, err := uuid.Parse(up.ID); err != nil || id.String() != up.ID {
		return nil, errs.New(errs.Internal, "upload id is not valid")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b := s.staged[up.ID]
	if int64(len(b)) < up.Size {
		return nil, errs.New(errs.NotFound, "the upload is not known here")
	}
	return b[:up.Size], nil
}

// writer gathers one stretch.
type writer struct {
	s    *Store
	id   string
	kept []byte
}

// Resume implements blob.Store.
func (s *Store) Resume(_ context.Context, up blob.Staged) (blob.Writer, error) {
	b, err := s.find(up)
	if err != nil {
		return nil, err
	}
	return &writer{s: s, id: up.ID, kept: bytes.Clone(b)}, nil
}

func (w *writer) Write(p []byte) (int, error) {
	w.kept = append(w.kept, p...)
	return len(p), nil
}

func (w *writer) Close() (blob.Staged, error) {
	w.s.mu.Lock()
	defer w.s.mu.Unlock()
	w.s.staged[w.id] = w.kept
	return blob.Staged{ID: w.id, Size: int64(len(w.kept))}, nil
}

// ReadStaged implements blob.Store.
func (s *Store) ReadStaged(_ context.Context, up blob.Staged) (io.ReadCloser, error) {
	b, err := s.find(up)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

// Publish implements blob.Store.
func (s *Store) Publish(_ context.Context, up blob.Staged, d oci.Digest) (blob.Location, error) {
	b, err := s.find(up)
	if err != nil {
		return "", err
	}
	loc := blob.Location("mem/" + d.Hex() + "." + up.ID)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.published[loc] = b
	delete(s.staged, up.ID)
	return loc, nil
}

// Discard implements blob.Store.
func (s *Store) Discard(_ context.Context, up blob.Staged) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.staged, up.ID)
	return nil
}

// object closes without an effect.
type object struct{ *bytes.Reader }

func (object) Close() error { return nil }

// Open implements blob.Store.
func (s *Store) Open(_ context.Context, loc blob.Location, size int64) (blob.Object, error) {
	if err := check(loc); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	b, ok := s.published[loc]
	switch {
	case !ok:
		return nil, errs.New(errs.NotFound, "the bytes are not here")
	case int64(len(b)) != size:
		return nil, errs.New(errs.Internal, "stored bytes are damaged")
	}
	return object{bytes.NewReader(b)}, nil
}

// Remove implements blob.Store.
func (s *Store) Remove(_ context.Context, loc blob.Location) error {
	if err := check(loc); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.published, loc)
	return nil
}

// Probe implements blob.Store.
func (s *Store) Probe(context.Context) error { return nil }

func check(loc blob.Location) error {
	if !strings.HasPrefix(string(loc), "mem/") {
		return errs.New(errs.Internal, "blob location is not valid")
	}
	return nil
}
