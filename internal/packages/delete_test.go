package packages_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/hooks"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
)

const (
	lastVersion = "You cannot delete the last version of a package. You must delete the package instead."
	lastTagged  = "You cannot delete the last tagged version of a package. You must delete the package instead."
)

func TestDeleteAndRestoreAVersion(t *testing.T) {
	onBoth(t, func(f *fixture) {
		app := at("ann/app")
		one := f.image(f.ann, app, "one", "1")
		f.check(f.SetTag(f.t.Context(), f.ann, app, f.tagNamed("also"), f.ref("one")))
		f.image(f.ann, app, "two", "2")
		f.check(f.remove(f.ann, app, one, packages.DeleteVersion{}))
		f.recorded("ann version.delete ann/app@" + one.String())
		f.holds(app, "two")
		f.refused(f.pull(f.ann, app, "one"), errs.NotFound, "pull of a deleted version")
		f.refused(f.pull(f.ann, app, one.String()), errs.NotFound, "pull of its digest")
		if v := f.version(app, one); !v.DeletedAt.Equal(f.now) || len(v.Tags) != 0 {
			t := v.DeletedAt
			f.t.Errorf("deleted at %s with the tags %q", t, v.Tags)
		}
		f.refused(f.remove(f.ann, app, one, packages.DeleteVersion{}), errs.NotFound, "deleting it again")
		f.check(f.SetTag(f.t.Context(), f.ann, app, f.tagNamed("also"), f.ref("two")))
		f.check(f.restore(f.ann, app, one))
		f.recorded("ann version.restore ann/app@" + one.String())
		f.holds(app, "one", "also,two") // a tag that leads elsewhere by now stays there
		f.check(f.pull(f.ann, app, "one"))
		f.refused(f.restore(f.ann, app, one), errs.Conflict, "restoring what is there")
	})
}

func TestOnlyTheTagsOfTheMomentComeBack(t *testing.T) {
	onBoth(t, func(f *fixture) {
		app, ctx := at("ann/app"), f.t.Context()
		one := f.image(f.ann, app, "one", "1")
		f.image(f.ann, app, "two", "2")
		f.check(f.SetTag(ctx, f.ann, app, f.tagNamed("gone"), f.ref("one")))
		f.later()
		f.check(f.DeleteTag(ctx, f.ann, app, f.tagNamed("gone")))
		f.recorded("ann tag.delete ann/app")
		f.check(f.remove(f.ann, app, one, packages.DeleteVersion{}))
		f.check(f.restore(f.ann, app, one))
		f.holds(app, "one", "two")
		f.check(f.remove(f.ann, app, one, packages.DeleteVersion{}))
		f.check(f.restore(f.ann, app, one))
		f.holds(app, "one", "two")
	})
}

func TestTheLastVersion(t *testing.T) {
	onBoth(t, func(f *fixture) {
		app, ctx := at("ann/app"), f.t.Context()
		one := f.image(f.ann, app, "one", "1")
		f.says(f.remove(f.ann, app, one, packages.DeleteVersion{}), errs.Invalid, lastVersion)
		f.says(f.remove(f.ann, app, one, packages.DeleteVersion{Force: true}), errs.Invalid, lastVersion)
		untagged := f.image(f.ann, app, "", "2")
		f.says(f.remove(f.ann, app, one, packages.DeleteVersion{}), errs.Invalid, lastTagged)
		f.holds(app, "one", untagged.String())
		f.check(f.remove(f.ann, app, untagged, packages.DeleteVersion{}))
		f.check(f.restore(f.ann, app, untagged))

		f.check(f.remove(f.ann, app, one, packages.DeleteVersion{WithPackage: true}))
		f.recorded("ann package.delete ann/app")
		_, err := f.Package(ctx, f.ann, app)
		f.refused(err, errs.NotFound, "the package went with it")
		f.check(f.RestorePackage(ctx, f.ann, app))
		f.holds(app, "one", untagged.String()) // nothing of it was deleted by itself

		f.check(f.DeleteTag(ctx, f.ann, app, f.tagNamed("one")))
		f.check(f.remove(f.ann, app, one, packages.DeleteVersion{})) // no tag went with it
		f.says(f.remove(f.ann, app, untagged, packages.DeleteVersion{}), errs.Invalid, lastVersion)
		// The registry has no such rule.
		f.check(f.registry.DeleteManifest(ctx, f.ann, app, oci.Reference{Digest: untagged}))
		f.holds(app)
	})
}

