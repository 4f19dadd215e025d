package crash

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// options are the flags of the tests.
type options struct {
	kills, cuts, controlCuts int
	seed                     uint64
	fs                       string
	dir                      string // removed at the end
}

// dirVar names the directory that the outer process made. Who has it set runs
// in a mount namespace of its own.
const dirVar = "CRASH_TEST_DIR"

// TestMain runs the tests in a child with its own mount namespace. Whatever
// ends the child, its mounts end with it, and this process removes its files.
func TestMain(m *testing.M) {
	o := parse()
	if os.Getenv(dirVar) == "" {
		os.Exit(inside())
	}
	given = o
	m.Run()
}

// given is what the command line said. It is set once, before any test runs.
var given options

func parse() options {
	var o options
	flag.IntVar(&o.kills, "kills", 5, "cycles that kill the process")
	flag.IntVar(&o.cuts, "cuts", 6, "cycles that cut the power")
	flag.IntVar(&o.controlCuts, "control-cuts", 50, "cycles within which a sabotaged build must lose something")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "seed of requests and delays")
	flag.StringVar(&o.fs, "fs", "ext4", "file system: ext4 or xfs")
	flag.Parse()
	o.dir = os.Getenv(dirVar)
	return o
}

func inside() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	dir, err := os.MkdirTemp("", "packhouse-crash-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	cmd := exec.CommandContext(ctx, os.Args[0], os.Args[1:]...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), dirVar+"="+dir, "TMPDIR="+dir, "PATH="+os.Getenv("PATH")+":/usr/sbin:/sbin")
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL, Setpgid: true}
	runtime.LockOSThread() // the death signal comes when this thread ends
	err = cmd.Run()
	if errors.Is(err, syscall.EPERM) {
		fmt.Fprintln(os.Stderr, "these tests need root: they mount file systems in a namespace of their own")
	} else if _, failed := errors.AsType[*exec.ExitError](err); err != nil && !failed {
		fmt.Fprintln(os.Stderr, err)
	}
	if err != nil {
		return 1
	}
	return 0
}
