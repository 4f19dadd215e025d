package store

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/pressly/goose/v3"

	"packhouse/internal/database"
	"packhouse/internal/errs"
)

// LoadPostgres fills the database at url, which must be empty, from the dump in
// dir: in one transaction, but for the making of the tables. With aside, what is
// there is put into another schema of that name first.
func LoadPostgres(ctx context.Context, url, dir, aside string, r Restored) error {
	text, err := os.ReadFile(filepath.Join(dir, dumpTables))
	if err != nil {
		return err
	}
	var d tableDump
	if err := json.Unmarshal(text, &d); err != nil {
		return err
	}
	if err := checkSchema(d.Schema); err != nil {
		return err
	}
	empty, err := EmptyPostgres(ctx, url)
	if err != nil {
		return err
	}
	if !empty {
		if aside == "" {
			return errs.New(errs.Exists, "the database is not empty")
		}
		if err := putAside(ctx, url, aside); err != nil {
			return err
		}
	}
	if err := migratePostgres(ctx, url, d.Schema); err != nil {
		return err
	}
	err = database.BulkPostgres(ctx, url, false, func(ctx context.Context, b *database.Bulk) error {
		for _, t := range d.Tables {
			if err := loadTable(ctx, b, dir, t); err != nil {
				return err
			}
		}
		return r.settle(func(query string, args ...any) error { return b.Exec(ctx, query, args...) })
	})
	if err != nil {
		return err
	}
	return migratePostgres(ctx, url, 0)
}

// EmptyPostgres reports whether nobody has an account in the database at url.
func EmptyPostgres(ctx context.Context, url string) (empty bool, err error) {
	err = database.BulkPostgres(ctx, url, true, func(ctx context.Context, b *database.Bulk) error {
		columns, _, err := b.Columns(ctx, "accounts")
		if err != nil || len(columns) == 0 {
			empty = true
			return err
		}
		return b.Each(ctx, `SELECT COUNT(*) FROM accounts WHERE id > 0`, nil, func(row database.Row) error {
			var n int64
			err := row.Scan(&n)
			empty = n == 0
			return err
		})
	})
	return empty, err
}

// putAside moves all tables of ours into another schema, in one transaction.
func putAside(ctx context.Context, url, schema string) error {
	names, err := tableNames()
	if err != nil {
		return err
	}
	return database.BulkPostgres(ctx, url, false, func(ctx context.Context, b *database.Bulk) error {
		if err := b.Exec(ctx, `CREATE SCHEMA "`+schema+`"`); err != nil {
			return err
		}
		for _, name := range append(names, "goose_db_version") {
			columns, _, err := b.Columns(ctx, name)
			if err != nil {
				return err
			}
			if len(columns) == 0 {
				continue
			}
			if err := b.Exec(ctx, `ALTER TABLE "`+name+`" SET SCHEMA "`+schema+`"`); err != nil {
				return err
			}
		}
		return nil
	})
}

// migratePostgres brings the schema to a version; 0 is the newest.
func migratePostgres(ctx context.Context, url string, version int64) error {
	db, err := database.OpenPostgres(ctx, url, database.Options{})
	if err != nil {
		return err
	}
	provider, err := newProvider(db)
	if err == nil && version == 0 {
		_, err = provider.Up(ctx)
	} else if err == nil {
		_, err = provider.UpTo(ctx, version)
	}
	if errors.Is(err, goose.ErrVersionNotFound) {
		err = nil // it is there already
	}
	return errors.Join(err, db.Close())
}

func loadTable(ctx context.Context, b *database.Bulk, dir string, t table) error {
	columns, identity, err := b.Columns(ctx, t.Name)
	if err != nil {
		return err
	}
	if identity != t.Identity || strings.Join(columns, " ") != strings.Join(t.Columns, " ") {
		return errs.New(errs.Invalid, "the backup has other columns in the table %s than its version of the schema", t.Name)
	}
	f, err := os.Open(filepath.Join(dir, t.file()))
	if err != nil {
		return err
	}
	defer f.Close()
	r, err := gzip.NewReader(f)
	if err != nil {
		return err
	}
	n, err := b.CopyFrom(ctx, r, `COPY `+t.list()+` FROM STDIN`)
	if err != nil {
		return err
	}
	if n != t.Rows {
		return errs.New(errs.Invalid, "the backup has %d rows of the table %s, and should have %d", n, t.Name, t.Rows)
	}
	if t.Identity == "" {
		return nil
	}
	return b.SetLastNumber(ctx, t.Name, t.Identity, t.Last+idsAhead)
}
