// Package database opens SQLite and PostgreSQL and owns what both need around
// SQL: placeholders, transactions, retry, group commit, and the classes of
// errors. It knows no table. It must import no other package of Packhouse but
// errs.
//
// SQL texts are written once, with ? for placeholders, and are constants: each
// connection keeps the texts it has seen prepared.
package database

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"time"
)

// Engine names the kind of database behind a DB.
type Engine string

// The engines.
const (
	EngineSQLite   Engine = "sqlite"
	EnginePostgres Engine = "postgres"
)

// ErrRetry is returned or wrapped by the function of a Write that wants its
// transaction rolled back and run again, as if another transaction had been in
// the way. After a few rounds Write gives up with an errs.Unavailable.
var ErrRetry = errors.New("database: run the transaction again")

// Row is the single row a query gave. Scan returns sql.ErrNoRows, itself, when
// there was none.
type Row interface {
	Scan(dest ...any) error
}

// Querier runs statements. *Tx and what Read and Snapshot hand out are
// Queriers. Placeholders are ? on every engine. Rows must be closed.
type Querier interface {
	Exec(ctx context.Context, query string, args ...any) (sql.Result, error)
	Query(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) Row
}

// Options are the settings of a DB; the zero value is usable.
type Options struct {
	// Logger hears of what went wrong and healed; nil discards it.
	Logger *slog.Logger
	// Readers is how many reads run at the same time on SQLite, and the size
	// of the pool on PostgreSQL. Zero chooses by the number of processors.
	Readers int
	// LockWait is how long SQLite waits for another process that writes,
	// before the answer is errs.Unavailable. Zero means five seconds.
	LockWait time.Duration
	// Random spreads the waits between retries: numbers in [0,1), called from
	// several goroutines. Nil waits without spread.
	Random func() float64
}

// DB is one open database. All methods may be called from many goroutines.
type DB struct {
	engine  Engine
	sql     *sql.DB
	backend backend
}

// backend is what an engine does for a DB.
type backend interface {
	reader() Querier
	snapshot(ctx context.Context, fn func(ctx context.Context, q Querier) error) error
	write(ctx context.Context, fn func(ctx context.Context, tx *Tx) error, relaxed bool) error
	version(ctx context.Context) (v uint64, ok bool, err error)
	ping(ctx context.Context) error
	close() error
}

// WriteOption changes what one Write promises.
type WriteOption func(*writeOptions)

type writeOptions struct{ relaxed bool }

// Relaxed lets the commit be lost by a power cut or a crash of the operating
// system, as long as no later commit survives it. It survives the death of
// this process. It is for what may be forgotten: offsets, last-used times.
func Relaxed(o *writeOptions) { o.relaxed = true }

// Engine returns which engine db runs on.
func (db *DB) Engine() Engine { return db.engine }

// SQL returns the writing handle. It is for migrations alone, before anything
// else uses db: a transaction held open on it holds up every Write.
func (db *DB) SQL() *sql.DB { return db.sql }

// Read returns a Querier for reads outside transactions; many run in parallel.
// Each query sees everything that was committed before it began. Exec on it
// is refused.
func (db *DB) Read() Querier { return db.backend.reader() }

// Snapshot runs fn with a Querier whose queries all see one state of the
// database. Exec on it is refused. fn must not wait for a Write.
func (db *DB) Snapshot(ctx context.Context, fn func(ctx context.Context, q Querier) error) error {
	return db.backend.snapshot(ctx, fn)
}

// Write runs fn in a transaction and commits it when fn returns nil, else
// rolls it back and returns fn's error. When Write returns nil the change is
// durable, unless Relaxed was given. When it returns an error of ours the
// change was not applied, except that an errs.Unavailable may hide a commit
// whose answer was lost.
//
// fn may run several times, on another goroutine than the caller's, and must do
// nothing but use tx. It must not keep tx, nor call Write. No constraint may be
// deferred to the commit, where it would fail those who share it.
//
// Writes of several callers may share one commit on SQLite. A Write whose ctx
// ends while it waits for its turn is dropped, and one whose fn has returned
// is finished.
func (db *DB) Write(ctx context.Context, fn func(ctx context.Context, tx *Tx) error, opts ...WriteOption) error {
	var o writeOptions
	for _, opt := range opts {
		opt(&o)
	}
	return db.backend.write(ctx, fn, o.relaxed)
}

// Version returns a number that differs from every earlier answer whenever
// anything in the database changed in between, by this process or another:
// what a query gave at version v is still what it gives while Version answers
// v. Take the version before the query whose result is kept. ok is false where
// the engine cannot tell, and then nothing may be concluded.
func (db *DB) Version(ctx context.Context) (v uint64, ok bool, err error) {
	return db.backend.version(ctx)
}

// Ping asks the database for an answer.
func (db *DB) Ping(ctx context.Context) error { return db.backend.ping(ctx) }

// Close waits for the writes under way and closes every connection. The DB is
// of no use afterwards.
func (db *DB) Close() error { return db.backend.close() }
