package jobs_test

import (
	"context"
	"testing"
	"time"

	"packhouse/internal/jobs"
)

// A node that dies says nothing any more. When the lease is over another takes
// the job, and whatever the first one still writes changes nothing.
func TestTheJobOfADeadNodeIsAnothers(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		id := q.insert(jobs.Insert{Kind: "k", Args: 0})
		dead, ha := newHeld(), newHeld()
		a, b := q.node("a", "k", dead.kind()), q.node("b", "k", ha.kind())
		q.check(a.Look(t.Context()))
		first := <-dead.began

		q.pass(lease)
		q.check(b.Look(t.Context()))
		if len(ha.began) != 0 {
			t.Fatal("the job was taken within the lease")
		}
		q.pass(time.Microsecond)
		q.check(b.Look(t.Context())) // it is free
		if j := q.want(id, jobs.Available, 1); j.Error == "" {
			t.Error("the record does not say what became of the node")
		}
		q.check(b.Look(t.Context())) // it is taken
		<-ha.began
		before := q.want(id, jobs.Running, 2)
		if before.Node != "b" {
			t.Errorf("it is %s's", before.Node)
		}

		if err := first.Report(t.Context(), "still here"); err == nil {
			t.Error("who lost the job reports on it")
		}
		dead.goOn <- nil // it believes that it is done
		a.Settle()
		if j := q.want(id, jobs.Running, 2); j.Node != "b" || j.Progress != nil {
			t.Errorf("who lost the job changed it: %+v", j)
		}
		ha.goOn <- nil
		b.Settle()
		q.want(id, jobs.Completed, 2)
	})
}

// The same with the same node, whose earlier attempt is not its present one.
func TestAnEarlierAttemptOfTheSameNodeChangesNothing(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		id := q.insert(jobs.Insert{Kind: "k", Args: 0})
		h := newHeld()
		a := q.node("a", "k", h.kind())
		q.check(a.Look(t.Context()))
		<-h.began
		q.pass(lease + time.Microsecond)
		q.check(a.Look(t.Context()))
		q.check(a.Look(t.Context()))
		second := <-h.began
		if ok, err := q.store.EndJob(t.Context(), jobs.Held{ID: id, Attempt: 1, Node: "a"}, jobs.End{State: jobs.Completed, At: q.Now()}); ok || err != nil {
			t.Errorf("the first attempt ended the job: %v", err)
		}
		if kept, err := q.store.RenewJobs(t.Context(), []jobs.Held{{ID: id, Attempt: 1, Node: "a"}, {ID: id, Attempt: 2, Node: "b"}}, q.Now()); len(kept) != 0 || err != nil {
			t.Errorf("leases were renewed that nobody has: %+v, %v", kept, err)
		}
		if second.Attempt != 2 {
			t.Errorf("the second attempt is %d", second.Attempt)
		}
		a.Beat(t.Context()) // which tells the first that it is over
		h.goOn <- nil
		a.Settle()
		q.want(id, jobs.Completed, 2)
	})
}

// Who gives signs of life keeps the job.
func TestALeaseIsRenewed(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		id := q.insert(jobs.Insert{Kind: "k", Args: 0})
		h, other := newHeld(), newHeld()
		a, b := q.node("a", "k", h.kind()), q.node("b", "k", other.kind())
		q.check(a.Look(t.Context()))
		<-h.began
		for range 10 {
			q.pass(lease / 2)
			a.Beat(t.Context())
			q.check(b.Look(t.Context()))
		}
		gone, cut := context.WithCancel(t.Context())
		cut()
		a.Beat(gone) // the last sign of life was just now
		h.goOn <- nil
		a.Settle()
		q.want(id, jobs.Completed, 1)
	})
}

// A node that cannot reach the database stops what it does before others begin.
func TestWithoutADatabaseAWorkerIsStoppedBeforeTheLeaseEnds(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		q.insert(jobs.Insert{Kind: "k", Args: 0})
		h := newHeld()
		a := q.node("a", "k", h.kind())
		q.check(a.Look(t.Context()))
		<-h.began
		gone, cut := context.WithCancel(t.Context())
		cut()
		q.pass(lease / 2)
		a.Beat(gone)
		h.goOn <- jobs.Snooze(0) // it was not stopped: there is time
		a.Settle()
		q.check(a.Look(t.Context()))
		<-h.began
		q.pass(lease - lease/5)
		a.Beat(gone)
		a.Settle() // its context has ended
	})
}

func TestAJobThatKillsItsNodesFailsInTheEnd(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		id := q.insert(jobs.Insert{Kind: "k", Args: 0, MaxAttempts: 2})
		for try := 1; try <= 2; try++ {
			list, err := q.store.StartJobs(t.Context(), jobs.Line{Kind: "k"}, 9, "a", q.Now(), q.Now().Add(lease))
			if err != nil || len(list) != 1 || list[0].Attempt != try {
				t.Fatalf("started %+v, %v", list, err)
			}
			q.pass(lease + time.Microsecond)
			if n, err := q.store.RecoverJobs(t.Context(), q.Now()); n != 1 || err != nil {
				t.Fatalf("recovered %d, %v", n, err)
			}
		}
		if j := q.want(id, jobs.Failed, 2); j.EndedAt.IsZero() || !j.LeaseUntil.IsZero() {
			t.Errorf("it failed as %+v", j)
		}
	})
}

// A worker that ends before it hears of the cancel does not undo it.
func TestACancelledJobStaysSo(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		id := q.insert(jobs.Insert{Kind: "k", Args: 0})
		h := newHeld()
		a := q.node("a", "k", h.kind())
		q.check(a.Look(t.Context()))
		<-h.began
		q.check(q.orders().Cancel(t.Context(), operator, id))
		h.goOn <- nil
		a.Settle()
		q.want(id, jobs.Cancelled, 1)
	})
}

// An operator's cancel reaches a worker on another node with its next sign of life.
func TestACancelledJobStops(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		id := q.insert(jobs.Insert{Kind: "k", Args: 0})
		h := newHeld()
		a := q.node("a", "k", h.kind())
		q.check(a.Look(t.Context()))
		<-h.began
		q.check(q.orders().Cancel(t.Context(), operator, id))
		a.Beat(t.Context())
		a.Settle()
		if j := q.want(id, jobs.Cancelled, 1); j.EndedAt.IsZero() {
			t.Errorf("it is %+v", j)
		}
		q.check(a.Look(t.Context()))
		a.Settle()
		q.want(id, jobs.Cancelled, 1)

		q.check(q.orders().Retry(t.Context(), operator, id)) // the worker may run on until the lease is over
		if j := q.want(id, jobs.Available, 1); !j.RunAt.Equal(q.Now().Add(lease)) || !j.LeaseUntil.IsZero() {
			t.Errorf("it is %+v", j)
		}
	})
}
