package jobs_test

import (
	"testing"
	"time"

	"packhouse/internal/jobs"
	"packhouse/internal/testkit"
)

// All nodes have the same schedules; each round is one job.
func TestWorkThatComesBackIsOneJobForAllNodes(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		plan := []jobs.Schedule{{Kind: "daily", Every: 24 * time.Hour, Args: "x"}}
		o := jobs.Options{Schedules: plan}
		a, b := q.with("a", o), q.with("b", o)
		count := func(want int) {
			t.Helper()
			list, err := q.store.JobsBy(t.Context(), jobs.Filter{Kind: "daily"}, 10)
			q.check(err)
			if len(list) != want {
				t.Fatalf("there are %d jobs; want %d", len(list), want)
			}
			if string(list[0].Args) != `"x"` || list[0].MaxAttempts != 3 {
				t.Errorf("the job is %+v", list[0])
			}
		}
		round := func() {
			t.Helper()
			for _, n := range []*jobs.Runner{a, b, a, b} {
				q.work(n)
			}
		}
		round()
		count(1)
		q.pass(24*time.Hour + time.Minute) // the last one waits still
		round()
		count(1)
		q.work(q.node("worker", "daily", returns(nil)))
		q.pass(24*time.Hour - 2*time.Minute)
		round()
		count(1)
		q.pass(time.Minute) // the rounds keep their time of day
		round()
		count(2)
		q.work(q.node("worker", "daily", returns(nil)))

		q.work(q.with("hasty", jobs.Options{Schedules: []jobs.Schedule{{Kind: "daily", Every: time.Hour, Args: "x"}}}))
		count(2)
		q.pass(time.Hour)
		q.work(q.with("hasty", jobs.Options{Schedules: []jobs.Schedule{{Kind: "daily", Every: time.Hour, Args: "x"}}}))
		count(3)
	})
}

// Two nodes that saw the same due time: the second does nothing.
func TestADueTimeIsTakenOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		due := q.Now()
		q.check(q.store.PlanWork(t.Context(), "k", due, due))
		for i, want := range []bool{true, false} {
			first, err := q.store.InsertDueWork(t.Context(), "k", due, due.Add(time.Hour), jobs.Insert{Kind: "k", Args: i}, due)
			if first != want || err != nil {
				t.Errorf("call %d: %v, %v", i, first, err)
			}
		}
	})
}

// A node without work reads and does not write.
func TestAnIdleNodeWritesNothing(t *testing.T) {
	t.Parallel()
	db := testkit.SQLite(t)
	q := newQueue(t, db)
	n := q.with("a", jobs.Options{
		Kinds: map[string]jobs.Kind{"k": returns(nil)}, Schedules: []jobs.Schedule{{Kind: "k", Every: time.Hour}, {Kind: "never"}},
	})
	q.insert(jobs.Insert{Kind: "k", Args: 0, RunAt: q.Now().Add(30 * time.Minute)})
	for range 3 { // the schedule is known, its job inserted and done
		q.work(n)
	}
	before, ok, err := db.Version(t.Context())
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	for range 5 {
		q.pass(time.Minute)
		n.Beat(t.Context())
		q.work(n)
	}
	if after, _, err := db.Version(t.Context()); after != before || err != nil {
		t.Errorf("five minutes without work wrote something: version %d, then %d, %v", before, after, err)
	}
	q.pass(time.Hour)
	q.work(n)
	if after, _, err := db.Version(t.Context()); after == before || err != nil {
		t.Errorf("the next round wrote nothing: %v", err)
	}
}
