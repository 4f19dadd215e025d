package hooks_test

import (
	"net/http"
	"testing"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/hooks"
)

// pending returns the ids of the deliveries that wait, in their order.
func (f *fixture) pending(hook int64) (ids []int64) {
	f.t.Helper()
	rows, err := f.db.Read().Query(f.t.Context(), `SELECT id FROM deliveries WHERE hook_id = ? AND state = 'pending' ORDER BY id`, hook)
	f.check(err)
	defer rows.Close()
	for rows.Next() {
		var id int64
		f.check(rows.Scan(&id))
		ids = append(ids, id)
	}
	f.check(rows.Err())
	return ids
}

// While a receiver takes its time with one delivery, it gets no other, and its
// events come in their order whichever is asked for first.
func TestOneAtATimeAndInOrder(t *testing.T) {
	onBoth(t, func(f *fixture) {
		h := f.hook(f.ann, of(hooks.OfUser, "ann"), hooks.EventPackage)
		f.push(f.ann, at("ann/app"), "1 2 3", "one")
		f.expandOnly()
		ids := f.pending(h.ID)
		came, leave := make(chan bool, 3), make(chan bool)
		f.receiver.mu.Lock()
		f.receiver.answer = func(http.ResponseWriter, message) { came <- true; <-leave }
		f.receiver.mu.Unlock()
		done := make(chan time.Duration)
		go func() {
			wait, err := f.deliverer.Deliver(t.Context(), ids[2])
			if err != nil {
				t.Error(err)
			}
			done <- wait
		}()
		<-came
		if wait, err := f.deliverer.Deliver(t.Context(), ids[1]); err != nil || wait <= 0 || wait > 5*time.Second {
			t.Errorf("beside another: to wait %s, %v", wait, err)
		}
		close(leave)
		if wait := <-done; wait != 0 {
			t.Errorf("done, and to wait %s", wait)
		}
		if got, want := told(f.receiver.take()), "package published app 1; package published app 2; package published app 3"; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
	})
}

// The last of many deliveries to a dead receiver finds out as the first would,
// and no more is tried until the hook has rested.
func TestADeadReceiverRests(t *testing.T) {
	onBoth(t, func(f *fixture) {
		h := f.hook(f.ann, of(hooks.OfUser, "ann"), hooks.EventPackage)
		f.exec(`UPDATE hooks SET url = 'http://127.0.0.1:1/' WHERE id = ?`, h.ID)
		f.push(f.ann, at("ann/app"), "1 2 3", "one")
		f.expandOnly()
		ids := f.pending(h.ID)
		attempts := func() int64 { return f.number(`SELECT SUM(attempts) FROM deliveries WHERE event = 'package'`) }
		for _, want := range []time.Duration{10 * time.Second, 20 * time.Second, 40 * time.Second} {
			before := attempts()
			wait, err := f.deliverer.Deliver(t.Context(), ids[2])
			f.check(err)
			if n := attempts() - before; wait <= 0 || n != 1 {
				t.Errorf("%d attempts, to wait %s", n, wait)
			}
			f.now = f.now.Add(want - time.Second)
			if wait, err := f.deliverer.Deliver(t.Context(), ids[1]); err != nil || wait != time.Second && attempts()-before != 1 {
				t.Errorf("rests no longer after %s: to wait %s, %v", want, wait, err)
			}
			f.now = f.now.Add(time.Second)
		}
	})
}

// A hook that was switched off gets nothing more, but for what somebody asks for.
func TestASwitchedOffHookGetsNothing(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx, a := t.Context(), of(hooks.OfUser, "ann")
		h := f.hook(f.ann, a, hooks.EventPackage)
		f.push(f.ann, at("ann/app"), "1", "one")
		f.expandOnly()
		_, err := f.Update(ctx, f.ann, a, h.ID, hooks.Change{Active: ptr(false)})
		f.check(err)
		f.work()
		if list := f.receiver.take(); len(list) > 0 {
			t.Errorf("told %s", told(list))
		}
		log, err := f.Deliveries(ctx, f.ann, a, h.ID, hooks.DeliveryQuery{Limit: 1})
		f.check(err)
		if log[0].State != hooks.Failed || log[0].Error == "" {
			t.Errorf("on record: %+v", log[0])
		}
		if got, err := f.Get(ctx, f.ann, a, h.ID); err != nil || !got.FailingSince.IsZero() {
			t.Errorf("what was not sent counts as a failure: %+v, %v", got, err)
		}
		f.check(f.Redeliver(ctx, f.ann, a, h.ID, log[0].ID))
		f.check(f.Ping(ctx, f.ann, a, h.ID))
		f.work()
		if list := f.receiver.take(); len(list) != 2 {
			t.Errorf("asked for, and told %s", told(list))
		}
	})
}

