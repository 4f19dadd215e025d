package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

// postgresReader reads outside transactions. A read whose connection was lost
// is asked again: reads may be.
type postgresReader struct{ b *postgresDB }

// Exec is refused.
func (r postgresReader) Exec(context.Context, string, ...any) (sql.Result, error) {
	return nil, errReadOnly
}

// Query lets go of its connection when the rows are closed.
func (r postgresReader) Query(ctx context.Context, query string, args ...any) (rows *sql.Rows, err error) {
	err = r.b.retry(ctx, func() (error, bool) {
		rows, err = r.b.sql.QueryContext(ctx, r.b.text(query), args...)
		return classifyPostgres(err), lost(err)
	})
	return rows, err
}

// QueryRow lets go of its connection when the row is scanned.
func (r postgresReader) QueryRow(ctx context.Context, query string, args ...any) Row {
	rows, err := r.Query(ctx, query, args...)
	if err != nil {
		return failedRow{err}
	}
	return postgresRow{rows}
}

// postgresSession runs statements in a transaction.
type postgresSession struct {
	b    *postgresDB
	conn *sql.Conn
	tx   pgx.Tx
}

func (s postgresSession) exec(ctx context.Context, query string, args []any) (sql.Result, error) {
	r, err := s.conn.ExecContext(ctx, s.b.text(query), args...)
	return r, classifyPostgres(err)
}

func (s postgresSession) query(ctx context.Context, query string, args []any) (*sql.Rows, error) {
	rows, err := s.conn.QueryContext(ctx, s.b.text(query), args...)
	return rows, classifyPostgres(err)
}

func (s postgresSession) row(ctx context.Context, query string, args []any) (Row, error) {
	rows, err := s.query(ctx, query, args)
	if err != nil {
		return nil, err
	}
	return postgresRow{rows}, nil
}

// postgresRow is the first of some rows.
type postgresRow struct{ *sql.Rows }

// Scan closes the rows.
func (r postgresRow) Scan(dest ...any) error {
	defer r.Close()
	if !r.Next() {
		if err := r.Err(); err != nil {
			return classifyPostgres(err)
		}
		return sql.ErrNoRows
	}
	if err := r.Rows.Scan(dest...); err != nil {
		return err
	}
	return classifyPostgres(r.Close())
}

// postgresConnector opens connections that give their errors a class, so that
// it is there too when rows are read through database/sql.
type postgresConnector struct{ driver.Connector }

func (c postgresConnector) Connect(ctx context.Context) (driver.Conn, error) {
	dc, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, classifyPostgres(err)
	}
	return postgresConn{dc.(*stdlib.Conn)}, nil
}

type postgresConn struct{ *stdlib.Conn }

// QueryContext implements driver.QueryerContext.
func (c postgresConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	rows, err := c.Conn.QueryContext(ctx, query, args)
	if err != nil {
		return nil, err
	}
	return postgresRows{rows.(*stdlib.Rows)}, nil
}

type postgresRows struct{ *stdlib.Rows }

// Next implements driver.Rows.
func (r postgresRows) Next(dest []driver.Value) error {
	err := r.Rows.Next(dest)
	if err == nil || err == io.EOF {
		return err
	}
	return classifyPostgres(err)
}
