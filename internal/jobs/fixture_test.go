package jobs_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"packhouse/internal/database"
	"packhouse/internal/jobs"
	"packhouse/internal/store"
	"packhouse/internal/testkit"
)

func TestMain(m *testing.M) { testkit.RunMain(m) }

const lease = time.Minute

// queue is one real database, and a clock for all nodes that work on it.
type queue struct {
	t     testing.TB
	store *store.Store

	mu  sync.Mutex
	now time.Time
}

// onBoth runs a test on a new queue of either engine.
func onBoth(t *testing.T, run func(t *testing.T, q *queue)) {
	t.Helper()
	t.Parallel()
	testkit.Databases(t, func(t *testing.T, db *database.DB) { run(t, newQueue(t, db)) })
}

func newQueue(t testing.TB, db *database.DB) *queue {
	t.Helper()
	q := &queue{t: t, store: store.New(db), now: time.Date(2026, 1, 2, 3, 4, 5, 6000, time.UTC)}
	q.check(store.Migrate(t.Context(), db))
	return q
}

func (q *queue) check(err error) {
	q.t.Helper()
	if err != nil {
		q.t.Fatal(err)
	}
}

// Now is the clock of the nodes.
func (q *queue) Now() time.Time {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.now
}

func (q *queue) pass(d time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.now = q.now.Add(d)
}

// node returns a Runner of that name, with one kind of jobs.
func (q *queue) node(name, kind string, k jobs.Kind) *jobs.Runner {
	return q.with(name, jobs.Options{Kinds: map[string]jobs.Kind{kind: k}})
}

func (q *queue) with(name string, o jobs.Options) *jobs.Runner {
	o.Store, o.Calendar, o.Now, o.Node, o.Lease = q.store, q.store, q.Now, name, lease
	return jobs.New(o)
}

func (q *queue) insert(j jobs.Insert) int64 {
	q.t.Helper()
	id, err := q.store.InsertJob(q.t.Context(), j, q.Now())
	q.check(err)
	return id
}

func (q *queue) job(id int64) jobs.Job {
	q.t.Helper()
	j, err := q.store.JobByID(q.t.Context(), id)
	q.check(err)
	return j
}

// want checks where a job stands.
func (q *queue) want(id int64, s jobs.State, attempt int) jobs.Job {
	q.t.Helper()
	j := q.job(id)
	if j.State != s || j.Attempt != attempt {
		q.t.Errorf("the job is %+v; want it %s after attempt %d", j, s, attempt)
	}
	return j
}

// work has the node look for jobs once, and waits until those it took have ended.
func (q *queue) work(r *jobs.Runner) {
	q.t.Helper()
	q.check(r.Look(q.t.Context()))
	r.Settle()
}

// returns is a worker that answers err.
func returns(err error) jobs.Kind {
	return jobs.Kind{Work: func(context.Context, jobs.Job) error { return err }}
}

// held is a worker that waits: it tells that it began, and goes on when it is
// told to, or when its context ends, whose error it returns.
type held struct {
	began chan jobs.Job
	goOn  chan error
}

func newHeld() held { return held{make(chan jobs.Job, 10), make(chan error)} }

func (h held) kind() jobs.Kind {
	return jobs.Kind{Parallel: 4, Work: func(ctx context.Context, j jobs.Job) error {
		h.began <- j
		select {
		case err := <-h.goOn:
			return err
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
}