func TestWhatAnIndexHoldsStays(t *testing.T) {
	onBoth(t, func(f *fixture) {
		app, ctx := at("ann/app"), f.t.Context()
		amd, arm := f.image(f.ann, app, "", "amd"), f.image(f.ann, app, "", "arm")
		inner := f.index(f.ann, app, "", amd)
		outer := f.index(f.ann, app, "multi", inner, arm)
		f.image(f.ann, app, "other", "other")

		err := f.remove(f.ann, app, arm, packages.DeleteVersion{})
		f.says(err, errs.Conflict, "multi")
		var e *errs.Error
		errors.As(err, &e)
		needs, _ := e.Detail.([]packages.Need)
		if len(needs) != 1 || needs[0].Digest != outer.String() || needs[0].As != packages.NeedsChild || !slices.Equal(needs[0].Tags, []string{"multi"}) ||
			needs[0].ID != f.version(app, outer).ID {
			f.t.Errorf("needed by %+v", needs)
		}
		f.says(f.remove(f.ann, app, inner, packages.DeleteVersion{}), errs.Conflict, "multi")
		f.says(f.remove(f.ann, app, amd, packages.DeleteVersion{}), errs.Conflict, inner.String())
		f.says(f.registry.DeleteManifest(ctx, f.ann, app, oci.Reference{Digest: arm}), errs.Conflict, "multi")
		f.check(f.pull(f.ann, app, "multi"))

		f.check(f.remove(f.ann, app, amd, packages.DeleteVersion{Force: true}))
		f.holds(app, arm.String(), "other")
		f.check(f.restore(f.ann, app, outer)) // with what is within
		f.holds(app, amd.String(), arm.String(), inner.String(), "multi", "other")
		f.check(f.remove(f.ann, app, outer, packages.DeleteVersion{}))
		f.check(f.remove(f.ann, app, arm, packages.DeleteVersion{}))
		f.holds(app, amd.String(), inner.String(), "other")
	})
}

func TestWhatRefersToAPresentVersionStays(t *testing.T) {
	onBoth(t, func(f *fixture) {
		app, ctx := at("ann/app"), f.t.Context()
		one := f.image(f.ann, app, "one", "1")
		f.image(f.ann, app, "two", "2")
		sig, second := f.signature(f.ann, app, "", one, "s1"), f.signature(f.ann, app, "", one, "s2")
		err := f.remove(f.ann, app, sig, packages.DeleteVersion{})
		f.says(err, errs.Conflict, "it belongs to one")
		f.check(f.remove(f.ann, app, sig, packages.DeleteVersion{Force: true}))
		f.holds(app, "one", "two", second.String())
		f.check(f.restore(f.ann, app, sig))
		f.check(f.remove(f.ann, app, one, packages.DeleteVersion{}))
		f.check(f.remove(f.ann, app, sig, packages.DeleteVersion{}))
		f.holds(app, "two", second.String())
		f.check(f.restore(f.ann, app, sig)) // its subject comes back with it
		f.holds(app, "one", "two", sig.String(), second.String())
		f.check(f.registry.DeleteManifest(ctx, f.ann, app, oci.Reference{Digest: sig})) // as clients do
		f.holds(app, "one", "two", second.String())
	})
}

// An attestation within an index speaks of an image that is in there too: the
// index is not whole without it. A mere list of referrers may name what is gone.
func TestAReferrerWithinAnIndexStays(t *testing.T) {
	onBoth(t, func(f *fixture) {
		app, ctx := at("ann/app"), f.t.Context()
		f.image(f.ann, app, "other", "other")
		amd := f.image(f.ann, app, "", "amd")
		att := f.signature(f.ann, app, "", amd, "attestation")
		f.index(f.ann, app, "multi", amd, att)
		f.index(f.ann, app, oci.FallbackTag(amd).String(), att)
		f.says(f.registry.DeleteManifest(ctx, f.ann, app, oci.Reference{Digest: att}), errs.Conflict, "multi")
		f.says(f.remove(f.ann, app, att, packages.DeleteVersion{}), errs.Conflict, "multi")
		f.check(f.remove(f.ann, app, att, packages.DeleteVersion{Force: true}))
		f.holds(app, "other", amd.String(), oci.FallbackTag(amd).String())
	})
}

