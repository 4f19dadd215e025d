package hooks_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/hooks"
	"packhouse/internal/testkit"
)

func (f *fixture) change() hooks.Change { return hooks.Change{URL: ptr(f.receiver.URL)} }

// Who may rule which hooks; to all others there are none.
func TestWhoRulesHooks(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx := t.Context()
		f.push(f.ann, at("acme/app"), "1", "one")
		f.check(f.accounts.GrantRepository(ctx, audit.Operator, "acme/src", account.RepositoryGrant{User: "eve", Role: access.RepositoryAdmin}))
		f.check(f.packages.Grant(ctx, f.ann, at("acme/app"), adminGrant("bob")))
		root := f.user("root")
		root.SiteAdmin = true
		limited, unscoped := f.ann, f.ann
		limited.Limited = true
		unscoped.Scopes = access.ReadPackages
		nobody := access.Principal{}
		for _, c := range []struct {
			what string
			who  access.Principal
			a    hooks.Address
			want errs.Kind // Internal for none
		}{
			{"an owner", f.ann, of(hooks.OfOrganization, "acme"), errs.Internal},
			{"a member", f.bob, of(hooks.OfOrganization, "acme"), errs.NotFound},
			{"a stranger", f.eve, of(hooks.OfOrganization, "acme"), errs.NotFound},
			{"nobody", nobody, of(hooks.OfOrganization, "acme"), errs.Unauthenticated},
			{"a site administrator", root, of(hooks.OfOrganization, "acme"), errs.Internal},
			{"the operator", f.operator, of(hooks.OfOrganization, "acme"), errs.Internal},
			{"a limited token", limited, of(hooks.OfOrganization, "acme"), errs.NotFound},
			{"a token without the scope", unscoped, of(hooks.OfOrganization, "acme"), errs.Denied},
			{"no such organization", f.ann, of(hooks.OfOrganization, "none"), errs.NotFound},
			{"a user as an organization", f.ann, of(hooks.OfOrganization, "ann"), errs.NotFound},
			{"oneself", f.ann, of(hooks.OfUser, "ann"), errs.Internal},
			{"another user", f.bob, of(hooks.OfUser, "ann"), errs.NotFound},
			{"an owner, of a repository", f.ann, of(hooks.OfRepository, "acme/src"), errs.Internal},
			{"an admin of the repository", f.eve, of(hooks.OfRepository, "acme/src"), errs.Internal},
			{"a member, of a repository", f.bob, of(hooks.OfRepository, "acme/src"), errs.NotFound},
			{"no such repository", f.ann, of(hooks.OfRepository, "acme/none"), errs.NotFound},
			{"an admin of the package", f.bob, of(hooks.OfPackage, "acme/app"), errs.Internal},
			{"an owner, of a package", f.ann, of(hooks.OfPackage, "acme/app"), errs.Internal},
			{"a stranger, of a package", f.eve, of(hooks.OfPackage, "acme/app"), errs.NotFound},
			{"no such package", f.eve, of(hooks.OfPackage, "acme/none"), errs.NotFound},
			{"nobody, of a package", nobody, of(hooks.OfPackage, "acme/app"), errs.Unauthenticated},
		} {
			h, err := f.Create(ctx, c.who, c.a, f.change())
			if c.want == errs.Internal {
				f.check(err)
				continue
			}
			f.refused(err, c.want, c.what)
			_, err = f.Get(ctx, c.who, c.a, h.ID)
			f.refused(err, c.want, c.what+", to read")
		}
	})
}

