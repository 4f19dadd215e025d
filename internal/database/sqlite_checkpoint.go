package database

import (
	"context"

	"packhouse/internal/errs"
)

const (
	// checkpointAt is the length of the log, in pages not yet copied into the
	// database file, at which copying begins: 4 MiB.
	checkpointAt = 1000
	// littleLeft is what may be left to copy while nobody can commit.
	littleLeft = 100
	// tooLong is the log at which commits are made to wait, since they
	// outrun the copying.
	tooLong = 4 * checkpointAt
	// lookEvery is how many batches pass between looks at that length.
	lookEvery = 16
)

// progress is the answer of SQLite to a checkpoint: whether something kept it
// from its end, the pages in the log, and how many of them are copied.
type progress struct {
	busy        bool
	log, copied int64
}

func (p progress) left() int64 { return p.log - p.copied }

// checkpoint runs a checkpoint on c. NOOP only looks. In the answer is the log
// as it was when the checkpoint began.
func (c *sqliteConn) checkpoint(mode string) (progress, error) {
	v, err := c.row("PRAGMA wal_checkpoint("+mode+")", nil, false)
	if err != nil {
		return progress{}, err
	}
	return progress{busy: v[0].(int64) != 0, log: v[1].(int64), copied: v[2].(int64)}, nil
}

// checkpointOn runs a checkpoint on the writing connection.
func (w *writer) checkpointOn(mode string) (p progress, err error) {
	rawErr := w.conn.Raw(func(dc any) error {
		p, err = dc.(*sqliteConn).checkpoint(mode)
		return nil
	})
	if err == nil {
		err = classifySQLite(rawErr)
	}
	return p, err
}

// considerCheckpoint starts a checkpoint when the log has grown. The leader
// calls it, after everyone has been answered.
func (w *writer) considerCheckpoint() {
	if w.batches++; w.batches%lookEvery != 0 {
		return
	}
	p, err := w.checkpointOn("NOOP")
	if err != nil || p.left() < checkpointAt || !w.checkpointing.CompareAndSwap(false, true) {
		return
	}
	w.background.Go(func() {
		defer w.checkpointing.Store(false)
		if err := w.checkpoint(); err != nil {
			w.log.Error("the log could not be copied into the database file", "error", err)
		}
	})
}

// checkpoint copies the log into the database file, on a connection of its own
// while commits go on. The log can start over only when nothing in it is left,
// so what was added meanwhile, which is little, is copied in a pause between
// two batches.
func (w *writer) checkpoint() error {
	dc, err := w.connector.Connect(context.Background())
	if err != nil {
		return err
	}
	c := dc.(*sqliteConn)
	defer c.Close()
	for range 3 {
		if _, err := c.checkpoint("PASSIVE"); err != nil {
			return err
		}
		if p, err := c.checkpoint("NOOP"); err != nil || p.left() < littleLeft || p.log > tooLong {
			break
		}
	}
	select {
	case w.lock <- struct{}{}:
		defer func() { <-w.lock }()
	case <-w.closed:
		return nil
	}
	_, err = c.checkpoint("PASSIVE")
	return err
}

func isNoSpace(err error) bool { return errs.Is(err, errs.NoSpace) }