func TestTheGuardOfDownloads(t *testing.T) {
	onBoth(t, func(f *fixture) {
		app, ctx := at("ann/app"), f.t.Context()
		one := f.image(f.ann, app, "one", "1")
		f.image(f.ann, app, "two", "2")
		f.exec(`UPDATE versions SET downloads = 5001`)
		f.check(f.remove(f.ann, app, one, packages.DeleteVersion{})) // private
		f.check(f.restore(f.ann, app, one))
		f.check(f.SetVisibility(ctx, f.ann, app, access.Public))
		f.says(f.remove(f.ann, app, one, packages.DeleteVersion{}), errs.Invalid, "Publicly visible package versions with more than 5000 downloads cannot be deleted.")
		f.says(f.remove(f.ann, app, one, packages.DeleteVersion{Force: true}), errs.Invalid, "--force")
		f.says(f.remove(f.operator, app, one, packages.DeleteVersion{}), errs.Invalid, "5000 downloads")
		f.says(f.DeletePackage(ctx, f.ann, app), errs.Invalid, "Publicly visible packages with a version with more than 5000 downloads cannot be deleted.")
		f.check(f.remove(f.operator, app, one, packages.DeleteVersion{Force: true}))
		f.check(f.restore(f.ann, app, one))
		for _, limit := range []string{"5001", "0"} {
			f.exec(`DELETE FROM settings WHERE name = 'packages.download_guard'`)
			f.exec(`INSERT INTO settings (name, value) VALUES ('packages.download_guard', '` + limit + `')`)
			f.check(f.remove(f.ann, app, one, packages.DeleteVersion{}))
			f.check(f.restore(f.ann, app, one))
		}
		f.exec(`UPDATE settings SET value = '5000' WHERE name = 'packages.download_guard'`)
		f.check(f.DeletePackage(ctx, f.operator, app))
		f.check(f.RestorePackage(ctx, f.ann, app))
	})
}

func TestWhoMayDeleteAndRestore(t *testing.T) {
	onBoth(t, func(f *fixture) {
		app, ctx := at("acme/app"), f.t.Context()
		one, two := f.image(f.ann, app, "one", "1"), f.image(f.ann, app, "two", "2")
		id := f.version(app, one).ID
		scoped := func(who access.Principal, s access.Scopes) access.Principal {
			who.Scopes = s
			return who
		}
		reader := scoped(f.ann, access.ReadPackages)
		f.refused(f.DeleteVersion(ctx, f.eve, app, id, packages.DeleteVersion{}), errs.NotFound, "a stranger")
		f.refused(f.DeleteVersion(ctx, f.nobody, app, id, packages.DeleteVersion{}), errs.Unauthenticated, "nobody")
		f.refused(f.DeleteVersion(ctx, reader, app, id, packages.DeleteVersion{}), errs.Denied, "without the scope")
		f.check(f.Grant(ctx, f.ann, app, role(user("bob"), access.RoleWrite)))
		f.refused(f.DeleteVersion(ctx, f.bob, app, id, packages.DeleteVersion{}), errs.Denied, "a writer")
		f.refused(f.DeleteTag(ctx, f.bob, app, f.tagNamed("one")), errs.Denied, "a tag, by a writer")
		f.refused(f.DeletePackage(ctx, f.bob, app), errs.Denied, "the package, by a writer")
		f.check(f.SetTag(ctx, f.bob, app, f.tagNamed("bobs"), f.ref("two")))
		f.refused(f.SetTag(ctx, reader, app, f.tagNamed("bobs"), f.ref("one")), errs.Denied, "a tag, by a reader")
		f.refused(f.SetTag(ctx, f.eve, app, f.tagNamed("eves"), f.ref("one")), errs.NotFound, "a tag, by a stranger")

		f.check(f.remove(f.ann, app, one, packages.DeleteVersion{}))
		f.refused(f.RestoreVersion(ctx, f.bob, app, id), errs.Denied, "a restore by a writer")
		f.refused(f.RestoreVersion(ctx, f.eve, app, id), errs.NotFound, "a restore by a stranger")
		f.refused(f.RestoreVersion(ctx, scoped(f.ann, access.ReadPackages|access.DeletePackages), app, id), errs.Denied, "a restore without write")
		_, err := f.Version(ctx, f.bob, app, id)
		f.refused(err, errs.NotFound, "a deleted version, to a writer")
		_, err = f.Versions(ctx, f.bob, app, packages.VersionQuery{Deleted: true})
		f.refused(err, errs.Denied, "the deleted versions, to a writer")
		f.check(f.RestoreVersion(ctx, scoped(f.ann, access.WritePackages), app, id))

		other := at("acme/other")
		f.image(f.ann, other, "x", "3")
		_, err = f.Version(ctx, f.ann, other, f.version(app, two).ID)
		f.refused(err, errs.NotFound, "another package's version")
		f.refused(f.DeleteVersion(ctx, f.ann, other, f.version(app, two).ID, packages.DeleteVersion{}), errs.NotFound, "to delete it")
		f.refused(f.RestoreVersion(ctx, f.ann, other, f.version(app, two).ID), errs.NotFound, "to restore it")
	})
}

