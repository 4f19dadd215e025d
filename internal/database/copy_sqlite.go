package database

import (
	"context"
	"database/sql"
	"net/url"

	"modernc.org/sqlite"
)

// CopySQLite writes one state of the database in the file from into the new file
// to, beside whoever reads and writes it. The copy is not flushed to the disk.
// Nobody may read the file itself instead: closing it would drop the locks of
// this process.
func CopySQLite(ctx context.Context, from, to string) error {
	db, err := openFile(from, "?mode=rw&_busy_timeout=30000")
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", to)
	if closeErr := db.Close(); err == nil {
		err = closeErr
	}
	return classifySQLite(err)
}

// ReadSQLiteCopy runs fn with a Querier on a file that nobody writes to, which
// stays as it is.
func ReadSQLiteCopy(ctx context.Context, path string, fn func(ctx context.Context, q Querier) error) error {
	db, err := openFile(path, "?mode=ro&immutable=1&_query_only=on")
	if err != nil {
		return err
	}
	defer db.Close()
	return fn(ctx, sqliteReader{db})
}

func openFile(path, settings string) (*sql.DB, error) {
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}
	c, err := sqlite.NewConnector(u.String() + settings)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(c), nil
}

// PassNumbers has every AUTOINCREMENT column of SQLite pass over its next n
// numbers.
func PassNumbers(ctx context.Context, tx *Tx, n int64) error {
	_, err := tx.Exec(ctx, "UPDATE sqlite_sequence SET seq = seq + ?", n)
	return err
}
