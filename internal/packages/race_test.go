package packages_test

import (
	"fmt"
	"sync"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
	"packhouse/internal/registry"
)

// rounds is how often two things are done at one moment.
const rounds = 12

// atOnce runs them beside each other and returns what stopped them.
func atOnce(do ...func() error) []error {
	failed := make([]error, len(do))
	var all sync.WaitGroup
	for i, one := range do {
		all.Go(func() { failed[i] = one() })
	}
	all.Wait()
	return failed
}

func TestTheLastTwoVersionsAreDeletedAtOnce(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx := f.t.Context()
		for i := range rounds {
			app := at(fmt.Sprintf("ann/app%d", i))
			one, two := f.version(app, f.image(f.ann, app, "one", "1")).ID, f.version(app, f.image(f.ann, app, "two", "2")).ID
			f.image(f.ann, app, "", "3")
			failed := atOnce(
				func() error { return f.DeleteVersion(ctx, f.ann, app, one, packages.DeleteVersion{}) },
				func() error { return f.DeleteVersion(ctx, f.ann, app, two, packages.DeleteVersion{}) },
			)
			if (failed[0] == nil) == (failed[1] == nil) {
				f.t.Errorf("two deletions of the last two tagged versions: %v and %v", failed[0], failed[1])
			}
			for _, err := range failed {
				if err != nil {
					f.says(err, errs.Invalid, lastTagged)
				}
			}
		}
	})
}

func TestAChildIsDeletedWhileItsIndexIsPushed(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx, app := f.t.Context(), at("ann/app")
		f.image(f.ann, app, "other", "other")
		for i := range rounds {
			child := f.image(f.ann, app, "", fmt.Sprint("child", i))
			id := f.version(app, child).ID
			index := []byte(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[` + f.descriptor(app, child) + `]}`)
			d := oci.SHA256.FromBytes(index)
			push := func() error {
				_, err := f.registry.PushManifest(ctx, f.ann, app, registry.Push{Reference: oci.Reference{Digest: d}, Content: index})
				return err
			}
			remove := func() error { return f.DeleteVersion(ctx, f.ann, app, id, packages.DeleteVersion{}) }
			if i%2 == 0 {
				remove = func() error { return f.registry.DeleteManifest(ctx, f.ann, app, oci.Reference{Digest: child}) }
			}
			failed := atOnce(push, remove)
			if (failed[0] == nil) == (failed[1] == nil) {
				f.t.Errorf("push: %v; deletion of the child: %v", failed[0], failed[1])
			}
			if f.pull(f.ann, app, d.String()) == nil {
				f.pullable(app, oci.Reference{Digest: d})
			}
		}
	})
}

func TestAVersionIsDeletedWhileATagIsSet(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx, app := f.t.Context(), at("ann/app")
		f.image(f.ann, app, "other", "other")
		for i := range rounds {
			one := f.image(f.ann, app, "", fmt.Sprint("one", i))
			id, tag := f.version(app, one).ID, f.tagNamed(fmt.Sprint("tag", i))
			failed := atOnce(
				func() error { return f.SetTag(ctx, f.ann, app, tag, oci.Reference{Digest: one}) },
				func() error { return f.DeleteVersion(ctx, f.ann, app, id, packages.DeleteVersion{}) },
				func() error { return f.DeleteVersion(ctx, f.ann, app, id, packages.DeleteVersion{}) },
			)
			if (failed[1] == nil) == (failed[2] == nil) {
				f.t.Errorf("two deletions of one version: %v, %v", failed[1], failed[2])
			}
			list, _, err := f.Tags(ctx, f.ann, app, packages.TagQuery{})
			if err != nil || len(list) != 1 {
				f.t.Errorf("%+v, %v: a tag leads to a deleted version (%v)", list, err, failed)
			}
		}
	})
}

func TestAPackageIsRestoredWhileItsNameIsTaken(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx := f.t.Context()
		for i := range rounds {
			app := at(fmt.Sprintf("ann/app%d", i))
			f.image(f.ann, app, "old", "1")
			f.check(f.DeletePackage(ctx, f.ann, app))
			failed := atOnce(
				func() error { return f.RestorePackage(ctx, f.ann, app) },
				func() error { _, err := f.tryPush(f.ann, app, "new", "2"); return err },
			)
			if failed[1] != nil && !errs.Is(failed[1], errs.Conflict) {
				f.t.Errorf("a push beside a restore: %v", failed[1])
			}
			if failed[0] != nil {
				f.says(failed[0], errs.Conflict, "in use")
			}
			if err := f.pull(f.ann, app, "old"); (err == nil) != (failed[0] == nil) {
				f.t.Errorf("restored: %v; what was in it: %v", failed[0], err)
			}
			if list, _, err := f.ListPackages(ctx, f.ann, packages.ListQuery{Text: app.Name.Package(), Type: access.Container}); err != nil || len(list) != 1 {
				f.t.Errorf("%d packages of one name, %v", len(list), err)
			}
		}
	})
}

func TestAVersionIsRestoredTwiceAndPushedAtOnce(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx, app := f.t.Context(), at("ann/app")
		f.image(f.ann, app, "other", "other")
		for i := range rounds {
			tag := fmt.Sprint("tag", i)
			one := f.image(f.ann, app, tag, tag)
			f.check(f.remove(f.ann, app, one, packages.DeleteVersion{}))
			id := f.version(app, one).ID
			f.later()
			restore := func() error { return f.RestoreVersion(ctx, f.ann, app, id) }
			failed := atOnce(restore, restore, func() error { _, err := f.tryPush(f.ann, app, tag, tag); return err })
			if failed[2] != nil {
				f.t.Error(failed[2])
			}
			f.check(f.pull(f.ann, app, tag))
			history, err := f.TagHistory(ctx, f.ann, app, f.tagNamed(tag))
			if err != nil || len(history) != 2 || !history[0].Until.IsZero() || history[1].Until.IsZero() {
				f.t.Errorf("%+v, %v", history, err)
			}
		}
	})
}