func TestDeleteAndRestoreAPackage(t *testing.T) {
	onBoth(t, func(f *fixture) {
		app, ctx := at("acme/app"), f.t.Context()
		f.image(f.ann, app, "one", "1")
		f.check(f.Grant(ctx, f.ann, app, role(user("bob"), access.RoleAdmin)))
		f.check(f.Rename(ctx, f.ann, app, "new"))
		renamed := at("acme/new")
		f.later()
		f.check(f.DeletePackage(ctx, f.bob, app))
		f.recorded("bob package.delete acme/new")
		for _, p := range []access.Package{app, renamed} {
			f.refused(f.pull(f.ann, p, "one"), errs.NotFound, "a pull of a deleted package")
		}
		f.refused(f.RestorePackage(ctx, f.eve, renamed), errs.NotFound, "a restore by a stranger")
		f.refused(f.RestorePackage(ctx, f.nobody, renamed), errs.Unauthenticated, "a restore by nobody")
		f.refused(f.RestorePackage(ctx, f.ann, at("acme/never")), errs.NotFound, "a restore of nothing")
		f.refused(f.RestorePackage(ctx, f.ann, app), errs.NotFound, "a restore under an older name")
		reader := f.bob
		reader.Scopes = access.ReadPackages
		f.refused(f.RestorePackage(ctx, reader, renamed), errs.Denied, "a restore without the scope")
		f.check(f.RestorePackage(ctx, f.bob, renamed))
		f.recorded("bob package.restore acme/new")
		f.check(f.pull(f.ann, app, "one")) // by the old name, too
		f.may(f.bob, renamed, access.RoleAdmin)
		f.refused(f.RestorePackage(ctx, f.bob, renamed), errs.NotFound, "a restore of what is there")
	})
}

func TestANameInUseAgain(t *testing.T) {
	onBoth(t, func(f *fixture) {
		app, ctx := at("ann/app"), f.t.Context()
		f.image(f.ann, app, "first", "1")
		f.check(f.DeletePackage(ctx, f.ann, app))
		f.image(f.ann, app, "second", "2") // at once
		f.says(f.RestorePackage(ctx, f.ann, app), errs.Conflict, "delete or move the new package first")
		f.holds(app, "second")
		f.later()
		f.check(f.DeletePackage(ctx, f.ann, app))
		f.check(f.RestorePackage(ctx, f.ann, app)) // the newest of that name
		f.holds(app, "second")
		f.later()
		f.check(f.Rename(ctx, f.ann, app, "moved")) // and the name still leads to it
		f.says(f.RestorePackage(ctx, f.ann, app), errs.Conflict, "in use")
		f.later()
		f.check(f.DeletePackage(ctx, f.ann, at("ann/moved")))
		f.says(f.RestorePackage(ctx, f.ann, app), errs.Conflict, "in use") // for good, as for a push
	})
}

func TestTheWindowForRestoring(t *testing.T) {
	onBoth(t, func(f *fixture) {
		app, other, ctx := at("ann/app"), at("ann/other"), f.t.Context()
		one := f.image(f.ann, app, "one", "1")
		f.image(f.ann, app, "two", "2")
		f.image(f.ann, other, "x", "3")
		index := f.index(f.ann, app, "", one)
		f.check(f.remove(f.ann, app, index, packages.DeleteVersion{}))
		f.check(f.remove(f.ann, app, one, packages.DeleteVersion{}))
		id := f.version(app, one).ID
		f.check(f.restore(f.ann, app, index))
		f.check(f.remove(f.ann, app, one, packages.DeleteVersion{Force: true}))
		f.check(f.DeletePackage(ctx, f.ann, other))
		deleted := f.now
		f.exec(`UPDATE versions SET deleted_at = deleted_at + 1 WHERE digest = '` + index.String() + `'`)
		f.now = deleted.Add(window)
		f.says(f.RestoreVersion(ctx, f.ann, app, f.version(app, index).ID), errs.Conflict, one.String())
		f.now = deleted.Add(window + time.Minute)
		f.refused(f.RestoreVersion(ctx, f.ann, app, id), errs.NotFound, "a restore too late")
		f.refused(f.RestorePackage(ctx, f.ann, other), errs.NotFound, "a restore too late")
		page, err := f.Versions(ctx, f.ann, app, packages.VersionQuery{Deleted: true})
		if err != nil || len(page.Versions) != 0 || page.Total != 0 {
			f.t.Errorf("deleted versions after the window: %+v, %v", page, err)
		}
		list, total, err := f.ListPackages(ctx, f.ann, packages.ListQuery{Deleted: true})
		if err != nil || len(list) != 0 || total != 0 {
			f.t.Errorf("deleted packages after the window: %+v, %v", list, err)
		}
	})
}

