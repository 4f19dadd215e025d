// Command packhouse is a self-hosted package registry. Its subcommands read the
// configuration and call internal/app; they hold no rule of their own.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"packhouse/internal/app"
	"packhouse/internal/errs"
)

// Exit codes.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// version is set by the linker; see programVersion.
var version = ""

func main() {
	if err := app.PrepareProcess(); err != nil {
		fmt.Fprintln(os.Stderr, "packhouse:", err)
		os.Exit(exitFailed)
	}
	ctx, hurry := signals()
	os.Exit(run(ctx, os.Args[1:], streams{os.Stdin, os.Stdout, os.Stderr, os.Environ(), hurry}))
}

// streams are what a command reads and writes.
type streams struct {
	in      io.Reader
	out     io.Writer
	err     io.Writer
	environ []string
	hurry   <-chan struct{}
}

// run executes the command line and returns the exit code.
func run(ctx context.Context, args []string, s streams) int {
	root, ran := newRoot(s)
	root.SetArgs(args)
	c, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	printError(s.err, err)
	if !*ran { // the command line itself was wrong
		fmt.Fprintf(s.err, "Usage: %s\nSee %s --help.\n", c.UseLine(), c.CommandPath())
		return exitUsage
	}
	if errs.Is(err, errs.Invalid) {
		return exitUsage
	}
	return exitFailed
}

// printError shows the public text, and what is behind it: whoever runs the
// command also owns the log.
func printError(w io.Writer, err error) {
	var e *errs.Error
	if !errors.As(err, &e) || e.Public == "" {
		fmt.Fprintln(w, "packhouse:", err)
		return
	}
	fmt.Fprintln(w, "packhouse:", e.Public)
	if e.Cause != nil {
		fmt.Fprintln(w, "  because:", e.Cause)
	}
}

// signals returns a context that the first SIGINT or SIGTERM ends and a channel
// that the second closes; a third ends the process as signals do.
func signals() (context.Context, <-chan struct{}) {
	ctx, cancel := context.WithCancel(context.Background())
	hurry := make(chan struct{})
	c := make(chan os.Signal, 2)
	signal.Notify(c, syscall.SIGINT, syscall.SIGTERM)
	go func() {
		<-c
		cancel()
		<-c
		signal.Stop(c)
		close(hurry)
	}()
	return ctx, hurry
}

// programVersion returns the version the linker was given, else the commit.
func programVersion() string {
	if version != "" {
		return version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return info.Main.Version
}
