package blobtest

import (
	"bytes"
	"io"
	"sync"
	"testing"

	"packhouse/internal/blob"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

func testSameDigest(t *testing.T, open Backing) {
	content := append(Random(6*mebi), nonce()...)
	locs := make([]blob.Location, 2)
	var wg sync.WaitGroup
	for i := range locs {
		s := open(t)
		up := Append(t, s, blob.Staged{ID: NewID()}, content)
		wg.Go(func() {
			var err error
			if locs[i], err = s.Publish(t.Context(), up, oci.SHA256.FromBytes(content)); err != nil {
				t.Errorf("Publish: %v", err)
			}
		})
	}
	wg.Wait()
	if locs[0] == locs[1] {
		t.Errorf("both were published at %q", locs[0])
	}
	for _, loc := range locs {
		Check(t, open(t), loc, content)
	}
}

func testRemoveOneOfTwo(t *testing.T, open Backing) {
	s := open(t)
	content := append([]byte("again "), nonce()...)
	first := Put(t, s, content)
	second := Put(t, s, content)
	if err := s.Remove(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	_, err := s.Open(t.Context(), first, int64(len(content)))
	wantKind(t, "Open of the removed one", err, errs.NotFound)
	Check(t, s, second, content)
}

// testReadStaged also writes on and publishes after the bytes were read.
func testReadStaged(t *testing.T, open Backing) {
	for _, n := range []int{0, 5, 5 * mebi, 5*mebi + 1, 17 * mebi} {
		content := Random(n)
		up := Append(t, open(t), blob.Staged{ID: NewID()}, content[:n/2])
		up = Append(t, open(t), up, content[n/2:])
		for range 2 {
			checkStaged(t, open(t), up, content)
		}
		more := Random(n + 3)
		content = append(bytes.Clone(content), more...)
		up = Append(t, open(t), up, more)
		checkStaged(t, open(t), up, content)
		Check(t, open(t), Publish(t, open(t), up, content), content)
	}
}

func checkStaged(t *testing.T, s blob.Store, up blob.Staged, content []byte) {
	t.Helper()
	r, err := s.ReadStaged(t.Context(), up)
	if err != nil {
		t.Fatalf("ReadStaged of %d bytes: %v", up.Size, err)
	}
	compare(t, r, content)
	if err := r.Close(); err != nil {
		t.Errorf("Close: %v", err)
	}
}

func testWriters(t *testing.T, open Backing) {
	s := open(t)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 4 {
				content := append(Random(j*3*mebi+i), nonce()...)
				loc := put(t, s, content)
				if loc == "" {
					return
				}
				o, err := s.Open(t.Context(), loc, int64(len(content)))
				if err != nil {
					t.Errorf("Open: %v", err)
					return
				}
				if got, err := io.ReadAll(o); err != nil || !bytes.Equal(got, content) {
					t.Errorf("read %d bytes, %v; want the %d written", len(got), err, len(content))
				}
				_ = o.Close()
			}
		})
	}
	wg.Wait()
}

// put is Put for a goroutine, which must not end the test.
func put(t *testing.T, s blob.Store, content []byte) blob.Location {
	w, err := s.Resume(t.Context(), blob.Staged{ID: NewID()})
	if err != nil {
		t.Errorf("Resume: %v", err)
		return ""
	}
	if _, err := w.Write(content); err != nil {
		t.Errorf("Write: %v", err)
	}
	up, err := w.Close()
	if err != nil {
		t.Errorf("Close: %v", err)
		return ""
	}
	loc, err := s.Publish(t.Context(), up, oci.SHA256.FromBytes(content))
	if err != nil {
		t.Errorf("Publish: %v", err)
	}
	return loc
}

func testStateSize(t *testing.T, open Backing) {
	s := open(t)
	up := blob.Staged{ID: NewID()}
	for range 6 {
		up = Append(t, s, up, Random(8*mebi+1))
		if len(up.State) > 64<<10 {
			t.Fatalf("the state of %d bytes takes %d", up.Size, len(up.State))
		}
	}
	if err := s.Discard(t.Context(), up); err != nil {
		t.Error(err)
	}
}

func testSHA512(t *testing.T, open Backing) {
	s := open(t)
	content := Random(1000)
	loc, err := s.Publish(t.Context(), Append(t, s, blob.Staged{ID: NewID()}, content), oci.SHA512.FromBytes(content))
	if err != nil {
		t.Fatal(err)
	}
	Check(t, s, loc, content)
}
