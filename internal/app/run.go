package app

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"unicode"

	"packhouse/internal/account"
	"packhouse/internal/config"
	"packhouse/internal/httpx"
)

// Run builds the registry that cfg describes and serves it until ctx ends or a
// listener fails. What a person should read at the first start goes to out.
// hurry, which may be nil, cuts a graceful stop short.
func Run(ctx context.Context, cfg *config.Config, log *slog.Logger, out io.Writer, version string, hurry <-chan struct{}) error {
	release, err := lockBlobs(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() {
		if err := release(); err != nil {
			log.Error("closing the lock of the blob directory", "error", err)
		}
	}()
	a, err := Build(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer func() {
		if err := a.Close(); err != nil {
			log.Error("closing the database", "error", err)
		}
	}()
	a.Version = version
	password, err := a.Accounts.Bootstrap(ctx, cfg.AdminPassword.Reveal())
	if err != nil {
		return err
	}
	newID, err := httpx.NewIDs(rand.Reader)
	if err != nil {
		return err
	}
	metrics := NewMetrics(version)
	metrics.Registry.MustRegister(newWaitingJobs(a.Store.WaitingJobs), newDamagedBlobs(a.Store.DamagedBlobs))
	measureGC(metrics.Registry, a.Collector)
	working, stop := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() { defer close(done); a.RunJobs(working, metrics) }()
	defer func() { stop(); <-done }()
	return Serve(ctx, cfg, Serving{
		Handlers: a.Handlers, Log: log, Metrics: metrics, NewID: newID, Certs: certRows{a.Store}, Hurry: hurry,
		Started: func(Addresses) { greet(out, cfg, password) },
	})
}

// greet prints the lines that a first user needs, ready to paste.
func greet(out io.Writer, cfg *config.Config, password string) {
	fmt.Fprintf(out, "\nPackhouse is at %s\n", cfg.URL)
	if password != "" {
		shown := password
		if !cfg.AdminPassword.IsZero() {
			shown = "(as configured)"
		}
		fmt.Fprintf(out, "\nThis is the first start. The site administrator is %q, the password:\n\n    %s\n", account.FirstLogin, shown)
	}
	image := account.FirstLogin + "/IMAGE"
	if !cfg.SubdomainIsolation && cfg.BareHost == config.BareDocker {
		image = account.FirstLogin + "/REPOSITORY/IMAGE"
		fmt.Fprintf(out, "\nMake a repository, which images of the Docker registry lie in:\n\n    packhouse admin repo create %s/REPOSITORY%s\n", account.FirstLogin, dataFlag(cfg))
	}
	fmt.Fprintf(out, `
Log in and push an image:

    docker login %[1]s -u %[2]s
    docker tag IMAGE %[1]s/%[3]s:1
    docker push %[1]s/%[3]s:1

`, withoutScheme(cfg.ContainersURL()), account.FirstLogin, image)
	if cfg.SubdomainIsolation {
		fmt.Fprintf(out, "The Docker registry is at %s: images are named OWNER/REPOSITORY/IMAGE there.\n\n", withoutScheme(cfg.DockerURL()))
	}
}

// dataFlag is what an admin command that is pasted into a shell needs, to find
// the data of this server. The address of a database holds a password and is
// not shown.
func dataFlag(cfg *config.Config) string {
	if cfg.Data == config.Default().Data || !cfg.Database.URL.IsZero() {
		return ""
	}
	dir := cfg.Data
	if strings.ContainsFunc(dir, func(r rune) bool {
		return !strings.ContainsRune("/._-+:@%,=", r) && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	}) {
		dir = "'" + strings.ReplaceAll(dir, "'", `'\''`) + "'"
	}
	return " --data=" + dir
}

// withoutScheme is an address as it stands before the name of an image.
func withoutScheme(address string) string {
	_, rest, _ := strings.Cut(address, "://")
	return rest
}
