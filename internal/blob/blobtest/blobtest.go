// Package blobtest is the behaviour that every blob.Store shares, as tests. A
// store is right when it passes them; what they do not say is the store's own
// affair and tested beside it.
package blobtest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"regexp"
	"testing"

	"github.com/google/uuid"

	"packhouse/internal/blob"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// Backing opens a Store on one place that holds bytes; every call returns
// another Store on the same place, as another node would have it.
type Backing func(t *testing.T) blob.Store

// Run runs the suite. Each call of newBacking makes a place of its own.
func Run(t *testing.T, newBacking func(t *testing.T) Backing) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, Backing){
		"sizes":                          testSizes,
		"pieces":                         testPieces,
		"many small pieces":              testSmallPieces,
		"another node goes on":           testOtherNode,
		"a crashed writer is dropped":    testCrashedWriter,
		"resume without bytes":           testResumeWithoutBytes,
		"ranges":                         testRanges,
		"wrong size":                     testWrongSize,
		"absent":                         testAbsent,
		"a foreign location":             testForeignLocation,
		"removal is idempotent":          testRemove,
		"discarding is idempotent":       testDiscard,
		"one digest twice at once":       testSameDigest,
		"removal spares the same digest": testRemoveOneOfTwo,
		"staged bytes can be read":       testReadStaged,
		"eight writers":                  testWriters,
		"probe":                          testProbe,
		"a state is small":               testStateSize,
		"sha512":                         testSHA512,
		"walk":                           testWalk,
		"mark":                           testMark,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, newBacking(t))
		})
	}
}

// NewID returns a fresh upload id.
func NewID() string { return uuid.NewString() }

// Random returns n bytes that are the same for the same n.
func Random(n int) []byte {
	b := make([]byte, n)
	_, _ = mathrand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16)}).Read(b)
	return b
}

// Append writes p to the upload in pieces of at most 256 KiB.
func Append(t *testing.T, s blob.Store, up blob.Staged, p []byte) blob.Staged {
	t.Helper()
	w, err := s.Resume(t.Context(), up)
	if err != nil {
		t.Fatalf("Resume at %d: %v", up.Size, err)
	}
	want := up.Size + int64(len(p))
	for len(p) > 0 {
		n := min(len(p), 256<<10)
		if m, err := w.Write(p[:n]); m != n || err != nil {
			t.Fatalf("Write of %d bytes = %d, %v", n, m, err)
		}
		p = p[n:]
	}
	up, err = w.Close()
	if err != nil {
		t.Fatalf("Close: %v", err)
	}
	if up.Size != want {
		t.Fatalf("Close says %d bytes are staged, want %d", up.Size, want)
	}
	return up
}

// Publish publishes the upload under the digest of content.
func Publish(t *testing.T, s blob.Store, up blob.Staged, content []byte) blob.Location {
	t.Helper()
	loc, err := s.Publish(t.Context(), up, oci.SHA256.FromBytes(content))
	if err != nil {
		t.Fatalf("Publish: %v", err)
	}
	if !regexp.MustCompile(`^[a-z0-9./-]+$`).MatchString(string(loc)) {
		t.Fatalf("location %q holds more than [a-z0-9./-]", loc)
	}
	return loc
}

// Put stores content whole.
func Put(t *testing.T, s blob.Store, content []byte) blob.Location {
	t.Helper()
	return Publish(t, s, Append(t, s, blob.Staged{ID: NewID()}, content), content)
}

// Check reads the location and compares it with content.
func Check(t *testing.T, s blob.Store, loc blob.Location, content []byte) {
	t.Helper()
	o, err := s.Open(t.Context(), loc, int64(len(content)))
	if err != nil {
		t.Fatalf("Open: %v", err)
	}
	defer o.Close()
	compare(t, o, content)
}

// compare reads r to its end without holding it all.
func compare(t *testing.T, r io.Reader, content []byte) {
	t.Helper()
	h := sha256.New()
	n, err := io.Copy(h, r)
	if err != nil {
		t.Fatalf("read after %d of %d bytes: %v", n, len(content), err)
	}
	want := sha256.Sum256(content)
	if n != int64(len(content)) || !bytes.Equal(h.Sum(nil), want[:]) {
		t.Fatalf("read %d bytes, not the %d that were written", n, len(content))
	}
}

func wantKind(t *testing.T, what string, err error, kind errs.Kind) {
	t.Helper()
	var e *errs.Error
	if !errors.As(err, &e) || e.Kind != kind {
		t.Errorf("%s: error = %v, want one of kind %q", what, err, kind)
	}
}

const mebi = 1 << 20

