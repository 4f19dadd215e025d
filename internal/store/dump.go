package store

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"packhouse/internal/database"
)

// The files of a dump, beside those of the engine.
const (
	// dumpBlobs lists the blobs whose bytes are outside of the database, one a
	// line and in the order of their digests: digest, size, location.
	dumpBlobs  = "blobs"
	dumpSQLite = "packhouse.db"
)

// DumpSQLite writes one state of the database in the file path into the empty
// directory dir, beside a running server. Nothing of it is flushed to the disk.
func DumpSQLite(ctx context.Context, path, dir string) error {
	to := filepath.Join(dir, dumpSQLite)
	if err := database.CopySQLite(ctx, path, to); err != nil {
		return err
	}
	return database.ReadSQLiteCopy(ctx, to, func(ctx context.Context, q database.Querier) error {
		rows, err := q.Query(ctx, outsideBlobs)
		if err != nil {
			return err
		}
		defer rows.Close()
		return writeBlobs(dir, func(row func(database.Row) error) error {
			for rows.Next() {
				if err := row(rows); err != nil {
					return err
				}
			}
			return rows.Err()
		})
	})
}

const outsideBlobs = `SELECT digest, size, location FROM blobs WHERE location <> '' AND digest > '' ORDER BY digest`

// writeBlobs writes the list of the rows that each gives.
func writeBlobs(dir string, each func(row func(database.Row) error) error) error {
	f, err := os.OpenFile(filepath.Join(dir, dumpBlobs), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriter(f)
	err = each(func(row database.Row) error {
		var digest, location string
		var size int64
		if err := row.Scan(&digest, &size, &location); err != nil {
			return err
		}
		_, err := fmt.Fprintln(w, digest, size, location)
		return err
	})
	if err == nil {
		err = w.Flush()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

// tableNames returns the tables that the migrations make.
func tableNames() ([]string, error) {
	files, err := migrations.ReadDir("migrations/postgres")
	if err != nil {
		return nil, err
	}
	var names []string
	for _, file := range files {
		text, err := migrations.ReadFile("migrations/postgres/" + file.Name())
		if err != nil {
			return nil, err
		}
		for line := range strings.Lines(string(text)) {
			if rest, ok := strings.CutPrefix(line, "CREATE TABLE "); ok {
				name, _, _ := strings.Cut(rest, " ")
				names = append(names, name)
			}
		}
	}
	return names, nil
}
