package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// ability is a set of things a server can be asked to do.
type ability uint

const (
	canPull ability = 1 << iota // serve a large blob
	canPush                     // take blobs and manifests
	canList                     // list tags by page
	canSeed                     // be measured with a store already full
)

// contender is one of the servers that are compared.
type contender struct {
	name    string
	version string
	can     ability
	probe   string // path that answers 200 once the server serves

	// prepare fills an empty data directory. It may be nil.
	prepare func(ctx context.Context, dir string) (credentials, error)
	// command returns the server's command on that directory.
	command func(dir, addr string) (*exec.Cmd, error)
}

// credentials are what a client logs in with; empty for a server that does not ask.
type credentials struct {
	user, secret string
	password     string // of the user, for pages
	stranger     string // a token of another account, which has no rights
}

// instance is one running server with its own data directory.
type instance struct {
	contender
	data, addr string
	started    time.Time
	ready      time.Duration // from start to the first good answer
	tokens     *tokens

	logPath string
	cmd     *exec.Cmd
	exited  chan struct{} // closed when the process has ended
	exit    error         // how it ended; read after exited
}

const (
	startLimit = 60 * time.Second
	stopLimit  = 30 * time.Second
)

// launch prepares a server on an empty directory below parent and starts it.
func launch(ctx context.Context, c contender, parent, logs string) (*instance, error) {
	dir, err := os.MkdirTemp(parent, c.name+"-")
	if err != nil {
		return nil, err
	}
	i := &instance{contender: c, data: dir, logPath: filepath.Join(logs, c.name+".log")}
	var creds credentials
	if c.prepare != nil {
		if creds, err = c.prepare(ctx, dir); err != nil {
			return nil, errors.Join(fmt.Errorf("prepare %s: %w", c.name, err), os.RemoveAll(dir))
		}
	}
	if i.addr, err = freeAddress(); err != nil {
		return nil, err
	}
	i.tokens = newTokens(i.addr, creds)
	if err := i.start(ctx); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return i, nil
}

// start runs the server on its directory and waits until it answers.
func (i *instance) start(ctx context.Context) error {
	cmd, err := i.command(i.data, i.addr)
	if err != nil {
		return err
	}
	log, err := os.Create(i.logPath)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt is ours to pass on
	i.started = time.Now()
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", i.name, err)
	}
	exited := make(chan struct{})
	i.cmd, i.exited = cmd, exited
	go func() {
		i.exit = cmd.Wait()
		close(exited)
	}()
	return i.awaitReady(ctx)
}

func (i *instance) awaitReady(ctx context.Context) error {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for time.Since(i.started) < startLimit {
		if i.answers() {
			i.ready = time.Since(i.started)
			return nil
		}
		select {
		case <-i.exited:
			return fmt.Errorf("%s ended at start: %v\n%s", i.name, i.exit, i.lastLog())
		case <-ctx.Done():
			return errors.Join(ctx.Err(), i.stop())
		case <-tick.C:
		}
	}
	return errors.Join(fmt.Errorf("%s was not ready after %s\n%s", i.name, startLimit, i.lastLog()), i.stop())
}

func (i *instance) answers() bool {
	c, err := dial(i.addr)
	if err != nil {
		return false
	}
	defer c.close()
	a, err := c.do(request{method: "GET", path: i.probe})
	return err == nil && a.status == 200
}

// stop ends the server in its orderly way and waits for it; a server that has
// ended already is left alone.
func (i *instance) stop() error {
	_ = i.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-i.exited:
		return nil
	case <-time.After(stopLimit):
		_ = i.cmd.Process.Kill()
		<-i.exited
		return fmt.Errorf("%s did not stop within %s", i.name, stopLimit)
	}
}

// discard stops the server and removes its data.
func (i *instance) discard() error {
	return errors.Join(i.stop(), os.RemoveAll(i.data))
}

// lastLog returns the end of what the server said.
func (i *instance) lastLog() string {
	raw, _ := os.ReadFile(i.logPath)
	return string(raw[max(0, len(raw)-2000):])
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
