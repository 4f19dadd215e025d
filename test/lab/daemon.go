package lab

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Daemon starts a program that runs until the end of the test. It is asked to
// stop, and its whole group is ended if it does not.
func (c *Client) Daemon(name string, args ...string) {
	c.T.Helper()
	cmd := c.command(context.Background(), name, args)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		c.T.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	c.T.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-exited:
		case <-time.After(30 * time.Second):
			c.T.Errorf("%s did not stop", name)
		}
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what it left behind
		if c.T.Failed() {
			c.T.Logf("%s wrote:\n%s", name, log.String()[max(0, log.Len()-4<<10):])
		}
	})
}

// Await runs a command until it succeeds, which tells that a daemon is ready.
func (c *Client) Await(what, name string, args ...string) {
	c.T.Helper()
	ctx, cancel := context.WithTimeout(c.T.Context(), time.Minute)
	defer cancel()
	poll(ctx, c.T, what+" to be ready", func() bool {
		_, _, err := c.Exec("", name, args)
		return err == nil
	})
}

// Read returns a file of the client's home.
func (c *Client) Read(name string) string {
	c.T.Helper()
	text, err := os.ReadFile(filepath.Join(c.Home, name))
	if err != nil {
		c.T.Fatal(err)
	}
	return string(text)
}
