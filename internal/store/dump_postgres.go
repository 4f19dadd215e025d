package store

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"

	"packhouse/internal/database"
)

// dumpTables describes a dump of PostgreSQL, as JSON.
const dumpTables = "tables.json"

// tableDump is what a dump of PostgreSQL has: of each table a file of COPY's
// text, compressed.
type tableDump struct {
	Schema int64   `json:"schema"` // the last migration
	Tables []table `json:"tables"` // each after those that it refers to
}

type table struct {
	Name    string   `json:"name"`
	Columns []string `json:"columns"`
	Rows    int64    `json:"rows"`
	// Identity is the column whose numbers come from a sequence, and Last the
	// last number it gave; empty for none.
	Identity string `json:"identity,omitempty"`
	Last     int64  `json:"last,omitempty"`
}

func (t table) file() string { return t.Name + ".copy.gz" }

// list is the columns as they stand in a COPY.
func (t table) list() string { return `"` + t.Name + `" ("` + strings.Join(t.Columns, `", "`) + `")` }

// DumpPostgres writes one state of the database at url into the empty directory
// dir, beside running servers. Nothing of it is flushed to the disk.
func DumpPostgres(ctx context.Context, url, dir string) error {
	return database.BulkPostgres(ctx, url, true, func(ctx context.Context, b *database.Bulk) error {
		var d tableDump
		err := b.Each(ctx, `SELECT MAX(version_id) FROM goose_db_version WHERE is_applied`, nil,
			func(row database.Row) error { return row.Scan(&d.Schema) })
		if err != nil {
			return err
		}
		if d.Tables, err = describeTables(ctx, b); err != nil {
			return err
		}
		for i := range d.Tables {
			if err := dumpTable(ctx, b, dir, &d.Tables[i]); err != nil {
				return err
			}
		}
		err = writeBlobs(dir, func(row func(database.Row) error) error { return b.Each(ctx, outsideBlobs, nil, row) })
		if err != nil {
			return err
		}
		text, err := json.MarshalIndent(d, "", "  ")
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, dumpTables), text, 0o600)
	})
}

// describeTables returns the tables that the database has of those that the
// migrations make.
func describeTables(ctx context.Context, b *database.Bulk) ([]table, error) {
	names, err := tableNames()
	if err != nil {
		return nil, err
	}
	var list []table
	for _, name := range names {
		t := table{Name: name}
		if t.Columns, t.Identity, err = b.Columns(ctx, name); err != nil {
			return nil, err
		}
		if len(t.Columns) > 0 {
			list = append(list, t)
		}
	}
	return inOrder(ctx, b, list)
}

// inOrder puts each table after those that it refers to.
func inOrder(ctx context.Context, b *database.Bulk, list []table) ([]table, error) {
	needs, err := b.References(ctx)
	if err != nil {
		return nil, err
	}
	byName, placed := map[string]table{}, map[string]bool{}
	for _, t := range list {
		byName[t.Name] = t
	}
	var ordered []table
	var place func(t table)
	place = func(t table) {
		if placed[t.Name] {
			return
		}
		placed[t.Name] = true
		for _, need := range needs[t.Name] {
			if n, ok := byName[need]; ok {
				place(n)
			}
		}
		ordered = append(ordered, t)
	}
	for _, t := range list {
		place(t)
	}
	return ordered, nil
}

func dumpTable(ctx context.Context, b *database.Bulk, dir string, t *table) error {
	f, err := os.OpenFile(filepath.Join(dir, t.file()), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer f.Close()
	w, err := gzip.NewWriterLevel(f, gzip.BestSpeed)
	if err != nil {
		return err
	}
	if t.Rows, err = b.CopyTo(ctx, w, `COPY `+t.list()+` TO STDOUT`); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	if t.Identity == "" {
		return f.Close()
	}
	// Numbers that were given and not used do not come again either.
	if t.Last, err = b.LastNumber(ctx, t.Name, t.Identity); err != nil {
		return err
	}
	return f.Close()
}
