package packages_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/jobs"
	"packhouse/internal/packages"
)

// order has the packages of ann migrated by a job, and returns what that is given.
func order(f *fixture, who access.Principal) (id int64, args json.RawMessage) {
	f.t.Helper()
	id, err := f.StartMigration(f.t.Context(), who, "Ann")
	f.check(err)
	j, err := f.store.JobByID(f.t.Context(), id)
	f.check(err)
	if j.Kind != packages.JobMigrate || j.State != jobs.Available {
		f.t.Errorf("the job is %+v", j)
	}
	return id, j.Args
}

// A migration by a job is cut in the middle, and done by the next attempt.
func TestAMigrationByAJobIsTakenUpAgain(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx := f.t.Context()
		for _, image := range []string{"one", "two", "three"} {
			f.push(f.ann, inDocker("ann/src/"+image), "1", image)
		}
		f.push(f.ann, at("ann/src/two"), "other", "layer") // a conflict
		admin := access.Principal{AccountID: f.bob.AccountID, Login: "bob", SiteAdmin: true, Scopes: access.AllScopes}
		id, args := order(f, admin)
		if again, _ := order(f, f.operator); again != id {
			f.t.Errorf("a second order made job %d beside %d", again, id)
		}

		lost := errors.New("the lease is over")
		err := f.WorkMigration(ctx, args, func(context.Context, any) error { return lost })
		if err == nil {
			f.t.Error("a migration went on without its lease")
		}
		f.check(f.pull(f.ann, at("ann/src/one"), "1"))
		f.refused(f.pull(f.ann, at("ann/src/three"), "1"), errs.NotFound, "what comes after the cut")

		var last any
		f.check(f.WorkMigration(ctx, args, func(_ context.Context, progress any) error { last = progress; return nil }))
		want := packages.MigrationReport{Owner: "ann", Total: 2, Moved: 1, Conflicts: 1, Staying: []string{"ann/src/two"}}
		if diff := cmp.Diff(want, last); diff != "" {
			f.t.Error(diff)
		}
		f.check(f.pull(f.ann, at("ann/src/three"), "1"))
		f.recorded("bob package.migrate ann/src/three", "bob package.migrate ann/src/one", "operator migration.start ann")
	})
}

func TestAMigrationByAJobIsForAdministrators(t *testing.T) {
	onBoth(t, func(f *fixture) {
		for _, who := range []access.Principal{f.ann, f.nobody} {
			_, err := f.StartMigration(f.t.Context(), who, "ann")
			f.refused(err, errs.Denied, "an order of "+who.Login)
		}
	})
}
