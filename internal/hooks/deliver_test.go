package hooks_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/hooks"
	"packhouse/internal/jobs"
)

func signed(algorithm func() hash.Hash, body []byte) string {
	mac := hmac.New(algorithm, []byte(secret))
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

// The headers and signatures of GitHub, over the bytes as they are sent.
func TestHeadersAndSignature(t *testing.T) {
	onBoth(t, func(f *fixture) {
		user := of(hooks.OfUser, "ann")
		h := f.hook(f.ann, user, hooks.EventPackage)
		f.push(f.ann, at("ann/app"), "1", "one")
		_, err := f.Update(t.Context(), f.ann, user, h.ID, hooks.Change{ContentType: ptr("form"), Secret: ptr(hooks.Masked)}) // which stands for the one that is there
		f.check(err)
		f.work()
		_, err = f.Update(t.Context(), f.ann, user, h.ID, hooks.Change{ContentType: ptr("json")})
		f.check(err)
		f.push(f.ann, at("ann/app"), "2", "two")
		f.work()
		list := f.receiver.take()
		if len(list) != 2 {
			t.Fatalf("told %s", told(list))
		}
		for i, m := range list {
			contentType := []string{"application/x-www-form-urlencoded", "application/json"}[i]
			for name, want := range map[string]string{
				"Content-Type": contentType, "X-GitHub-Event": "package", "X-GitHub-Hook-ID": strconv.FormatInt(h.ID, 10),
				"X-GitHub-Hook-Installation-Target-ID": strconv.FormatInt(f.ann.AccountID, 10), "X-GitHub-Hook-Installation-Target-Type": "user",
				"X-Hub-Signature-256": "sha256=" + signed(sha256.New, m.body), "X-Hub-Signature": "sha1=" + signed(sha1.New, m.body),
			} {
				if got := m.header.Get(name); got != want {
					t.Errorf("%s: %s, want %s", name, got, want)
				}
			}
			if _, err := uuid.Parse(m.header.Get("X-GitHub-Delivery")); err != nil {
				t.Error(err)
			}
			if !strings.HasPrefix(m.header.Get("User-Agent"), "GitHub-Hookshot/") {
				t.Errorf("sent by %s", m.header.Get("User-Agent"))
			}
		}
		form, err := url.ParseQuery(string(list[0].body))
		if err != nil || !json.Valid([]byte(form.Get("payload"))) {
			t.Errorf("the form is %s", list[0].body)
		}
	})
}

func TestPing(t *testing.T) {
	onBoth(t, func(f *fixture) {
		a := of(hooks.OfRepository, "acme/src")
		h, err := f.Create(t.Context(), f.ann, a, hooks.Change{URL: ptr(f.receiver.URL), ContentType: ptr("json"), Secret: ptr(secret), Active: ptr(false)})
		f.check(err)
		if f.work(); len(f.receiver.take()) > 0 {
			t.Error("a hook that is not active got a ping")
		}
		f.check(f.Ping(t.Context(), f.ann, a, h.ID))
		f.work()
		list := f.receiver.take()
		if len(list) != 1 || list[0].header.Get("X-GitHub-Event") != "ping" {
			t.Fatalf("told %s", told(list))
		}
		var p struct {
			Zen        string
			HookID     int64 `json:"hook_id"`
			Hook       struct{ Type string }
			Repository struct {
				FullName string `json:"full_name"`
			}
			Organization struct{ Login string }
			Sender       struct{ Login string }
		}
		f.check(json.Unmarshal(list[0].body, &p))
		if p.Zen == "" || p.HookID != h.ID || p.Hook.Type != "Repository" || p.Repository.FullName != "acme/src" || p.Organization.Login != "acme" || p.Sender.Login != "ann" {
			t.Errorf("the ping is %s", list[0].body)
		}
		if strings.Contains(string(list[0].body), secret) {
			t.Error("the ping tells the secret")
		}
	})
}

// The newest version, once more; a ping where there is none.
func TestTest(t *testing.T) {
	onBoth(t, func(f *fixture) {
		for k, name := range map[hooks.Kind]string{hooks.OfUser: "ann", hooks.OfRepository: "ann/src"} {
			a := of(k, name)
			h := f.hook(f.ann, a)
			f.check(f.Test(t.Context(), f.ann, a, h.ID))
			f.work()
			if list := f.receiver.take(); len(list) != 1 || list[0].header.Get("X-GitHub-Event") != "ping" {
				t.Errorf("%s without a version: %s", k, told(list))
			}
		}
		f.push(f.ann, at("ann/app"), "1 2", "one")
		f.check(f.packages.Link(t.Context(), f.ann, at("ann/app"), "ann/src", false))
		f.work()
		f.receiver.take()
		for _, a := range []hooks.Address{of(hooks.OfUser, "ann"), of(hooks.OfRepository, "ann/src"), of(hooks.OfPackage, "ann/app")} {
			if a.Kind == hooks.OfPackage {
				f.hook(f.ann, a)
			}
			list, err := f.List(t.Context(), f.ann, a)
			f.check(err)
			f.check(f.Test(t.Context(), f.ann, a, list[0].ID))
			f.work()
			if got := told(f.receiver.take()); got != "package published app 2" {
				t.Errorf("a test of the hook of a %s: %s", a.Kind, got)
			}
		}
	})
}

// A receiver that fails is tried again, each time later, for a day.
func TestRetries(t *testing.T) {
	onBoth(t, func(f *fixture) {
		a := of(hooks.OfUser, "ann")
		h := f.hook(f.ann, a, hooks.EventPackage)
		f.receiver.answers(http.StatusInternalServerError)
		began := f.now
		f.push(f.ann, at("ann/app"), "1", "one")
		f.work()
		first := f.receiver.take()
		if len(first) != 1 {
			t.Fatalf("told %s", told(first))
		}
		attempts := 1
		for f.jobs(hooks.JobDeliver) > 0 {
			before := f.now
			next := time.UnixMicro(f.number(`SELECT MIN(run_at) FROM jobs WHERE kind = 'hook.deliver' AND state = 'available'`)).UTC()
			f.now = next.Add(-time.Second)
			if f.work(); len(f.receiver.take()) > 0 {
				t.Error("tried too early")
			}
			f.now = next
			if wait := next.Sub(before); wait < 10*time.Second || wait > 6*time.Hour {
				t.Errorf("attempt %d after %s", attempts+1, wait)
			}
			f.work()
			list := f.receiver.take()
			if len(list) != 1 || list[0].header.Get("X-GitHub-Delivery") != first[0].header.Get("X-GitHub-Delivery") || string(list[0].body) != string(first[0].body) {
				t.Fatalf("attempt %d told %s", attempts+1, told(list))
			}
			attempts++
		}
		if lasted := f.now.Sub(began); attempts < 8 || lasted < 18*time.Hour || lasted > 24*time.Hour {
			t.Errorf("%d attempts in %s", attempts, lasted)
		}
		log, err := f.Deliveries(t.Context(), f.ann, a, h.ID, hooks.DeliveryQuery{Limit: 1})
		f.check(err)
		_, d, err := f.Delivery(t.Context(), f.ann, a, h.ID, log[0].ID)
		f.check(err)
		if d.State != hooks.Failed || d.Attempts != attempts || d.StatusCode != 500 || d.Error == "" || d.ResponseBody != "what the receiver says" ||
			d.ResponseHeaders["X-Receiver"] != "here" || d.RequestHeaders["X-GitHub-Event"] != "package" || !json.Valid(d.Payload) || d.DeliveredAt != f.now {
			d.Payload = nil
			t.Errorf("on record: %+v", d)
		}
		got, err := f.Get(t.Context(), f.ann, a, h.ID)
		f.check(err)
		if !got.Active || got.FailingSince != began || got.Last == nil || got.Last.Code != 500 {
			t.Errorf("the hook is %+v", got)
		}
		f.receiver.answers(http.StatusOK)
		f.push(f.ann, at("ann/app"), "2", "two")
		f.work()
		if got, err = f.Get(t.Context(), f.ann, a, h.ID); err != nil || !got.FailingSince.IsZero() || got.Last.Code != 200 {
			t.Errorf("the hook is %+v, %v", got, err)
		}
	})
}

// A receiver that is gone for good is not asked again.
func TestGone(t *testing.T) {
	onBoth(t, func(f *fixture) {
		f.hook(f.ann, of(hooks.OfUser, "ann"), hooks.EventPackage)
		f.receiver.answers(http.StatusGone)
		f.push(f.ann, at("ann/app"), "1", "one")
		f.work()
		if n := f.jobs(hooks.JobDeliver); n != 0 {
			t.Errorf("%d deliveries wait", n)
		}
	})
}

// A redelivery is the same under the same GUID, beside the first one.
func TestRedelivery(t *testing.T) {
	onBoth(t, func(f *fixture) {
		a := of(hooks.OfUser, "ann")
		h := f.hook(f.ann, a, hooks.EventPackage)
		f.push(f.ann, at("ann/app"), "1", "one")
		f.work()
		first := f.receiver.take()
		log, err := f.Deliveries(t.Context(), f.ann, a, h.ID, hooks.DeliveryQuery{Limit: 9})
		f.check(err)
		f.check(f.Redeliver(t.Context(), f.ann, a, h.ID, log[0].ID))
		f.work()
		again := f.receiver.take()
		if len(again) != 1 || again[0].header.Get("X-GitHub-Delivery") != first[0].header.Get("X-GitHub-Delivery") || string(again[0].body) != string(first[0].body) {
			t.Errorf("told %s", told(again))
		}
		log, err = f.Deliveries(t.Context(), f.ann, a, h.ID, hooks.DeliveryQuery{Limit: 9})
		f.check(err)
		if len(log) != 3 || !log[0].Redelivery || log[1].Redelivery || log[0].GUID != log[1].GUID || log[0].ID == log[1].ID {
			t.Errorf("on record: %+v", log)
		}
		log, err = f.Deliveries(t.Context(), f.ann, a, h.ID, hooks.DeliveryQuery{Limit: 9, Before: log[0].ID, Redelivery: ptr(false), Status: "success"})
		if err != nil || len(log) != 2 {
			t.Errorf("chosen: %+v, %v", log, err)
		}
		if log, err = f.Deliveries(t.Context(), f.ann, a, h.ID, hooks.DeliveryQuery{Limit: 9, Status: "failure"}); err != nil || len(log) != 0 {
			t.Errorf("failures: %+v, %v", log, err)
		}
	})
}

// What was committed is delivered whoever dies, and what was expanded twice is
// delivered once.
func TestNothingIsLostAndNothingDoubled(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx := t.Context()
		f.hook(f.ann, of(hooks.OfUser, "ann"), "*")
		f.push(f.ann, at("ann/app"), "1", "one")
		start := func(kind string) []jobs.Job {
			t.Helper()
			list, err := f.store.StartJobs(ctx, jobs.Line{Kind: kind}, 100, "dead", f.now, f.now.Add(time.Minute))
			f.check(err)
			if len(list) == 0 {
				t.Fatalf("no job of the kind %s", kind)
			}
			return list
		}
		dies := func() {
			t.Helper()
			f.now = f.now.Add(2 * time.Minute)
			_, err := f.store.RecoverJobs(ctx, f.now)
			f.check(err)
		}
		start(hooks.JobEvent) // and dies before it did anything
		dies()
		for _, j := range start(hooks.JobEvent) { // and dies when it had done all
			f.do(j)
		}
		dies()
		start(hooks.JobDeliver) // and dies before it sent anything
		dies()
		f.work()
		if got, want := told(f.receiver.take()), "package published app 1; registry_package published -"; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
		if n := f.jobs(hooks.JobEvent) + f.jobs(hooks.JobDeliver); n != 0 {
			t.Errorf("%d jobs wait", n)
		}
	})
}

