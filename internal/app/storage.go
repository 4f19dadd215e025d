package app

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"packhouse/internal/blob"
	"packhouse/internal/blob/fs"
	"packhouse/internal/blob/s3"
	"packhouse/internal/config"
	"packhouse/internal/database"
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