// A hook is found below its own target alone.
func TestHooksOfAnotherTarget(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx := t.Context()
		f.push(f.ann, at("acme/app"), "1", "one")
		mine, others := of(hooks.OfUser, "ann"), []hooks.Address{
			of(hooks.OfOrganization, "acme"), of(hooks.OfRepository, "acme/src"), of(hooks.OfRepository, "ann/src"), of(hooks.OfPackage, "acme/app"),
		}
		for _, a := range others {
			h := f.hook(f.ann, a, "*")
			log, err := f.Deliveries(ctx, f.ann, a, h.ID, hooks.DeliveryQuery{Limit: 1})
			f.check(err)
			own := f.hook(f.ann, mine, "*")
			_, err = f.Get(ctx, f.ann, mine, h.ID)
			f.refused(err, errs.NotFound, "get")
			_, err = f.Update(ctx, f.ann, mine, h.ID, hooks.Change{})
			f.refused(err, errs.NotFound, "update")
			f.refused(f.Delete(ctx, f.ann, mine, h.ID), errs.NotFound, "delete")
			f.refused(f.Ping(ctx, f.ann, mine, h.ID), errs.NotFound, "ping")
			f.refused(f.Test(ctx, f.ann, mine, h.ID), errs.NotFound, "test")
			_, err = f.Deliveries(ctx, f.ann, mine, h.ID, hooks.DeliveryQuery{})
			f.refused(err, errs.NotFound, "deliveries")
			_, _, err = f.Delivery(ctx, f.ann, mine, own.ID, log[0].ID)
			f.refused(err, errs.NotFound, "a delivery of another hook")
			f.refused(f.Redeliver(ctx, f.ann, mine, own.ID, log[0].ID), errs.NotFound, "redelivery")
		}
	})
}

func TestHookLife(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx, a := t.Context(), of(hooks.OfOrganization, "acme")
		h, err := f.Create(ctx, f.ann, a, hooks.Change{URL: ptr("https://receiver.example/hook?key=" + secret[:1]), Secret: ptr(secret)})
		f.check(err)
		f.recorded("hook.create", "ann", "acme")
		list, err := f.List(ctx, f.ann, a)
		f.check(err)
		if len(list) != 1 || list[0].ID != h.ID || list[0].ContentType != "form" || !list[0].Active || !list[0].HasSecret || !slices.Equal(list[0].Events, []string{"package"}) {
			t.Errorf("made: %+v", list)
		}
		_, err = f.Update(ctx, f.operator, a, h.ID, hooks.Change{
			URL: ptr("http://other.example/"), AddEvents: []string{"registry_package"}, RemoveEvents: []string{"package"},
			InsecureSSL: ptr(true), Active: ptr(false), ContentType: ptr("json"), Secret: ptr(hooks.Masked),
		})
		f.check(err)
		f.recorded("hook.update", audit.Operator, "acme")
		got, err := f.Get(ctx, f.ann, a, h.ID)
		f.check(err)
		if got.URL != "http://other.example/" || !slices.Equal(got.Events, []string{"registry_package"}) || !got.InsecureSSL || got.Active ||
			got.ContentType != "json" || !got.HasSecret || got.CreatedBy != f.ann.AccountID || got.UpdatedBy != 0 {
			t.Errorf("changed: %+v", got)
		}
		if got, err = f.Update(ctx, f.ann, a, h.ID, hooks.Change{Secret: ptr("")}); err != nil || got.HasSecret {
			t.Errorf("without a secret: %+v, %v", got, err)
		}
		f.work()
		f.check(f.Delete(ctx, f.ann, a, h.ID))
		f.recorded("hook.delete", "ann", "acme")
		_, err = f.Get(ctx, f.ann, a, h.ID)
		f.refused(err, errs.NotFound, "a deleted hook")
		if n := f.number(`SELECT COUNT(*) FROM deliveries`); n != 0 {
			t.Errorf("%d deliveries are left", n)
		}
		f.work()
	})
}

