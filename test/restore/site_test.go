package restore

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// site is a place where a registry keeps its data, and the process there.
type site struct {
	t        *testing.T
	data     string
	settings []string // its PACKHOUSE_… variables

	addr string
	cmd  *exec.Cmd
	log  *bytes.Buffer
}

func newSite(t *testing.T, settings []string) *site {
	return &site{t: t, data: t.TempDir() + "/data", settings: settings}
}

// start runs the server until kill or the end of the test.
func (s *site) start() {
	s.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	s.addr = l.Addr().String()
	_ = l.Close()
	s.log = &bytes.Buffer{}
	s.cmd = program.Command(s.t, s.settings, "serve", "--data", s.data, "--listen", s.addr, "--url", s.url())
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	cmd := s.cmd
	s.t.Cleanup(func() {
		if s.cmd == cmd {
			s.kill()
		}
		if s.t.Failed() {
			s.t.Logf("the server wrote:\n%s", s.log)
		}
	})
	s.awaitReady()
}

func (s *site) url() string { return "http://" + s.addr }

func (s *site) awaitReady() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 30*time.Second)
	defer cancel()
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url()+"/readyz", nil)
		if err != nil {
			s.t.Fatal(err)
		}
		if a, err := http.DefaultClient.Do(r); err == nil {
			_ = a.Body.Close()
			if a.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			s.t.Fatalf("the server was not ready in time:\n%s", s.log)
		}
	}
}

// kill ends the process as a crash does.
func (s *site) kill() {
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
	s.cmd = nil
}

// run runs a command of the program on the data of the site.
func (s *site) run(args ...string) (said string, err error) {
	s.t.Helper()
	cmd := program.Command(s.t, s.settings, append(args, "--data", s.data)...)
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// must is run for a command that must succeed.
func (s *site) must(args ...string) string {
	s.t.Helper()
	said, err := s.run(args...)
	if err != nil {
		s.t.Fatalf("packhouse %s: %v\n%s", strings.Join(args, " "), err, said)
	}
	return said
}
