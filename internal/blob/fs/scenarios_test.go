package fs

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"testing"
	"time"

	"packhouse/internal/blob"
	"packhouse/internal/oci"
)

// sim is a store on a memory disk, driven by scenarios. It remembers what the
// store has acknowledged.
type sim struct {
	*Store
	disk  *memory
	clock time.Time
	ids   int
	acked map[blob.Location][]byte
}

func newSim(t *testing.T, disk *memory) *sim {
	t.Helper()
	s := &sim{disk: disk, clock: time.Unix(1e9, 0), acked: map[blob.Location][]byte{}}
	if err := s.start(); err != nil {
		t.Fatal(err)
	}
	return s
}

// start opens the store as a process that starts would.
func (s *sim) start() error {
	st, err := open(s.disk, func() time.Time { return s.clock })
	if err == nil {
		st.syncEvery = 64
		s.Store = st
	}
	return err
}

func (s *sim) newID() string {
	s.ids++
	return fmt.Sprintf("00000000-0000-4000-8000-%012x", s.ids)
}

// put writes parts in stretches of their own and publishes the whole.
func (s *sim) put(alg oci.Algorithm, parts ...string) (blob.Location, error) {
	up := blob.Staged{ID: s.newID()}
	var all []byte
	for _, part := range parts {
		all = append(all, part...)
		var err error
		if up, err = s.write(up, part); err != nil {
			return "", err
		}
	}
	return s.publish(up, alg, all)
}

func (s *sim) write(up blob.Staged, text string) (blob.Staged, error) {
	w, err := s.Resume(context.Background(), up)
	if err != nil {
		return up, err
	}
	for p := range chunks(text) {
		if _, err := w.Write([]byte(p)); err != nil {
			break // Close repeats it
		}
	}
	return w.Close()
}

func chunks(text string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for ; len(text) > 50; text = text[50:] {
			if !yield(text[:50]) {
				return
			}
		}
		yield(text)
	}
}

func (s *sim) publish(up blob.Staged, alg oci.Algorithm, all []byte) (blob.Location, error) {
	loc, err := s.Publish(context.Background(), up, alg.FromBytes(all))
	if err == nil {
		s.acked[loc] = all
	}
	return loc, err
}

// check reads everything that was acknowledged.
func (s *sim) check() error {
	for loc, want := range s.acked {
		o, err := s.Open(context.Background(), loc, int64(len(want)))
		if err != nil {
			return fmt.Errorf("%s: %w", loc, err)
		}
		got, err := io.ReadAll(o)
		if err != nil {
			return fmt.Errorf("%s: %w", loc, err)
		}
		if err := o.Close(); err != nil {
			return err
		}
		if !bytes.Equal(got, want) {
			return fmt.Errorf("%s: holds %q, want %q", loc, got, want)
		}
	}
	return nil
}

// crashMidway leaves a Writer without its Close.
func (s *sim) crashMidway(up blob.Staged, text string) error {
	w, err := s.Resume(context.Background(), up)
	if err != nil {
		return err
	}
	_, err = w.Write([]byte(text))
	w.(*writer).await() // what a sync behind has brought to the disk stays there
	return err
}

var long = string(bytes.Repeat([]byte("0123456789"), 40)) // crosses syncEvery

// scenarios are what servers do. Each may be run again after it failed.
var scenarios = map[string]func(*sim) error{
	"an empty blob":    func(s *sim) error { _, err := s.put(oci.SHA256, ""); return err },
	"never written to": func(s *sim) error { _, err := s.put(oci.SHA256); return err },
	"one write":        func(s *sim) error { _, err := s.put(oci.SHA256, "hello"); return err },
	"sha512":           func(s *sim) error { _, err := s.put(oci.SHA512, "hello"); return err },
	"synced behind":    func(s *sim) error { _, err := s.put(oci.SHA256, long); return err },
	"two stretches":    func(s *sim) error { _, err := s.put(oci.SHA256, long, "end"); return err },
	"the same twice": func(s *sim) error {
		if _, err := s.put(oci.SHA256, "same"); err != nil {
			return err
		}
		_, err := s.put(oci.SHA256, "same")
		return err
	},
	"a crash and a resume": func(s *sim) error {
		up, err := s.write(blob.Staged{ID: s.newID()}, "first ")
		if err != nil {
			return err
		}
		if err := s.crashMidway(up, "dropped"); err != nil {
			return err
		}
		if err := s.start(); err != nil {
			return err
		}
		if up, err = s.write(up, "second"); err != nil {
			return err
		}
		_, err = s.publish(up, oci.SHA256, []byte("first second"))
		return err
	},
	"a crash and a resume without bytes": func(s *sim) error {
		up, err := s.write(blob.Staged{ID: s.newID()}, "whole")
		if err != nil {
			return err
		}
		if err := s.crashMidway(up, long); err != nil { // some of it is synced
			return err
		}
		w, err := s.Resume(context.Background(), up)
		if err != nil {
			return err
		}
		if up, err = w.Close(); err != nil {
			return err
		}
		_, err = s.publish(up, oci.SHA256, []byte("whole"))
		return err
	},
	"two crashes and a publish": func(s *sim) error {
		up, err := s.write(blob.Staged{ID: s.newID()}, "whole")
		if err != nil {
			return err
		}
		for _, text := range []string{long, ""} {
			if err := s.crashMidway(up, text); err != nil {
				return err
			}
			if err := s.start(); err != nil {
				return err
			}
		}
		_, err = s.publish(up, oci.SHA256, []byte("whole"))
		return err
	},
	"a crash and a publish": func(s *sim) error {
		up, err := s.write(blob.Staged{ID: s.newID()}, "whole")
		if err != nil {
			return err
		}
		if err := s.crashMidway(up, long); err != nil {
			return err
		}
		_, err = s.publish(up, oci.SHA256, []byte("whole"))
		return err
	},
	"read before it is published": func(s *sim) error {
		up, err := s.write(blob.Staged{ID: s.newID()}, "staged")
		if err != nil {
			return err
		}
		r, err := s.ReadStaged(context.Background(), up)
		if err != nil {
			return err
		}
		if _, err := io.ReadAll(r); err != nil {
			return err
		}
		_ = r.Close() // of a reader: it has given what it had to give
		_, err = s.publish(up, oci.SHA256, []byte("staged"))
		return err
	},
	"beside a discarded and a removed one": func(s *sim) error {
		up, err := s.write(blob.Staged{ID: s.newID()}, "unwanted")
		if err != nil {
			return err
		}
		if err := s.Discard(context.Background(), up); err != nil {
			return err
		}
		loc, err := s.put(oci.SHA256, "gone soon")
		if err != nil {
			return err
		}
		delete(s.acked, loc)
		if err := s.Remove(context.Background(), loc); err != nil {
			return err
		}
		_, err = s.put(oci.SHA256, "kept")
		return err
	},
	"a probe and a sweep between": func(s *sim) error {
		up, err := s.write(blob.Staged{ID: s.newID()}, "known")
		if err != nil {
			return err
		}
		if err := s.Probe(context.Background()); err != nil {
			return err
		}
		known := func(id string) bool { return id == up.ID }
		if _, err := s.SweepStaged(context.Background(), known, s.clock); err != nil {
			return err
		}
		_, err = s.publish(up, oci.SHA256, []byte("known"))
		return err
	},
}
