package crash

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// programs builds each variant once.
var programs = struct {
	sync.Mutex
	paths map[string]string
}{paths: map[string]string{}}

// program returns the path of the program, built with the tags.
func program(t *testing.T, tags string) string {
	t.Helper()
	programs.Lock()
	defer programs.Unlock()
	if path := programs.paths[tags]; path != "" {
		return path
	}
	path, err := build(t.Context(), given.dir, tags)
	if err != nil {
		t.Fatal(err)
	}
	programs.paths[tags] = path
	return path
}

// newPlan returns what the tests have in common.
func newPlan(t *testing.T, tags string, cycles int, power bool) plan {
	t.Helper()
	return plan{
		program: program(t, tags), dir: given.dir, fs: given.fs, seed: given.seed, cycles: cycles, power: power,
		layouts: []layout{together}, log: t.Logf,
	}
}

func (p plan) mustRun(t *testing.T) *result {
	t.Helper()
	t.Logf("seed %d, %s", p.seed, p.fs)
	r, err := p.run(t.Context())
	if err != nil {
		t.Fatalf("seed %d: %v", p.seed, err)
	}
	return r
}

// report fails the test for whatever the server did wrong.
func (r *result) report(t *testing.T) {
	t.Helper()
	for what, texts := range map[string][]string{"lost": r.losses, "wrong answer": r.faults} {
		for _, text := range texts[:min(len(texts), 10)] {
			t.Errorf("%s: %s", what, text)
		}
	}
	if r.acked == 0 {
		t.Error("nothing was acknowledged: nothing was tested")
	}
}

// TestKills kills the process at random moments (T-KILL).
func TestKills(t *testing.T) {
	newPlan(t, "", given.kills, false).mustRun(t).report(t)
}

// TestPowerCuts takes the power at random moments (T-CUT), from a registry on
// one file system and from one whose blobs have their own.
func TestPowerCuts(t *testing.T) {
	p := newPlan(t, "", given.cuts, true)
	p.layouts = []layout{together, apart}
	p.mustRun(t).report(t)
}

// TestSabotageIsCaught runs builds that lack one step of durability (T-CTRL).
// Each must lose something within a number of power cuts.
func TestSabotageIsCaught(t *testing.T) {
	for tags, where := range map[string]layout{
		"nofsync_file": together,
		// On one file system the fsync of the database's log often carries the
		// blob's name to the disk with it.
		"nofsync_dir":       apart,
		"sync_normal":       together,
		"ack_before_commit": together,
	} {
		t.Run(tags, func(t *testing.T) {
			p := newPlan(t, tags, given.controlCuts, true)
			p.layouts, p.toLoss = []layout{where}, true
			r := p.mustRun(t)
			if len(r.losses) == 0 {
				t.Fatalf("seed %d: the build with %s lost nothing in %s", p.seed, tags, r)
			}
			t.Logf("caught in cycle %d: %s", r.done, strings.SplitN(r.losses[0], "\n", 2)[0])
		})
	}
}

// TestNothingStays looks for mounts and images that an earlier test left.
func TestNothingStays(t *testing.T) {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(mounts), given.dir) {
		t.Errorf("still mounted:\n%s", mounts)
	}
	images, err := filepath.Glob(filepath.Join(given.dir, "*", "*", "*.img"))
	if err != nil || len(images) > 0 {
		t.Errorf("images are left: %v %v", images, err)
	}
}
