// Package store holds all SQL of Packhouse, one file per aggregate, and the
// migrations. It implements the store interfaces that the domain packages
// declare; only the composition root imports it.
//
// One SQL text serves SQLite and PostgreSQL. Times are microseconds since 1970
// in UTC. What is unique or must not race is a constraint of the schema or a
// condition of the statement, never a check before it.
package store

import (
	"context"
	"embed"
	"io/fs"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"packhouse/internal/database"
)

//go:embed migrations
var migrations embed.FS

// Store reads and writes all rows. Safe for concurrent use.
type Store struct {
	db *database.DB
	// forShare keeps rows that were read from being changed until the end of
	// the transaction. SQLite has one writer and needs no such clause.
	forShare string
	// forUpdate also keeps other rows from being made that name them.
	forUpdate string
	// skipLocked locks the rows that are read, without those that another
	// transaction has locked.
	skipLocked string
	recent     recent
}

// New returns a Store on db, whose schema Migrate has brought up to date.
func New(db *database.DB) *Store {
	s := &Store{db: db, recent: recent{db: db}}
	if db.Engine() == database.EnginePostgres {
		s.forShare = " FOR SHARE"
		s.forUpdate = " FOR UPDATE"
		s.skipLocked = " FOR UPDATE SKIP LOCKED"
	}
	return s
}

// Migrate brings the schema up to date. Several processes may call it at once.
func Migrate(ctx context.Context, db *database.DB) error {
	provider, err := newProvider(db)
	if err != nil {
		return err
	}
	_, err = provider.Up(ctx)
	return err
}

func newProvider(db *database.DB) (*goose.Provider, error) {
	dialect, options := goose.DialectSQLite3, []goose.ProviderOption(nil)
	if db.Engine() == database.EnginePostgres {
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return nil, err
		}
		dialect, options = goose.DialectPostgres, []goose.ProviderOption{goose.WithSessionLocker(locker)}
	}
	dir, err := fs.Sub(migrations, "migrations/"+string(db.Engine()))
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(dialect, db.SQL(), dir, options...)
}

func toMicros(t time.Time) int64 { return t.UnixMicro() }

func fromMicros(us int64) time.Time { return time.UnixMicro(us).UTC() }
