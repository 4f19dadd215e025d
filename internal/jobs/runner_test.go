package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"packhouse/internal/jobs"
	"packhouse/internal/testkit"
)

func TestAJobIsWorkedWithWhatItWasGiven(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		id := q.insert(jobs.Insert{Kind: "count", Args: map[string]int{"n": 7}})
		later := q.insert(jobs.Insert{Kind: "count", Args: 0, RunAt: q.Now().Add(time.Second)})
		strange := q.insert(jobs.Insert{Kind: "of a newer version", Args: 0})
		var got jobs.Job
		n := q.node("a", "count", jobs.Kind{Work: func(ctx context.Context, j jobs.Job) error {
			got = j
			return errors.Join(j.Report(ctx, "first"), j.Report(ctx, "soon after"))
		}})
		q.work(n)
		if string(got.Args) != `{"n":7}` || got.Attempt != 1 || got.State != jobs.Running || got.MaxAttempts != jobs.DefaultAttempts {
			t.Errorf("the worker got %+v", got)
		}
		j := q.want(id, jobs.Completed, 1)
		if string(j.Progress) != `"soon after"` || j.Error != "" || !j.EndedAt.Equal(q.Now()) || !j.LeaseUntil.IsZero() {
			t.Errorf("it ended as %+v", j)
		}
		q.want(later, jobs.Available, 0)
		q.want(strange, jobs.Available, 0)
		q.pass(time.Second)
		q.work(n)
		q.want(later, jobs.Completed, 1)
		q.want(strange, jobs.Available, 0)
	})
}

// Jobs of one kind begin in the order of their priorities, then of their times,
// and no more of them at once than the kind allows.
func TestOrderAndRoom(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		for i, j := range []jobs.Insert{
			{Priority: 1, RunAt: q.Now().Add(-time.Minute)}, {RunAt: q.Now().Add(-time.Second)}, {RunAt: q.Now().Add(-2 * time.Second)}, {Priority: -1}, {},
		} {
			j.Kind, j.Args = "ordered", i
			q.insert(j)
		}
		var order []string
		n := q.node("a", "ordered", jobs.Kind{Work: func(_ context.Context, j jobs.Job) error {
			order = append(order, string(j.Args))
			return nil
		}})
		for range 5 {
			q.work(n)
		}
		if got := strings.Join(order, " "); got != "3 2 1 4 0" {
			t.Errorf("the order was %s", got)
		}
	})
}

func TestAFailureIsTriedAgainLaterAndNotForEver(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		id := q.insert(jobs.Insert{Kind: "bad", Args: 0, MaxAttempts: 3})
		n := q.node("a", "bad", returns(errors.New("no luck\x00\xff")))
		for try, wait := range []time.Duration{time.Second, 16 * time.Second} {
			q.work(n)
			j := q.want(id, jobs.Available, try+1)
			if j.Error != "no luck" || !j.RunAt.Equal(q.Now().Add(wait)) {
				t.Errorf("after failure %d it waits until %v of %v: %q", try+1, j.RunAt, q.Now(), j.Error)
			}
			q.work(n)
			q.want(id, jobs.Available, try+1)
			q.pass(wait)
		}
		q.work(n)
		if j := q.want(id, jobs.Failed, 3); j.Error != "no luck" || j.EndedAt.IsZero() {
			t.Errorf("it failed as %+v", j)
		}
		q.pass(1000 * time.Hour)
		q.work(n)
		q.want(id, jobs.Failed, 3)
	})
}

func TestAKindChoosesItsOwnRetries(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		id := q.insert(jobs.Insert{Kind: "bad", Args: 0})
		k := returns(errors.New("no"))
		k.Retry = func(j jobs.Job, random float64) time.Duration {
			return time.Duration(float64(j.Tries())*random*100) * time.Hour
		}
		q.work(q.with("a", jobs.Options{Kinds: map[string]jobs.Kind{"bad": k}, Random: func() float64 { return 0.25 }}))
		if j := q.want(id, jobs.Available, 1); !j.RunAt.Equal(q.Now().Add(25 * time.Hour)) {
			t.Errorf("it waits until %v", j.RunAt)
		}
	})
}

func TestSnoozeCancelAndPanic(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		id := q.insert(jobs.Insert{Kind: "k", Args: 0, MaxAttempts: 1})
		for try := range 3 { // more often than it may be tried
			q.work(q.node("a", "k", returns(fmt.Errorf("the receiver is busy: %w", jobs.Snooze(time.Hour)))))
			j := q.want(id, jobs.Available, try+1)
			if !j.RunAt.Equal(q.Now().Add(time.Hour)) || j.Tries() != 0 || j.Error != "" {
				t.Errorf("after Snooze it is %+v", j)
			}
			q.pass(time.Hour)
		}
		q.work(q.node("a", "k", returns(jobs.Cancel(errors.New("gone for good")))))
		if j := q.want(id, jobs.Failed, 4); j.Error != "gone for good" {
			t.Errorf("after Cancel its error is %q", j.Error)
		}
		id = q.insert(jobs.Insert{Kind: "k", Args: 0})
		q.work(q.node("a", "k", jobs.Kind{Work: func(context.Context, jobs.Job) error { panic("what a worker may do") }}))
		if j := q.want(id, jobs.Available, 1); !strings.HasPrefix(j.Error, "panic: what a worker may do\n") {
			t.Errorf("after a panic its error is %q", j.Error)
		}
	})
}