func TestWhatIsGoneForGoodIsNamed(t *testing.T) {
	onBoth(t, func(f *fixture) {
		app, ctx := at("ann/app"), f.t.Context()
		one := f.image(f.ann, app, "one", "layer one")
		f.image(f.ann, app, "two", "2")
		layer := oci.SHA256.FromBytes([]byte("layer one"))
		f.check(f.remove(f.ann, app, one, packages.DeleteVersion{}))
		f.check(f.registry.DeleteBlob(ctx, f.ann, app, layer))
		f.exec(`DELETE FROM blob_contents WHERE digest = '` + layer.String() + `'`) // it was lost
		f.exec(`DELETE FROM blobs WHERE digest = '` + layer.String() + `'`)
		f.says(f.restore(f.ann, app, one), errs.Conflict, layer.String())
		f.holds(app, "two")
		f.blob(f.ann, app, "x", "layer one")
		f.check(f.restore(f.ann, app, one))
		f.holds(app, "one", "two")

		child := f.image(f.ann, app, "", "child")
		index := f.index(f.ann, app, "multi", child)
		f.check(f.remove(f.ann, app, index, packages.DeleteVersion{}))
		f.check(f.remove(f.ann, app, child, packages.DeleteVersion{}))
		f.exec(`DELETE FROM versions WHERE digest = '` + child.String() + `'`) // as the purge does
		f.says(f.restore(f.ann, app, index), errs.Conflict, child.String())
	})
}

func TestUploadsEndWithTheirPackage(t *testing.T) {
	onBoth(t, func(f *fixture) {
		app, ctx := at("ann/app"), f.t.Context()
		f.image(f.ann, app, "one", "1")
		up, err := f.registry.StartUpload(ctx, f.ann, app, oci.SHA256)
		f.check(err)
		f.check(f.DeletePackage(ctx, f.ann, app))
		_, err = f.registry.UploadStatus(ctx, f.ann, app, up.ID)
		f.refused(err, errs.NotFound, "an upload into a deleted package")
		f.image(f.ann, app, "one", "2")
		_, err = f.registry.UploadStatus(ctx, f.ann, app, up.ID)
		f.refused(err, errs.NotFound, "an upload into one that was deleted and made anew")
	})
}

// Every deletion and restore is an event, in its transaction.
func TestEventsOfDeletions(t *testing.T) {
	onBoth(t, func(f *fixture) {
		app, ctx := at("ann/app"), f.t.Context()
		one := f.image(f.ann, app, "one", "1")
		f.image(f.ann, app, "two", "2")
		f.exec(`INSERT INTO hooks (owner_id, url, content_type, secret, insecure_ssl, events, active, created_at, updated_at, created_by, updated_by)
			SELECT id, 'http://x', 'json', '', 0, '["package"]', 1, 1, 1, 1, 1 FROM accounts WHERE login = 'ann'`)
		f.check(f.remove(f.ann, app, one, packages.DeleteVersion{}))
		f.check(f.restore(f.ann, app, one))
		f.check(f.SetTag(ctx, f.ann, app, f.tagNamed("one"), f.ref("two")))
		f.later()
		f.check(f.DeleteTag(ctx, f.ann, app, f.tagNamed("one")))
		f.check(f.DeletePackage(ctx, f.ann, app))
		f.check(f.RestorePackage(ctx, f.ann, app))
		want := []hooks.Action{hooks.Deleted, hooks.Restored, hooks.Updated, hooks.TagMoved, hooks.TagMoved, hooks.Deleted, hooks.Restored}
		if got := f.events(); !slices.Equal(got, want) {
			f.t.Errorf("events %q, want %q", got, want)
		}
	})
}
