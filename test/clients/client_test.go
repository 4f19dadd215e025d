package clients_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long one command of a client may take. It is an end to
// waiting, not a measure of speed.
const patience = 3 * time.Minute

// A client is a program on the user's side, with a home of its own, a login and
// a token.
type client struct {
	registry
	t           *testing.T
	user, token string
	home        string
	env         []string
}

// newClient makes an account of the name given and an empty home for it.
func newClient(t *testing.T, r registry, login string) *client {
	t.Helper()
	c := &client{registry: r, t: t, user: login, token: r.account(t, login)}
	c.home = emptyHome(t)
	tools, err := filepath.Abs("../../.tools/bin")
	if err != nil {
		t.Fatal(err)
	}
	c.env = []string{
		"PATH=" + tools + ":" + os.Getenv("PATH") + ":/usr/sbin:/sbin",
		"HOME=" + c.home, "TMPDIR=" + c.home, "XDG_RUNTIME_DIR=" + c.home, "XDG_CONFIG_HOME=" + c.home + "/.config",
		"DOCKER_CONFIG=" + c.home + "/docker", "REGISTRY_AUTH_FILE=" + c.home + "/auth.json",
	}
	return c
}

// emptyHome returns a directory that is removed at the end, with what engines
// left mounted in it.
func emptyHome(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "packhouse-home-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		unmountBelow(t, dir)
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove the client's home: %v", err)
		}
	})
	return dir
}

func unmountBelow(t *testing.T, dir string) {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Error(err)
	}
	lines := strings.Split(string(mounts), "\n")
	for i := len(lines) - 1; i >= 0; i-- { // the last mounted lies on top
		if f := strings.Fields(lines[i]); len(f) > 1 && strings.HasPrefix(f[1], dir+"/") {
			if err := syscall.Unmount(f[1], 0); err != nil {
				t.Errorf("unmount %s: %v", f[1], err)
			}
		}
	}
}

// at returns the full name of one of the client's packages: "app:v1" becomes
// HOST/USER/app:v1.
func (c *client) at(rest string) string { return c.addr + "/" + c.user + "/" + rest }

// through returns the client with another address in front of the registry.
func (c *client) through(addr string) *client {
	other := *c
	other.addr = addr
	return &other
}

// as returns the client with other variables, the later ones winning.
func (c *client) as(env ...string) *client {
	other := *c
	other.env = append(append([]string{}, c.env...), env...)
	return &other
}

// run runs a command that must succeed and returns what it wrote to standard
// output, without the white space around it.
func (c *client) run(name string, args ...string) string {
	c.t.Helper()
	return c.feed("", name, args...)
}

// feed is run with a standard input.
func (c *client) feed(stdin, name string, args ...string) string {
	c.t.Helper()
	out, all, err := c.exec(stdin, name, args)
	if err != nil {
		c.t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, all)
	}
	return out
}

// refused runs a command that must fail and say one of the texts in want, which
// are matched in lower case.
func (c *client) refused(want []string, stdin, name string, args ...string) {
	c.t.Helper()
	_, all, err := c.exec(stdin, name, args)
	if err == nil {
		c.t.Fatalf("%s %s succeeded, and should be refused:\n%s", name, strings.Join(args, " "), all)
	}
	for _, text := range want {
		if strings.Contains(strings.ToLower(all), text) {
			return
		}
	}
	c.t.Fatalf("%s %s failed without saying any of %q:\n%s", name, strings.Join(args, " "), want, all)
}

func (c *client) exec(stdin, name string, args []string) (out, all string, err error) {
	ctx, cancel := context.WithTimeout(c.t.Context(), patience)
	defer cancel()
	cmd := c.command(ctx, name, args)
	cmd.Stdin = strings.NewReader(stdin)
	var said transcript
	cmd.Stdout, cmd.Stderr = stdout{&said}, &said
	err = cmd.Run()
	return strings.TrimSpace(said.out.String()), said.all.String(), err
}

// command is not started yet. It and its children have a process group, and all
// of it ends with ctx.
func (c *client) command(ctx context.Context, name string, args []string) *exec.Cmd {
	c.t.Helper()
	cmd := exec.CommandContext(ctx, c.lookPath(name), args...)
	cmd.Dir, cmd.Env = c.home, c.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// lookPath finds a program in the client's PATH, which is not the test's.
func (c *client) lookPath(name string) string {
	c.t.Helper()
	for _, dir := range filepath.SplitList(strings.TrimPrefix(c.env[0], "PATH=")) {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path
		}
	}
	c.t.Fatalf("%s is not installed; run make tools", name)
	return ""
}

// write makes a file in the client's home and returns its path.
func (c *client) write(name, text string) string {
	c.t.Helper()
	path := filepath.Join(c.home, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		c.t.Fatal(err)
	}
	return path
}

// A transcript keeps what a command writes, in the order of its arrival, and
// its standard output once more. It is written to as standard error.
type transcript struct {
	mu       sync.Mutex
	out, all bytes.Buffer
}

func (s *transcript) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all.Write(p)
}

// stdout is the standard output of a transcript.
type stdout struct{ *transcript }

func (s stdout) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out.Write(p)
	return s.all.Write(p)
}

// ownCache keeps skopeo, podman and buildah from remembering, as root, blobs in
// a cache outside of dir: the one that they would have as a user is in it.
func (c *client) ownCache(dir string) *client {
	return c.as("_CONTAINERS_ROOTLESS_UID=1000", "_CONTAINERS_USERNS_CONFIGURED=done", "XDG_DATA_HOME="+dir)
}
