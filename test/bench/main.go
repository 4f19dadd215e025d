package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

const reportFile = "docs/benchmarks.md"

func main() {
	if len(os.Args) == 4 && os.Args[1] == floorCommand {
		fmt.Fprintln(os.Stderr, serveFloor(os.Args[2], os.Args[3]))
		os.Exit(1)
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := bench(ctx, os.Args[1:])
	cancel()
	switch {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// bench runs the benchmark as args say and prints its report.
func bench(ctx context.Context, args []string) (err error) {
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	if o.dir, err = os.MkdirTemp(o.dir, "run-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.dir)) }()
	if o.dir, err = filepath.Abs(o.dir); err != nil {
		return err
	}
	logs, err := logDirectory(o.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(logs)) }()
	all, err := contenders(ctx, o)
	if err != nil {
		return err
	}
	src, err := newSource()
	if err != nil {
		return err
	}
	r := &runner{options: o, contenders: all, src: src, logs: logs, out: results{}}
	err = r.run(ctx)
	text := report(o, about(o, args, all, time.Now()), r.out)
	fmt.Print(text) // after a failure too: what was measured until then
	if err != nil || !o.write {
		return err
	}
	return insert(reportFile, text)
}
