package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/url"
	"runtime"
	"time"

	"github.com/google/uuid"

	"packhouse/internal/account"
	"packhouse/internal/blob"
	"packhouse/internal/config"
	"packhouse/internal/database"
	"packhouse/internal/downloads"
	"packhouse/internal/hooks"
	"packhouse/internal/httpx"
	"packhouse/internal/jobs"
	"packhouse/internal/lifecycle"
	"packhouse/internal/packages"
	"packhouse/internal/registry"
	"packhouse/internal/store"
	"packhouse/internal/token"
)

// App is everything behind the listeners, built from one configuration.
type App struct {
	Handlers Handlers
	Accounts *account.Service
	Tokens   *token.Authenticator
	Trust    *token.Trust
	Packages *packages.Service
	Registry *registry.Service
	Store    *store.Store
	Jobs     *jobs.Queue
	Hooks    *hooks.Service
	// Downloads counts pulls, and Retention deletes by rules.
	Downloads *downloads.Counter
	Retention *lifecycle.Retention
	Collector *lifecycle.Collector

	// Version is what the program says it is; set before anything is served.
	Version string

	hookWork     *hookWork
	collectEvery time.Duration
	checks       *checks

	db     *database.DB
	blobs  blob.Store
	pushes *pushes
	log    *slog.Logger
}

// Open connects to the database that cfg names, brings its schema up to date and
// builds the services that need no blobs. It is all that admin commands need.
func Open(ctx context.Context, cfg *config.Config, log *slog.Logger) (*App, error) {
	db, err := openDatabase(ctx, cfg, log)
	if err != nil {
		return nil, err
	}
	a := &App{db: db, pushes: &pushes{now: time.Now}, log: log}
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
	a.Packages = newPackages(cfg, a.Store)
	a.Downloads = downloads.New(a.Store, time.Now)
	a.Retention = newRetention(cfg, a.Store, a.Packages)
	a.Hooks = newHooks(a.Store)
	a.Jobs = &jobs.Queue{Records: a.Store, Now: time.Now}
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
	a.Trust = newTrust(cfg, a.Store)
	a.Tokens, err = token.NewAuthenticator(token.Options{
		Store: a.Store, Keys: a.Store, Passwords: a.Accounts, Identities: a.Trust, Issuer: cfg.URL, Service: public.Host,
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
	fresh := make([]byte, 32)
	_, _ = rand.Read(fresh) // never fails
	places, err := a.Store.Key(ctx, "catalog.places", fresh)
	if err != nil {
		return err
	}
	a.Registry, err = registry.New(registry.Deps{
		Lookups: a.Store, Listings: a.Store, Sources: a.Store, Sessions: a.Store, Commits: a.Store, Blobs: blobs, Damages: a.Store,
		Limits: registry.Limits{
			MaxBlob: int64(cfg.Registry.MaxBlobSize), MaxDockerBlob: int64(cfg.Docker.MaxBlobSize), MaxSessions: cfg.Registry.MaxUploads,
			SessionIdle: cfg.Registry.UploadInactivity, SessionLife: cfg.Registry.UploadLife, Grace: cfg.GC.Grace,
		},
		SourceName: sourceName(cfg), TagsOnly: cfg.Docker.TagsOnly,
		Now:   time.Now,
		NewID: func() string { return uuid.Must(uuid.NewRandom()).String() }, PlaceKey: places,
	})
	if err != nil {
		return err
	}
	a.hookWork = newHookWork(cfg, a.Store, a.Registry)
	a.Collector, a.collectEvery = newCollector(cfg, a.Store, blobs, a.pushes, a.log), cfg.GC.Interval
	a.checks = newChecks(cfg, a.Store, blobs, a.log)
	if err := a.composeRegistries(cfg); err != nil {
		return err
	}
	if err := a.composePages(cfg); err != nil {
		return err
	}
	if err := a.composeAPI(cfg); err != nil {
		return err
	}
	a.Handlers.Ready = []Check{{Name: "database", Probe: a.db.Ping}, {Name: "blobs", Probe: blobs.Probe}}
	return nil
}

// Close closes the database; nothing may use the App any more.
func (a *App) Close() error { return a.db.Close() }
