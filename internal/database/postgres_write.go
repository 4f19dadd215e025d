package database

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// firstPause is the wait before the first repetition; it doubles each time.
const firstPause = 2 * time.Millisecond

func (b *postgresDB) write(ctx context.Context, fn func(ctx context.Context, tx *Tx) error, relaxed bool) error {
	return b.retry(ctx, func() (error, bool) { return b.once(ctx, fn, relaxed) })
}

// retry runs do until it succeeds or says that running it again is no use.
func (b *postgresDB) retry(ctx context.Context, do func() (err error, again bool)) error {
	for try := 1; ; try++ {
		err, again := do()
		if err == nil || !again {
			return err
		}
		if lost(err) {
			// The others of the pool are as dead as this one.
			b.pool.Reset()
		}
		if try == maxAttempts {
			return unavailable(err)
		}
		if stopped := b.pause(ctx, try); stopped != nil {
			return stopped
		}
	}
}

// pause waits before repetition try, longer each time, and by chance a bit
// less than others who failed at the same moment.
func (b *postgresDB) pause(ctx context.Context, try int) error {
	wait := firstPause << (try - 1)
	if b.random != nil {
		wait = wait/2 + time.Duration(b.random()*float64(wait/2))
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// once runs fn in one transaction. again says that nothing was committed and
// that it may go better the next time.
func (b *postgresDB) once(ctx context.Context, fn func(ctx context.Context, tx *Tx) error, relaxed bool) (err error, again bool) {
	options := pgx.TxOptions{}
	if relaxed {
		options.BeginQuery = "BEGIN; SET LOCAL synchronous_commit = off"
	}
	tx, err := b.begin(ctx, options)
	if err != nil {
		return classifyPostgres(err), lost(err)
	}
	defer tx.end()
	t := &Tx{s: tx}
	if err := t.finish(fn(ctx, t)); err != nil {
		return err, ctx.Err() == nil && (errors.Is(err, ErrRetry) || collided(err) || lost(err))
	}
	return b.outcome(tx.commit(ctx))
}

// begin opens a transaction on a connection of its own. It goes past
// database/sql, whose transactions watch ctx and end with it: a COMMIT on its
// way must be waited for.
func (b *postgresDB) begin(ctx context.Context, options pgx.TxOptions) (postgresSession, error) {
	c, err := b.sql.Conn(ctx)
	if err != nil {
		return postgresSession{}, err
	}
	s := postgresSession{b: b, conn: c}
	err = c.Raw(func(dc any) (err error) {
		s.tx, err = dc.(postgresConn).Conn.Conn().BeginTx(ctx, options)
		return err
	})
	if err != nil {
		c.Close()
	}
	return s, err
}

func (s postgresSession) commit(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
	defer cancel()
	return s.conn.Raw(func(any) error { return s.tx.Commit(ctx) })
}

// end rolls back what was not committed and gives the connection back. A
// connection that doesn't answer even to that is closed by the driver.
func (s postgresSession) end() {
	ctx, cancel := context.WithTimeout(context.Background(), connectTimeout)
	defer cancel()
	s.conn.Raw(func(any) error { return s.tx.Rollback(ctx) })
	s.conn.Close()
}

// outcome is what the answer to COMMIT means. When none came, or one that
// speaks of the connection, the change may be there or not.
func (b *postgresDB) outcome(err error) (error, bool) {
	switch {
	case err == nil:
		return nil, false
	case collided(err), pgconn.SafeToRetry(err):
		return classifyPostgres(err), true
	case errors.Is(err, pgx.ErrTxCommitRollback), postgresCode(err) != "" && !lost(err):
		return classifyPostgres(err), false
	}
	b.log.Error("the outcome of a commit is unknown", "error", err)
	b.pool.Reset()
	return unavailable(fmt.Errorf("the outcome of a commit is unknown: %w", err)), false
}

// collided reports whether err says that other transactions were in the way.
func collided(err error) bool {
	code := postgresCode(err)
	return code == "40001" || code == "40P01"
}

// lost reports whether err says that an established connection is gone. A
// server that takes no new ones is another matter, and waited for by nobody.
func lost(err error) bool {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return false
	}
	if code := postgresCode(err); code != "" {
		return strings.HasPrefix(code, "57P0") || strings.HasPrefix(code, "08") || code == "25P03"
	}
	for _, gone := range []error{driver.ErrBadConn, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE} {
		if errors.Is(err, gone) {
			return true
		}
	}
	_, network := errors.AsType[*net.OpError](err)
	return network || pgconn.SafeToRetry(err)
}
