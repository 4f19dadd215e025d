package crash

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	_ "modernc.org/sqlite" // reads the database once the server is stopped
)

// epoch is the cycles on one disk.
type epoch struct {
	plan
	result  *result
	shared  *shared
	layout  layout
	disk    *disk
	server  *server
	account account
	workers []*worker
}

const sharedPkg = "pusher/shared"

func ownPkg(i int) string { return fmt.Sprintf("pusher/w%d", i) }

// run makes a disk and goes through cycles on it. A disk that no server starts
// on any more is a loss, and the end of it.
func (e *epoch) run(ctx context.Context, cycles int) (err error) {
	dir, err := os.MkdirTemp(e.dir, "epoch-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if e.disk, err = newDisk(dir, e.fs, e.layout == apart); err != nil {
		return err
	}
	e.shared = &shared{oracle: newOracle(), library: &library{manifests: map[string]*manifest{}}, faults: &faults{}}
	e.server = &server{
		program: e.program, data: e.disk.data, logFile: filepath.Join(dir, "server.log"),
		settings: []string{"--registry-max-uploads", "100000"},
	}
	defer func() {
		e.server.kill()
		err = errors.Join(err, e.disk.release())
		e.result.faults = append(e.result.faults, e.shared.faults.texts...)
	}()
	if err := e.open(ctx); err != nil {
		return err
	}
	for range cycles {
		alive, err := e.cycle(ctx)
		if err != nil || !alive || e.toLoss && len(e.result.losses) > 0 {
			return err
		}
	}
	return e.closeDown(ctx)
}

// open starts the registry for the first time and makes the account and the
// workers.
func (e *epoch) open(ctx context.Context) error {
	if err := e.server.start(ctx); err != nil {
		return err
	}
	var err error
	if e.account, err = newAccount(e.server, "pusher"); err != nil {
		return err
	}
	for i := range workers {
		w := &worker{shared: e.shared, id: i, pkg: ownPkg(i), sizes: map[string]int{}}
		for other := range workers {
			if other != i {
				w.others = append(w.others, ownPkg(other))
			}
		}
		e.workers = append(e.workers, w)
	}
	return nil
}

func (e *epoch) newClient(ctx context.Context) (*client, error) {
	packages := []string{sharedPkg}
	for i := range workers {
		packages = append(packages, ownPkg(i))
	}
	return newClient(ctx, e.server, e.account, packages)
}

// cycle is one crash: load, the end of the server at a random moment, a new
// start and a look at everything. It returns false when nothing can go on after it.
func (e *epoch) cycle(ctx context.Context) (alive bool, err error) {
	n := uint64(e.result.done)
	e.result.done++
	c := newCrash(newRand(e.seed, n), e.power)
	if err := e.arm(ctx, n); err != nil {
		return false, err
	}
	if err := e.strike(ctx, c); err != nil {
		return false, err
	}
	if err := e.server.start(ctx); err != nil {
		e.lose(c, fmt.Sprintf("no start: %v", err))
		return false, ctx.Err()
	}
	e.result.slowest = max(e.result.slowest, e.server.started)
	if !e.signIn(ctx, c) {
		return false, ctx.Err()
	}
	return true, e.look(ctx, c)
}

// signIn tries the account, which was acknowledged like everything else.
func (e *epoch) signIn(ctx context.Context, c crash) bool {
	cl, err := e.newClient(ctx)
	if err != nil {
		e.lose(c, fmt.Sprintf("no sign-in: %v", err))
		return false
	}
	cl.close()
	return true
}

// crash is how and when a cycle ends.
type crash struct {
	cycle  int
	after  time.Duration // of load
	power  bool
	how    powerCut
	linger time.Duration // from the cut to the end of the process
}

func newCrash(rng *rand.Rand, power bool) crash {
	c := crash{power: power, after: 20*time.Millisecond + time.Duration(rng.Int64N(int64(longestLoad))), how: journalDropped}
	if rng.IntN(3) == 0 {
		c.how = journalKept
	}
	if rng.IntN(3) == 0 {
		c.linger = time.Duration(rng.Int64N(int64(longestLinger)))
	}
	return c
}

