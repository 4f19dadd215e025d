package fs

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"packhouse/internal/errs"
)

// failure closes the store for writes. It stands for an fsync that failed.
//
// The kernel reports a page that it could not write once, to the files that
// were open, and then treats it as clean. So the upload whose fsync failed is
// thrown away and never synced again, and until the disk has shown that it
// works no other upload is trusted to it.
//
// That proof is a fresh file, written, fsynced and read back past the cache,
// together with an fsync of its directory. It is enough, and no restart is
// needed, because nothing that was acknowledged hangs on the failed fsync: a
// blob is acknowledged only after its own fsyncs, and uploads that were open at
// the time still have to pass theirs, on files of their own that the kernel
// would report by themselves.
type failure struct{ cause error }

// probePause keeps a broken disk from being asked on every request.
const probePause = time.Second

// judge takes the answer of an fsync. A full disk is no broken disk: the file
// is lost, the store stays open.
func (s *Store) judge(err error) error {
	if err == nil {
		return nil
	}
	if !isFull(err) {
		s.failed.Store(&failure{err})
		return refused(err)
	}
	return translate(err)
}

// refusal returns the answer to writes while the store is closed to them.
func (s *Store) refusal() error {
	if f := s.failed.Load(); f != nil {
		return refused(f.cause)
	}
	return nil
}

func refused(cause error) *errs.Error {
	return unavailable(cause, "the storage refuses writes since a failed fsync; it opens again when its disk works")
}

// writable is refusal for a call that begins a write: at most once a second it
// tries whether the disk works again.
func (s *Store) writable() error {
	if s.failed.Load() == nil {
		return nil
	}
	if !s.probing.TryLock() {
		return s.refusal()
	}
	defer s.probing.Unlock()
	if now := s.now(); now.Sub(s.tried) >= probePause {
		s.tried = now
		_ = s.probe() // refusal tells
	}
	return s.refusal()
}

// Probe implements blob.Store. It writes and fsyncs a small file; when that
// works, a store that was closed by a failed fsync takes writes again.
func (s *Store) Probe(context.Context) error {
	s.probing.Lock()
	defer s.probing.Unlock()
	s.tried = s.now()
	if err := s.probe(); err != nil {
		return err
	}
	return s.refusal()
}

func (s *Store) probe() error {
	before := s.failed.Load()
	name, f, err := createUnique(s.fs, "probe")
	if err != nil {
		return translate(err)
	}
	err = s.prove(f)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if removeErr := s.fs.Remove(name); err == nil {
		err = removeErr
	}
	if err != nil {
		return translate(err)
	}
	s.failed.CompareAndSwap(before, nil) // a failure since then stands
	return nil
}

// prove writes a block to f, syncs it and the directory, and reads it back.
func (s *Store) prove(f file) error {
	want := bytes.Repeat([]byte("probe..."), 512)
	if _, err := f.Write(want); err != nil {
		return err
	}
	if err := s.judge(s.fs.Sync(f)); err != nil {
		return err
	}
	if err := s.judge(s.fs.SyncDir(uploadsDir)); err != nil {
		return err
	}
	forget(f)
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	got := make([]byte, len(want))
	if _, err := io.ReadFull(f, got); err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return unavailable(errors.New("a probe file reads back other bytes"), "the storage of this registry does not work at the moment")
	}
	return nil
}
