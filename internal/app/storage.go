package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	"packhouse/internal/blob"
	"packhouse/internal/blob/fs"
	"packhouse/internal/blob/s3"
	"packhouse/internal/config"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/store"
)

func openDatabase(ctx context.Context, cfg *config.Config, log *slog.Logger) (*database.DB, error) {
	if address := cfg.Database.URL.Reveal(); address != "" {
		return database.OpenPostgres(ctx, address, database.Options{Logger: log})
	}
	if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
		return nil, fmt.Errorf("the data directory: %w", err)
	}
	return database.OpenSQLite(ctx, cfg.DatabaseFile(), database.Options{Logger: log})
}

func openBlobs(ctx context.Context, cfg *config.Config) (blob.Store, error) {
	if !cfg.UsesS3() {
		if err := os.MkdirAll(cfg.Data, 0o700); err != nil {
			return nil, fmt.Errorf("the data directory: %w", err)
		}
		return fs.Open(cfg.BlobDir(), fs.Options{})
	}
	return s3.Open(ctx, s3.Config{
		Endpoint: cfg.S3.Endpoint, Region: cfg.S3.Region, Bucket: cfg.S3.Bucket, Prefix: cfg.S3.Prefix,
		AccessKey: cfg.S3.AccessKey, SecretKey: cfg.S3.SecretKey.Reveal(), TLS: cfg.S3.TLS,
		PublicEndpoint: cfg.S3.PublicEndpoint,
	})
}

// How long a server that starts waits for another in its last moments, and how
// often it looks.
const (
	lockWait = 5 * time.Second
	lockLook = 50 * time.Millisecond
)

// lockBlobs keeps other servers from the blobs on this machine's disk until
// release is called or the process ends. Buckets need none: nodes share them.
func lockBlobs(ctx context.Context, cfg *config.Config, log *slog.Logger) (release func() error, err error) {
	if cfg.UsesS3() {
		return func() error { return nil }, nil
	}
	dir := cfg.BlobDir()
	lock, err := fs.Lock(dir)
	if errors.Is(err, fs.ErrLocked) {
		log.Warn("another packhouse serve uses this directory; waiting for its end", "directory", dir, "at most", lockWait.String())
		lock, err = awaitLock(ctx, dir)
	}
	switch {
	case errors.Is(err, fs.ErrLocked):
		return nil, errs.New(errs.Unavailable, "another packhouse serve uses the directory %s; "+
			"stop that one first, or give this one a directory of its own with --data", dir)
	case errors.Is(err, errors.ErrUnsupported):
		log.Warn("this directory cannot be locked; see to it that one packhouse serve alone uses it", "directory", dir)
		return func() error { return nil }, nil
	case err != nil:
		return nil, fmt.Errorf("locking the directory %s: %w", dir, err)
	}
	return lock.Close, nil
}

// awaitLock tries until lockWait is over or ctx ends.
func awaitLock(ctx context.Context, dir string) (io.Closer, error) {
	ctx, cancel := context.WithTimeout(ctx, lockWait)
	defer cancel()
	look := time.NewTicker(lockLook)
	defer look.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil, fs.ErrLocked
		case <-look.C:
		}
		if lock, err := fs.Lock(dir); !errors.Is(err, fs.ErrLocked) {
			return lock, err
		}
	}
}

// certRows keeps certificates in the database, so that all nodes share them.
type certRows struct{ store *store.Store }

func (c certRows) Get(ctx context.Context, name string) ([]byte, error) {
	return c.store.GetCertificate(ctx, name)
}

func (c certRows) Put(ctx context.Context, name string, data []byte) error {
	return c.store.PutCertificate(ctx, name, data, time.Now())
}

func (c certRows) Delete(ctx context.Context, name string) error {
	return c.store.DeleteCertificate(ctx, name)
}