func TestOneOfAKeyWaitsOrRuns(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		h := newHeld()
		n := q.node("a", "k", h.kind())
		id := q.insert(jobs.Insert{Kind: "k", Args: 1, Key: "one"})
		if again := q.insert(jobs.Insert{Kind: "k", Args: 2, Key: "one"}); again != id {
			t.Errorf("while one waits, there is another: %d beside %d", again, id)
		}
		q.check(n.Look(t.Context()))
		<-h.began
		if again := q.insert(jobs.Insert{Kind: "k", Args: 2, Key: "one"}); again != id {
			t.Errorf("while one runs, there is another: %d beside %d", again, id)
		}
		h.goOn <- nil
		n.Settle()
		if again := q.insert(jobs.Insert{Kind: "k", Args: 2, Key: "one"}); again == id {
			t.Error("after the end there is no new one")
		}
	})
}

// Many nodes on one database: each job is worked once, by one of them.
func TestNoJobIsGivenToTwoNodes(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		const all = 60
		for i := range all {
			q.insert(jobs.Insert{Kind: "k", Args: i})
		}
		var mu sync.Mutex
		worked, done := map[string]int{}, make(chan struct{})
		kind := jobs.Kind{Parallel: 5, Work: func(_ context.Context, j jobs.Job) error {
			mu.Lock()
			defer mu.Unlock()
			worked[string(j.Args)]++
			if len(worked) == all {
				select {
				case <-done:
				default:
					close(done)
				}
			}
			return nil
		}}
		ctx, stop := context.WithCancel(t.Context())
		var nodes sync.WaitGroup
		for i := range 4 {
			n := q.with(fmt.Sprint("node ", i), jobs.Options{
				Kinds: map[string]jobs.Kind{"k": kind}, Poll: time.Millisecond, Patience: time.Minute,
			})
			nodes.Go(func() { n.Run(ctx) })
		}
		<-done
		stop()
		nodes.Wait()
		for args, n := range worked {
			if n != 1 {
				t.Errorf("job %s was worked %d times", args, n)
			}
		}
		left, err := q.store.JobsBy(t.Context(), jobs.Filter{}, 1000)
		q.check(err)
		for _, j := range left {
			if j.State != jobs.Completed || j.Attempt != 1 {
				t.Errorf("%+v is left", j)
			}
		}
	})
}

// A stop waits for what runs, as long as it has patience, and then gives it back
// to those that go on.
func TestAStopGivesBackWhatIsNotDone(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		h := newHeld()
		id := q.insert(jobs.Insert{Kind: "k", Args: 0, MaxAttempts: 1})
		waiting := q.insert(jobs.Insert{Kind: "other", Args: 0})
		n := q.with("a", jobs.Options{Kinds: map[string]jobs.Kind{"k": h.kind()}, Poll: time.Millisecond})
		ctx, stop := context.WithCancel(t.Context())
		stopped := make(chan struct{})
		go func() { defer close(stopped); n.Run(ctx) }()
		<-h.began
		stop()
		<-stopped
		j := q.want(id, jobs.Available, 1)
		if j.Tries() != 0 || j.Error != "" || j.RunAt.After(q.Now()) {
			t.Errorf("it was given back as %+v", j)
		}
		q.want(waiting, jobs.Available, 0)
		q.work(q.node("b", "k", returns(nil)))
		q.want(id, jobs.Completed, 2)
	})
}

func TestAStopWaitsForWhatIsNearlyDone(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		h := newHeld()
		id := q.insert(jobs.Insert{Kind: "k", Args: 0})
		n := q.with("a", jobs.Options{Kinds: map[string]jobs.Kind{"k": h.kind()}, Poll: time.Millisecond, Patience: time.Hour})
		ctx, stop := context.WithCancel(t.Context())
		stopped := make(chan struct{})
		go func() { defer close(stopped); n.Run(ctx) }()
		<-h.began
		stop()
		h.goOn <- nil
		<-stopped
		q.want(id, jobs.Completed, 1)
	})
}

// Not parallel: the leaks of others would be its own.
func TestAStopLeavesNoGoroutine(t *testing.T) {
	q := newQueue(t, testkit.SQLite(t))
	before := goleak.IgnoreCurrent()
	q.insert(jobs.Insert{Kind: "k", Args: 0})
	h := newHeld()
	n := q.with("a", jobs.Options{Kinds: map[string]jobs.Kind{"k": h.kind()}, Poll: time.Millisecond})
	ctx, stop := context.WithCancel(t.Context())
	stopped := make(chan struct{})
	go func() { defer close(stopped); n.Run(ctx) }()
	<-h.began
	stop()
	<-stopped
	goleak.VerifyNone(t, before)
}