func TestWhatAHookMayBe(t *testing.T) {
	onBoth(t, func(f *fixture) {
		for what, c := range map[string]hooks.Change{
			"no address":               {},
			"no http":                  {URL: ptr("ftp://receiver.example/")},
			"a path":                   {URL: ptr("/hook")},
			"no host":                  {URL: ptr("http:///hook")},
			"a password":               {URL: ptr("https://user:password@receiver.example/")},
			"a fragment":               {URL: ptr("https://receiver.example/#x")},
			"too long":                 {URL: ptr("https://receiver.example/" + strings.Repeat("x", 2048))},
			"a NUL":                    {URL: ptr("https://receiver.example/\x00")},
			"a content type":           {URL: ptr(f.receiver.URL), ContentType: ptr("xml")},
			"an event of others":       {URL: ptr(f.receiver.URL), Events: []string{"push"}},
			"no event":                 {URL: ptr(f.receiver.URL), Events: []string{}},
			"a secret that is long":    {URL: ptr(f.receiver.URL), Secret: ptr(strings.Repeat("x", 1025))},
			"a secret that is no text": {URL: ptr(f.receiver.URL), Secret: ptr("a\xff")},
		} {
			_, err := f.Create(t.Context(), f.ann, of(hooks.OfUser, "ann"), c)
			f.refused(err, errs.Invalid, what)
		}
	})
}

// Twenty, however many ask at once.
func TestNoMoreThanTwentyHooks(t *testing.T) {
	onBoth(t, func(f *fixture) {
		var all sync.WaitGroup
		for range 25 {
			all.Go(func() { _, _ = f.Create(t.Context(), f.ann, of(hooks.OfUser, "ann"), f.change()) })
		}
		all.Wait()
		if n := f.number(`SELECT COUNT(*) FROM hooks`); n != hooks.MaxHooks {
			t.Errorf("%d hooks", n)
		}
		_, err := f.Create(t.Context(), f.ann, of(hooks.OfRepository, "ann/src"), f.change())
		f.check(err)
	})
}

// A secret goes in, and comes out in no answer, record or delivery.
func TestTheSecretIsToldToNobody(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx, a := t.Context(), of(hooks.OfUser, "ann")
		h := f.hook(f.ann, a, "*")
		f.push(f.ann, at("ann/app"), "1", "one")
		f.check(f.Ping(ctx, f.ann, a, h.ID))
		f.work()
		var seen []any
		list, err := f.List(ctx, f.ann, a)
		f.check(err)
		log, err := f.Deliveries(ctx, f.ann, a, h.ID, hooks.DeliveryQuery{Limit: 100})
		f.check(err)
		if len(log) != 4 {
			t.Errorf("%d deliveries", len(log))
		}
		for _, d := range log {
			_, whole, err := f.Delivery(ctx, f.ann, a, h.ID, d.ID)
			f.check(err)
			seen = append(seen, whole, string(whole.Payload))
		}
		entries, err := f.store.AuditEntries(ctx, audit.Query{Limit: 100})
		f.check(err)
		for _, m := range f.receiver.take() {
			seen = append(seen, m.header, string(m.body))
		}
		text, err := json.Marshal([]any{h, list, log, entries, seen})
		f.check(err)
		if strings.Contains(string(text), secret) || strings.Contains(fmt.Sprint(h, list, seen), secret) {
			t.Error("the secret is told")
		}
		for _, column := range []string{`jobs`, `audit`, `deliveries`} {
			if n := f.number(map[string]string{
				"jobs":       `SELECT COUNT(*) FROM jobs WHERE args LIKE '%a secret key%' OR error LIKE '%a secret key%'`,
				"audit":      `SELECT COUNT(*) FROM audit WHERE detail LIKE '%a secret key%'`,
				"deliveries": `SELECT COUNT(*) FROM deliveries WHERE payload LIKE '%a secret key%' OR request_headers LIKE '%a secret key%'`,
			}[column]); n != 0 {
				t.Errorf("the secret is in %s", column)
			}
		}
	})
}

// Old deliveries go, and what is still to be sent stays.
func TestOldDeliveriesAreForgotten(t *testing.T) {
	t.Parallel()
	f := newFixture(t, testkit.SQLite(t))
	f.hook(f.ann, of(hooks.OfUser, "ann"), "*")
	f.push(f.ann, at("ann/app"), "1", "one")
	f.expandOnly()
	n, err := f.store.ForgetDeliveries(t.Context(), f.now.Add(time.Second), 10)
	if err != nil || n != 1 { // the ping
		t.Errorf("%d forgotten, %v", n, err)
	}
	if left := f.number(`SELECT COUNT(*) FROM deliveries`); left != 2 {
		t.Errorf("%d are left", left)
	}
}