// A dead receiver holds up nobody else, and is not asked for each of many
// deliveries.
func TestADeadReceiver(t *testing.T) {
	onBoth(t, func(f *fixture) {
		dead := f.hook(f.ann, of(hooks.OfUser, "ann"), hooks.EventPackage)
		f.exec(`UPDATE hooks SET url = 'http://127.0.0.1:1/' WHERE id = ?`, dead.ID)
		f.push(f.ann, at("ann/app"), "1 2 3 4 5 6 7 8", "one")
		f.hook(f.bob, of(hooks.OfUser, "bob"), hooks.EventPackage)
		f.push(f.bob, at("bob/app"), "1", "one")
		f.work()
		if got := told(f.receiver.take()); got != "package published app 1" {
			t.Errorf("told %q", got)
		}
		if n := f.number(`SELECT SUM(attempts) FROM deliveries WHERE hook_id = ? AND event = 'package'`, dead.ID); n != 1 {
			t.Errorf("%d attempts", n)
		}
		f.exec(`UPDATE hooks SET url = ? WHERE id = ?`, f.receiver.URL, dead.ID)
		f.now = f.now.Add(time.Minute)
		f.work()
		want := "package published app 1"
		for _, tag := range []string{"2", "3", "4", "5", "6", "7", "8"} {
			want += "; package published app " + tag
		}
		if got := told(f.receiver.take()); got != want {
			t.Errorf("told %q, want %q", got, want)
		}
	})
}

