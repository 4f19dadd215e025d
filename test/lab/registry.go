package lab

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"packhouse/internal/testkit"
)

// A Registry is one running packhouse.
type Registry struct {
	Addr     string // host:port of its listener, plain HTTP
	URL      string // its public address
	program  Program
	data     string   // its directory
	settings []string // its PACKHOUSE_… variables
}

// SQLiteAndDisk is the settings of a registry on one machine.
func SQLiteAndDisk(*testing.T) []string { return nil }

// PostgresAndS3 is the settings of a registry that keeps nothing of its own, on
// servers of this test.
func PostgresAndS3(t *testing.T) []string {
	b := testkit.S3(t)
	return []string{
		"PACKHOUSE_DATABASE_URL=" + testkit.Postgres(t),
		"PACKHOUSE_S3_ENDPOINT=" + b.Endpoint,
		"PACKHOUSE_S3_REGION=" + b.Region,
		"PACKHOUSE_S3_BUCKET=" + b.Name,
		"PACKHOUSE_S3_ACCESS_KEY=" + b.AccessKey,
		"PACKHOUSE_S3_SECRET_KEY=" + b.SecretKey,
		"PACKHOUSE_S3_TLS=false",
	}
}

// Start starts the program as its users do, and stops it at the end of the
// test, when it must leave with exit code 0. host is the name that its public
// address has; "" means the address that it listens on.
func (p Program) Start(t *testing.T, host string, settings []string) Registry {
	t.Helper()
	r := Registry{program: p, Addr: freeAddress(t), data: t.TempDir(), settings: settings}
	r.URL = "http://" + r.Addr
	if host != "" {
		_, port, _ := net.SplitHostPort(r.Addr)
		r.URL = "http://" + host + ":" + port
	}
	serve := r.command(t, "serve", "--data", r.data, "--listen", r.Addr, "--url", r.URL)
	var log bytes.Buffer
	serve.Stdout, serve.Stderr = &log, &log
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- serve.Wait() }()
	t.Cleanup(func() {
		serve.Process.Signal(syscall.SIGTERM)
		if err := <-exited; err != nil || t.Failed() {
			t.Errorf("packhouse ended with %v and wrote:\n%s", err, &log)
		}
	})
	awaitReady(t, "http://"+r.Addr+"/readyz")
	return r
}

func awaitReady(t *testing.T, url string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	poll(ctx, t, "the registry to be ready", func() bool {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return false
		}
		res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
}

// poll asks done again and again until it says yes.
func poll(ctx context.Context, t *testing.T, what string, done func() bool) {
	t.Helper()
	for tick := time.NewTicker(20 * time.Millisecond); !done(); {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// Account creates a user and returns a token of theirs that may do everything
// with packages.
func (r Registry) Account(t *testing.T, login string) (token string) {
	t.Helper()
	r.Admin(t, "user", "create", login)
	return r.Token(t, login, "read:packages,write:packages,delete:packages")
}

// Token creates a personal access token with the scopes.
func (r Registry) Token(t *testing.T, login, scopes string) string {
	t.Helper()
	return r.Admin(t, "token", "create", login, "--scopes", scopes)
}

// Admin runs a command of the operator, which must succeed, and returns what it
// wrote to standard output.
func (r Registry) Admin(t *testing.T, args ...string) string {
	t.Helper()
	out, all, err := r.TryAdmin(t, args...)
	if err != nil {
		t.Fatalf("packhouse admin %s: %v\n%s", strings.Join(args, " "), err, all)
	}
	return out
}

// TryAdmin is Admin for a command that may fail; said is all that it wrote.
func (r Registry) TryAdmin(t *testing.T, args ...string) (out, said string, err error) {
	t.Helper()
	cmd := r.command(t, append(append([]string{"admin"}, args...), "--data", r.data)...)
	var both transcript
	cmd.Stdout, cmd.Stderr = stdout{&both}, &both
	err = cmd.Run()
	return strings.TrimSpace(both.out.String()), both.all.String(), err
}

// Command runs a command of the program on the data of this server, which must
// succeed, and returns what it wrote to standard output.
func (r Registry) Command(t *testing.T, args ...string) string {
	t.Helper()
	cmd := r.command(t, append(args, "--data", r.data)...)
	var both transcript
	cmd.Stdout, cmd.Stderr = stdout{&both}, &both
	if err := cmd.Run(); err != nil {
		t.Fatalf("packhouse %s: %v\n%s", strings.Join(args, " "), err, both.all.String())
	}
	return strings.TrimSpace(both.out.String())
}

func (r Registry) command(t *testing.T, args ...string) *exec.Cmd {
	return r.program.Command(t, r.settings, args...)
}

// Command returns the program with PACKHOUSE_… variables and arguments, not
// started yet, in a directory of its own.
func (p Program) Command(t *testing.T, settings []string, args ...string) *exec.Cmd {
	cmd := exec.Command(p.path, args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + cmd.Dir, "PACKHOUSE_LOG_LEVEL=warn"}, settings...)
	return cmd
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Environment returns the variables for a program that runs commands of the
// operator by itself, beside those of the test: where packhouse is, in
// PACKHOUSE_TEST_PROGRAM, and what it needs to find this server's data.
func (r Registry) Environment() []string {
	own := []string{"PACKHOUSE_TEST_PROGRAM=" + r.program.path, "PACKHOUSE_TEST_URL=" + r.URL, "PACKHOUSE_DATA=" + r.data, "PACKHOUSE_LOG_LEVEL=warn"}
	return append(own, r.settings...)
}
