package crash

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// stage is a server with its workers and the oracle that watches them.
type stage struct {
	*shared
	server  *server
	seed    uint64
	account account
	workers []*worker
}

// workers is how many clients push at a time.
const workers = 4

const sharedPkg = "pusher/shared"

func ownPkg(i int) string { return fmt.Sprintf("pusher/w%d", i) }

// open starts the server for the first time and makes the account and the
// workers.
func open(ctx context.Context, s *server, seed uint64) (*stage, error) {
	st := &stage{
		server: s, seed: seed,
		shared: &shared{oracle: newOracle(), library: &library{manifests: map[string]*manifest{}}, faults: &faults{}},
	}
	// What a crash leaves of uploads is not cleaned up before it expires.
	s.settings = append(s.settings, "--registry-max-uploads", "100000")
	err := s.start(ctx)
	if err != nil {
		return nil, err
	}
	if st.account, err = newAccount(s, "pusher"); err != nil {
		s.kill()
		return nil, err
	}
	for i := range workers {
		w := &worker{shared: st.shared, id: i, pkg: ownPkg(i), named: map[string]bool{}}
		for other := range workers {
			if other != i {
				w.others = append(w.others, ownPkg(other))
			}
		}
		st.workers = append(st.workers, w)
	}
	return st, nil
}

// newClient signs in.
func (st *stage) newClient(ctx context.Context) (*client, error) {
	packages := []string{sharedPkg}
	for i := range workers {
		packages = append(packages, ownPkg(i))
	}
	return newClient(ctx, st.server, st.account, packages)
}

// perform has the workers at it for a while and then strikes. Until strike is
// called every request must succeed. Each worker ends with the first that gets
// no answer after it, or with the step it is at when strike returns. n chooses
// the random numbers.
func (st *stage) perform(ctx context.Context, n uint64, load time.Duration, strike func() error) error {
	st.cut.Store(false)
	for _, w := range st.workers {
		c, err := st.newClient(ctx)
		if err != nil {
			return err
		}
		defer c.close()
		w.c, w.rng = c, newRand(st.seed, n, uint64(w.id))
		w.load()
	}
	stop := make(chan struct{})
	var all sync.WaitGroup
	for _, w := range st.workers {
		all.Go(func() { w.run(ctx, stop) })
	}
	select {
	case <-time.After(load):
	case <-ctx.Done():
	}
	if !st.server.runs() {
		st.faults.add("the server ended by itself: %v\n%s", st.server.exit, st.server.lastLog())
	}
	st.cut.Store(true)
	err := strike()
	close(stop)
	all.Wait()
	return err
}

// inspection is what a look at everything found.
type inspection struct {
	acked, open int // requests since the last one
	looks       int
	losses      []string
}

// inspect compares everything with what it may be, and takes what it saw for
// settled.
func (st *stage) inspect(ctx context.Context) (inspection, error) {
	var found inspection
	found.acked, found.open = st.oracle.counts()
	ch := &checker{shared: st.shared, newClient: func() (*client, error) { return st.newClient(ctx) }}
	seen, losses, err := ch.check(ctx)
	if err != nil {
		return found, fmt.Errorf("%w\n%s", err, st.server.lastLog())
	}
	found.looks, found.losses = len(seen), losses
	st.oracle.settle(seen)
	return found, nil
}

// resume lets the clients go on with every upload that was cut.
func (st *stage) resume(ctx context.Context) error {
	st.cut.Store(false)
	for _, w := range st.workers {
		var err error
		if w.c, err = st.newClient(ctx); err != nil {
			return err
		}
		for _, up := range w.unfinished {
			if err := w.finish(ctx, up); err != nil && !errors.Is(err, errRefused) {
				return err
			}
		}
		w.unfinished = nil
		w.c.close()
	}
	return nil
}
