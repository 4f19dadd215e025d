package jobs_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"packhouse/internal/errs"
	"packhouse/internal/jobs"
	"packhouse/internal/testkit"
)

// model says where each job stands, from what was done alone.
type model struct {
	*queue
	kind string
	jobs []*modelJob
	held []jobs.Held // all attempts that ever began, also those that lost their job
}

type modelJob struct {
	id                 int64
	key                string
	state              jobs.State
	attempt, uncounted int
	node               string
	runAt, lease       time.Time
}

const modelAttempts = 3

// Whatever two nodes, the clock and an operator do in whatever order, a job is
// held by the last who took it, and stands where that leaves it.
func TestStatesOfJobs(t *testing.T) {
	t.Parallel()
	q, n := newQueue(t, testkit.SQLite(t)), 0
	rapid.Check(t, func(t *rapid.T) {
		n++
		m := &model{queue: q, kind: fmt.Sprint("kind ", n)}
		t.Repeat(map[string]func(*rapid.T){
			"insert": m.insertOne, "start": m.start, "end": m.end, "renew": m.renew, "recover": m.recover,
			"cancel": m.cancel, "retry": m.retry, "": m.compare,
			"pass": func(t *rapid.T) { m.pass(time.Duration(rapid.IntRange(1, 90).Draw(t, "seconds")) * time.Second) },
		})
	})
}

func (m *model) insertOne(t *rapid.T) {
	key := rapid.SampledFrom([]string{"", "x", "y"}).Draw(t, "key")
	i := slices.IndexFunc(m.jobs, func(j *modelJob) bool { return key != "" && j.key == key && j.underWay() })
	given := key
	if key != "" {
		given = m.kind + key
	}
	id := m.insert(jobs.Insert{Kind: m.kind, Args: 0, Key: given, MaxAttempts: modelAttempts})
	if i >= 0 {
		if id != m.jobs[i].id {
			t.Fatalf("job %d was made beside %d, which has the key", id, m.jobs[i].id)
		}
		return
	}
	m.jobs = append(m.jobs, &modelJob{id: id, key: key, state: jobs.Available, runAt: m.Now()})
}

func (j *modelJob) underWay() bool { return j.state == jobs.Available || j.state == jobs.Running }

func (m *model) start(t *rapid.T) {
	node, n := rapid.SampledFrom([]string{"a", "b"}).Draw(t, "node"), rapid.IntRange(1, 3).Draw(t, "room")
	var due []*modelJob
	for _, j := range m.jobs {
		if j.state == jobs.Available && !j.runAt.After(m.Now()) {
			due = append(due, j)
		}
	}
	slices.SortStableFunc(due, func(a, b *modelJob) int { return a.runAt.Compare(b.runAt) })
	due = due[:min(n, len(due))]
	list, err := m.store.StartJobs(m.t.Context(), jobs.Line{Kind: m.kind}, n, node, m.Now(), m.Now().Add(lease))
	if err != nil || len(list) != len(due) {
		t.Fatalf("started %+v, %v; want %d", list, err, len(due))
	}
	for i, j := range due {
		j.state, j.node, j.lease = jobs.Running, node, m.Now().Add(lease)
		j.attempt++
		if list[i].ID != j.id {
			t.Fatalf("started %d as number %d, want %d", list[i].ID, i, j.id)
		}
		m.held = append(m.held, jobs.Held{ID: j.id, Attempt: j.attempt, Node: node})
	}
}

// any returns an attempt that ever began, and its job if it has it still.
func (m *model) any(t *rapid.T) (jobs.Held, *modelJob) {
	if len(m.held) == 0 {
		return jobs.Held{}, nil
	}
	h := rapid.SampledFrom(m.held).Draw(t, "attempt")
	i := slices.IndexFunc(m.jobs, func(j *modelJob) bool {
		return j.id == h.ID && j.state == jobs.Running && j.attempt == h.Attempt && j.node == h.Node
	})
	if i < 0 {
		return h, nil
	}
	return h, m.jobs[i]
}