// What ends no right ends no hook: a registry that takes a break, and an
// organization that asks for single sign-on from then on.
func TestWhatStopsNoHook(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx := t.Context()
		f.push(f.ann, at("acme/app"), "1", "one")
		for _, a := range []hooks.Address{of(hooks.OfPackage, "acme/app"), of(hooks.OfOrganization, "acme")} {
			f.hook(f.ann, a, hooks.EventPackage)
		}
		f.push(f.ann, at("acme/app"), "2", "two")
		f.exec(`INSERT INTO settings (name, value) VALUES ('registry.container', 'read-only')`)
		f.check(f.accounts.ChangeSettings(ctx, audit.Operator, "acme", account.SettingsChange{RequireSSO: ptr(true)}))
		f.work()
		if got, want := told(f.receiver.take()), "package published app 2; package published app 2"; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
	})
}

// A suspended owner's events go nowhere, whoever made the hook.
func TestASuspendedOwnerIsNotTold(t *testing.T) {
	onBoth(t, func(f *fixture) {
		f.push(f.ann, at("acme/app"), "1", "one")
		for _, a := range []hooks.Address{of(hooks.OfPackage, "acme/app"), of(hooks.OfOrganization, "acme")} {
			f.hook(f.operator, a, hooks.EventPackage)
		}
		f.push(f.ann, at("acme/app"), "2", "two")
		f.check(f.accounts.Suspend(t.Context(), audit.Operator, "acme", true))
		if f.work(); len(f.receiver.take()) > 0 {
			t.Error("told")
		}
	})
}

// A job is no one who could answer for a hook.
func TestJobsMakeNoHooks(t *testing.T) {
	onBoth(t, func(f *fixture) {
		r, err := f.accounts.Repository(t.Context(), "acme/src")
		f.check(err)
		job := access.Principal{Scopes: access.AllScopes, Workflow: &access.Workflow{RepositoryID: r.ID, Repository: r.Name, OwnerID: r.OwnerID}}
		f.push(job, at("acme/app"), "1", "one")
		for k, name := range map[hooks.Kind]string{hooks.OfPackage: "acme/app", hooks.OfRepository: "acme/src"} {
			if _, err := f.Create(t.Context(), job, of(k, name), f.change()); err == nil {
				t.Errorf("a job made a hook of a %s", k)
			}
		}
	})
}

// An attempt that comes back when it was given up says nothing any more.
func TestAnAttemptThatCameTooLate(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx := t.Context()
		h := f.hook(f.ann, of(hooks.OfUser, "ann"), hooks.EventPackage)
		f.push(f.ann, at("ann/app"), "1", "one")
		f.expandOnly()
		id := f.pending(h.ID)[0]
		first, err := f.store.BeginAttempt(ctx, id, f.now, f.now.Add(time.Minute))
		f.check(err)
		_, err = f.store.BeginAttempt(ctx, id, f.now, f.now.Add(time.Minute))
		f.refused(err, errs.NotFound, "two attempts at once")
		f.now = f.now.Add(time.Hour)
		second, err := f.store.BeginAttempt(ctx, id, f.now, f.now.Add(time.Minute))
		f.check(err)
		result := hooks.Result{ID: id, HookID: h.ID, Attempt: second.Attempts, State: hooks.Delivered, StatusCode: 200, At: f.now}
		f.check(f.store.EndAttempt(ctx, result))
		for _, late := range []int{first.Attempts, second.Attempts} {
			result.Attempt, result.State, result.StatusCode = late, hooks.Failed, 500
			f.check(f.store.EndAttempt(ctx, result))
		}
		d, err := f.store.Delivery(ctx, h.ID, id)
		if err != nil || d.State != hooks.Delivered || d.StatusCode != 200 || d.Attempts != 2 {
			t.Errorf("on record: %+v, %v", d, err)
		}
	})
}
