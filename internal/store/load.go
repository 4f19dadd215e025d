package store

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"packhouse/internal/audit"
	"packhouse/internal/blob"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/lifecycle"
	"packhouse/internal/oci"
)

// DumpedBlob is a blob that a dump names, whose bytes are outside of it.
type DumpedBlob struct {
	Digest   oci.Digest
	Size     int64
	Location blob.Location
}

// DumpedBlobs calls fn for each blob of the dump in dir, in the order of digests.
func DumpedBlobs(dir string, fn func(DumpedBlob) error) error {
	f, err := os.Open(filepath.Join(dir, dumpBlobs))
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) != 3 {
			return fmt.Errorf("the list of blobs has the line %q", lines.Text())
		}
		d, err := oci.ParseDigest(fields[0])
		if err != nil {
			return err
		}
		size, err := strconv.ParseInt(fields[1], 10, 64)
		if err != nil {
			return err
		}
		if err := fn(DumpedBlob{d, size, blob.Location(fields[2])}); err != nil {
			return err
		}
	}
	return lines.Err()
}

// Restored is what is different in a database that was restored.
type Restored struct {
	// Locations calls fn with where the bytes of each blob of the dump are now;
	// "" when they are nowhere.
	Locations func(fn func(d oci.Digest, loc blob.Location) error) error
	Now       time.Time
	// Quarantine is until when nothing is removed for good.
	Quarantine time.Time
	Entry      audit.Entry
}

// idsAhead is how many numbers are passed over after a restore: those that were
// given after the backup and may be known to somebody.
const idsAhead = 1000

// settle makes a database that was just filled from a dump one that can be
// served: sessions and uploads of the past are gone, the trash, whose bytes no
// backup has, is empty, and nothing is removed for a while.
func (r Restored) settle(exec func(query string, args ...any) error) error {
	err := r.Locations(func(d oci.Digest, loc blob.Location) error {
		if loc == "" {
			return exec(`UPDATE blobs SET state = 'suspect' WHERE digest = ?`, d.String())
		}
		return exec(`UPDATE blobs SET location = ? WHERE digest = ?`, string(loc), d.String())
	})
	if err != nil {
		return err
	}
	for _, statement := range []string{
		`DELETE FROM upload_sessions`, `DELETE FROM web_sessions`, `DELETE FROM pending_sign_ins`, `DELETE FROM passkey_challenges`, `DELETE FROM trash`,
	} {
		if err := exec(statement); err != nil {
			return err
		}
	}
	err = exec(`INSERT INTO settings (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value`,
		lifecycle.QuarantineNote, strconv.FormatInt(toMicros(r.Quarantine), 10))
	if err != nil {
		return err
	}
	detail, err := json.Marshal(r.Entry.Detail)
	if err != nil {
		return err
	}
	return exec(`INSERT INTO audit (at, actor, action, target, detail) VALUES (?, ?, ?, ?, ?)`,
		toMicros(r.Entry.At), string(r.Entry.Actor), r.Entry.Action, r.Entry.Target, string(detail))
}

// LoadSQLite makes the dump in dir the database in the file path, which must not
// be there: it appears whole or not at all.
func LoadSQLite(ctx context.Context, dir, path string, r Restored) error {
	staged := path + ".restoring"
	for _, suffix := range []string{"", "-wal", "-shm"} { // what a restore that broke off left
		if err := os.Remove(staged + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if err := copyFile(filepath.Join(dir, dumpSQLite), staged); err != nil {
		return err
	}
	if err := settleSQLite(ctx, staged, r); err != nil {
		return err
	}
	for _, suffix := range []string{"-wal", "-shm"} {
		if _, err := os.Stat(staged + suffix); !errors.Is(err, os.ErrNotExist) {
			return fmt.Errorf("the restored database was not closed: %s is there (%v)", staged+suffix, err)
		}
	}
	if err := os.Rename(staged, path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func settleSQLite(ctx context.Context, path string, r Restored) error {
	db, err := database.OpenSQLite(ctx, path, database.Options{})
	if err != nil {
		return err
	}
	err = refuseLater(ctx, db)
	if err == nil {
		err = Migrate(ctx, db)
	}
	if err == nil {
		err = db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
			exec := func(query string, args ...any) error { _, err := tx.Exec(ctx, query, args...); return err }
			if err := r.settle(exec); err != nil {
				return err
			}
			return database.PassNumbers(ctx, tx, idsAhead)
		})
	}
	return errors.Join(err, db.Close())
}

// refuseLater refuses a database that a later version of this program has made.
func refuseLater(ctx context.Context, db *database.DB) error {
	var schema sql.NullInt64
	err := db.Read().QueryRow(ctx, `SELECT MAX(version_id) FROM goose_db_version`).Scan(&schema)
	if err != nil {
		return err
	}
	return checkSchema(schema.Int64)
}

func checkSchema(schema int64) error {
	files, err := migrations.ReadDir("migrations/postgres")
	if err != nil {
		return err
	}
	if schema < 1 || schema > int64(len(files)) {
		return errs.New(errs.Unsupported, "the backup has version %d of the schema, and this program knows %d: restore it with the version that made it", schema, len(files))
	}
	return nil
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if err == nil {
		err = out.Sync()
	}
	return errors.Join(err, out.Close())
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
