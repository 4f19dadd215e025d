package database

import (
	"context"
	"database/sql"
)

// sqliteReader reads outside transactions.
type sqliteReader struct{ db *sql.DB }

// Exec is refused.
func (r sqliteReader) Exec(context.Context, string, ...any) (sql.Result, error) {
	return nil, errReadOnly
}

// Query lets go of its connection when the rows are closed.
func (r sqliteReader) Query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	rows, err := r.db.QueryContext(ctx, query, args...)
	return rows, classifySQLite(err)
}

// QueryRow has the row when it returns, and holds nothing.
func (r sqliteReader) QueryRow(ctx context.Context, query string, args ...any) Row {
	c, err := r.db.Conn(ctx)
	if err != nil {
		return failedRow{classifySQLite(err)}
	}
	defer c.Close()
	row, err := firstRow(c, query, args, false)
	if err != nil {
		return failedRow{err}
	}
	return row
}

// firstRow goes past database/sql to the connection: one row needs neither its
// cursors nor its watch over ctx, and it is the most frequent thing we do.
func firstRow(c *sql.Conn, query string, args []any, drain bool) (v values, err error) {
	err = c.Raw(func(dc any) (err error) {
		v, err = dc.(*sqliteConn).row(query, args, drain)
		return err
	})
	return v, classifySQLite(err)
}

// sqliteSession runs statements on one connection. It never interrupts one:
// SQLite answers an interrupt within a transaction by rolling it back, and
// others may share it.
type sqliteSession struct{ c *sql.Conn }

func (s sqliteSession) exec(ctx context.Context, query string, args []any) (sql.Result, error) {
	r, err := s.c.ExecContext(context.WithoutCancel(ctx), query, args...)
	return r, classifySQLite(err)
}

func (s sqliteSession) query(ctx context.Context, query string, args []any) (*sql.Rows, error) {
	rows, err := s.c.QueryContext(context.WithoutCancel(ctx), query, args...)
	return rows, classifySQLite(err)
}

func (s sqliteSession) row(_ context.Context, query string, args []any) (Row, error) {
	return firstRow(s.c, query, args, true)
}
