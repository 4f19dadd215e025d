package fs

import (
	"context"
	"io"

	"packhouse/internal/blob"
	"packhouse/internal/errs"
)

// synced is the state of an upload all of whose bytes were fsynced by the
// Writer that wrote them.
//
// It is done by that Writer and not by Publish, because only its open file is
// sure to be told of a page that could not be written: once a file is closed
// and its inode leaves memory, the kernel forgets the error.
const synced = "synced"

// writer appends to one staged file.
type writer struct {
	s        *Store
	up       blob.Staged // as resumed
	name     string
	f        file
	size     int64
	unsynced int64      // written since the last sync behind began
	behind   chan error // the answer of the sync that runs behind; nil: none runs
	dirty    bool       // something is to be synced
	err      error      // the first failure; later writes repeat it
	lost     bool       // that failure was a sync: the file is worth nothing
}

// Resume implements blob.Store.
func (s *Store) Resume(_ context.Context, up blob.Staged) (blob.Writer, error) {
	staged, err := stagedName(up.ID)
	if err != nil {
		return nil, err
	}
	if err := s.writable(); err != nil {
		return nil, err
	}
	f, err := s.openStaged(up, staged)
	if err != nil {
		return nil, err
	}
	return &writer{s: s, up: up, name: staged, f: f, size: up.Size, dirty: string(up.State) != synced}, nil
}

// openStaged opens the staged file at up.Size and cuts off what lies beyond.
// The file of an upload without bytes is created. One that is too short lost
// bytes with the power: the upload is gone.
func (s *Store) openStaged(up blob.Staged, staged string) (file, error) {
	flag := appendOnly
	if up.Size == 0 {
		flag = createAppend
	}
	f, err := s.fs.OpenFile(staged, flag)
	if err != nil {
		return nil, translate(err)
	}
	info, err := f.Stat()
	if err == nil && info.Size() < up.Size {
		err = uploadLost(info.Size(), up.Size)
	}
	if err == nil && info.Size() > up.Size {
		err = s.cut(f, staged, up.Size)
	}
	if err != nil {
		_ = f.Close()
		return nil, translate(err)
	}
	return f, nil
}

// cut drops what a Writer left that was never closed. That is synced at once:
// whoever finds the right length later has no reason to, and a power cut after
// the publish would bring the dropped bytes back.
func (s *Store) cut(f file, staged string, size int64) error {
	if err := f.Truncate(size); err != nil {
		return err
	}
	if err := s.syncFile(f); err != nil {
		_ = s.fs.Remove(staged)
		return err
	}
	return nil
}

// Write implements io.Writer.
func (w *writer) Write(p []byte) (int, error) {
	if w.err == nil {
		w.err = w.s.refusal()
	}
	if w.err != nil {
		return 0, w.err
	}
	n, err := w.f.Write(p)
	if err == nil && n < len(p) {
		err = io.ErrShortWrite
	}
	w.size += int64(n)
	w.unsynced += int64(n)
	w.dirty = w.dirty || n > 0
	w.err = translate(err)
	if w.unsynced >= w.s.syncEvery && w.err == nil {
		w.syncBehind()
	}
	return n, w.err
}

// syncBehind has what was written so far brought to the disk beside the writes
// that follow. One such sync runs at a time: a disk that is slower than the
// sender holds the sender back.
func (w *writer) syncBehind() {
	if w.await(); w.err != nil {
		return
	}
	w.unsynced = 0
	w.behind = make(chan error, 1)
	go func(answer chan<- error) { answer <- w.s.syncFile(w.f) }(w.behind)
}

// await takes the answer of the sync that runs behind.
func (w *writer) await() {
	if w.behind == nil {
		return
	}
	err := <-w.behind
	w.behind = nil
	w.syncFailed(err)
}

func (w *writer) syncFailed(err error) {
	if err == nil {
		return
	}
	w.lost = true
	if w.err == nil {
		w.err = err
	}
}

// Close implements blob.Writer. After a failed sync the staged file is removed,
// for nothing can tell which of its bytes the disk has: the upload is unknown
// from then on, and its sender starts again.
func (w *writer) Close() (blob.Staged, error) {
	w.await()
	if w.dirty && !w.lost {
		w.syncFailed(w.s.syncFile(w.f))
	}
	if err := w.f.Close(); err != nil && w.err == nil {
		w.err = translate(err)
	}
	if w.lost {
		_ = w.s.fs.Remove(w.name)
		return w.up, w.err
	}
	return blob.Staged{ID: w.up.ID, Size: w.size, State: []byte(synced)}, w.err
}

// ReadStaged implements blob.Store.
func (s *Store) ReadStaged(_ context.Context, up blob.Staged) (io.ReadCloser, error) {
	staged, err := stagedName(up.ID)
	if err != nil {
		return nil, err
	}
	f, err := s.fs.OpenFile(staged, readOnly)
	if err != nil && up.Size == 0 && isAbsent(err) {
		return io.NopCloser(io.LimitReader(nil, 0)), nil
	}
	if err != nil {
		return nil, translate(err)
	}
	info, err := f.Stat()
	if err == nil && info.Size() < up.Size {
		err = uploadLost(info.Size(), up.Size)
	}
	if err != nil {
		_ = f.Close()
		return nil, translate(err)
	}
	return stagedReader{io.LimitReader(f, up.Size), f}, nil
}

// stagedReader reads what belongs to the upload and closes the file.
type stagedReader struct {
	bytes io.Reader
	io.Closer
}

func (r stagedReader) Read(p []byte) (int, error) {
	n, err := r.bytes.Read(p)
	if err != nil && err != io.EOF { // translate would make the end a failure
		err = translate(err)
	}
	return n, err
}

func uploadLost(have, want int64) *errs.Error {
	return errs.Wrap(errs.NotFound, sizeError{have, want}, "the upload is not known here any more")
}
