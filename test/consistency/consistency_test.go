package consistency

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"packhouse/test/lab"
)

var (
	program lab.Program
	// long and seed are set once, before any test runs.
	long = flag.Duration("for", 4*time.Second, "how long to go on")
	seed = flag.Uint64("seed", uint64(time.Now().UnixNano()), "seed of the requests")
)

func TestMain(m *testing.M) {
	flag.Parse()
	lab.Main(m, &program, nil)
}

func TestTagsOfOneProcess(t *testing.T) {
	t.Parallel()
	rounds(t, program.Start(t, "", lab.SQLiteAndDisk(t)))
}

func TestTagsOfTwoProcesses(t *testing.T) {
	t.Parallel()
	shared := lab.PostgresAndS3(t)
	rounds(t, program.Start(t, "", shared), program.Start(t, "", shared))
}

// rounds plays until the time is over, each round with a package of its own, and
// then shows that the check would have seen a stale answer in the last of them.
func rounds(t *testing.T, nodes ...lab.Registry) {
	t.Helper()
	r := round{who: account{"ann", nodes[0].Account(t, "ann")}}
	for _, n := range nodes {
		r.nodes = append(r.nodes, n.Addr)
	}
	var seen history
	for began, n := time.Now(), 0; n == 0 || time.Since(began) < *long; n++ {
		r.name, r.seed = fmt.Sprint("ann/round-", n), *seed+uint64(n)
		var err error
		if seen, err = r.play(t.Context()); err != nil {
			t.Fatalf("seed %d: %v", r.seed, err)
		}
		result, info := porcupine.CheckOperationsVerbose(tags(), seen, checkTime)
		if result != porcupine.Ok {
			t.Fatalf("seed %d: the checker says %s of %d requests; they are drawn in %s", r.seed, result, len(seen), draw(t, info))
		}
		t.Logf("round %d: %s", n, count(seen))
	}
	if got := check(stale(t, seen)); got != porcupine.Illegal {
		t.Errorf("with one stale answer among %d the checker says %s", len(seen), got)
	}
}

// draw leaves a picture of a history for people.
func draw(t *testing.T, info porcupine.LinearizationInfo) string {
	t.Helper()
	path := filepath.Join(os.TempDir(), fmt.Sprintf("packhouse-consistency-%d.html", *seed))
	if err := porcupine.VisualizePath(tags(), info, path); err != nil {
		t.Error(err)
	}
	return path
}

func count(seen history) string {
	n, open := map[action]int{}, 0
	for _, op := range seen {
		n[op.Input.(input).do]++
		if op.Output.(output).open {
			open++
		}
	}
	return fmt.Sprintf("%d puts, %d reads, %d deletes, %d lists; %d unanswered", n[put], n[get], n[remove], n[list], open)
}

// stale returns the history with one answer changed into an image that only one
// client ever pushed and whose tag was read as something else since.
func stale(t *testing.T, seen history) history {
	t.Helper()
	puts := map[string]int{}
	for _, op := range seen {
		if in := op.Input.(input); in.do == put {
			puts[in.value]++
		}
	}
	for _, p := range seen {
		in := p.Input.(input)
		if in.do != put || puts[in.value] != 1 || p.Output.(output).open {
			continue
		}
		between := int64(never) // when the tag was known to lead elsewhere
		for _, g := range seen {
			if g.Input == (input{get, in.tag, ""}) && g.Call > p.Return && g.Output.(output).value != in.value {
				between = min(between, g.Return)
			}
		}
		for i, g := range seen {
			if g.Input == (input{get, in.tag, ""}) && g.Call > between && g.Output.(output).value != in.value {
				changed := append(history{}, seen...)
				changed[i].Output = output{value: in.value}
				return changed
			}
		}
	}
	t.Fatal("no answer in the history can be made stale")
	return nil
}
