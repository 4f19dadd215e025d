package s3

import (
	"context"
	"errors"
	"io"

	"packhouse/internal/blob"
	"packhouse/internal/errs"
)

// underWay is how many parts of one upload may be sent at the same time.
const underWay = 3

// writer gathers bytes and sends them part by part.
type writer struct {
	s       *Store
	ctx     context.Context // without the client's end: what came is kept
	up      blob.Staged     // as resumed
	st      state           // with the parts that are finished
	begun   state           // as st was when the writer began
	sealed  bool            // ReadStaged has made an object of the upload
	buf     *buffer         // not sent yet
	offset  int64           // where buf begins
	wrote   bool
	sending []chan sent // in order
	err     error       // the first failure; later writes repeat it
}

// sent is the outcome of sending a part.
type sent struct {
	part part
	err  error
}

// Resume implements blob.Store.
func (s *Store) Resume(ctx context.Context, up blob.Staged) (blob.Writer, error) {
	st, err := decodeState(up)
	if err != nil {
		return nil, err
	}
	w := &writer{s: s, ctx: context.WithoutCancel(ctx), up: up, st: st, begun: st, buf: &buffer{}, offset: st.size()}
	for _, key := range st.Old {
		if err := s.client.remove(ctx, key); err != nil {
			return nil, err
		}
	}
	w.st.Old = nil
	if len(st.Parts) > 0 {
		_, err := s.client.stat(ctx, st.Object)
		if err != nil && !errs.Is(err, errs.NotFound) {
			return nil, err
		}
		w.sealed = err == nil
	}
	if st.Tail != "" && !w.sealed {
		if err := s.client.load(ctx, st.Tail, st.TailSize, w.buf); err != nil {
			w.buf.free()
			return nil, err
		}
	}
	return w, nil
}

// Write implements io.Writer.
func (w *writer) Write(p []byte) (int, error) {
	if w.sealed && w.err == nil && len(p) > 0 {
		w.err = w.reopen()
	}
	n := 0
	for n < len(p) && w.err == nil {
		w.wrote = true
		room := max(0, partSize(w.offset)-w.buf.n)
		m := min(room, len(p)-n)
		w.buf.append(p[n : n+m])
		n += m
		if m == room {
			w.send()
		}
	}
	return n, w.err
}

// send sends what is gathered as the next part. It returns before the part has
// arrived when the store has memory to spare for it; else the sender waits.
func (w *writer) send() {
	if w.st.Upload == "" {
		if w.err = w.begin(); w.err != nil {
			return
		}
	}
	size := int64(w.buf.n)
	spared := w.spare(size)
	if w.err != nil {
		if spared {
			w.s.spare.Release(size)
		}
		return
	}
	outcome := make(chan sent, 1)
	number, st, b := len(w.st.Parts)+len(w.sending)+1, w.st, w.buf
	w.sending = append(w.sending, outcome)
	w.buf, w.offset = &buffer{}, w.offset+size
	deliver := func() {
		p, err := w.s.client.putPart(w.ctx, st, number, b)
		b.free()
		if spared {
			w.s.spare.Release(size)
		}
		outcome <- sent{p, err}
	}
	if spared {
		go deliver()
		return
	}
	deliver()
	w.await()
}

// spare takes memory for one more part of size bytes under way. It waits for
// parts of this upload alone, never for other uploads; with none under way and
// no memory to spare it reports false.
func (w *writer) spare(size int64) bool {
	for {
		if len(w.sending) < underWay && w.s.spare.TryAcquire(size) {
			return true
		}
		if len(w.sending) == 0 {
			return false
		}
		w.await()
	}
}

// await takes the outcome of the oldest part under way. The list of parts stops
// at the first that failed: it is always the upload's beginning.
func (w *writer) await() {
	if len(w.sending) == 0 {
		return
	}
	o := <-w.sending[0]
	w.sending = w.sending[1:]
	if w.err == nil {
		w.err = o.err
	}
	if w.err == nil {
		w.st.Parts = append(w.st.Parts, o.part)
	}
}

