package jobs_test

import (
	"errors"
	"testing"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/jobs"
)

var operator = access.Principal{Operator: true}

func (q *queue) orders() *jobs.Queue { return &jobs.Queue{Records: q.store, Now: q.Now} }

func TestOrders(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		ctx, o := t.Context(), q.orders()
		failed := q.insert(jobs.Insert{Kind: "bad", Args: 0, Key: "the work", MaxAttempts: 1})
		n := q.node("a", "bad", returns(errors.New("no")))
		q.work(n)
		q.want(failed, jobs.Failed, 1)
		other := q.insert(jobs.Insert{Kind: "bad", Args: 0, Key: "the work", RunAt: q.Now().Add(time.Hour)})
		if err := o.Retry(ctx, operator, failed); !errs.Is(err, errs.Conflict) {
			t.Errorf("a retry beside another with its key: %v", err)
		}
		q.check(o.Cancel(ctx, operator, other))
		if err := o.Cancel(ctx, operator, other); !errs.Is(err, errs.Conflict) {
			t.Errorf("a second cancel: %v", err)
		}
		q.check(o.Retry(ctx, operator, failed))
		if j := q.want(failed, jobs.Available, 1); j.Tries() != 0 || !j.EndedAt.IsZero() {
			t.Errorf("it is retried as %+v", j)
		}
		q.work(q.node("a", "bad", returns(nil)))
		q.want(failed, jobs.Completed, 2)
		if err := o.Retry(ctx, operator, failed); !errs.Is(err, errs.Conflict) {
			t.Errorf("a retry of what is done: %v", err)
		}
		q.check(o.Retry(ctx, operator, other))
		q.want(other, jobs.Available, 0)
		for what, err := range map[string]error{"retry": o.Retry(ctx, operator, 4711), "cancel": o.Cancel(ctx, operator, 4711)} {
			if !errs.Is(err, errs.NotFound) {
				t.Errorf("%s of no job: %v", what, err)
			}
		}
		entries, err := q.store.AuditEntries(ctx, audit.Query{Limit: 10})
		q.check(err)
		if len(entries) != 3 || entries[0].Action != "job.retry" || entries[2].Action != "job.cancel" {
			t.Errorf("the record has %+v", entries)
		}
	})
}

func TestOrdersAreForAdministrators(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		ctx, o, id := t.Context(), q.orders(), q.insert(jobs.Insert{Kind: "k", Args: 0})
		for _, who := range []access.Principal{{}, {AccountID: 1, Login: "ann", Scopes: access.AllScopes}} {
			_, list := o.List(ctx, who, jobs.Filter{}, 10)
			_, get := o.Get(ctx, who, id)
			for what, err := range map[string]error{"list": list, "get": get, "retry": o.Retry(ctx, who, id), "cancel": o.Cancel(ctx, who, id)} {
				if !errs.Is(err, errs.Denied) {
					t.Errorf("%s by %q: %v", what, who.Login, err)
				}
			}
		}
		_, err := o.Get(ctx, access.Principal{AccountID: 1, SiteAdmin: true}, id)
		q.check(err)
	})
}

func TestListsAndCounts(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		ctx, o := t.Context(), q.orders()
		a, b, c := q.insert(jobs.Insert{Kind: "x", Args: 0}), q.insert(jobs.Insert{Kind: "y", Args: 0}), q.insert(jobs.Insert{Kind: "x", Args: 0})
		q.work(q.node("a", "y", returns(nil)))
		for name, tt := range map[string]struct {
			f     jobs.Filter
			limit int
			want  []int64
		}{
			"all":      {jobs.Filter{}, 10, []int64{c, b, a}},
			"a page":   {jobs.Filter{}, 0, []int64{c}},
			"the next": {jobs.Filter{Before: c}, 10, []int64{b, a}},
			"a kind":   {jobs.Filter{Kind: "x"}, 10, []int64{c, a}},
			"a state":  {jobs.Filter{State: jobs.Completed}, 10, []int64{b}},
			"neither":  {jobs.Filter{State: jobs.Completed, Kind: "x"}, 10, nil},
		} {
			list, err := o.List(ctx, operator, tt.f, tt.limit)
			q.check(err)
			var got []int64
			for _, j := range list {
				got = append(got, j.ID)
			}
			if len(got) != len(tt.want) {
				t.Errorf("%s: %v, want %v", name, got, tt.want)
				continue
			}
			for i := range got {
				if got[i] != tt.want[i] {
					t.Errorf("%s: %v, want %v", name, got, tt.want)
				}
			}
		}
		if _, err := o.List(ctx, operator, jobs.Filter{State: "done"}, 1); !errs.Is(err, errs.Invalid) {
			t.Errorf("an unknown state: %v", err)
		}
		counts, err := q.store.WaitingJobs(ctx)
		if err != nil || len(counts) != 1 || counts["x"] != 2 {
			t.Errorf("waiting are %v, %v", counts, err)
		}
	})
}

func TestWhatEndedLongAgoIsForgotten(t *testing.T) {
	onBoth(t, func(t *testing.T, q *queue) {
		done, failed, waiting := q.insert(jobs.Insert{Kind: "k", Args: 0}), q.insert(jobs.Insert{Kind: "k", Args: 0}), q.insert(jobs.Insert{Kind: "w", Args: 0})
		q.work(q.node("a", "k", returns(nil)))
		q.work(q.node("a", "k", returns(jobs.Cancel(errors.New("no")))))
		there := func(id int64) bool {
			_, err := q.store.JobByID(t.Context(), id)
			return !errs.Is(err, errs.NotFound)
		}
		for _, tt := range []struct {
			pass                  time.Duration
			done, failed, waiting bool
		}{
			{24 * time.Hour, true, true, true},
			{time.Microsecond, false, true, true},
			{29*24*time.Hour - time.Microsecond, false, true, true},
			{time.Microsecond, false, false, true},
			{999 * 24 * time.Hour, false, false, true},
		} {
			q.pass(tt.pass)
			q.check(q.orders().Sweep(t.Context(), jobs.Job{}))
			if there(done) != tt.done || there(failed) != tt.failed || there(waiting) != tt.waiting {
				t.Errorf("after %v: completed %v, failed %v, waiting %v", tt.pass, there(done), there(failed), there(waiting))
			}
		}
	})
}
