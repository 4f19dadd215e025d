package packages_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
	"packhouse/internal/registry"
)

func TestDockerPackagesBecomeContainers(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx := f.t.Context()
		for _, image := range []string{"one", "two", "sub/three"} {
			f.push(f.ann, inDocker("ann/src/"+image), "1", image)
		}
		f.check(f.accounts.SetRepositoryVisibility(ctx, audit.Operator, "ann/src", access.Public))
		f.repositoryRole("ann/src", "eve", access.RepositoryWrite)
		f.push(f.ann, at("ann/src/two"), "other", "layer") // a conflict

		var steps []string
		m, err := f.Migrate(ctx, f.operator, "Ann", func(m packages.Migration) {
			steps = append(steps, fmt.Sprintf("%d+%d/%d", m.Moved, len(m.Conflicts), m.Total))
		})
		f.check(err)
		if diff := cmp.Diff([]string{"1+0/3", "1+1/3", "2+1/3"}, steps); diff != "" {
			f.t.Error(diff)
		}
		if !m.Done || m.Owner != "ann" || len(m.Conflicts) != 1 || m.Conflicts[0].String() != "ann/src/two" {
			f.t.Errorf("%+v", m)
		}
		f.recorded("operator package.migrate ann/src/sub/three", "operator package.migrate ann/src/one")

		for _, p := range []access.Package{at("ann/src/one"), inDocker("ann/src/one")} {
			f.check(f.pull(f.nobody, p, "1"))
			f.may(f.eve, p, access.RoleWrite)
			f.push(f.eve, p, "later", string(p.Type))
			d, err := f.Show(ctx, f.operator, p)
			f.check(err)
			if d.Type != access.Container || d.Visibility != access.Public || !d.Inherits || d.Repository.String() != "ann/src" {
				f.t.Errorf("%s is shown as %+v", p.Type, d)
			}
		}
		f.check(f.pull(f.ann, inDocker("ann/src/two"), "1"))
		f.check(f.pull(f.ann, at("ann/src/two"), "other"))
		f.refused(f.pull(f.ann, at("ann/src/two"), "1"), errs.NotFound, "what was in the way of a conflict")
	})
}

func TestMigrationRunsAgain(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx := f.t.Context()
		f.push(f.ann, inDocker("ann/src/one"), "1", "layer")
		f.push(f.ann, at("ann/src/one"), "1", "layer")
		conflicts := func() []oci.Name {
			f.t.Helper()
			names, err := f.Conflicts(ctx, f.operator, "ann")
			f.check(err)
			return names
		}
		if names := conflicts(); len(names) != 1 || names[0].String() != "ann/src/one" {
			f.t.Errorf("conflicts before: %v", names)
		}
		for range 2 {
			m, err := f.Migrate(ctx, f.operator, "ann", nil)
			f.check(err)
			if m.Moved != 0 || len(m.Conflicts) != 1 {
				f.t.Errorf("%+v", m)
			}
		}
		if owners, err := f.DockerOwners(ctx, f.operator); err != nil || len(owners) != 1 || owners[0] != "ann" {
			f.t.Errorf("%v, %v", owners, err)
		}
		f.check(f.Rename(ctx, f.ann, at("ann/src/one"), "elsewhere"))
		if names := conflicts(); len(names) != 1 { // the old name still leads there
			f.t.Errorf("conflicts after a rename: %v", names)
		}
		f.deleted("ann/elsewhere")
		if names := conflicts(); len(names) != 0 {
			f.t.Errorf("conflicts with what is gone: %v", names)
		}
		m, err := f.Migrate(ctx, f.operator, "ann", nil)
		f.check(err)
		if m.Moved != 1 || len(m.Conflicts) != 0 || len(conflicts()) != 0 {
			f.t.Errorf("%+v", m)
		}
		f.check(f.pull(f.ann, at("ann/src/one"), "1"))
		if owners, err := f.DockerOwners(ctx, f.operator); err != nil || len(owners) != 0 {
			f.t.Errorf("%v, %v", owners, err)
		}
		f.counts("1/0/1 done", "1/0/1 done", "1/1/0 done")
	})
}

