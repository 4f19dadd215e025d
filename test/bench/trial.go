package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// results holds the samples of every step by server.
type results map[string]map[string][]sample

func (r results) add(step, server string, s sample) {
	if r[step] == nil {
		r[step] = map[string][]sample{}
	}
	r[step][server] = append(r[step][server], s)
}

// trial is one server in one round of one group.
type trial struct {
	options
	*instance
	src   *source
	round int
	out   results
}

// measure runs load and records what it cost the server under the name of step.
func (t *trial) measure(step string, load func() (work, error)) error {
	if err := flushDisk(t.dir); err != nil { // writes of others are not ours
		return err
	}
	stopProfile, err := t.startProfile(step)
	if err != nil {
		return err
	}
	pids := tree(t.cmd.Process.Pid)
	before, err := used(pids)
	if err != nil {
		return err
	}
	if err := resetPeak(pids); err != nil {
		return err
	}
	stopWatch := watchAnonymous(pids)
	start := time.Now()
	did, err := load()
	s := sample{work: did, wall: time.Since(start)}
	anonymous := stopWatch()
	if err = errors.Join(err, stopProfile()); err != nil {
		return fmt.Errorf("%s: %w", step, err)
	}
	after, err := used(pids)
	if err != nil {
		return err
	}
	if s.memory, err = held(pids); err != nil {
		return err
	}
	s.anonymous = max(anonymous, s.anonymous)
	s.usage = usage{cpu: after.cpu - before.cpu, written: after.written - before.written}
	start = time.Now()
	if err := flushDisk(t.dir); err != nil {
		return err
	}
	s.flush = time.Since(start)
	t.out.add(step, t.name, s)
	return nil
}

// watchAnonymous samples anonymous memory until the returned function is
// called, which returns the highest value seen.
func watchAnonymous(pids []int) func() int64 {
	ctx, cancel := context.WithCancel(context.Background())
	highest := make(chan int64)
	go func() {
		tick := time.NewTicker(25 * time.Millisecond)
		defer tick.Stop()
		var top int64
		for {
			select {
			case <-ctx.Done():
				highest <- top
				return
			case <-tick.C:
				if m, err := held(pids); err == nil {
					top = max(top, m.anonymous)
				}
			}
		}
	}()
	return func() int64 {
		cancel()
		return <-highest
	}
}

// flushDisk writes out everything the file system of dir holds back.
func flushDisk(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return unix.Syncfs(int(d.Fd()))
}

// touchMemory reads n bytes of a sparse file, at most half of what is free.
// A virtual machine pays for memory the first time it is used; without this
// the first server measured would pay for all.
func touchMemory(dir string, n int64) error {
	info, err := colonFields("/proc/meminfo")
	if err != nil {
		return err
	}
	n = min(n, info["MemAvailable"]<<10/2)
	f, err := os.CreateTemp(dir, "touch-")
	if err != nil {
		return err
	}
	defer f.Close()
	defer os.Remove(f.Name())
	if err := f.Truncate(n); err != nil {
		return err
	}
	buf := make([]byte, 1<<20)
	for off := int64(0); off < n; off += int64(len(buf)) {
		if _, err := f.ReadAt(buf[:min(int64(len(buf)), n-off)], off); err != nil {
			return err
		}
	}
	return nil
}

// parallel runs n workers, each with its own number, and returns the first error.
func parallel(n int, worker func(i int) error) error {
	var wg sync.WaitGroup
	errs := make(chan error, n)
	for i := range n {
		wg.Go(func() { errs <- worker(i) })
	}
	wg.Wait()
	for range n {
		if err := <-errs; err != nil {
			return err
		}
	}
	return nil
}

// share splits the numbers from 0 to n among workers by turns.
func share(n, workers int, do func(worker, i int) error) error {
	return parallel(workers, func(w int) error {
		for i := w; i < n; i += workers {
			if err := do(w, i); err != nil {
				return err
			}
		}
		return nil
	})
}

// repo returns the name of a package of the benchmark's user.
func repo(name string) string { return benchUser + "/" + name }

// clients opens n connections on one package.
func (t *trial) clients(n int, repo string) ([]*client, error) {
	all := make([]*client, 0, n)
	for range n {
		k, err := t.client(repo)
		if err != nil {
			closeAll(all)
			return nil, err
		}
		all = append(all, k)
	}
	return all, nil
}

func closeAll(all []*client) {
	for _, k := range all {
		k.close()
	}
}

// logDirectory makes a directory for the servers' logs in memory, so that what
// they log does not count as written to the disk that is measured.
func logDirectory(fallback string) (string, error) {
	if _, err := os.Stat("/dev/shm"); err == nil {
		return os.MkdirTemp("/dev/shm", "packhouse-bench-")
	}
	return os.MkdirTemp(filepath.Clean(fallback), "logs-")
}
