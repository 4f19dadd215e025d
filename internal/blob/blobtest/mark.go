package blobtest

import (
	"testing"

	"packhouse/internal/blob"
)

// A mark is what was set last, for every node, and is none of the bytes.
func testMark(t *testing.T, open Backing) {
	marker, ok := open(t).(blob.Marker)
	if !ok {
		t.Fatal("the store keeps no mark")
	}
	if text, err := marker.Mark(t.Context()); text != "" || err != nil {
		t.Fatalf("a new store has the mark %q, %v", text, err)
	}
	for _, want := range []string{"abc 1", "abc 20", "x 3"} {
		if err := marker.SetMark(t.Context(), want); err != nil {
			t.Fatal(err)
		}
		other := open(t)
		if got, err := other.(blob.Marker).Mark(t.Context()); got != want || err != nil {
			t.Errorf("the mark is %q, %v; want %q", got, err, want)
		}
		err := other.(blob.Walker).Walk(t.Context(), func(p blob.Published) error {
			t.Errorf("the mark is taken for the blob %s", p.Location)
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}