func testSizes(t *testing.T, open Backing) {
	s := open(t)
	for _, n := range []int{
		0, 1, 4095, 4096, 4097, 256 << 10,
		5*mebi - 1, 5 * mebi, 5*mebi + 1, 10*mebi - 1, 10 * mebi, 10*mebi + 1, 40*mebi + 12345,
	} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			t.Parallel()
			content := Random(n)
			Check(t, open(t), Put(t, s, content), content)
		})
	}
}

func testPieces(t *testing.T, open Backing) {
	s := open(t)
	for _, sizes := range [][]int{
		{1, 1}, {0, 0, 5}, {3, 5*mebi - 3}, {5 * mebi, 5 * mebi}, {5*mebi - 1, 1, 1},
		{7 * mebi, 1, 9 * mebi, 0, 2}, {12 * mebi, 12 * mebi, 3},
	} {
		t.Run(fmt.Sprint(sizes), func(t *testing.T) {
			t.Parallel()
			up := blob.Staged{ID: NewID()}
			var content []byte
			for i, n := range sizes {
				piece := Random(n + i*n)[i*n:]
				content = append(content, piece...)
				up = Append(t, s, up, piece)
			}
			Check(t, s, Publish(t, s, up, content), content)
		})
	}
}

func testSmallPieces(t *testing.T, open Backing) {
	s := open(t)
	content := Random(40_000)
	up := blob.Staged{ID: NewID()}
	for i := 0; i < len(content); i += 4000 {
		up = Append(t, s, up, content[i:i+4000])
	}
	Check(t, s, Publish(t, s, up, content), content)
}

func testOtherNode(t *testing.T, open Backing) {
	content := Random(13*mebi + 77)
	up := blob.Staged{ID: NewID()}
	for _, cut := range [][2]int{{0, 100}, {100, 6 * mebi}, {6 * mebi, 12*mebi + 5}, {12*mebi + 5, len(content)}} {
		up = Append(t, open(t), up, content[cut[0]:cut[1]])
	}
	Check(t, open(t), Publish(t, open(t), up, content), content)
}

func testCrashedWriter(t *testing.T, open Backing) {
	for _, sizes := range [][3]int{{0, 10, 10}, {100, 50, 70}, {100, 8 * mebi, 7 * mebi}, {6 * mebi, 20 * mebi, 3 * mebi}, {6 * mebi, 3, 0}} {
		t.Run(fmt.Sprint(sizes), func(t *testing.T) {
			t.Parallel()
			kept, dropped, later := Random(sizes[0]), Random(sizes[1]), Random(sizes[2])
			up := Append(t, open(t), blob.Staged{ID: NewID()}, kept)
			w, err := open(t).Resume(t.Context(), up)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(dropped); err != nil {
				t.Fatal(err)
			}
			if len(dropped)%2 == 0 { // it came as far as a state that nobody recorded
				if _, err := w.Close(); err != nil {
					t.Fatal(err)
				}
			}
			up = Append(t, open(t), up, later)
			content := append(bytes.Clone(kept), later...)
			Check(t, open(t), Publish(t, open(t), up, content), content)
		})
	}
}

func testResumeWithoutBytes(t *testing.T, open Backing) {
	s := open(t)
	for _, n := range []int{0, 10, 6 * mebi} {
		content := Random(n)
		up := Append(t, s, blob.Staged{ID: NewID()}, content)
		for range 3 {
			up = Append(t, s, up, nil)
		}
		Check(t, s, Publish(t, s, up, content), content)
	}
	loc, err := s.Publish(t.Context(), blob.Staged{ID: NewID()}, oci.SHA256.FromBytes(nil))
	if err != nil {
		t.Fatalf("publishing an upload that was never written to: %v", err)
	}
	Check(t, s, loc, nil)
}

func testRanges(t *testing.T, open Backing) {
	s := open(t)
	content := Random(11*mebi + 3)
	o, err := s.Open(t.Context(), Put(t, s, content), int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	if end, err := o.Seek(0, io.SeekEnd); err != nil || end != int64(len(content)) {
		t.Fatalf("Seek to the end = %d, %v; want %d", end, err, len(content))
	}
	if n, err := o.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("Read at the end = %d, %v; want 0, EOF", n, err)
	}
	for _, r := range [][2]int{{0, 10}, {5*mebi - 2, 4}, {7, 6 * mebi}, {len(content) - 1, 1}, {0, len(content)}} {
		if at, err := o.Seek(int64(r[0]), io.SeekStart); err != nil || at != int64(r[0]) {
			t.Fatalf("Seek to %d = %d, %v", r[0], at, err)
		}
		got := make([]byte, r[1])
		if _, err := io.ReadFull(o, got); err != nil {
			t.Fatalf("Read of %v: %v", r, err)
		}
		if !bytes.Equal(got, content[r[0]:r[0]+r[1]]) {
			t.Errorf("Read of %v: other bytes", r)
		}
	}
	if _, err := o.Seek(-5, io.SeekEnd); err != nil {
		t.Fatal(err)
	}
	if at, err := o.Seek(2, io.SeekCurrent); err != nil || at != int64(len(content))-3 {
		t.Errorf("Seek from the current place = %d, %v", at, err)
	}
	compare(t, o, content[len(content)-3:])
	if _, err := o.Seek(-1, io.SeekStart); err == nil {
		t.Error("Seek before the start went well")
	}
}

