package database

import (
	"context"
	"database/sql"
	"errors"
)

// Tx is a transaction under way, handed to the function of a Write. It is for
// one goroutine, and of no use once the function has returned.
type Tx struct{ q Querier }

// Exec runs a statement that returns no rows.
func (tx *Tx) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return tx.q.Exec(ctx, query, args...)
}

// Query runs a statement that returns rows. They must be closed before the
// next statement of tx: PostgreSQL has one answer under way at a time.
func (tx *Tx) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return tx.q.Query(ctx, query, args...)
}

// QueryRow runs a statement of which at most the first row is wanted.
func (tx *Tx) QueryRow(ctx context.Context, query string, args ...any) Row {
	return tx.q.QueryRow(ctx, query, args...)
}

var errReadOnly = errors.New("database: Exec outside Write")

// handle is the part *sql.DB, *sql.Conn and *sql.Tx have in common.
type handle interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// querier is a Querier on a handle of database/sql.
type querier struct {
	h        handle
	text     func(string) string
	classify func(error) error
	readOnly bool
}

func (q *querier) Exec(ctx context.Context, query string, args ...any) (sql.Result, error) {
	if q.readOnly {
		return nil, errReadOnly
	}
	r, err := q.h.ExecContext(ctx, q.text(query), args...)
	return r, q.classify(err)
}

func (q *querier) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	rows, err := q.h.QueryContext(ctx, q.text(query), args...)
	return rows, q.classify(err)
}

func (q *querier) QueryRow(ctx context.Context, query string, args ...any) Row {
	return row{q.h.QueryRowContext(ctx, q.text(query), args...), q.classify}
}

type row struct {
	r        *sql.Row
	classify func(error) error
}

func (r row) Scan(dest ...any) error { return r.classify(r.r.Scan(dest...)) }