// begin starts the multipart upload.
func (w *writer) begin() error {
	key, err := w.s.objectKey(w.up.ID)
	if err != nil {
		return err
	}
	st := w.st
	st.Object, st.Checked = key, w.s.client.checked
	if st.Upload, err = w.s.client.begin(w.ctx, st); err != nil {
		return err
	}
	w.st = st
	return nil
}

// copied is the most that the service takes in one copied part.
const copied = 4 << 30

// reopen goes on after ReadStaged has made an object of the upload, which it
// copies inside the service into the first parts of a new one.
func (w *writer) reopen() error {
	from, left := w.st.Object, w.up.Size
	key, err := w.s.objectKey(w.up.ID)
	if err != nil {
		return err
	}
	st := state{Object: key, Old: []string{from}}
	if w.st.Tail != "" {
		st.Old = append(st.Old, w.st.Tail)
	}
	if st.Upload, err = w.s.client.begin(w.ctx, st); err != nil {
		return err
	}
	for count := (left + copied - 1) / copied; count > 0; count-- {
		p, err := w.s.client.copyPart(w.ctx, st, len(st.Parts)+1, from, w.up.Size-left, left/count)
		if err != nil {
			return errors.Join(err, w.s.client.abort(w.ctx, st))
		}
		st.Parts = append(st.Parts, p)
		left -= p.size
	}
	w.st, w.offset, w.sealed = st, w.up.Size, false
	return nil
}

// Close implements blob.Writer. What is shorter than a part becomes an object
// of its own, from which any node can go on.
func (w *writer) Close() (blob.Staged, error) {
	defer func() { w.buf.free() }()
	if !w.wrote {
		return w.up, w.err
	}
	// Parts cut short make the state long: see partSize.
	if w.err == nil && w.buf.n >= max(minPart, partSize(w.offset)*4/5) {
		w.send()
	}
	for len(w.sending) > 0 {
		w.await()
	}
	st := w.st
	if w.begun.Tail != "" && st.Tail == w.begun.Tail {
		st.Old = append(st.Old, st.Tail)
	}
	st.Tail, st.TailSize = "", 0
	if w.err == nil && w.buf.n > 0 {
		st, w.err = w.putTail(st)
	}
	kept := st.size() + st.TailSize
	if w.err != nil && kept < w.up.Size {
		return w.up, w.err
	}
	return blob.Staged{ID: w.up.ID, Size: kept, State: st.encode()}, w.err
}

// putTail writes what is left. While there are no parts it is the whole upload,
// and the object where Publish will leave it.
func (w *writer) putTail(st state) (state, error) {
	newKey := w.s.tailKey
	if len(st.Parts) == 0 {
		newKey = w.s.objectKey
	}
	key, err := newKey(w.up.ID)
	if err != nil {
		return st, err
	}
	if err := w.s.client.put(w.ctx, key, w.buf); err != nil {
		return st, err
	}
	st.Tail, st.TailSize = key, int64(w.buf.n)
	return st, nil
}

// ReadStaged implements blob.Store. The parts of an unfinished upload cannot be
// read, so they are made an object first, at the key where Publish would leave
// them; a Writer that comes later starts from a copy of it.
func (s *Store) ReadStaged(ctx context.Context, up blob.Staged) (io.ReadCloser, error) {
	st, err := decodeState(up)
	if err != nil {
		return nil, err
	}
	switch {
	case len(st.Parts) > 0:
		if err := s.client.wantSize(ctx, st.Object, up.Size); errs.Is(err, errs.NotFound) {
			err = s.complete(context.WithoutCancel(ctx), up, st)
			if err != nil {
				return nil, err
			}
		} else if err != nil {
			return nil, err
		}
		return s.client.open(ctx, st.Object, up.Size)
	case st.Tail != "":
		return s.client.open(ctx, st.Tail, up.Size)
	}
	return io.NopCloser(io.LimitReader(nil, 0)), nil
}
