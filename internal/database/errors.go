package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
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
		switch e.Code() {
		case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY, sqlite3.SQLITE_CONSTRAINT_ROWID:
			return true
		}
		return false
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
		if e.Code() == sqlite3.SQLITE_IOERR_SHMSIZE {
			return noSpace(err) // the index of the log has no room to grow
		}
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
	_, refused := errors.AsType[*pgconn.ConnectError](err)
	switch code := postgresCode(err); {
	case code == "53100":
		return noSpace(err)
	case code != "":
		for _, class := range []string{"08", "53", "57", "58", "40", "55P03", "25P03", "25006"} {
			if strings.HasPrefix(code, class) {
				return unavailable(err)
			}
		}
		return err
	case refused, lost(err):
		return unavailable(err)
	case errors.Is(err, context.DeadlineExceeded):
		return err
	}
	return classifyCommon(err)
}

func classifyCommon(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return noSpace(err)
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, sql.ErrConnDone), errors.Is(err, syscall.EIO):
		return unavailable(err)
	}
	return err
}
