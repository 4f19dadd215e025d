package crash

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// startLimit is how long a start may take. A start after a crash reads no
// inventory, so this is far more than it needs.
const startLimit = 20 * time.Second

// server is the built program on one data directory.
type server struct {
	program, data string
	logFile       string   // what it says is added there
	settings      []string // further flags

	addr    string
	started time.Duration // how long the last start took
	cmd     *exec.Cmd
	exited  chan struct{} // closed when the process is gone
	exit    error         // valid then
}

const adminPassword = "correct horse battery staple"

// start runs the server, on a port of its own each time, and returns when it is
// ready.
func (s *server) start(ctx context.Context) error {
	var err error
	if s.addr, err = freeAddress(); err != nil {
		return err
	}
	args := append([]string{"serve", "--data", s.data, "--listen", s.addr, "--url", s.url()}, s.settings...)
	s.cmd = exec.Command(s.program, args...)
	s.cmd.Env = append(os.Environ(), "PACKHOUSE_ADMIN_PASSWORD="+adminPassword)
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	began := time.Now()
	up := make(chan error, 1)
	s.exited = make(chan struct{})
	go s.run(up, s.exited)
	if err := <-up; err != nil {
		return err
	}
	err = s.awaitReady(ctx)
	s.started = time.Since(began)
	return err
}

// run is the life of the process. It keeps its thread, because the kernel sends
// the death signal when the thread that started the child ends.
func (s *server) run(up chan<- error, exited chan<- struct{}) {
	runtime.LockOSThread()
	defer close(exited)
	log, err := os.OpenFile(s.logFile, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		up <- err
		return
	}
	defer log.Close()
	s.cmd.Stdout, s.cmd.Stderr = log, log
	err = s.cmd.Start()
	up <- err
	if err == nil {
		s.exit = s.cmd.Wait()
	}
}

func (s *server) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for tick := time.NewTicker(2 * time.Millisecond); ; {
		if s.ready(ctx) {
			return nil
		}
		select {
		case <-s.exited:
			return fmt.Errorf("the server ended at its start: %v\n%s", s.exit, s.lastLog())
		case <-ctx.Done():
			s.kill()
			return fmt.Errorf("the server was not ready after %s\n%s", startLimit, s.lastLog())
		case <-tick.C:
		}
	}
}

func (s *server) ready(ctx context.Context) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url()+"/readyz", nil)
	if err != nil {
		return false
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	a.Body.Close()
	return a.StatusCode == http.StatusOK
}

func (s *server) url() string { return "http://" + s.addr }

// runs reports whether the process is there.
func (s *server) runs() bool {
	if s.exited == nil {
		return false
	}
	select {
	case <-s.exited:
		return false
	default:
		return true
	}
}

// kill ends the process as a crash does.
func (s *server) kill() {
	if s.runs() {
		_ = s.cmd.Process.Kill()
		<-s.exited
	}
}

// stop ends the process in its orderly way.
func (s *server) stop() error {
	if !s.runs() {
		return errors.New("the server has ended by itself")
	}
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.exited:
		return s.exit
	case <-time.After(startLimit):
		s.kill()
		return fmt.Errorf("the server did not stop within %s", startLimit)
	}
}

// admin runs an admin command and returns what it prints.
func (s *server) admin(input string, args ...string) (string, error) {
	cmd := exec.Command(s.program, append(append([]string{"admin"}, args...), s.adminSettings()...)...)
	cmd.Stdin = strings.NewReader(input)
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("admin %v: %w\n%s", args, err, complaint.String())
	}
	return strings.TrimSpace(string(out)), nil
}

// adminSettings are those of the flags that say where the data is.
func (s *server) adminSettings() []string {
	flags := []string{"--data", s.data}
	for i, flag := range s.settings {
		if flag == "--database-url" {
			flags = append(flags, s.settings[i:i+2]...)
		}
	}
	return flags
}

// lastLog returns the end of what the server said.
func (s *server) lastLog() string {
	raw, _ := os.ReadFile(s.logFile)
	return string(raw[max(0, len(raw)-3000):])
}

// freeAddress returns a loopback address nobody listens on now.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// build compiles the program, with build tags, into dir.
func build(ctx context.Context, dir string, tags string) (string, error) {
	name := "packhouse"
	if tags != "" {
		name += "-" + tags
	}
	program := dir + "/" + name
	cmd := exec.CommandContext(ctx, "go", "build", "-tags", tags, "-ldflags", "-s -w", "-o", program, "packhouse/cmd/packhouse")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program with the tags %q: %w\n%s", tags, err, out)
	}
	return program, nil
}
