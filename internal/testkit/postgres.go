package testkit

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/jackc/pgx/v5"
)

// shared is the one server of a test binary. It is started by the first test
// that asks, since most test runs of a package ask for none.
var shared struct {
	sync.Mutex
	server *PostgresServer
	err    error
}

// RunMain is the whole of a TestMain: it runs the tests and stops what they
// started. The exit code is passed on by the testing package.
//
//	func TestMain(m *testing.M) { testkit.RunMain(m) }
func RunMain(m *testing.M) { RunMainAfter(m, func() error { return nil }) }

// RunMainAfter is RunMain for tests that need something made before the first of
// them. When it cannot be made, the process ends as failed.
func RunMainAfter(m *testing.M, prepare func() error) {
	if serveIssuer() {
		return
	}
	if err := prepare(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer StopPostgres()
	defer StopS3()
	m.Run()
}

// StopPostgres stops the shared server, if there is one, and removes its data.
// Should nobody call it, the kernel ends the server with the test binary, and
// the data stays.
func StopPostgres() {
	shared.Lock()
	defer shared.Unlock()
	if shared.server != nil {
		shared.server.Remove()
		shared.server = nil
	}
}

// Postgres returns the address of a new, empty database for this test, on a
// PostgreSQL server that the test binary shares. The database is dropped at
// the end of the test. Without PostgreSQL on this machine the test fails.
func Postgres(t testing.TB) (url string) {
	t.Helper()
	shared.Lock()
	if shared.server == nil && shared.err == nil {
		shared.server, shared.err = NewPostgresServer()
	}
	server, err := shared.server, shared.err
	shared.Unlock()
	if err != nil {
		t.Fatal(err)
	}
	name := "t_" + strings.ToLower(rand.Text())
	if err := server.Do(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatalf("create a database for the test: %v", err)
	}
	t.Cleanup(func() {
		// The test's context is over when its cleanup runs.
		if err := server.Do(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop the database of the test: %v", err)
		}
	})
	return server.URL(name)
}

// PostgresServer is a private PostgreSQL server with its data in a temporary
// directory. It listens on 127.0.0.1 and on a socket in that directory, and
// lets everyone in who gets there. fsync is off: it is for tests.
type PostgresServer struct {
	bin, dir string
	port     int
	cred     *syscall.Credential
	pid      int
	exited   chan struct{}
}

// NewPostgresServer makes a server and starts it.
func NewPostgresServer() (*PostgresServer, error) {
	s := &PostgresServer{}
	var err error
	if s.bin, err = postgresPrograms(); err != nil {
		return nil, err
	}
	if s.dir, err = os.MkdirTemp(openTempDir(), "packhouse-pg-"); err != nil {
		return nil, err
	}
	if err := s.initialize(); err != nil {
		os.RemoveAll(s.dir)
		return nil, err
	}
	// The port is free when it is chosen and may be gone when it is used.
	for try := 0; ; try++ {
		if s.port, err = freePort(); err == nil {
			err = s.Start()
		}
		if err == nil {
			return s, nil
		}
		if try == 2 {
			os.RemoveAll(s.dir)
			return nil, err
		}
	}
}

// URL returns the address of the database called name on s.
func (s *PostgresServer) URL(name string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable", s.port, name)
}

// Do runs one statement as the superuser.
func (s *PostgresServer) Do(ctx context.Context, statement string) error {
	c, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return err
	}
	defer c.Close(ctx)
	_, err = c.Exec(ctx, statement)
	return err
}

// Start starts the server, on the port it had before, and returns when it
// takes connections.
func (s *PostgresServer) Start() error {
	ready := make(chan error, 1)
	s.exited = make(chan struct{})
	go s.run(ready, s.exited)
	return <-ready
}

// run is the server's life. It keeps its thread, because the kernel sends the
// death signal when the thread that started the child ends.
func (s *PostgresServer) run(ready chan<- error, exited chan<- struct{}) {
	runtime.LockOSThread()
	defer close(exited)
	cmd := s.command("postgres", "-D", filepath.Join(s.dir, "data"), "-k", s.dir, "-p", strconv.Itoa(s.port),
		"-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "full_page_writes=off",
		"-c", "max_connections=300", "-c", "shared_buffers=32MB", "-c", "lc_messages=C")
	cmd.SysProcAttr.Pdeathsig = syscall.SIGQUIT
	log, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		ready <- err
		return
	}
	s.pid = cmd.Process.Pid
	err = waitReady(log)
	ready <- err
	io.Copy(io.Discard, log)
	cmd.Wait()
}

// waitReady reads the server's log up to the line that says it is up.
func waitReady(log io.Reader) error {
	var seen []string
	for lines := bufio.NewScanner(log); lines.Scan(); {
		if strings.Contains(lines.Text(), "ready to accept connections") {
			return nil
		}
		seen = append(seen, lines.Text())
	}
	return fmt.Errorf("PostgreSQL did not start:\n%s", strings.Join(seen, "\n"))
}

// Stop cuts every connection and stops the server, leaving its data.
func (s *PostgresServer) Stop() {
	syscall.Kill(s.pid, syscall.SIGINT) // "fast shutdown"
	<-s.exited
}

// Remove stops the server and removes its data.
func (s *PostgresServer) Remove() {
	select {
	case <-s.exited:
	default:
		s.Stop()
	}
	os.RemoveAll(s.dir)
}

func (s *PostgresServer) initialize() error {
	if os.Geteuid() == 0 {
		// PostgreSQL refuses to run as root.
		id, err := postgresUser()
		if err != nil {
			return err
		}
		if err := os.Chown(s.dir, int(id.Uid), int(id.Gid)); err != nil {
			return err
		}
		s.cred = id
	}
	out, err := s.command("initdb", "-D", filepath.Join(s.dir, "data"), "-A", "trust", "-U", "postgres",
		"-E", "UTF8", "--locale=C", "--no-sync").CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	return nil
}

func (s *PostgresServer) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.dir
	cmd.Env = []string{"LC_ALL=C", "PATH=/usr/bin:/bin", "HOME=" + s.dir}
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.cred}
	return cmd
}

// postgresPrograms returns the directory of initdb and postgres.
func postgresPrograms() (string, error) {
	var dirs []string
	if out, err := exec.Command("pg_config", "--bindir").Output(); err == nil {
		dirs = append(dirs, strings.TrimSpace(string(out)))
	}
	more, _ := filepath.Glob("/usr/lib/postgresql/*/bin")
	for _, dir := range append(dirs, more...) {
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err == nil {
			return dir, nil
		}
	}
	return "", errors.New("these tests need PostgreSQL: install the Debian package postgresql")
}

func postgresUser() (*syscall.Credential, error) {
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("running as root, PostgreSQL needs the user postgres (Debian package postgresql): %w", err)
	}
	uid, err1 := strconv.ParseUint(u.Uid, 10, 32)
	gid, err2 := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, errors.Join(err1, err2)
}

// openTempDir returns the temporary directory, or /tmp when another user could
// not enter it.
func openTempDir() string {
	for dir := os.TempDir(); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil || info.Mode()&0o001 == 0 {
			return "/tmp"
		}
		if dir == filepath.Dir(dir) {
			return os.TempDir()
		}
	}
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