func (c crash) String() string {
	if !c.power {
		return "kill"
	}
	return fmt.Sprintf("%s, process killed after %s", c.how, c.linger.Round(time.Millisecond))
}

func (e *epoch) lose(c crash, what string) {
	e.result.losses = append(e.result.losses, fmt.Sprintf("cycle %d (%s, %s): %s", e.result.done, e.layout, c, what))
}

// arm gives each worker its client and its random numbers for one cycle.
func (e *epoch) arm(ctx context.Context, n uint64) error {
	e.shared.cut.Store(false)
	for _, w := range e.workers {
		c, err := e.newClient(ctx)
		if err != nil {
			return err
		}
		w.c, w.rng = c, newRand(e.seed, n, uint64(w.id))
		w.load()
	}
	return nil
}

// strike has the workers at it until the crash ends them.
func (e *epoch) strike(ctx context.Context, c crash) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var all sync.WaitGroup
	for _, w := range e.workers {
		all.Go(func() { w.run(ctx) })
	}
	select {
	case <-time.After(c.after):
	case <-ctx.Done():
	}
	e.result.load += c.after
	if !e.server.runs() {
		e.shared.faults.add("the server ended by itself: %v\n%s", e.server.exit, e.server.lastLog())
	}
	e.shared.cut.Store(true)
	err := e.end(c)
	cancel()
	all.Wait()
	for _, w := range e.workers {
		w.c.close()
	}
	return err
}

// end is the crash itself. With the power cut the server may live on for a
// moment on a disk that is gone; it must not acknowledge anything then.
func (e *epoch) end(c crash) error {
	if !c.power {
		e.server.kill()
		return nil
	}
	err := e.disk.cut(c.how)
	time.Sleep(c.linger)
	e.server.kill()
	return errors.Join(err, e.disk.remount())
}

// look compares everything with what it may be, and lets the clients go on with
// what the crash interrupted.
func (e *epoch) look(ctx context.Context, c crash) error {
	ackedCount, openCount := e.shared.oracle.counts()
	ch := &checker{shared: e.shared, newClient: func() (*client, error) { return e.newClient(ctx) }}
	seen, losses, err := ch.check(ctx)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, e.server.lastLog())
	}
	e.result.acked += ackedCount
	e.result.open += openCount
	e.result.looks += len(seen)
	for _, loss := range losses {
		e.lose(c, loss)
	}
	e.shared.oracle.settle(seen)
	return e.resume(ctx)
}

// resume goes on with every upload that the crash cut.
func (e *epoch) resume(ctx context.Context) error {
	e.shared.cut.Store(false)
	for _, w := range e.workers {
		var err error
		if w.c, err = e.newClient(ctx); err != nil {
			return err
		}
		for _, up := range w.unfinished {
			if err := w.finish(ctx, up); err != nil && !errors.Is(err, errRefused) {
				return err
			}
		}
		w.c.close()
	}
	return nil
}

// closeDown looks at what the last cycle left after the uploads were finished,
// ends the server in its orderly way and checks the database file.
func (e *epoch) closeDown(ctx context.Context) error {
	if err := e.look(ctx, crash{cycle: e.result.done}); err != nil {
		return err
	}
	if err := e.server.stop(); err != nil {
		e.shared.faults.add("the server did not stop well: %v\n%s", err, e.server.lastLog())
	}
	db, err := sql.Open("sqlite", "file:"+filepath.Join(e.disk.data, "packhouse.db"))
	if err != nil {
		return err
	}
	defer db.Close()
	var verdict string
	if err := db.QueryRowContext(ctx, "PRAGMA integrity_check").Scan(&verdict); err != nil {
		return err
	}
	if verdict != "ok" {
		e.result.losses = append(e.result.losses, "the database is damaged: "+verdict)
	}
	return nil
}
