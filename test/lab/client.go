package lab

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long one command of a client may take. It is an end to
// waiting, not a measure of speed.
const patience = 3 * time.Minute

// A Client is a program on the user's side, with a home of its own, a login and
// a token.
type Client struct {
	Registry
	T           *testing.T
	User, Token string
	Home        string
	env         []string
}

// NewClient makes an account of the name given and an empty home for it.
func (r Registry) NewClient(t *testing.T, login string) *Client {
	t.Helper()
	return r.ClientOf(t, login, r.Account(t, login))
}

// ClientOf makes an empty home for an account that there is.
func (r Registry) ClientOf(t *testing.T, login, token string) *Client {
	t.Helper()
	c := &Client{Registry: r, T: t, User: login, Token: token}
	c.Home = emptyHome(t)
	tools, err := filepath.Abs("../../.tools/bin")
	if err != nil {
		t.Fatal(err)
	}
	c.env = []string{
		"PATH=" + tools + ":" + os.Getenv("PATH") + ":/usr/sbin:/sbin",
		"HOME=" + c.Home, "TMPDIR=" + c.Home, "XDG_RUNTIME_DIR=" + c.Home, "XDG_CONFIG_HOME=" + c.Home + "/.config",
		"DOCKER_CONFIG=" + c.Home + "/docker", "REGISTRY_AUTH_FILE=" + c.Home + "/auth.json",
	}
	return c
}

// Through returns the client with another address in front of the registry.
func (c *Client) Through(addr string) *Client {
	other := *c
	other.Addr = addr
	return &other
}

// As returns the client with other variables, the later ones winning.
func (c *Client) As(env ...string) *Client {
	other := *c
	other.env = append(append([]string{}, c.env...), env...)
	return &other
}

// Run runs a command that must succeed and returns what it wrote to standard
// output, without the white space around it.
func (c *Client) Run(name string, args ...string) string {
	c.T.Helper()
	return c.Feed("", name, args...)
}

// Feed is Run with a standard input.
func (c *Client) Feed(stdin, name string, args ...string) string {
	c.T.Helper()
	out, all, err := c.Exec(stdin, name, args)
	if err != nil {
		c.T.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, all)
	}
	return out
}

// Refused runs a command that must fail and say one of the texts in want, which
// are matched in lower case.
func (c *Client) Refused(want []string, stdin, name string, args ...string) {
	c.T.Helper()
	_, all, err := c.Exec(stdin, name, args)
	if err == nil {
		c.T.Fatalf("%s %s succeeded, and should be refused:\n%s", name, strings.Join(args, " "), all)
	}
	for _, text := range want {
		if strings.Contains(strings.ToLower(all), text) {
			return
		}
	}
	c.T.Fatalf("%s %s failed without saying any of %q:\n%s", name, strings.Join(args, " "), want, all)
}

// Exec runs a command that may fail: out is its standard output, without the
// white space around it, and all is what it wrote.
func (c *Client) Exec(stdin, name string, args []string) (out, all string, err error) {
	ctx, cancel := context.WithTimeout(c.T.Context(), patience)
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
func (c *Client) command(ctx context.Context, name string, args []string) *exec.Cmd {
	c.T.Helper()
	cmd := exec.CommandContext(ctx, c.lookPath(name), args...)
	cmd.Dir, cmd.Env = c.Home, c.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 10 * time.Second
	return cmd
}

// lookPath finds a program in the client's PATH, which is not the test's.
func (c *Client) lookPath(name string) string {
	c.T.Helper()
	for _, dir := range filepath.SplitList(strings.TrimPrefix(c.env[0], "PATH=")) {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path
		}
	}
	c.T.Fatalf("%s is not installed; run make tools", name)
	return ""
}

// Write makes a file in the client's home and returns its path.
func (c *Client) Write(name, text string) string {
	c.T.Helper()
	path := filepath.Join(c.Home, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		c.T.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		c.T.Fatal(err)
	}
	return path
}
