package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/google/uuid"

	"packhouse/internal/audit"
	"packhouse/internal/backup"
	"packhouse/internal/blob/fs"
	"packhouse/internal/config"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/store"
)

// What a backup tells, for commands.
type (
	BackupManifest = backup.Manifest
	RestoreReport  = backup.Report
)

// BackupOptions says how Backup works.
type BackupOptions struct {
	// Program is the version of this one.
	Program string
	// Verify reads again what earlier backups have copied.
	Verify   bool
	Progress func(phase string, done int64)
}

// Backup copies the database and all blobs into dir, beside a running server or
// without one. What an earlier backup there has is not copied again.
func Backup(ctx context.Context, cfg *config.Config, dir string, o BackupOptions) (m BackupManifest, err error) {
	lock, err := lockDir(dir, "another backup is made in %s")
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, lock()) }()
	err = administer(ctx, cfg, func(a *App) error {
		blobs, err := openBlobs(ctx, cfg)
		if err != nil {
			return err
		}
		m, err = backup.Make(ctx, dir, backup.Making{
			Dump: func(ctx context.Context, dir string) error {
				if url := cfg.Database.URL.Reveal(); url != "" {
					return store.DumpPostgres(ctx, url, dir)
				}
				return store.DumpSQLite(ctx, cfg.DatabaseFile(), dir)
			},
			Blobs: dumpedBlobs, Store: blobs, Now: time.Now, Nonce: uuid.NewString()[:8], Program: o.Program, Engine: engine(cfg),
			Verify: o.Verify, Progress: o.Progress,
			Current: func(ctx context.Context, d oci.Digest) (backup.Blob, bool, error) {
				b, ok, err := a.Store.BlobRecord(ctx, d)
				return backup.Blob{Digest: b.Digest, Size: b.Size, Location: b.Location}, ok, err
			},
		})
		return err
	})
	return m, err
}

func engine(cfg *config.Config) string {
	if cfg.Database.URL.IsZero() {
		return string(database.EngineSQLite)
	}
	return string(database.EnginePostgres)
}

func dumpedBlobs(dir string, fn func(backup.Blob) error) error {
	return store.DumpedBlobs(dir, func(b store.DumpedBlob) error { return fn(backup.Blob(b)) })
}

// lockDir keeps other processes from dir, which it makes, until the result is
// called. text says what is the matter when another has it.
func lockDir(dir, text string) (release func() error, err error) {
	lock, err := fs.Lock(dir)
	switch {
	case errors.Is(err, fs.ErrLocked):
		return nil, errs.New(errs.Conflict, text, dir)
	case errors.Is(err, errors.ErrUnsupported):
		return func() error { return nil }, nil
	case err != nil:
		return nil, fmt.Errorf("locking the directory %s: %w", dir, err)
	}
	return lock.Close, nil
}

// restoreQuarantine is how long nothing is removed for good after a restore: the
// store may hold what a later backup, or a copy of the database, still knows.
const restoreQuarantine = 7 * 24 * time.Hour

// RestoreOptions says how Restore works.
type RestoreOptions struct {
	// Force lets the backup take the place of a database that is there, which is
	// put aside.
	Force    bool
	Progress func(phase string, done int64)
}

// Restore puts the backup in dir where cfg says that the data is. No server may
// run there.
func Restore(ctx context.Context, cfg *config.Config, dir string, o RestoreOptions) (m BackupManifest, report RestoreReport, err error) {
	if m, err = backup.Open(dir); err != nil {
		return m, report, err
	}
	if m.Engine != engine(cfg) {
		return m, report, errs.New(errs.Invalid, "this is a backup of %s, and the configuration names %s", m.Engine, engine(cfg))
	}
	if !cfg.UsesS3() {
		release, err := lockDir(cfg.BlobDir(), "a packhouse serve uses %s; stop it first")
		if err != nil {
			return m, report, err
		}
		defer func() { err = errors.Join(err, release()) }()
	}
	if err := refuseDatabase(ctx, cfg, o.Force); err != nil {
		return m, report, err
	}
	blobs, err := openBlobs(ctx, cfg)
	if err != nil {
		return m, report, err
	}
	report, err = backup.Restore(ctx, dir, m, backup.Restoring{
		Blobs: dumpedBlobs, Store: blobs, Progress: o.Progress,
		NewID: func() string { return uuid.Must(uuid.NewRandom()).String() },
		Load: func(ctx context.Context, dump string, locations backup.Locations) error {
			return load(ctx, cfg, dump, m, locations, o.Force)
		},
	})
	return m, report, err
}

// refuseDatabase refuses a target that is not empty, before any blob is copied.
func refuseDatabase(ctx context.Context, cfg *config.Config, force bool) error {
	if force {
		return nil
	}
	if url := cfg.Database.URL.Reveal(); url != "" {
		empty, err := store.EmptyPostgres(ctx, url)
		if err == nil && !empty {
			err = targetNotEmpty()
		}
		return err
	}
	_, err := os.Stat(cfg.DatabaseFile())
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return targetNotEmpty()
}

func targetNotEmpty() error {
	return errs.New(errs.Exists, "there is a database already; with --force it is put aside and the backup takes its place")
}

func load(ctx context.Context, cfg *config.Config, dump string, m BackupManifest, locations backup.Locations, force bool) error {
	now := time.Now()
	r := store.Restored{
		Locations: locations, Now: now, Quarantine: now.Add(restoreQuarantine),
		Entry: audit.Entry{At: now, Actor: audit.Operator, Action: "site.restore", Target: "site",
			Detail: map[string]any{"backup": m.Begun.Format(time.RFC3339)}},
	}
	aside := "before-restore-" + now.UTC().Format("20060102T150405Z")
	if url := cfg.Database.URL.Reveal(); url != "" {
		if !force {
			aside = ""
		}
		err := store.LoadPostgres(ctx, url, dump, aside, r)
		if errs.Is(err, errs.Exists) {
			return targetNotEmpty()
		}
		return err
	}
	for _, suffix := range []string{"", "-wal", "-shm"} {
		old := cfg.DatabaseFile() + suffix
		if err := os.Rename(old, cfg.DatabaseFile()+"."+aside+suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return err
	}
	return store.LoadSQLite(ctx, dump, cfg.DatabaseFile(), r)
}
