package hooks_test

import (
	"encoding/json"
	"testing"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/hooks"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
)

// One event for each tag, and the tag that it is about in it.
func TestWhatAPushTells(t *testing.T) {
	onBoth(t, func(f *fixture) {
		f.hook(f.ann, of(hooks.OfUser, "ann"), hooks.EventPackage)
		expect := func(what, want string) {
			t.Helper()
			f.work()
			if got := told(f.receiver.take()); got != want {
				t.Errorf("%s: %q, want %q", what, got, want)
			}
		}
		app := at("ann/app")
		f.push(f.ann, app, "1 latest", "one")
		expect("a new version with two tags", "package published app 1; package published app latest")
		f.push(f.ann, app, "1", "one")
		expect("the same again", "")
		f.push(f.ann, app, "", "one")
		expect("the same by its digest", "")
		f.push(f.ann, app, "1.0", "one")
		expect("another tag", "package updated app 1.0")
		f.push(f.ann, app, "2 latest", "two")
		expect("a version that takes a tag", "package published app 2; package published app latest; package tag_moved app latest")
		f.push(f.ann, app, "latest", "one")
		expect("back again", "package updated app latest; package tag_moved app latest")
		f.push(f.ann, app, "", "three")
		expect("without a tag", "package published app")
		f.check(f.packages.SetVisibility(t.Context(), f.ann, app, access.Public))
		expect("visibility", "package visibility_changed app -")
		f.check(f.packages.SetVisibility(t.Context(), f.ann, app, access.Public))
		expect("the same visibility", "")
	})
}

// A Docker package has the visibility of its repository, and is told of with it.
func TestVisibilityOfARepository(t *testing.T) {
	onBoth(t, func(f *fixture) {
		f.hook(f.ann, of(hooks.OfRepository, "acme/src"), hooks.EventPackage)
		for _, name := range []string{"acme/src/one", "acme/src/two"} {
			f.push(f.ann, access.Package{Type: access.Docker, Name: parsed(name)}, "1", name)
		}
		f.work()
		f.receiver.take()
		for range 2 { // the second changes nothing
			f.check(f.accounts.SetRepositoryVisibility(t.Context(), audit.Operator, "acme/src", access.Public))
		}
		f.work()
		list := f.receiver.take()
		if got, want := told(list), "package visibility_changed src/one -; package visibility_changed src/two -"; got != want {
			t.Fatalf("told %q, want %q", got, want)
		}
		var p map[string]any
		f.check(json.Unmarshal(list[0].body, &p))
		if v := lookup(p, "changes.visibility").(map[string]any); v["from"] != "private" || v["to"] != "public" || lookup(p, "package.package_type") != "DOCKER" {
			t.Errorf("told %v", p)
		}
	})
}

// What was deleted and pushed again is there again for those who listen.
func TestAVersionThatComesBackWithAPush(t *testing.T) {
	onBoth(t, func(f *fixture) {
		f.hook(f.ann, of(hooks.OfUser, "ann"), hooks.EventPackage)
		f.push(f.ann, at("ann/app"), "1", "one")
		f.push(f.ann, at("ann/app"), "2", "two")
		f.exec(`UPDATE versions SET deleted_at = 1, deleted_by = 1 WHERE id = (SELECT MIN(id) FROM versions)`)
		f.work()
		f.receiver.take()
		f.push(f.ann, at("ann/app"), "2", "one")
		f.work()
		if got, want := told(f.receiver.take()), "package published app 2; package tag_moved app 2"; got != want {
			t.Errorf("told %q, want %q", got, want)
		}
		if n := f.number(`SELECT COUNT(*) FROM versions WHERE deleted_at IS NOT NULL OR deleted_by IS NOT NULL`); n != 0 {
			t.Errorf("%d versions are deleted still", n)
		}
	})
}

// Hooks of all four kinds are told, each of its own.
func TestWhoIsTold(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx := t.Context()
		f.push(f.ann, at("acme/app"), "0", "zero")
		for k, name := range map[hooks.Kind]string{
			hooks.OfOrganization: "acme", hooks.OfRepository: "acme/src", hooks.OfPackage: "acme/app", hooks.OfUser: "ann",
		} {
			f.hook(f.ann, of(k, name), hooks.EventPackage)
		}
		targets := func() map[string]int {
			f.work()
			got := map[string]int{}
			for _, m := range f.receiver.take() {
				got[m.header.Get("X-GitHub-Hook-Installation-Target-Type")]++
			}
			return got
		}
		same := func(what string, got map[string]int, want ...string) {
			t.Helper()
			if len(got) != len(want) {
				t.Errorf("%s: %v, want %v", what, got, want)
			}
			for _, k := range want {
				if got[k] != 1 {
					t.Errorf("%s: %v, want one of %s", what, got, k)
				}
			}
		}
		f.push(f.ann, at("acme/app"), "1", "one")
		same("a package that is linked to nothing", targets(), "organization", "package")
		f.check(f.packages.Link(ctx, f.ann, at("acme/app"), "acme/src", false))
		f.push(f.ann, at("acme/app"), "2", "two")
		same("a linked one", targets(), "organization", "package", "repository")
		f.push(f.ann, at("acme/other"), "1", "one")
		same("another of the same owner", targets(), "organization")
		f.push(f.ann, at("ann/mine"), "1", "one")
		same("a user's", targets(), "user")
		// Given away, it is no longer acme's to hear of, and the hook stays behind.
		f.check(f.packages.Transfer(ctx, f.ann, at("acme/app"), "ann"))
		f.push(f.ann, at("ann/app"), "3", "three")
		f.push(f.ann, at("acme/app"), "4", "four")
		f.work()
		list := f.receiver.take()
		if len(list) != 2 {
			t.Errorf("told %s", told(list))
		}
		for _, m := range list {
			if k := m.header.Get("X-GitHub-Hook-Installation-Target-Type"); k != "user" {
				t.Errorf("a hook of a %s heard of what was given away", k)
			}
		}
	})
}

