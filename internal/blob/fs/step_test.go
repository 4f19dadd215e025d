//go:build !nofsync_file && !nofsync_dir

package fs

import (
	"errors"
	"strings"
	"syscall"
	"testing"
	"time"

	"packhouse/internal/blob"
	"packhouse/internal/errs"
)

// faults are tried at every step of every scenario.
var faults = map[string]fault{
	"EIO":            {err: syscall.EIO},
	"EIO when done":  {err: syscall.EIO, late: true},
	"ENOSPC":         {err: syscall.ENOSPC},
	"ENOSPC halfway": {err: syscall.ENOSPC, short: true},
	"EDQUOT":         {err: syscall.EDQUOT, short: true},
	"EINTR":          {err: syscall.EINTR},
	"EMFILE":         {err: syscall.EMFILE},
	"killed":         {err: errKilled, dead: true},
	"killed halfway": {err: errKilled, dead: true, short: true},
}

var errKilled = errors.New("the process is gone")

// TestEveryStepMayFail runs each scenario with its first step failing, then
// with its second, and so on until it passes untouched. Whatever happened, the
// scenario works when it is tried again, and after a loss of power everything
// that was acknowledged is there.
func TestEveryStepMayFail(t *testing.T) {
	t.Parallel()
	prepared := newSim(t, newMemory()).disk
	for name, scenario := range scenarios {
		for what, f := range faults {
			t.Run(name+"/"+what, func(t *testing.T) {
				t.Parallel()
				failed := 0
				for at := 1; ; at++ {
					s := newSim(t, prepared.cutPower())
					s.disk.steps, s.disk.log, s.disk.fault = 0, nil, f
					s.disk.fault.at = at
					err := scenario(s)
					if err != nil {
						failed++
						checkClean(t, f, err)
					}
					reached, steps := s.disk.steps >= at, s.disk.log
					retryAndCut(t, s, scenario)
					if t.Failed() {
						t.Fatalf("step %d failed; steps: %s", at, strings.Join(steps, ", "))
					}
					if !reached {
						break
					}
				}
				if failed == 0 {
					t.Error("no step of the scenario could fail it")
				}
			})
		}
	}
}

// retryAndCut runs the scenario again without a fault, on a new process if the
// old one is dead, and then cuts the power.
func retryAndCut(t *testing.T, s *sim, scenario func(*sim) error) {
	t.Helper()
	dead := s.disk.fault.dead
	s.disk.fault = fault{}
	s.clock = s.clock.Add(2 * time.Second)
	if dead {
		if err := s.start(); err != nil {
			t.Errorf("start after the crash: %v", err)
		}
	}
	if err := scenario(s); err != nil {
		t.Errorf("second try: %v", err)
	}
	if err := s.check(); err != nil {
		t.Errorf("before the power cut: %v", err)
	}
	s.disk = s.disk.cutPower()
	if err := s.start(); err != nil {
		t.Errorf("start after the power cut: %v", err)
		return
	}
	if err := s.check(); err != nil {
		t.Errorf("after the power cut: %v", err)
	}
}

func checkClean(t *testing.T, f fault, err error) {
	t.Helper()
	var e *errs.Error
	if !errors.As(err, &e) {
		t.Errorf("error %v is none of ours", err)
		return
	}
	if strings.Contains(e.Public, "/") || strings.Contains(e.Public, e.Cause.Error()) {
		t.Errorf("public text %q tells too much", e.Public)
	}
	want := map[error]errs.Kind{
		syscall.ENOSPC: errs.NoSpace, syscall.EDQUOT: errs.NoSpace, errKilled: e.Kind,
	}
	kind, listed := want[f.err]
	if !listed {
		kind = errs.Unavailable
	}
	if e.Kind != kind {
		t.Errorf("kind of %v is %v, want %v", err, e.Kind, kind)
	}
}

// TestEveryStepOfTheStartMayFail kills the first start of all at each step, and
// cuts the power after the one that works.
func TestEveryStepOfTheStartMayFail(t *testing.T) {
	t.Parallel()
	for at := 1; ; at++ {
		s := &sim{disk: newMemory(), clock: time.Unix(1e9, 0)}
		s.acked = map[blob.Location][]byte{}
		s.disk.fault = fault{at: at, err: errKilled, dead: true}
		err := s.start()
		if err == nil {
			break
		}
		s.disk.fault = fault{}
		if at%2 == 0 {
			s.disk = s.disk.cutPower()
		}
		if err := s.start(); err != nil {
			t.Fatalf("start after a crash at step %d: %v", at, err)
		}
		s.disk = s.disk.cutPower() // the directories must be there now
		if err := s.start(); err != nil {
			t.Fatalf("start after a power cut: %v", err)
		}
		if made := strings.Count(strings.Join(s.disk.log, "\n"), "syncdir"); made != 0 {
			t.Fatalf("crash at step %d: a power cut took directories of a finished start", at)
		}
		if _, err := s.put("sha256", "hello"); err != nil {
			t.Fatal(err)
		}
		if at > 40 {
			at += 60 // the 512 shards behave alike
		}
	}
}
