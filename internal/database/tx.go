package database

import (
	"context"
	"database/sql"
	"errors"
	"io"
)

var errReadOnly = errors.New("database: Exec outside Write")

// session is one connection of an engine. Its errors have their class. The
// Row it gives may hold the connection until it is scanned; then it is an
// io.Closer.
type session interface {
	exec(ctx context.Context, query string, args []any) (sql.Result, error)
	query(ctx context.Context, query string, args []any) (*sql.Rows, error)
	row(ctx context.Context, query string, args []any) (Row, error)
}

// Tx is a transaction under way, handed to the function of a Write. It is for
// one goroutine, and of no use once the function has returned.
//
// A statement that failed ends the transaction, as PostgreSQL has it: every
// later statement, and the Write, fail with the same error. Expect a conflict
// with ON CONFLICT instead of provoking it.
type Tx struct {
	s        session
	readOnly bool
	open     []io.Closer
	failed   error
}

// Exec runs a statement that returns no rows.
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if tx.readOnly {
		return nil, errReadOnly
	}
	if err := tx.usable(ctx); err != nil {
		return nil, err
	}
	r, err := tx.s.exec(ctx, query, args)
	return r, tx.note(err)
}

// Query runs a statement that returns rows. They must be closed before the
// next statement of tx: PostgreSQL has one answer under way at a time.
func (tx *Tx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if err := tx.usable(ctx); err != nil {
		return nil, err
	}
	rows, err := tx.s.query(ctx, query, args)
	if err != nil {
		return nil, tx.note(err)
	}
	tx.open = append(tx.open, rows)
	return rows, nil
}

// QueryRow runs a statement of which at most the first row is wanted.
func (tx *Tx) QueryRow(ctx context.Context, query string, args ...any) Row {
	if err := tx.usable(ctx); err != nil {
		return failedRow{err}
	}
	row, err := tx.s.row(ctx, query, args)
	if err != nil {
		return failedRow{tx.note(err)}
	}
	if c, ok := row.(io.Closer); ok {
		tx.open = append(tx.open, c)
	}
	return row
}

// usable refuses a statement after one that failed and after the caller left.
func (tx *Tx) usable(ctx context.Context) error {
	if tx.failed != nil {
		return tx.failed
	}
	return ctx.Err()
}

func (tx *Tx) note(err error) error {
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		tx.failed = err
	}
	return err
}

// finish closes what fn left open and returns what became of fn: its own
// error, or that of a statement whose failure it overlooked.
func (tx *Tx) finish(err error) error {
	for _, c := range tx.open {
		c.Close()
	}
	tx.open = nil
	if err == nil {
		return tx.failed
	}
	return err
}

// failedRow is the answer to a query that failed.
type failedRow struct{ err error }

func (r failedRow) Scan(...any) error { return r.err }