// Who administers a repository may be nothing to a package that is linked to it,
// and is told nothing of it: not by a hook, not by what another's hook sent, and
// not by having that sent once more.
func TestHooksTellOfNoPackageThatOneMayNotRead(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx, src, app := t.Context(), of(hooks.OfRepository, "acme/src"), at("acme/app")
		f.push(f.ann, app, "0", "zero")
		f.check(f.packages.Link(ctx, f.ann, app, "acme/src", false)) // it keeps its own roles
		f.check(f.accounts.GrantRepository(ctx, audit.Operator, "acme/src", account.RepositoryGrant{User: "bob", Role: access.RepositoryAdmin}))
		bobs := f.hook(f.bob, src, hooks.EventPackage)
		f.push(f.ann, app, "1", "one")
		f.work()
		f.check(f.Test(ctx, f.bob, src, bobs.ID))
		f.work()
		if list := f.receiver.take(); len(list) != 0 {
			t.Errorf("told %s", told(list))
		}
		anns := f.hook(f.ann, src, hooks.EventPackage)
		f.push(f.ann, app, "2", "two")
		f.work()
		if list := f.receiver.take(); len(list) != 1 {
			t.Errorf("ann is told %s", told(list))
		}
		list, err := f.Deliveries(ctx, f.bob, src, anns.ID, hooks.DeliveryQuery{Limit: 1})
		f.check(err)
		if _, d, err := f.Delivery(ctx, f.ann, src, anns.ID, list[0].ID); err != nil || len(d.Payload) == 0 {
			t.Errorf("ann reads %s, %v", d.Payload, err)
		}
		if _, d, err := f.Delivery(ctx, f.bob, src, anns.ID, list[0].ID); err != nil || len(d.Payload) != 0 {
			t.Errorf("bob reads %d bytes, %v", len(d.Payload), err)
		}
		_, err = f.Update(ctx, f.bob, src, anns.ID, hooks.Change{Active: ptr(true)}) // it is bob's from now on
		f.check(err)
		f.check(f.Redeliver(ctx, f.bob, src, anns.ID, list[0].ID))
		f.work()
		if list := f.receiver.take(); len(list) != 0 {
			t.Errorf("told once more %s", told(list))
		}
		f.check(f.packages.SetInherits(ctx, f.ann, app, true)) // now it is bob's to read
		f.push(f.ann, app, "3", "three")
		f.work()
		if list := f.receiver.take(); len(list) != 2 {
			t.Errorf("of what he may read bob is told %s", told(list))
		}
	})
}

// Hooks do not go along to another owner, and do not come back to life with it.
func TestHooksEndWithTheOwnership(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx := t.Context()
		f.push(f.ann, at("acme/app"), "1", "one")
		image := access.Package{Type: access.Docker, Name: parsed("acme/src/image")}
		f.push(f.ann, image, "1", "one")
		of4 := []hooks.Address{
			of(hooks.OfPackage, "acme/app"), of(hooks.OfRepository, "acme/src"), {Kind: hooks.OfPackage, Name: image.Name, Type: access.Docker},
			of(hooks.OfOrganization, "acme"),
		}
		for _, a := range of4 {
			f.hook(f.ann, a, "*")
		}
		count := func(what string, want int64) {
			t.Helper()
			if n := f.number(`SELECT COUNT(*) FROM hooks`); n != want {
				t.Errorf("%s: %d hooks, want %d", what, n, want)
			}
		}
		f.check(f.packages.Transfer(ctx, f.ann, at("acme/app"), "ann"))
		count("a package that is given away", 3)
		_, err := f.accounts.RenameRepository(ctx, audit.Operator, "acme/src", "source")
		f.check(err)
		count("a repository with another name", 3)
		_, err = f.accounts.TransferRepository(ctx, audit.Operator, "acme/source", "ann")
		f.check(err)
		count("a repository that is given away", 1)
		f.check(f.accounts.Delete(ctx, audit.Operator, "acme", account.Organization))
		count("an organization that is deleted", 0)
		if n := f.number(`SELECT COUNT(*) FROM deliveries`); n != 0 {
			t.Errorf("%d deliveries are left", n)
		}
		f.work()
	})
}