func (m *model) end(t *rapid.T) {
	h, j := m.any(t)
	e := jobs.End{At: m.Now(), State: rapid.SampledFrom([]jobs.State{jobs.Completed, jobs.Failed, jobs.Available}).Draw(t, "state")}
	if e.State == jobs.Available {
		e.RunAt, e.Uncounted = m.Now().Add(time.Duration(rapid.IntRange(0, 50).Draw(t, "wait"))*time.Second), rapid.Bool().Draw(t, "uncounted")
	}
	held, err := m.store.EndJob(m.t.Context(), h, e)
	if err != nil || held != (j != nil) {
		t.Fatalf("the end of %+v: %v, %v", h, held, err)
	}
	if j == nil {
		return
	}
	j.state, j.lease = e.State, time.Time{}
	if e.State == jobs.Available {
		j.runAt = e.RunAt
	}
	if e.Uncounted {
		j.uncounted++
	}
}

func (m *model) renew(t *rapid.T) {
	h, j := m.any(t)
	kept, err := m.store.RenewJobs(m.t.Context(), []jobs.Held{h}, m.Now().Add(lease))
	if err != nil || (len(kept) == 1) != (j != nil) {
		t.Fatalf("the renewal of %+v: %v, %v", h, kept, err)
	}
	if j != nil {
		j.lease = m.Now().Add(lease)
	}
}

func (m *model) recover(t *rapid.T) {
	if _, err := m.store.RecoverJobs(m.t.Context(), m.Now()); err != nil {
		t.Fatal(err)
	}
	for _, j := range m.jobs {
		if j.state != jobs.Running || !j.lease.Before(m.Now()) {
			continue
		}
		j.state, j.lease, j.runAt = jobs.Available, time.Time{}, m.Now()
		if j.attempt-j.uncounted >= modelAttempts {
			j.state = jobs.Failed
		}
	}
}

func (m *model) one(t *rapid.T) *modelJob {
	if len(m.jobs) == 0 {
		m.insertOne(t)
	}
	return rapid.SampledFrom(m.jobs).Draw(t, "job")
}

func (m *model) cancel(t *rapid.T) {
	j := m.one(t)
	m.expect(t, m.orders().Cancel(m.t.Context(), operator, j.id), j.underWay())
	if j.underWay() {
		j.state = jobs.Cancelled
	}
}

func (m *model) retry(t *rapid.T) {
	j := m.one(t)
	other := slices.ContainsFunc(m.jobs, func(o *modelJob) bool { return o != j && j.key != "" && o.key == j.key && o.underWay() })
	may := j.state != jobs.Running && j.state != jobs.Completed && !other
	m.expect(t, m.orders().Retry(m.t.Context(), operator, j.id), may)
	if !may {
		return
	}
	j.state, j.uncounted, j.runAt = jobs.Available, j.attempt, m.Now()
	if j.lease.After(j.runAt) {
		j.runAt = j.lease
	}
	j.lease = time.Time{}
}

// expect checks whether an order was taken, or was a conflict.
func (m *model) expect(t *rapid.T, err error, taken bool) {
	if taken && err != nil || !taken && !errs.Is(err, errs.Conflict) {
		t.Fatalf("the order: %v; to be taken: %v", err, taken)
	}
}

func (m *model) compare(t *rapid.T) {
	list, err := m.store.JobsBy(m.t.Context(), jobs.Filter{Kind: m.kind}, 1000)
	if err != nil || len(list) != len(m.jobs) {
		t.Fatalf("there are %d jobs, %v; want %d", len(list), err, len(m.jobs))
	}
	slices.Reverse(list)
	for i, j := range list {
		got := modelJob{j.ID, m.jobs[i].key, j.State, j.Attempt, j.Uncounted, j.Node, j.RunAt, j.LeaseUntil}
		if got != *m.jobs[i] {
			t.Fatalf("the job is %+v, want %+v", got, *m.jobs[i])
		}
		if j.EndedAt.IsZero() != m.jobs[i].underWay() {
			t.Fatalf("the job is %s and ended at %v", j.State, j.EndedAt)
		}
	}
}
