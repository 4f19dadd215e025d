package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"modernc.org/sqlite"
)

// OpenSQLite opens the database in the file at path and creates it, readable
// by this user alone, when it is missing. The directory must exist, on a local
// disk. Other processes may have the same database open.
func OpenSQLite(ctx context.Context, path string, o Options) (*DB, error) {
	if err := refuseNetwork(path); err != nil {
		return nil, err
	}
	if err := create(path); err != nil {
		return nil, classifySQLite(err)
	}
	b, err := newSQLite(path, o)
	if err != nil {
		return nil, err
	}
	if err := b.check(ctx); err != nil {
		b.close()
		return nil, err
	}
	return &DB{engine: EngineSQLite, sql: b.migrate, backend: b}, nil
}

// create makes an empty file with the mode the driver gives its companions
// too. A file that is there is not touched: closing a file of our own on it
// would drop the locks of every connection in this process.
func create(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}

// sqliteDB is the backend on SQLite: a pool of readers, one writer, one
// connection that watches for changes, and one for migrations.
type sqliteDB struct {
	readers  *sql.DB
	idle     int
	migrate  *sql.DB
	writer   *writer
	watch    watch
	lockWait time.Duration
}

// Pages kept in memory: the upper levels of every index of a large registry and
// the rows of what is in use. SQLite's own 2 MB made each push to a package of
// 10,000 tags read pages again.
const (
	writerCache = "cache_size(-12288)" // KiB
	readerCache = "cache_size(-4096)"  // of each connection
)

func newSQLite(path string, o Options) (*sqliteDB, error) {
	log := o.Logger
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	b := &sqliteDB{idle: o.Readers, lockWait: o.LockWait}
	if b.lockWait <= 0 {
		b.lockWait = 5 * time.Second
	}
	if b.idle <= 0 {
		b.idle = max(4, 2*runtime.GOMAXPROCS(0))
	}
	write, err := b.connector(path, "&_journal_mode=WAL&_foreign_keys=on&_synchronous=FULL&_txlock=immediate"+
		"&_pragma=wal_autocheckpoint(0)&_pragma=temp_store(memory)&_pragma="+writerCache)
	if err != nil {
		return nil, err
	}
	read, err := b.connector(path, "&_pragma=temp_store(memory)&_query_only=on&_pragma="+readerCache)
	if err != nil {
		return nil, err
	}
	b.readers, b.migrate = sql.OpenDB(read), sql.OpenDB(write)
	b.readers.SetMaxOpenConns(b.idle)
	b.readers.SetMaxIdleConns(b.idle)
	b.migrate.SetMaxOpenConns(1)
	b.migrate.SetMaxIdleConns(0)
	b.watch.connector = read
	b.writer = newWriter(write, log)
	return b, nil
}

// connector returns what opens connections to path; settings is the rest of
// the driver's address. No connection creates the file: were its disk away, a
// new one would take its place.
func (b *sqliteDB) connector(path, settings string) (driver.Connector, error) {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}
	wait := strconv.FormatInt(b.lockWait.Milliseconds(), 10)
	c, err := sqlite.NewConnector(u.String() + "?mode=rw&_busy_timeout=" + wait + settings)
	if err != nil {
		return nil, fmt.Errorf("the database address: %w", err)
	}
	return sqliteConnector{c, b.letGo}, nil
}

// letGo closes the connections nobody uses, because one has seen the disk
// fail. The others would find out too, but only when they are used; meanwhile
// their open files keep the disk from being repaired and mounted again.
func (b *sqliteDB) letGo() {
	b.readers.SetMaxIdleConns(0)
	b.readers.SetMaxIdleConns(b.idle)
	b.watch.letGo()
	b.writer.letGo()
}

// check opens the file, makes it a WAL database and refuses a library that may
// damage one: before 3.51.3 the reset of the log races with a commit.
func (b *sqliteDB) check(ctx context.Context) error {
	var version, mode string
	// The connection for migrations also creates the log.
	if err := b.migrate.QueryRowContext(ctx, "SELECT sqlite_version()").Scan(&version); err != nil {
		return classifySQLite(err)
	}
	if olderThan(version, 3, 51, 3) {
		return fmt.Errorf("SQLite %s can damage its log; 3.51.3 or newer is needed", version)
	}
	if err := b.migrate.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return classifySQLite(err)
	}
	if mode != "wal" {
		return fmt.Errorf("SQLite keeps no write-ahead log here (journal mode %s): its files need a local disk", mode)
	}
	return b.ping(ctx)
}

// olderThan compares a version such as 3.51.3 with one to have at least. What
// is no version is older.
func olderThan(version string, atLeast ...int) bool {
	parts := strings.Split(version, ".")
	for i, want := range atLeast {
		if i >= len(parts) {
			return true
		}
		if n, err := strconv.Atoi(parts[i]); err != nil || n != want {
			return err != nil || n < want
		}
	}
	return false
}

func (b *sqliteDB) reader() Querier { return sqliteReader{b.readers} }

func (b *sqliteDB) snapshot(ctx context.Context, fn func(ctx context.Context, q Querier) error) error {
	c, err := b.readers.Conn(ctx)
	if err != nil {
		return classifySQLite(err)
	}
	defer c.Close()
	tx := &Tx{s: sqliteSession{c}, readOnly: true}
	if _, err := tx.s.exec(ctx, "BEGIN", nil); err != nil {
		return err
	}
	defer tx.s.exec(context.WithoutCancel(ctx), "ROLLBACK", nil)
	defer tx.finish(nil)
	return fn(ctx, tx)
}

func (b *sqliteDB) write(ctx context.Context, fn func(ctx context.Context, tx *Tx) error, relaxed bool) error {
	return b.writer.write(ctx, fn, relaxed)
}

func (b *sqliteDB) version(ctx context.Context) (uint64, bool, error) {
	v, err := b.watch.version(ctx)
	return v, err == nil, err
}

func (b *sqliteDB) ping(ctx context.Context) error {
	// This one reads the file, unlike SELECT 1.
	var n int
	return sqliteReader{b.readers}.QueryRow(ctx, "PRAGMA schema_version").Scan(&n)
}

func (b *sqliteDB) close() error {
	b.watch.close()
	return errors.Join(b.readers.Close(), b.migrate.Close(), b.writer.close())
}
