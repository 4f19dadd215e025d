package clients_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// daemon starts a program that runs until the end of the test. It is asked to
// stop, and its whole group is ended if it does not.
func (c *client) daemon(name string, args ...string) {
	c.t.Helper()
	cmd := c.command(context.Background(), name, args)
	var log bytes.Buffer
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		c.t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	c.t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-exited:
		case <-time.After(30 * time.Second):
			c.t.Errorf("%s did not stop", name)
		}
		syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // what it left behind
		if c.t.Failed() {
			c.t.Logf("%s wrote:\n%s", name, log.String()[max(0, log.Len()-4<<10):])
		}
	})
}

// await runs a command until it succeeds, which tells that a daemon is ready.
func (c *client) await(what, name string, args ...string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	poll(ctx, c.t, what+" to be ready", func() bool {
		_, _, err := c.exec("", name, args)
		return err == nil
	})
}

// read returns a file of the client's home.
func (c *client) read(name string) string {
	c.t.Helper()
	text, err := os.ReadFile(filepath.Join(c.home, name))
	if err != nil {
		c.t.Fatal(err)
	}
	return string(text)
}
