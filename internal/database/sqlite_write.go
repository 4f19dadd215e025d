package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// maxBatch bounds how many Writes share a commit, and so how long the
	// first of them waits for the others.
	maxBatch = 128
	// maxAttempts is how often a Write that asks to be run again is run.
	maxAttempts = 8
)

var errClosed = errors.New("database: closed")

// writer commits the Writes of many callers together. A caller that finds the
// writer free leads: it runs its own function and those of all who queued
// meanwhile in one transaction, commits once, and answers them. Nobody waits
// for company: it comes while the commit before is on its way to the disk.
type writer struct {
	connector driver.Connector
	log       *slog.Logger
	db        *sql.DB

	// lock holds one token while somebody leads. What is below it up to the
	// blank line belongs to the leader.
	lock    chan struct{}
	conn    *sql.Conn
	relaxed bool // the connection commits without fsync
	suspect bool // a commit failed and left us not knowing what is in the log
	batches int

	// Callers stand in one of these until a leader takes them or they leave.
	durableQueue, relaxedQueue chan *member

	checkpointing atomic.Bool
	background    sync.WaitGroup
	closing       sync.Once
	closed        chan struct{}
}

// member is one Write in a batch.
type member struct {
	ctx      context.Context
	fn       func(ctx context.Context, tx *Tx) error
	relaxed  bool
	err      error
	panicked error
	done     chan struct{}
}

func newWriter(c driver.Connector, log *slog.Logger) *writer {
	w := &writer{
		connector: c, log: log, db: sql.OpenDB(c),
		lock: make(chan struct{}, 1), closed: make(chan struct{}),
		durableQueue: make(chan *member), relaxedQueue: make(chan *member),
	}
	w.db.SetMaxOpenConns(1)
	return w
}

func (w *writer) write(ctx context.Context, fn func(ctx context.Context, tx *Tx) error, relaxed bool) error {
	for try := 1; ; try++ {
		err := w.once(&member{ctx: ctx, fn: fn, relaxed: relaxed || !commitSync})
		if !errors.Is(err, ErrRetry) {
			return err
		}
		if try == maxAttempts {
			return unavailable(err)
		}
	}
}

// once leads a batch with m in it or joins one.
func (w *writer) once(m *member) error {
	if err := m.ctx.Err(); err != nil {
		return err
	}
	queue := w.durableQueue
	if m.relaxed {
		queue = w.relaxedQueue
	}
	m.done = make(chan struct{})
	select {
	case w.lock <- struct{}{}:
		w.lead(m)
	case queue <- m:
		<-m.done
	case <-m.ctx.Done():
		return m.ctx.Err()
	case <-w.closed:
		return unavailable(errClosed)
	}
	if m.panicked != nil {
		panic(m.panicked)
	}
	return m.err
}

func (w *writer) lead(first *member) {
	b := batch{w: w, err: errors.New("database: the batch was abandoned")}
	defer func() {
		b.end()
		<-w.lock
	}()
	err := w.prepare(first.relaxed)
	if err != nil {
		b.members = append(b.members, first)
	}
	for m := first; err == nil && m != nil; {
		// Whoever is taken from a queue is answered, so nobody is taken
		// after a failure.
		if err = b.run(m); err == nil {
			m = w.next(first.relaxed, len(b.members))
		}
	}
	b.err = err
}

// next returns a caller that waits, if one does. A batch that is relaxed takes
// no one who needs an fsync.
func (w *writer) next(relaxed bool, taken int) *member {
	if taken == maxBatch {
		return nil
	}
	durable := w.durableQueue
	if relaxed {
		durable = nil
	}
	select {
	case m := <-durable:
		return m
	case m := <-w.relaxedQueue:
		return m
	default:
		return nil
	}
}

// prepare makes the connection ready for a batch.
func (w *writer) prepare(relaxed bool) error {
	if w.broken() {
		w.drop()
		w.suspect = true
	}
	if w.conn == nil {
		c, err := w.db.Conn(context.Background())
		if err != nil {
			return classifySQLite(err)
		}
		w.conn, w.relaxed = c, false
	}
	err := w.verify()
	if err == nil && w.relaxed != relaxed {
		err = w.synchronous(relaxed)
	}
	if err != nil {
		w.drop()
	}
	return err
}

// synchronous chooses between fsync at every commit and none. A relaxed commit
// is in the same log as the durable ones, in front of them: the fsync of the
// next FULL commit is of the whole file (sqlite3WalFrames syncs the log's file
// handle, not a range), and a checkpoint syncs the log, in NORMAL too, before
// it copies anything out of it. So no commit survives one it was built on.
func (w *writer) synchronous(relaxed bool) error {
	text := "PRAGMA synchronous=FULL"
	if relaxed {
		text = "PRAGMA synchronous=NORMAL"
	}
	err := w.exec(text)
	if err == nil {
		w.relaxed = relaxed
	}
	return err
}

