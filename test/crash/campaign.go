package crash

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// plan says what to put a program through.
type plan struct {
	program string // path of the binary
	dir     string // for files; must be there
	fs      string // ext4 or xfs
	seed    uint64
	cycles  int
	power   bool // cut the power; else only kill the process
	layouts []layout
	toLoss  bool // end with the first loss
	log     func(format string, args ...any)
}

// layout says where the blobs are.
type layout string

const (
	together layout = "blobs and database on one file system"
	apart    layout = "blobs on a file system of their own"
)

// result is what came of a plan.
type result struct {
	done    int // cycles
	acked   int // requests that were acknowledged, all of which were checked
	open    int // requests without an answer
	looks   int // times that a blob, manifest or tag was read and compared
	load    time.Duration
	slowest time.Duration // start after a crash
	losses  []string      // acknowledged and not there, or there and wrong
	faults  []string      // wrong answers that lost nothing
}

func (r *result) String() string {
	return fmt.Sprintf("%d cycles, %.0f s of load: %d requests acknowledged, %d cut off; %d reads compared after the crashes; "+
		"%d losses, %d faults; slowest start %s", r.done, r.load.Seconds(), r.acked, r.open, r.looks,
		len(r.losses), len(r.faults), r.slowest.Round(time.Millisecond))
}

const (
	// cyclesPerDisk bounds what lies on one disk, and so how long a check takes.
	cyclesPerDisk = 20
	// longestLoad bounds the time from a start to the crash.
	longestLoad = 900 * time.Millisecond
	// longestLinger bounds how long the server lives on after its disk is gone.
	longestLinger = 100 * time.Millisecond
)

// run carries out the plan, with a fresh disk every few cycles. What the server
// did wrong is in the result; the error is of the harness.
func (p plan) run(ctx context.Context) (*result, error) {
	r := &result{}
	per := min(cyclesPerDisk, (p.cycles+len(p.layouts)-1)/len(p.layouts)) // each layout has its turn
	for n := 0; r.done < p.cycles; n++ {
		e := &epoch{plan: p, result: r, layout: p.layouts[n%len(p.layouts)]}
		losses, faults := len(r.losses), len(r.faults)
		if err := e.run(ctx, min(per, p.cycles-r.done)); err != nil {
			return r, err
		}
		p.log("%s: %s", e.layout, r)
		news := slices.Concat(r.losses[losses:], r.faults[faults:])
		for _, text := range news[:min(len(news), 5)] {
			p.log("%s", text)
		}
		if p.toLoss && len(r.losses) > 0 {
			break
		}
	}
	return r, nil
}
