package soak

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"packhouse/test/lab"
)

var (
	program lab.Program
	// long and seed are set once, before any test runs.
	long = flag.Duration("for", 20*time.Second, "how long the clients push")
	seed = flag.Uint64("seed", uint64(time.Now().UnixNano()), "seed of what they do")
)

func TestMain(m *testing.M) {
	flag.Parse()
	lab.Main(m, &program, nil)
}

// The waits, which a real server counts in days. A client that needs more than
// half the grace for a push was promised nothing.
const grace = 10 * time.Second

var waits = []string{
	"PACKHOUSE_REGISTRY_UPLOAD_INACTIVITY=5s", "PACKHOUSE_REGISTRY_UPLOAD_LIFE=5s",
	"PACKHOUSE_GC_INTERVAL=1s", "PACKHOUSE_GC_GRACE=10s", "PACKHOUSE_GC_CONDEMN_FOR=1s", "PACKHOUSE_GC_TRASH_FOR=1s",
	"PACKHOUSE_RETENTION_RESTORE_WINDOW=1s", "PACKHOUSE_GC_MAX_SHARE=1",
}

func TestOneServer(t *testing.T) {
	t.Parallel()
	soak(t, program.Start(t, "", append(lab.SQLiteAndDisk(t), waits...)))
}

func TestTwoNodes(t *testing.T) {
	t.Parallel()
	shared := append(lab.PostgresAndS3(t), waits...)
	soak(t, program.Start(t, "", shared), program.Start(t, "", shared))
}

func soak(t *testing.T, nodes ...lab.Registry) {
	t.Helper()
	t.Logf("seed %d", *seed)
	w := newWorld(*seed)
	w.login, w.token, w.grace = "ann", nodes[0].Account(t, "ann"), grace
	for _, n := range nodes {
		w.nodes = append(w.nodes, n.Addr)
	}
	all := w.play(t.Context(), *long)
	if w.finish(t, all); t.Failed() {
		return
	}
	t.Logf("%v", w.counts)
	if w.counts["HEAD"] == 0 || w.counts["mount"] == 0 || w.counts["pushed again"] == 0 {
		t.Errorf("this run proves nothing: %v", w.counts)
	}
	drained(t, nodes[0])
	w.pullAll(t, all)
	if out := nodes[0].Command(t, "fsck", "--read-data=100", "--rate=0"); !strings.Contains(out, " 0 findings") {
		t.Error(out)
	}
}

// play has all clients do what they do until the time is over.
func (w *world) play(ctx context.Context, long time.Duration) []*client {
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	all := make([]*client, clients)
	until := time.Now().Add(long)
	var wg sync.WaitGroup
	for i := range all {
		c := &client{number: i, random: rand.New(rand.NewPCG(*seed, uint64(i))), http: &http.Client{Transport: transport}, world: w}
		all[i] = c
		wg.Go(func() {
			for time.Now().Before(until) && ctx.Err() == nil {
				if err := c.step(ctx); err != nil {
					w.fault(err)
				}
			}
		})
	}
	wg.Wait()
	return all
}

// finish deletes most of what there is, and pulls the rest.
func (w *world) finish(t *testing.T, all []*client) {
	t.Helper()
	for i, v := range w.stored {
		if i%4 != 0 {
			if err := all[0].remove(t.Context(), v); err != nil {
				w.fault(err)
			}
		}
	}
	w.pullAll(t, all)
}

func (w *world) pullAll(t *testing.T, all []*client) {
	t.Helper()
	for _, v := range w.stored {
		if err := all[0].pullVersion(t.Context(), v); err != nil {
			w.fault(err)
		}
	}
	if err := errors.Join(w.faults...); err != nil {
		t.Errorf("%d faults: %v", w.counts["faults"], err)
		w.faults = nil
	}
}

// left is what nothing needs, by where it stands.
type left struct{ condemned, trash, condemn, toTrash int }

func (l left) total() int { return l.condemned + l.trash + l.condemn }

func (l left) String() string {
	return fmt.Sprintf("%d due to be condemned, %d condemned, %d in the trash", l.condemn, l.condemned, l.trash)
}

// stored asks the program what waits to be removed.
func stored(t *testing.T, r lab.Registry) (l left) {
	t.Helper()
	out := r.Command(t, "gc", "status")
	var bytes int64
	var packages, versions int
	for line := range strings.Lines(out) {
		_, _ = fmt.Sscanf(line, "waiting: %d blobs (%d bytes) condemned, %d (%d bytes) in the trash", &l.condemned, &bytes, &l.trash, &bytes)
		_, _ = fmt.Sscanf(line, "due: %d deleted packages, %d deleted versions, %d blobs (%d bytes) to condemn, %d", &packages, &versions,
			&l.condemn, &bytes, &l.toTrash)
	}
	return l
}

// drained waits two grace periods at most for all but a hundredth to be gone.
func drained(t *testing.T, r lab.Registry) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*grace)
	defer cancel()
	look := time.NewTicker(500 * time.Millisecond)
	defer look.Stop()
	most := stored(t, r).total()
	for {
		select {
		case <-ctx.Done():
			l := stored(t, r)
			t.Logf("at the most %d blobs were garbage; %s", most, l)
			if most == 0 || l.total()*100 > most {
				t.Errorf("%d of %d unneeded blobs are still there after two grace periods", l.total(), most)
			}
			return
		case <-look.C:
			most = max(most, stored(t, r).total())
		}
	}
}