// verify ends the doubt that a failed commit leaves. The kernel reports a
// failed fsync once and then calls the same pages clean, so nothing may be
// appended to that log: everything in it that counts is written and synced
// into the database file, and the log is cut to nothing. What had failed to
// commit goes with it.
func (w *writer) verify() error {
	if !w.suspect {
		return nil
	}
	p, err := w.checkpointOn("TRUNCATE")
	if err != nil {
		return err
	}
	if p.busy {
		return unavailable(errors.New("the log could not be emptied after a failed commit"))
	}
	w.suspect = false
	w.log.Info("the database takes writes again")
	return nil
}

func (w *writer) exec(text string) error {
	_, err := w.conn.ExecContext(context.Background(), text)
	return classifySQLite(err)
}

// broken reports whether the connection has seen the disk fail.
func (w *writer) broken() (broken bool) {
	if w.conn != nil {
		w.conn.Raw(func(dc any) error {
			broken = dc.(*sqliteConn).broken
			return nil
		})
	}
	return broken
}

// drop closes the connection, and with it the transaction it is in.
func (w *writer) drop() {
	if w.conn == nil {
		return
	}
	w.conn.Raw(func(dc any) error {
		dc.(*sqliteConn).broken = true
		return nil
	})
	w.conn.Close()
	w.conn = nil
}

// letGo drops the connection unless somebody leads, and then they meet the
// same trouble.
func (w *writer) letGo() {
	select {
	case w.lock <- struct{}{}:
		w.drop()
		<-w.lock
	default:
	}
}

func (w *writer) close() error {
	w.closing.Do(func() {
		close(w.closed)
		w.lock <- struct{}{} // and never give it back
		w.background.Wait()
		w.drop()
	})
	return w.db.Close()
}

// batch is one transaction with the Writes that share it.
type batch struct {
	w       *writer
	members []*member
	begun   bool  // a transaction is open
	changed bool  // and a member's changes are in it
	err     error // of the batch as a whole
}

// run runs one member. Those after the first with changes are run within a
// savepoint, so that one of them fails alone. The error is of the batch.
func (b *batch) run(m *member) error {
	b.members = append(b.members, m)
	if !b.begun {
		if err := b.w.exec("BEGIN IMMEDIATE"); err != nil {
			return err
		}
		b.begun = true
	}
	if !b.changed {
		m.call(b.w.conn)
		if m.err == nil && m.panicked == nil {
			b.changed = true
			return nil
		}
		b.begun = false
		return b.w.rollback()
	}
	if err := b.w.exec("SAVEPOINT member"); err != nil {
		return err
	}
	m.call(b.w.conn)
	if m.err == nil && m.panicked == nil {
		return b.w.exec("RELEASE member")
	}
	err := b.w.exec("ROLLBACK TO member")
	if err == nil {
		err = b.w.exec("RELEASE member")
	}
	if err != nil && m.err != nil {
		// SQLite gave up the whole transaction over this member's statement.
		return m.err
	}
	return err
}

// call runs the function of m. A panic is kept for the caller whose it is.
func (m *member) call(c *sql.Conn) {
	tx := &Tx{s: sqliteSession{c}}
	defer func() {
		if p := recover(); p != nil {
			m.panicked = fmt.Errorf("%v\n\n%s", p, debug.Stack())
		}
		m.err = tx.finish(m.err)
	}()
	m.err = errors.New("database: the function of a Write did not return")
	m.err = m.fn(m.ctx, tx)
}

// rollback ends the transaction, which SQLite may have ended itself.
func (w *writer) rollback() error {
	if err := w.exec("ROLLBACK"); err != nil {
		w.drop()
		return w.prepare(w.relaxed)
	}
	return nil
}

// end commits what there is to commit and answers everyone. If the commit
// fails nobody's change is applied, and nobody is told otherwise: even the
// error of a member may rest on changes of another that are gone.
func (b *batch) end() {
	if answerEarly {
		b.answer()
		time.Sleep(earlyBy)
	}
	if b.err == nil && b.changed {
		if b.err = b.w.exec("COMMIT"); b.err != nil {
			b.w.log.Error("a commit failed", "writes", len(b.members), "error", b.err)
			b.w.suspect = b.w.suspect || !isNoSpace(b.err)
		}
	}
	if b.err != nil {
		b.w.drop()
	}
	if !answerEarly {
		b.answer()
	}
	if b.err == nil && b.changed {
		b.w.considerCheckpoint()
	}
}

func (b *batch) answer() {
	for _, m := range b.members {
		if b.err != nil {
			m.err = b.err
		}
		close(m.done)
	}
}
