package lifecycle_test

import (
	"strings"
	"testing"
	"time"

	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/lifecycle"
)

// idle reports whether a round decided nothing.
func idle(r lifecycle.Round) bool {
	return r.Versions+r.Packages+r.Kept+r.Postponed+r.Condemned.Blobs+r.Trashed.Blobs+r.Purged.Blobs == 0
}

func wantStop(t *testing.T, r lifecycle.Round, want lifecycle.Reason) {
	t.Helper()
	if r.Stopped == nil || r.Stopped.Reason != want || !idle(r) {
		t.Errorf("the round was %+v, stopped %+v; want a stop for %s", r, r.Stopped, want)
	}
}

// A clock that jumps stops everything, for as long as a promise holds.
func TestClockJump(t *testing.T) {
	for name, jump := range map[string]time.Duration{"forward": 400 * 24 * time.Hour, "back": -400 * 24 * time.Hour, "back an hour": -time.Hour} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(w *world) {
				d := w.push(w.app, w.layer())
				w.pass(2 * step)
				w.now = w.now.Add(jump)
				wantStop(t, w.round(), lifecycle.ClockJumped)
				if !strings.Contains(w.log.String(), "level=ERROR") {
					t.Error("no alarm was given")
				}
				for range times.Grace/step - 1 {
					w.now = w.now.Add(step)
					wantStop(t, w.round(), lifecycle.ClockJumped)
				}
				s, err := w.gc.Status(w.ctx())
				w.check(err)
				if s.Stopped == nil || s.Stopped.Text == "" {
					t.Errorf("%+v", s)
				}
				if jump > 0 {
					w.now = w.now.Add(step) // the stop ends by itself
					if r := w.round(); r.Condemned.Blobs != 1 {
						t.Errorf("%+v", r)
					}
					w.wantState(d, "condemned")
				}
			})
		})
	}
}

func TestResume(t *testing.T) {
	onBoth(t, func(w *world) {
		if _, _, err := w.gc.Resume(w.ctx(), audit.Operator); !errs.Is(err, errs.NotFound) {
			t.Errorf("nothing to resume: %v", err)
		}
		d := w.push(w.app, w.layer())
		w.pass(step)
		w.now = w.now.Add(90 * 24 * time.Hour)
		wantStop(t, w.round(), lifecycle.ClockJumped)
		if stop, _, err := w.gc.Resume(w.ctx(), audit.Operator); err != nil || stop.Reason != lifecycle.ClockJumped {
			t.Fatal(stop, err)
		}
		w.round()
		w.wantState(d, "condemned")
	})
}

// A round that would condemn most of what there is asks first.
func TestTooMuchAtOnce(t *testing.T) {
	onBoth(t, func(w *world) {
		o := w.options()
		o.MaxShare = 0.2
		w.gc = lifecycle.NewCollector(o)
		kept := w.put(w.app, w.image(w.app, w.layer()), "kept")
		d := w.push(w.app, w.layer())
		w.exec(`UPDATE blobs SET size = size + 11000000000 WHERE digest = ?`, d.String()) // in the books alone
		w.pass(times.Grace - step)
		w.now = w.now.Add(2 * step)
		wantStop(t, w.round(), lifecycle.TooMuch)
		w.pass(forget)
		w.wantState(d, "live")
		if stop, _, err := w.gc.Resume(w.ctx(), audit.Operator); err != nil || stop.Reason != lifecycle.TooMuch {
			t.Fatal(stop, err)
		}
		w.round()
		w.wantState(d, "condemned")
		// What was allowed was this once.
		d = w.push(w.app, w.layer())
		w.exec(`UPDATE blobs SET size = size + 11000000000 WHERE digest = ?`, d.String())
		w.exec(`DELETE FROM blobs WHERE state = 'condemned' AND digest NOT IN (SELECT digest FROM package_blobs)`)
		w.pass(times.Grace - step)
		w.now = w.now.Add(2 * step)
		wantStop(t, w.round(), lifecycle.TooMuch)
		w.mustPull(w.app, kept.String())
	})
}