func testWrongSize(t *testing.T, open Backing) {
	s := open(t)
	loc := Put(t, s, []byte("hello"))
	for _, size := range []int64{0, 4, 6} {
		if o, err := s.Open(t.Context(), loc, size); err == nil {
			t.Errorf("Open with size %d of 5 bytes went well", size)
			_ = o.Close()
		} else {
			wantKind(t, "Open with a wrong size", err, errs.Internal)
		}
	}
}

func testAbsent(t *testing.T, open Backing) {
	s := open(t)
	ctx := t.Context()
	loc := Put(t, s, []byte("soon gone"))
	if err := s.Remove(ctx, loc); err != nil {
		t.Fatal(err)
	}
	_, err := s.Open(ctx, loc, 9)
	wantKind(t, "Open of what was removed", err, errs.NotFound)

	for _, n := range []int{10, 6 * mebi} {
		up := Append(t, s, blob.Staged{ID: NewID()}, Random(n))
		if err := s.Discard(ctx, up); err != nil {
			t.Fatal(err)
		}
		if w, err := s.Resume(ctx, up); err == nil {
			// Some stores learn of it only when they write, and some of those
			// only that their bytes were refused.
			_, err = w.Write(Random(6 * mebi))
			_, closeErr := w.Close()
			if err = errors.Join(err, closeErr); !errs.Is(err, errs.NotFound) && !errs.Is(err, errs.Unavailable) {
				t.Errorf("writing to what was discarded = %v", err)
			}
		} else {
			wantKind(t, "Resume of what was discarded", err, errs.NotFound)
		}
		_, err := s.ReadStaged(ctx, up)
		wantKind(t, "ReadStaged of what was discarded", err, errs.NotFound)
		_, err = s.Publish(ctx, up, oci.SHA256.FromBytes(Random(n)))
		wantKind(t, "Publish of what was discarded", err, errs.NotFound)
	}
}

func testForeignLocation(t *testing.T, open Backing) {
	s := open(t)
	for _, loc := range []blob.Location{
		"", "/", "..", "../x", "sha256/../../etc/passwd", "/etc/passwd", "blobs/x", "sha256/ab/xyz",
		"SHA256/AB", "a\x00b", "blobs/../x", "format", "uploads/" + blob.Location(NewID()),
	} {
		_, err := s.Open(context.Background(), loc, 1)
		wantKind(t, fmt.Sprintf("Open(%q)", loc), err, errs.Internal)
		wantKind(t, fmt.Sprintf("Remove(%q)", loc), s.Remove(context.Background(), loc), errs.Internal)
	}
	for _, id := range []string{"", "x", "../x", "00000000-0000-4000-8000-00000000000A", "00000000-0000-4000-8000-0000000000000"} {
		_, err := s.Resume(context.Background(), blob.Staged{ID: id})
		wantKind(t, fmt.Sprintf("Resume of id %q", id), err, errs.Internal)
	}
}

func testRemove(t *testing.T, open Backing) {
	s := open(t)
	loc := Put(t, s, []byte("hello"))
	for range 3 {
		if err := s.Remove(t.Context(), loc); err != nil {
			t.Errorf("Remove: %v", err)
		}
	}
}

func testDiscard(t *testing.T, open Backing) {
	s := open(t)
	for _, up := range []blob.Staged{
		{ID: NewID()},
		Append(t, s, blob.Staged{ID: NewID()}, nil),
		Append(t, s, blob.Staged{ID: NewID()}, []byte("hello")),
		Append(t, s, Append(t, s, blob.Staged{ID: NewID()}, Random(6*mebi)), []byte("more")),
	} {
		for range 3 {
			if err := s.Discard(t.Context(), up); err != nil {
				t.Errorf("Discard of %d bytes: %v", up.Size, err)
			}
		}
	}
}

func testProbe(t *testing.T, open Backing) {
	s := open(t)
	for range 3 {
		if err := s.Probe(t.Context()); err != nil {
			t.Errorf("Probe: %v", err)
		}
	}
}

// nonce makes contents that no other test has written.
func nonce() []byte {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	return b
}
