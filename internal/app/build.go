package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"runtime"
	"time"

	"github.com/google/uuid"

	"packhouse/internal/access"
	"packhouse/internal/account"
	tokenapi "packhouse/internal/api/token"
	v2 "packhouse/internal/api/v2"
	"packhouse/internal/blob"
	"packhouse/internal/blob/fs"
	"packhouse/internal/blob/s3"
	"packhouse/internal/config"
	"packhouse/internal/database"
	"packhouse/internal/httpx"
	"packhouse/internal/oci"
	"packhouse/internal/registry"
	"packhouse/internal/store"
	"packhouse/internal/token"
)

// App is everything behind the listeners, built from one configuration.
type App struct {
	Handlers Handlers
	Accounts *account.Service
	Tokens   *token.Authenticator
	Registry *registry.Service
	Store    *store.Store

	db    *database.DB
	blobs blob.Store
	log   *slog.Logger
}

// Open connects to the database that cfg names, brings its schema up to date and
// builds the services that need no blobs. It is all that admin commands need.
func Open(ctx context.Context, cfg *config.Config, log *slog.Logger) (*App, error) {
	db, err := openDatabase(ctx, cfg, log)
	if err != nil {
		return nil, err
	}
	a := &App{db: db, log: log}
	if err := a.openAccounts(ctx, cfg); err != nil {
		return nil, fmt.Errorf("%w (and closing the database: %v)", err, db.Close())
	}
	return a, nil
}

func (a *App) openAccounts(ctx context.Context, cfg *config.Config) error {
	if err := store.Migrate(ctx, a.db); err != nil {
		return fmt.Errorf("bringing the database schema up to date: %w", err)
	}
	a.Store = store.New(a.db)
	public, err := url.Parse(cfg.URL)
	if err != nil {
		return err
	}
	a.Accounts, err = account.New(account.Options{
		Store: a.Store, Passwords: account.NewPasswords(account.DefaultCost, runtime.GOMAXPROCS(0), rand.Reader), Now: time.Now, Random: rand.Reader,
	})
	if err != nil {
		return err
	}
	a.Tokens, err = token.NewAuthenticator(token.Options{
		Store: a.Store, Keys: a.Store, Passwords: a.Accounts, Issuer: cfg.URL, Service: public.Host,
		Client: httpx.Proxies(cfg.TrustedProxies).ClientAddr, Now: time.Now, Random: rand.Reader,
	})
	return err
}

// Build opens everything that cfg names and composes the registry.
func Build(ctx context.Context, cfg *config.Config, log *slog.Logger) (*App, error) {
	a, err := Open(ctx, cfg, log)
	if err != nil {
		return nil, err
	}
	if err := a.build(ctx, cfg); err != nil {
		return nil, fmt.Errorf("%w (and closing the database: %v)", err, a.Close())
	}
	return a, nil
}

func (a *App) build(ctx context.Context, cfg *config.Config) error {
	blobs, err := openBlobs(ctx, cfg)
	if err != nil {
		return err
	}
	a.blobs = blobs
	a.Registry, err = registry.New(registry.Deps{
		Lookups: a.Store, Listings: a.Store, Sessions: a.Store, Commits: a.Store, Blobs: blobs,
		Limits: registry.Limits{
			MaxBlob: int64(cfg.Registry.MaxBlobSize), MaxSessions: cfg.Registry.MaxUploads,
			SessionIdle: cfg.Registry.UploadInactivity, SessionLife: cfg.Registry.UploadLife, Grace: blobGrace,
		},
		Now:   time.Now,
		NewID: func() string { return uuid.Must(uuid.NewRandom()).String() },
	})
	if err != nil {
		return err
	}
	public, err := url.Parse(cfg.URL)
	if err != nil {
		return err
	}
	a.Handlers.Registry, err = v2.New(v2.Deps{
		Registry: a.Registry, Authenticator: a.Tokens, Realm: v2.NewRealm(public), Type: access.Container,
		MaxParallelUploads: cfg.Registry.MaxUploads,
	})
	if err != nil {
		return err
	}
	a.Handlers.Token = tokenapi.New(tokenapi.Deps{
		Credentials: a.Tokens, Packages: packageFacts{a.Store, access.Container}, Realm: public.Host,
	})
	a.Handlers.Ready = []Check{{Name: "database", Probe: a.db.Ping}, {Name: "blobs", Probe: blobs.Probe}}
	return nil
}

// blobGrace is how long a promise about a blob holds without a manifest that
// needs it. It is longer than any push: sessions end after 24 hours.
const blobGrace = 48 * time.Hour

// Close closes the database; nothing may use the App any more.
func (a *App) Close() error { return a.db.Close() }

// packageFacts answers the token endpoint from the registry's lookups.
type packageFacts struct {
	store *store.Store
	kind  access.PackageType
}

// Facts returns what is known about the package called name, for who.
func (f packageFacts) Facts(ctx context.Context, who access.Principal, name oci.Name) (access.Facts, error) {
	pkg, err := f.store.Package(ctx, who, access.Package{Type: f.kind, Name: name})
	return pkg.Facts, err
}

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