// In quarantine everything goes its way but the last step.
func TestQuarantine(t *testing.T) {
	onBoth(t, func(w *world) {
		d := w.push(w.app, w.layer())
		w.check(w.store.Note(w.ctx(), lifecycle.QuarantineUntil(w.now.Add(forget))))
		w.pass(forget - step)
		w.wantState(d, "trash")
		if list, err := w.store.BeginPurge(w.ctx(), w.now, 10); len(list) != 0 || err != nil {
			t.Errorf("a purge begins in quarantine: %v, %v", list, err)
		}
		if s, err := w.gc.Status(w.ctx()); err != nil || s.Quarantine.IsZero() || s.Trash.Blobs != 1 {
			t.Errorf("%+v, %v", s, err)
		}
		w.pass(2 * step)
		w.wantState(d, "gone")

		w.check(w.store.Note(w.ctx(), lifecycle.Notes{lifecycle.QuarantineNote: "not a number"}))
		d = w.push(w.app, w.layer())
		w.pass(forget)
		w.wantState(d, "trash")
		if _, until, err := w.gc.Resume(w.ctx(), audit.Operator); until.IsZero() || err != nil {
			t.Error(until, err)
		}
		w.round()
		w.wantState(d, "gone")
	})
}

// A database that was set back, or another one, is noticed by the mark beside
// the blobs, without anybody saying so.
func TestOlderDatabase(t *testing.T) {
	for name, restore := range map[string]func(w *world, backup lifecycle.Notes){
		"from a backup": func(w *world, backup lifecycle.Notes) {
			w.check(w.store.Note(w.ctx(), lifecycle.Notes{lifecycle.MarkNote: backup[lifecycle.MarkNote]}))
		},
		"another one": func(w *world, _ lifecycle.Notes) {
			w.check(w.store.Note(w.ctx(), lifecycle.Notes{lifecycle.MarkNote: "", lifecycle.InstanceNote: ""}))
		},
	} {
		t.Run(name, func(t *testing.T) {
			onBoth(t, func(w *world) {
				d := w.push(w.app, w.layer())
				w.round()
				backup, err := w.store.Notes(w.ctx())
				w.check(err)
				w.pass(times.Grace + times.Condemn + step)
				w.wantState(d, "trash")
				restore(w, backup)
				w.gc = lifecycle.NewCollector(w.options()) // the program was started again
				w.now = w.now.Add(step)
				r := w.round()
				if until := w.now.Add(times.Trash); !r.Quarantine.Equal(until) || r.Stopped != nil {
					t.Errorf("quarantine until %s, want %s", r.Quarantine, until)
				}
				w.pass(times.Trash - step)
				w.wantState(d, "trash")
				w.pass(2 * step)
				w.wantState(d, "gone")

				// A longer one that holds already, as after packhouse restore, is not made shorter.
				longer := w.now.Add(10 * times.Trash)
				w.check(w.store.Note(w.ctx(), lifecycle.QuarantineUntil(longer)))
				restore(w, backup)
				if r := w.round(); !r.Quarantine.Equal(longer) {
					t.Errorf("quarantine until %s, want %s", r.Quarantine, longer)
				}
			})
		})
	}
}

// A collector of the same database is no stranger, whichever writes last.
func TestMarksOfTwoNodes(t *testing.T) {
	onBoth(t, func(w *world) {
		other := lifecycle.NewCollector(w.options())
		for range 10 {
			w.now = w.now.Add(time.Hour)
			for _, gc := range []*lifecycle.Collector{w.gc, other} {
				if r, err := gc.Run(w.ctx()); err != nil || !r.Quarantine.IsZero() {
					t.Fatalf("%+v, %v", r, err)
				}
			}
		}
	})
}