// Without a hook nothing is left behind by a push.
func TestWithoutAHookNothingIsWritten(t *testing.T) {
	onBoth(t, func(f *fixture) {
		f.hook(f.bob, of(hooks.OfUser, "bob"), "*") // another's
		h := f.hook(f.ann, of(hooks.OfUser, "ann"), "*")
		_, err := f.Update(t.Context(), f.ann, of(hooks.OfUser, "ann"), h.ID, hooks.Change{Active: ptr(false)})
		f.check(err)
		f.push(f.ann, at("ann/app"), "1 2 3", "one")
		if n := f.jobs(hooks.JobEvent); n != 0 {
			t.Errorf("%d events wait", n)
		}
		f.hook(f.ann, of(hooks.OfUser, "ann"), "*")
		f.push(f.ann, at("ann/app"), "1", "two")
		f.expandOnly()
		if n := f.number(`SELECT COUNT(*) FROM deliveries WHERE hook_id = ? AND event <> 'ping'`, h.ID); n != 0 {
			t.Errorf("%d deliveries to a hook that is not active", n)
		}
	})
}

// Both names of the event, for those who ask for both.
func TestBothNames(t *testing.T) {
	onBoth(t, func(f *fixture) {
		f.hook(f.ann, of(hooks.OfUser, "ann"), "*")
		f.push(f.ann, at("ann/app"), "1", "one")
		f.work()
		list := f.receiver.take()
		if len(list) != 2 || list[0].header.Get("X-GitHub-Event") != "package" || list[1].header.Get("X-GitHub-Event") != "registry_package" {
			t.Fatalf("told %s", told(list))
		}
		if list[0].header.Get("X-GitHub-Delivery") == list[1].header.Get("X-GitHub-Delivery") {
			t.Error("two deliveries have one GUID")
		}
	})
}

// Deletion, restoration and tags by hand tell of themselves, each conforming.
func TestWhatDeletionsAndRestorationsTell(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx, schemas := t.Context(), description(t)
		f.hook(f.ann, of(hooks.OfUser, "ann"), hooks.EventPackage)
		app := at("ann/app")
		one := f.push(f.ann, app, "1 latest", "one")
		f.push(f.ann, app, "2", "two")
		id := f.number(`SELECT id FROM versions WHERE digest = ?`, one.String())
		f.work()
		f.receiver.take()
		tag, err := oci.ParseTag("stable")
		f.check(err)
		for _, step := range []struct {
			what    string
			do      func() error
			want    string
			changes string
		}{
			{"set a tag", func() error { return f.packages.SetTag(ctx, f.ann, app, tag, oci.Reference{Digest: one}) }, "package updated app stable", ""},
			{"delete a tag", func() error { return f.packages.DeleteTag(ctx, f.ann, app, tag) }, "package tag_moved app -",
				`{"tag":{"from":"` + one.String() + `","name":"stable","to":null}}`},
			{"delete a version", func() error { return f.packages.DeleteVersion(ctx, f.ann, app, id, packages.DeleteVersion{}) }, "package deleted app",
				`{"deleted":{"from":false,"to":true},"tags":["1","latest"]}`},
			{"restore it", func() error { return f.packages.RestoreVersion(ctx, f.ann, app, id) }, "package restored app",
				`{"deleted":{"from":true,"to":false},"tags":["1","latest"]}`},
			{"delete the package", func() error { return f.packages.DeletePackage(ctx, f.ann, app) }, "package deleted app -", `{"deleted":{"from":false,"to":true}}`},
			{"restore it", func() error { return f.packages.RestorePackage(ctx, f.ann, app) }, "package restored app -", `{"deleted":{"from":true,"to":false}}`},
		} {
			f.now = f.now.Add(time.Minute)
			f.check(step.do())
			f.work()
			list := f.receiver.take()
			if got := told(list); got != step.want {
				t.Errorf("%s: %q, want %q", step.what, got, step.want)
				continue
			}
			var p struct{ Changes json.RawMessage }
			f.check(json.Unmarshal(list[0].body, &p))
			if string(p.Changes) != step.changes {
				t.Errorf("%s: changes %s, want %s", step.what, p.Changes, step.changes)
			}
			if step.want != "package updated app stable" { // which GitHub has for linked packages alone
				conforms(t, schemas, list[0])
			}
		}
	})
}

// A change that fails after its event was written tells nobody.
func TestWhatIsRolledBackTellsNobody(t *testing.T) {
	onBoth(t, func(f *fixture) {
		f.hook(f.ann, of(hooks.OfUser, "ann"), "*")
		f.push(f.ann, at("ann/app"), "1", "one")
		f.work()
		f.receiver.take()
		id := f.number(`SELECT id FROM packages`)
		if err := f.store.SetPackageVisibility(t.Context(), id, access.Public, true, audit.Entry{}); err == nil {
			t.Fatal("a change without its entry in the record")
		}
		if n := f.jobs(hooks.JobEvent); n != 0 {
			t.Errorf("%d events wait", n)
		}
	})
}
