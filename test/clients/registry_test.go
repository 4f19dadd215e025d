package clients_test

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

// A registry is one running packhouse.
type registry struct {
	addr     string   // host:port, plain HTTP
	data     string   // its directory
	settings []string // its PACKHOUSE_… variables
}

func sqliteAndDisk(*testing.T) []string { return nil }

func postgresAndS3(t *testing.T) []string {
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

// startRegistry starts the program as its users do, and stops it at the end of
// the test, when it must leave with exit code 0.
func startRegistry(t *testing.T, settings []string) registry {
	t.Helper()
	r := registry{addr: freeAddress(t), data: t.TempDir(), settings: settings}
	serve := r.command(t, "serve", "--data", r.data, "--listen", r.addr, "--url", "http://"+r.addr)
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
	awaitReady(t, "http://"+r.addr+"/readyz")
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

// account creates a user and returns a token of theirs that may do everything
// with packages.
func (r registry) account(t *testing.T, login string) (token string) {
	t.Helper()
	r.admin(t, "user", "create", login)
	return r.admin(t, "token", "create", login, "--scopes", "read:packages,write:packages,delete:packages")
}

func (r registry) admin(t *testing.T, args ...string) string {
	t.Helper()
	cmd := r.command(t, append(append([]string{"admin"}, args...), "--data", r.data)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("packhouse admin %s: %v\n%s", strings.Join(args, " "), err, &stderr)
	}
	return strings.TrimSpace(string(out))
}

func (r registry) command(t *testing.T, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + cmd.Dir, "PACKHOUSE_LOG_LEVEL=warn"}, r.settings...)
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
