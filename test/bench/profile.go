package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// attach is how long perf is given to find the server before the load starts.
const attach = 500 * time.Millisecond

// startProfile samples the stacks of packhouse, kernel and program, until the
// returned function is called. It does nothing unless profiles were asked for.
// Read a profile with: perf report --no-children -i FILE.
func (t *trial) startProfile(step string) (stop func() error, err error) {
	if t.profile == "" || t.name != "packhouse" {
		return func() error { return nil }, nil
	}
	perf, err := exec.LookPath("perf")
	if err != nil {
		return nil, errors.New("perf is not installed: apt-get install linux-perf, or leave out -profile")
	}
	if err := os.MkdirAll(t.profile, 0o755); err != nil {
		return nil, err
	}
	name := strings.NewReplacer(" ", "-", ",", "", "+", "-").Replace(step)
	cmd := exec.Command(perf, "record", "-q", "-e", "cpu-clock", "-F", "499", "-g",
		"-o", filepath.Join(t.profile, fmt.Sprintf("%s.%d.perf", name, t.round+1)),
		"-p", fmt.Sprint(t.cmd.Process.Pid))
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	time.Sleep(attach)
	return func() error {
		err := cmd.Process.Signal(syscall.SIGINT)
		_ = cmd.Wait() // perf ends with the signal it was sent
		return err
	}, nil
}
