package blobtest

import (
	"errors"
	"testing"
	"time"

	"packhouse/internal/blob"
	"packhouse/internal/oci"
)

// testWalk is for stores that are blob.Walkers too.
func testWalk(t *testing.T, open Backing) {
	s := open(t)
	walker, ok := s.(blob.Walker)
	if !ok {
		t.Fatal("the store is no blob.Walker")
	}
	type held struct {
		size   int64
		digest oci.Digest
	}
	want := map[blob.Location]held{}
	for _, n := range []int{0, 10, 300, 6 * mebi} {
		content := append(nonce(), Random(n)...)
		for range 2 { // one digest may be held twice
			want[Put(t, s, content)] = held{int64(len(content)), oci.SHA256.FromBytes(content)}
		}
	}
	gone := Put(t, s, nonce())
	if err := s.Remove(t.Context(), gone); err != nil {
		t.Fatal(err)
	}
	long := []byte("by another algorithm")
	loc, err := s.Publish(t.Context(), Append(t, s, blob.Staged{ID: NewID()}, long), oci.SHA512.FromBytes(long))
	if err != nil {
		t.Fatal(err)
	}
	want[loc] = held{int64(len(long)), oci.SHA512.FromBytes(long)}

	got := map[blob.Location]held{}
	err = walker.Walk(t.Context(), func(p blob.Published) error {
		w, known := want[p.Location]
		if !known {
			t.Errorf("%s was walked over, and not published", p.Location)
		}
		if !p.Digest.IsZero() && p.Digest != w.digest {
			t.Errorf("%s has the digest %s, want %s", p.Location, p.Digest, w.digest)
		}
		if age := time.Since(p.ModifiedAt); !p.ModifiedAt.IsZero() && (age > time.Hour || age < -time.Hour) {
			t.Errorf("%s is said to be of %s", p.Location, p.ModifiedAt)
		}
		if _, twice := got[p.Location]; twice {
			t.Errorf("%s was walked over twice", p.Location)
		}
		got[p.Location] = held{p.Size, w.digest}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for loc, w := range want {
		if got[loc] != w {
			t.Errorf("%s: got %v, want %v", loc, got[loc], w)
		}
	}
	enough := errors.New("enough")
	visits := 0
	err = walker.Walk(t.Context(), func(blob.Published) error { visits++; return enough })
	if !errors.Is(err, enough) || visits != 1 {
		t.Errorf("a visit that fails: %v after %d visits", err, visits)
	}
}
