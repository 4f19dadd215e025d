//go:build nofsync_file || nofsync_dir

package fs

import (
	"testing"
)

// TestSabotageIsCaught runs in a build that leaves out an fsync. The power cut
// of the other tests must notice, else they prove nothing.
func TestSabotageIsCaught(t *testing.T) {
	for name, scenario := range scenarios {
		s := newSim(t, newMemory())
		if err := scenario(s); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if len(s.acked) == 0 {
			t.Fatalf("%s acknowledged nothing", name)
		}
		s.disk = s.disk.cutPower()
		if err := s.start(); err != nil {
			t.Fatal(err)
		}
		if s.check() == nil && !(name == "an empty blob" || name == "never written to") {
			t.Errorf("%s: nothing was lost", name)
		}
	}
}
