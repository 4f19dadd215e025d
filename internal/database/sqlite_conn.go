package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// maxStatements bounds the prepared statements kept by one connection. The
// program's texts are fewer; the bound is for texts nobody thought of.
const maxStatements = 512

// sqliteConnector opens connections that keep their statements prepared and
// give their errors a class.
type sqliteConnector struct {
	driver.Connector
	// broke is called when a connection turns out to be broken.
	broke func()
}

func (c sqliteConnector) Connect(ctx context.Context) (driver.Conn, error) {
	inner, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, classifySQLite(err)
	}
	return &sqliteConn{inner: inner, kept: map[string]*sqliteStmt{}, broke: c.broke}, nil
}

// sqliteConn is one connection. As database/sql has it, it is used by one
// goroutine at a time.
type sqliteConn struct {
	inner driver.Conn
	kept  map[string]*sqliteStmt
	// broken is set by errors after which the files may not be what this
	// connection believes them to be; it is not used again.
	broken bool
	broke  func()
}

// sqliteStmt is a prepared statement. It is busy while its rows are read, and
// a second use at that time prepares another one.
type sqliteStmt struct {
	driver.Stmt
	busy, kept bool
}

// take returns a statement for the text, ready and marked busy.
func (c *sqliteConn) take(query string) (*sqliteStmt, error) {
	if s := c.kept[query]; s != nil && !s.busy {
		s.busy = true
		return s, nil
	}
	inner, err := c.inner.Prepare(query)
	if err != nil {
		return nil, c.fail(err)
	}
	s := &sqliteStmt{Stmt: inner, busy: true}
	// Settings take effect while they are compiled, so they are compiled
	// every time.
	if c.kept[query] == nil && !strings.HasPrefix(query, "PRAGMA synchronous") && c.makeRoom() {
		s.kept = true
		c.kept[query] = s
	}
	return s, nil
}

// makeRoom drops some idle statement when as many as allowed are kept.
func (c *sqliteConn) makeRoom() bool {
	if len(c.kept) < maxStatements {
		return true
	}
	for text, s := range c.kept {
		if !s.busy {
			s.Close()
			delete(c.kept, text)
			return true
		}
	}
	return false
}

func (c *sqliteConn) release(s *sqliteStmt) {
	s.busy = false
	if !s.kept {
		s.Close()
	}
}

// fail classifies err and remembers whether the connection is still good.
func (c *sqliteConn) fail(err error) error {
	if e, ok := errors.AsType[*sqlite.Error](err); ok && breaks(e.Code()) && !c.broken {
		c.broken = true
		c.broke()
	}
	return classifySQLite(err)
}

func breaks(code int) bool {
	switch code & 0xff {
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB,
		sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOMEM:
		return true
	}
	return false
}

// ExecContext implements driver.ExecerContext.
func (c *sqliteConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.take(query)
	if err != nil {
		return nil, err
	}
	defer c.release(s)
	r, err := s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
	if err != nil {
		return nil, c.fail(err)
	}
	return r, nil
}

// QueryContext implements driver.QueryerContext.
func (c *sqliteConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.take(query)
	if err != nil {
		return nil, err
	}
	rows, err := s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	if err != nil {
		c.release(s)
		return nil, c.fail(err)
	}
	return &sqliteRows{Rows: rows, c: c, s: s}, nil
}

// row runs a query and fetches its first row. With drain it runs the statement
// to its end: SQLite checks the foreign keys of an INSERT … RETURNING there.
func (c *sqliteConn) row(query string, args []any, drain bool) (values, error) {
	named, err := bind(args)
	if err != nil {
		return nil, err
	}
	s, err := c.take(query)
	if err != nil {
		return nil, err
	}
	first, err := s.row(named, drain)
	c.release(s)
	if err != nil {
		return nil, c.fail(err)
	}
	return first, nil
}

func (s *sqliteStmt) row(args []driver.NamedValue, drain bool) (values, error) {
	rows, err := s.Stmt.(driver.StmtQueryContext).QueryContext(context.Background(), args)
	if err != nil {
		return nil, err
	}
	first := make(values, len(rows.Columns()))
	err = rows.Next(first)
	if err == io.EOF {
		err = sql.ErrNoRows
	}
	if err == nil && drain {
		rest := make(values, len(first))
		for err == nil {
			err = rows.Next(rest)
		}
		if err == io.EOF {
			err = nil
		}
	}
	if closed := rows.Close(); err == nil {
		err = closed
	}
	return first, err
}

// bind turns arguments into what the driver takes.
func bind(args []any) ([]driver.NamedValue, error) {
	if len(args) == 0 {
		return nil, nil
	}
	named := make([]driver.NamedValue, len(args))
	for i, a := range args {
		switch a.(type) {
		case nil, int64, string, []byte, bool, float64:
		default:
			v, err := driver.DefaultParameterConverter.ConvertValue(a)
			if err != nil {
				return nil, err
			}
			a = v
		}
		named[i] = driver.NamedValue{Ordinal: i + 1, Value: a}
	}
	return named, nil
}

// PrepareContext, Prepare, Begin, BeginTx, Close, IsValid and ResetSession are
// the rest of what database/sql asks of a connection.

func (c *sqliteConn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	s, err := c.inner.(driver.ConnPrepareContext).PrepareContext(ctx, query)
	return s, c.fail(err)
}

func (c *sqliteConn) Prepare(query string) (driver.Stmt, error) {
	return c.PrepareContext(context.Background(), query)
}

func (c *sqliteConn) Begin() (driver.Tx, error) {
	return c.BeginTx(context.Background(), driver.TxOptions{})
}

func (c *sqliteConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	tx, err := c.inner.(driver.ConnBeginTx).BeginTx(ctx, o)
	return tx, c.fail(err)
}

func (c *sqliteConn) Close() error {
	for _, s := range c.kept {
		s.Close()
	}
	return c.inner.Close()
}

func (c *sqliteConn) IsValid() bool {
	return !c.broken && c.inner.(driver.Validator).IsValid()
}

func (c *sqliteConn) ResetSession(ctx context.Context) error {
	if c.broken {
		return driver.ErrBadConn
	}
	return c.inner.(driver.SessionResetter).ResetSession(ctx)
}

// sqliteRows gives its statement back when it is closed.
type sqliteRows struct {
	driver.Rows
	c *sqliteConn
	s *sqliteStmt
}

func (r *sqliteRows) Next(dest []driver.Value) error {
	err := r.Rows.Next(dest)
	if err == nil || err == io.EOF {
		return err
	}
	return r.c.fail(err)
}

func (r *sqliteRows) Close() error {
	err := r.Rows.Close()
	if r.s != nil {
		r.c.release(r.s)
		r.s = nil
	}
	return r.c.fail(err)
}
