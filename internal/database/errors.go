package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"packhouse/internal/errs"
)

// retryAfter is what a client is told to wait when the database is away.
const retryAfter = 2 * time.Second

// IsUnique reports whether err says that a row like it is already there.
func IsUnique(err error) bool {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || e.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	return postgresCode(err) == "23505"
}

// IsForeignKey reports whether err says that a row named by a foreign key is
// not there, or still named by another.
func IsForeignKey(err error) bool {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code() == sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY
	}
	return postgresCode(err) == "23503"
}

func postgresCode(err error) string {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code
	}
	return ""
}

func unavailable(cause error) error {
	e := errs.Wrap(errs.Unavailable, cause, "the database does not answer")
	e.RetryAfter = retryAfter
	return e
}

func noSpace(cause error) error {
	return errs.Wrap(errs.NoSpace, cause, "no space left to record the change")
}

// settled reports whether err needs no class: nil, the caller's own ending, no
// row, or an error classified before.
func settled(err error) bool {
	if err == nil || errors.Is(err, sql.ErrNoRows) || errors.Is(err, context.Canceled) {
		return true
	}
	_, ok := errors.AsType[*errs.Error](err)
	return ok
}

// classifySQLite gives the driver's errors the meaning they have for a user.
func classifySQLite(err error) error {
	if settled(err) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() & 0xff {
		case sqlite3.SQLITE_FULL:
			return noSpace(err)
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN,
			sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOMEM:
			return unavailable(err)
		}
	}
	return classifyCommon(err)
}

// classifyPostgres does the same for PostgreSQL.
func classifyPostgres(err error) error {
	if settled(err) {
		return err
	}
	switch code := postgresCode(err); {
	case code == "53100":
		return noSpace(err)
	case code == "":
		if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
			return unavailable(err)
		}
	case strings.HasPrefix(code, "08"), strings.HasPrefix(code, "53"), strings.HasPrefix(code, "57"),
		strings.HasPrefix(code, "58"), code == "25006", code == "25P03", code == "40001", code == "40P01", code == "55P03":
		return unavailable(err)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return classifyCommon(err)
}

func classifyCommon(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return noSpace(err)
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone), errors.Is(err, net.ErrClosed):
		return unavailable(err)
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return unavailable(err)
	}
	return err
}
