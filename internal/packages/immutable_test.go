package packages_test

import (
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
	"packhouse/internal/registry"
)

func (f *fixture) patterns(texts ...string) []oci.TagPattern {
	f.t.Helper()
	list, err := packages.ParseTagPatterns(texts)
	f.check(err)
	return list
}

// Whatever would move the tag or take its version away is refused.
func TestAnImmutableTagStays(t *testing.T) {
	onBoth(t, func(f *fixture) {
		app, ctx := at("acme/app"), f.t.Context()
		first := f.image(f.ann, app, "v1", "1")
		f.later()
		one := f.image(f.ann, app, "v1", "2") // which still may move
		f.image(f.ann, app, "latest", "3")
		child := f.image(f.ann, app, "", "4")
		for _, rule := range []struct {
			set  func(texts ...string)
			text string
		}{
			{func(texts ...string) { f.check(f.SetImmutableTags(ctx, f.ann, app, f.patterns(texts...))) }, "the pattern v* of the package"},
			{func(texts ...string) { f.check(f.SetOwnerImmutableTags(ctx, f.ann, "acme", f.patterns(texts...))) }, "the pattern v* of acme"},
		} {
			rule.set("x", "v*")
			for what, do := range map[string]func() error{
				"push":               func() error { _, err := f.tryPush(f.ann, app, "v1", "other"); return err },
				"set":                func() error { return f.SetTag(ctx, f.ann, app, f.tagNamed("v1"), f.ref("latest")) },
				"restore":            func() error { return f.RestoreTag(ctx, f.ann, app, f.tagNamed("v1"), first) },
				"delete":             func() error { return f.DeleteTag(ctx, f.ann, app, f.tagNamed("v1")) },
				"delete at /v2/":     func() error { return f.registry.DeleteManifest(ctx, f.ann, app, f.ref("v1")) },
				"delete the digest":  func() error { return f.registry.DeleteManifest(ctx, f.ann, app, f.ref(one.String())) },
				"delete the version": func() error { return f.remove(f.ann, app, one, packages.DeleteVersion{}) },
				"delete by force":    func() error { return f.remove(f.operator, app, one, packages.DeleteVersion{Force: true}) },
				"delete the package": func() error { return f.DeletePackage(ctx, f.ann, app) },
			} {
				f.says(do(), errs.Conflict, "the tag v1 is immutable by "+rule.text+
					": it cannot be moved or deleted, nor its version, unless an admin changes that rule")
				if t.Failed() {
					t.Log(what)
				}
			}
			f.check(f.pull(f.ann, app, "v1"))
			f.holds(app, "v1", "latest", child.String(), first.String())

			_, err := f.registry.PushManifest(ctx, f.ann, app, registry.Push{Reference: f.ref("v1"), Content: f.content(app, one)})
			f.check(err) // the same again
			f.check(f.SetTag(ctx, f.ann, app, f.tagNamed("v1"), f.ref(one.String())))
			f.check(f.SetTag(ctx, f.ann, app, f.tagNamed("latest"), f.ref("v1"))) // others move
			f.image(f.ann, app, "latest", "3")
			rule.set()
		}
		f.check(f.SetTag(ctx, f.ann, app, f.tagNamed("v1"), f.ref("latest")))
		f.check(f.remove(f.ann, app, one, packages.DeleteVersion{}))
	})
}

// content is the manifest of a version.
func (f *fixture) content(p access.Package, d oci.Digest) []byte {
	f.t.Helper()
	v, err := f.registry.StatManifest(f.t.Context(), f.ann, p, oci.Reference{Digest: d})
	f.check(err)
	content, err := f.registry.ManifestContent(f.t.Context(), v)
	f.check(err)
	return content
}

// A tag that a rule names and that is not set yet can be set once.
func TestAnImmutableTagIsSetOnce(t *testing.T) {
	onBoth(t, func(f *fixture) {
		app := at("ann/app")
		f.image(f.ann, app, "latest", "1")
		f.check(f.SetOwnerImmutableTags(f.t.Context(), f.ann, "ann", f.patterns("v*")))
		f.image(f.ann, app, "v1", "2")
		_, err := f.tryPush(f.ann, app, "v1", "3")
		f.refused(err, errs.Conflict, "a second push")
		fresh := at("ann/new")
		f.image(f.ann, fresh, "v1", "2")
		_, err = f.tryPush(f.ann, fresh, "v1", "3")
		f.refused(err, errs.Conflict, "a second push to a new package")
	})
}

func TestWhoMayMakeTagsImmutable(t *testing.T) {
	onBoth(t, func(f *fixture) {
		app, ctx := at("acme/app"), f.t.Context()
		f.image(f.ann, app, "v1", "1")
		f.check(f.Grant(ctx, f.ann, app, role(user("bob"), access.RoleWrite)))
		list := f.patterns("v*")
		f.refused(f.SetImmutableTags(ctx, f.bob, app, list), errs.Denied, "one who may push")
		f.refused(f.SetImmutableTags(ctx, f.eve, app, list), errs.NotFound, "a stranger")
		f.refused(f.SetOwnerImmutableTags(ctx, f.bob, "acme", list), errs.Denied, "a member")
		_, err := f.OwnerImmutableTags(ctx, f.bob, "acme")
		f.refused(err, errs.Denied, "a member who looks")
		f.check(f.SetImmutableTags(ctx, f.ann, app, list))
		f.recorded("ann package.immutable-tags acme/app")
		f.check(f.SetOwnerImmutableTags(ctx, f.ann, "acme", f.patterns("release-*")))
		f.recorded("ann account.immutable-tags acme")
		own, owners, err := f.ImmutableTags(ctx, f.bob, app)
		f.check(err)
		if len(own) != 1 || own[0].String() != "v*" || len(owners) != 1 || owners[0].String() != "release-*" {
			f.t.Errorf("the patterns are %v and %v", own, owners)
		}
		_, _, err = f.ImmutableTags(ctx, f.eve, app)
		f.refused(err, errs.NotFound, "a stranger who looks")
	})
}
