package database

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"runtime"
	"sync"

	_ "modernc.org/sqlite" // the driver
)

// OpenSQLite opens the database in the file at path and creates it, readable
// by this user alone, when it is missing. The directory must exist, on a local
// disk.
func OpenSQLite(ctx context.Context, path string, o Options) (*DB, error) {
	readers := o.Readers
	if readers <= 0 {
		readers = max(4, 2*runtime.GOMAXPROCS(0))
	}
	dsn := func(extra string) string {
		u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}
		return u.String() + "?_busy_timeout=5000&_foreign_keys=on&_journal_mode=WAL&_synchronous=FULL" + extra
	}
	w, err := sql.Open("sqlite", dsn("&_txlock=immediate"))
	if err != nil {
		return nil, fmt.Errorf("open SQLite: %w", err)
	}
	w.SetMaxOpenConns(1)
	if err := w.PingContext(ctx); err != nil {
		return nil, classifySQLite(err)
	}
	r, err := sql.Open("sqlite", dsn("&_query_only=on"))
	if err != nil {
		return nil, fmt.Errorf("open SQLite: %w", err)
	}
	r.SetMaxOpenConns(readers)
	r.SetMaxIdleConns(readers)
	b := &sqliteDB{w: w, r: r}
	return &DB{engine: EngineSQLite, sql: w, backend: b}, nil
}

type sqliteDB struct {
	w, r    *sql.DB
	mu      sync.Mutex
	commits uint64
}

func same(text string) string { return text }

func (b *sqliteDB) reader() Querier {
	return &querier{h: b.r, text: same, classify: classifySQLite, readOnly: true}
}

func (b *sqliteDB) snapshot(ctx context.Context, fn func(ctx context.Context, q Querier) error) error {
	tx, err := b.r.BeginTx(ctx, nil)
	if err != nil {
		return classifySQLite(err)
	}
	defer tx.Rollback()
	return fn(ctx, &querier{h: tx, text: same, classify: classifySQLite, readOnly: true})
}

func (b *sqliteDB) write(ctx context.Context, fn func(ctx context.Context, tx *Tx) error, relaxed bool) error {
	tx, err := b.w.BeginTx(context.WithoutCancel(ctx), nil)
	if err != nil {
		return classifySQLite(err)
	}
	defer tx.Rollback()
	if err := fn(ctx, &Tx{&querier{h: tx, text: same, classify: classifySQLite}}); err != nil {
		return err
	}
	err = tx.Commit()
	b.mu.Lock()
	b.commits++
	b.mu.Unlock()
	return classifySQLite(err)
}

func (b *sqliteDB) version(ctx context.Context) (uint64, bool, error) {
	return 0, false, nil
}

func (b *sqliteDB) ping(ctx context.Context) error { return classifySQLite(b.r.PingContext(ctx)) }

func (b *sqliteDB) close() error {
	b.r.Close()
	return b.w.Close()
}