// deleted marks the package of that name as deleted.
func (f *fixture) deleted(name string) {
	f.t.Helper()
	pkg, err := f.store.Package(f.t.Context(), f.operator, at(name))
	f.check(err)
	f.check(f.db.Write(f.t.Context(), func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE packages SET deleted_at = 1 WHERE id = ?`, pkg.ID)
		return err
	}))
}

// counts checks what is on record of all migrations.
func (f *fixture) counts(want ...string) {
	f.t.Helper()
	rows, err := f.db.Read().Query(f.t.Context(), `SELECT total, moved, conflicts, finished_at IS NOT NULL FROM migrations ORDER BY id`)
	f.check(err)
	defer rows.Close()
	var got []string
	for rows.Next() {
		var total, moved, conflicts int64
		var done bool
		f.check(rows.Scan(&total, &moved, &conflicts, &done))
		state := "under way"
		if done {
			state = "done"
		}
		got = append(got, fmt.Sprintf("%d/%d/%d %s", total, moved, conflicts, state))
	}
	f.check(rows.Err())
	if diff := cmp.Diff(want, got); diff != "" {
		f.t.Error(diff)
	}
}

// A migration that was interrupted has moved what it counted.
func TestAnInterruptedMigrationIsTakenUp(t *testing.T) {
	onBoth(t, func(f *fixture) {
		for _, image := range []string{"one", "two", "three"} {
			f.push(f.ann, inDocker("ann/src/"+image), "1", image)
		}
		ctx, stop := context.WithCancel(f.t.Context())
		m, err := f.Migrate(ctx, f.operator, "ann", func(packages.Migration) { stop() })
		if err == nil || m.Done || m.Moved != 1 {
			f.t.Errorf("%+v, %v", m, err)
		}
		f.counts("3/1/0 under way")
		m, err = f.Migrate(f.t.Context(), f.operator, "ann", nil)
		f.check(err)
		if m.Moved != 2 || !m.Done {
			f.t.Errorf("%+v", m)
		}
		f.counts("3/1/0 under way", "2/2/0 done")
	})
}

func TestOnlyAdministratorsOfTheSiteMigrate(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx := f.t.Context()
		_, err := f.Migrate(ctx, f.ann, "ann", nil)
		f.refused(err, errs.Denied, "by the owner")
		_, err = f.Conflicts(ctx, f.nobody, "ann")
		f.refused(err, errs.Denied, "by nobody")
		_, err = f.DockerOwners(ctx, f.ann)
		f.refused(err, errs.Denied, "by the owner")
		_, err = f.Migrate(ctx, f.operator, "nowhere", nil)
		f.refused(err, errs.NotFound, "of nobody")
	})
}

// A push that began before the move ends in the package that was moved.
func TestAPushDuringTheMoveEndsInThePackage(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx, p := f.t.Context(), inDocker("ann/src/one")
		f.push(f.ann, p, "1", "layer")
		sess, err := f.registry.StartUpload(ctx, f.ann, p, "")
		f.check(err)
		before := f.nodeThatLookedUpBefore(p)
		if m, err := f.Migrate(ctx, f.operator, "ann", nil); err != nil || m.Moved != 1 {
			f.t.Fatalf("%+v, %v", m, err)
		}
		f.finish(f.ann, p, sess.ID)
		f.registry = before
		f.push(f.ann, p, "2", "looked up before the move")
		list, err := f.store.PackagesOf(ctx, f.ann.AccountID, packages.Summary{}, 9)
		f.check(err)
		if len(list) != 1 || list[0].Type != access.Container || list[0].Versions != 2 {
			f.t.Errorf("packages after the push: %+v", list)
		}
	})
}

// nodeThatLookedUpBefore is a registry that takes what is known of p now for what
// is so later, as a request does that was slow.
func (f *fixture) nodeThatLookedUpBefore(p access.Package) *registry.Service {
	f.t.Helper()
	pkg, err := f.store.Package(f.t.Context(), f.ann, p)
	f.check(err)
	d := f.registry.Deps
	d.Lookups = slowLookups{f.store, pkg}
	s, err := registry.New(d)
	f.check(err)
	return s
}

type slowLookups struct {
	registry.Lookups
	pkg registry.Package
}

func (l slowLookups) Package(context.Context, access.Principal, access.Package) (registry.Package, error) {
	return l.pkg, nil
}

// Pushes, two migrations and a rival for the name at the same time: every
// push is either refused or in a package that its address leads to.
func TestPushesGoOnDuringMigrations(t *testing.T) {
	onBoth(t, func(f *fixture) {
		const images = 6
		name := func(i int) string { return fmt.Sprintf("ann/src/image%d", i) }
		for i := range images {
			f.push(f.ann, inDocker(name(i)), "1", name(i))
		}
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() {
				if _, err := f.Migrate(f.t.Context(), f.operator, "ann", nil); err != nil {
					f.t.Error(err)
				}
			})
		}
		pushed := make([]error, 2*images)
		for i := range images {
			all.Go(func() { _, pushed[2*i] = f.tryPush(f.ann, inDocker(name(i)), "2", "second"+name(i)) })
			all.Go(func() { _, pushed[2*i+1] = f.tryPush(f.ann, at(name(i)), "2", "rival"+name(i)) })
		}
		all.Wait()
		for i, err := range pushed {
			p := inDocker(name(i / 2))
			if i%2 == 1 {
				p = at(name(i / 2))
			}
			if err != nil && !errs.Is(err, errs.Conflict) && !errs.Is(err, errs.Denied) && !errs.Is(err, errs.NotFound) {
				f.t.Errorf("push to %v: %v", p, err)
			}
			if err == nil {
				f.check(f.pull(f.ann, p, "2"))
			}
		}
		for i := range images {
			f.check(f.pull(f.ann, inDocker(name(i)), "1"))
		}
	})
}

// A Docker registry that takes nothing new still takes pushes to what was moved.
func TestAReadOnlyDockerRegistryKeepsTheMovedWritable(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx, p := f.t.Context(), inDocker("ann/src/one")
		f.push(f.ann, p, "1", "layer")
		_, err := f.Migrate(ctx, f.operator, "ann", nil)
		f.check(err)
		f.check(f.accounts.SetRegistry(ctx, audit.Operator, access.Docker, access.ReadOnly))
		f.push(f.ann, p, "2", "more")
		_, err = f.tryPush(f.ann, inDocker("ann/src/two"), "1", "layer")
		f.refused(err, errs.Denied, "a new image")
	})
}