// After a week of failures a hook stops, on record, and can be switched on again.
func TestAHookThatFailsForAWeekStops(t *testing.T) {
	onBoth(t, func(f *fixture) {
		a := of(hooks.OfUser, "ann")
		h := f.hook(f.ann, a, hooks.EventPackage)
		f.receiver.answers(http.StatusNotFound)
		for day := range 9 {
			f.push(f.ann, at("ann/app"), "latest", strconv.Itoa(day))
			f.work()
			f.now = f.now.Add(24 * time.Hour)
		}
		got, err := f.Get(t.Context(), f.ann, a, h.ID)
		f.check(err)
		if got.Active || got.FailingSince.IsZero() || got.Stopped != hooks.StoppedFailing {
			t.Errorf("the hook is %+v", got)
		}
		f.recorded("hook.stop", audit.Server, "ann")
		f.receiver.answers(http.StatusOK)
		f.receiver.take()
		f.push(f.ann, at("ann/app"), "latest", "more")
		if f.work(); len(f.receiver.take()) > 0 {
			t.Error("it was told when it had stopped")
		}
		if got, err = f.Update(t.Context(), f.ann, a, h.ID, hooks.Change{Active: ptr(true)}); err != nil || !got.FailingSince.IsZero() || got.Stopped != "" {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// Whoever lost the right to a hook is not told by it any more.
func TestAHookStopsWithTheRightToIt(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx := t.Context()
		f.check(f.accounts.SetMember(ctx, audit.Operator, "acme", "bob", access.Owner))
		a := of(hooks.OfOrganization, "acme")
		h := f.hook(f.bob, a, hooks.EventPackage)
		f.push(f.ann, at("acme/app"), "1", "one")
		f.check(f.accounts.RemoveMember(ctx, audit.Operator, "acme", "bob"))
		if f.work(); len(f.receiver.take()) > 0 {
			t.Error("one who left was told")
		}
		got, err := f.Get(ctx, f.ann, a, h.ID)
		if err != nil || got.Active || got.Stopped != hooks.StoppedAnswerer {
			t.Errorf("the hook is %+v, %v", got, err)
		}
		f.recorded("hook.stop", audit.Server, "acme")
		_, err = f.Update(ctx, f.ann, a, h.ID, hooks.Change{Active: ptr(true)})
		f.check(err)
		f.push(f.ann, at("acme/app"), "2", "two")
		f.work()
		if got := told(f.receiver.take()); got != "package published app 2" {
			t.Errorf("told %q", got)
		}
		f.push(f.ann, at("acme/app"), "3", "three")
		f.check(f.accounts.Suspend(ctx, audit.Operator, "acme", true))
		if f.work(); len(f.receiver.take()) > 0 {
			t.Error("a suspended organization was told")
		}
	})
}

// What a package's admins are told ends with the package, and its end they hear.
func TestTheEndOfAPackage(t *testing.T) {
	onBoth(t, func(f *fixture) {
		f.push(f.ann, at("acme/app"), "1", "one")
		f.hook(f.ann, of(hooks.OfPackage, "acme/app"), hooks.EventPackage)
		f.exec(`UPDATE packages SET deleted_at = 1`)
		f.check(f.store.AskHook(t.Context(), hooks.Event{ // as its deletion does
			Action: hooks.Deleted, PackageID: f.number(`SELECT id FROM packages`), Actor: "ann", ActorID: f.ann.AccountID, At: f.now,
		}))
		f.work()
		if got := told(f.receiver.take()); got != "package deleted app -" {
			t.Errorf("told %q", got)
		}
	})
}
