package crash

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	_ "modernc.org/sqlite" // reads the database once the server is stopped
)

// epoch is the cycles on one disk.
type epoch struct {
	plan
	result *result
	layout layout
	disk   *disk
	stage  *stage
}

// run makes a disk and goes through cycles on it.
func (e *epoch) run(ctx context.Context, cycles int) (err error) {
	dir, err := os.MkdirTemp(e.dir, "epoch-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if e.disk, err = newDisk(dir, e.fs, e.layout == apart); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, e.disk.release()) }()
	s := &server{program: e.program, data: e.disk.data, logFile: filepath.Join(dir, "server.log")}
	if e.stage, err = open(ctx, s, e.seed); err != nil {
		return err
	}
	defer func() {
		s.kill()
		e.result.faults = append(e.result.faults, e.stage.faults.texts...)
	}()
	for range cycles {
		alive, err := e.cycle(ctx)
		if err != nil || !alive || e.toLoss && len(e.result.losses) > 0 {
			return err
		}
	}
	return e.closeDown(ctx)
}

// cycle is one crash: load, the end of the server at a random moment, a new
// start and a look at everything. It returns false when nothing can go on after
// it.
func (e *epoch) cycle(ctx context.Context) (alive bool, err error) {
	n := uint64(e.result.done)
	e.result.done++
	c := newCrash(newRand(e.seed, n), e.power)
	e.result.load += c.after
	if err := e.stage.perform(ctx, n, c.after, func() error { return e.strike(c) }); err != nil {
		return false, err
	}
	if err := e.stage.server.start(ctx); err != nil {
		e.lose(c, fmt.Sprintf("no start: %v", err))
		return false, ctx.Err()
	}
	e.result.slowest = max(e.result.slowest, e.stage.server.started)
	cl, err := e.stage.newClient(ctx)
	if err != nil {
		e.lose(c, fmt.Sprintf("no sign-in: %v", err))
		return false, ctx.Err()
	}
	cl.close()
	return true, e.look(ctx, c)
}

// crash is how and when a cycle ends.
type crash struct {
	after  time.Duration // of load
	hasty  bool          // and then in the moment of an acknowledgement
	power  bool
	how    powerCut
	linger time.Duration // from the cut to the end of the process
}

func newCrash(rng *rand.Rand, power bool) crash {
	c := crash{power: power, after: 20*time.Millisecond + time.Duration(rng.Int64N(int64(longestLoad))), how: journalDropped}
	c.hasty = rng.IntN(2) == 0
	if rng.IntN(3) == 0 {
		c.how = journalKept
	}
	if rng.IntN(3) == 0 {
		c.linger = time.Duration(rng.Int64N(int64(longestLinger)))
	}
	return c
}

func (c crash) String() string {
	moment := map[bool]string{true: "at an acknowledgement", false: "at a random moment"}[c.hasty]
	if !c.power {
		return "kill " + moment
	}
	return fmt.Sprintf("%s %s, process killed after %s", c.how, moment, c.linger.Round(time.Millisecond))
}

func (e *epoch) lose(c crash, what string) {
	e.result.losses = append(e.result.losses, fmt.Sprintf("cycle %d (%s, %s): %s", e.result.done, e.layout, c, what))
}

// strike is the crash itself. With the power cut the server may live on for a
// moment on a disk that is gone; it must not acknowledge anything then.
func (e *epoch) strike(c crash) error {
	if c.hasty {
		e.stage.oracle.awaitAck()
	}
	if !c.power {
		e.stage.server.kill()
		return nil
	}
	err := e.stage.oracle.cutPower(func() error { return e.disk.cut(c.how) })
	time.Sleep(c.linger)
	e.stage.server.kill()
	return errors.Join(err, e.disk.remount())
}

func (e *epoch) look(ctx context.Context, c crash) error {
	found, err := e.stage.inspect(ctx)
	e.result.acked += found.acked
	e.result.open += found.open
	e.result.looks += found.looks
	for _, loss := range found.losses {
		e.lose(c, loss)
	}
	if err != nil {
		return err
	}
	return e.stage.resume(ctx)
}

// closeDown looks at what the last cycle left after the uploads were finished,
// ends the server in its orderly way and checks the database file.
func (e *epoch) closeDown(ctx context.Context) error {
	if err := e.look(ctx, crash{}); err != nil {
		return err
	}
	if err := e.stage.server.stop(); err != nil {
		e.stage.faults.add("the server did not stop well: %v\n%s", err, e.stage.server.lastLog())
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
		e.lose(crash{}, "the database is damaged: "+verdict)
	}
	return nil
}
