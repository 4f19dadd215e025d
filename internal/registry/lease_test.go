package registry_test

import (
	"context"
	"testing"
	"time"

	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/registry"
)

// lease returns the state of a blob and how long its bytes are promised.
func (f *fixture) lease(d oci.Digest) (state string, left time.Duration) {
	f.t.Helper()
	var until int64
	f.check(f.db.Read().QueryRow(f.ctx(), `SELECT state, lease_until FROM blobs WHERE digest = ?`, d.String()).Scan(&state, &until))
	return state, time.UnixMicro(until).Sub(f.now)
}

// Whatever tells a client that it need not send a blob takes it back from the
// collector and promises that it stays; reading promises nothing.
func TestPromisesAboutABlob(t *testing.T) {
	onBoth(t, func(f *fixture) {
		b, d := randomBytes(50000)
		m := f.image(f.alice, f.app, b)
		for what, c := range map[string]struct {
			act     func() error
			renewed bool
		}{
			"stat by one who may push": {func() error { _, err := f.StatBlob(f.ctx(), f.alice, f.app, d); return err }, true},
			"find":                     {func() error { _, err := f.FindBlob(f.ctx(), f.alice, f.app, d); return err }, false},
			"mount":                    {func() error { _, err := f.Mount(f.ctx(), f.alice, f.other, d, f.app); return err }, true},
			"push of the same bytes":   {func() error { return f.PushBlob(f.ctx(), f.alice, f.app, d, whole(b)) }, true},
			"push of a manifest":       {func() error { _, err := f.tag(f.alice, f.app, m, "v1"); return err }, true},
		} {
			f.exec(`UPDATE blobs SET state = 'condemned', lease_until = 0 WHERE digest = ?`, d.String())
			f.check(c.act())
			state, left := f.lease(d)
			if renewed := state == "live" && left == f.limits.Grace; renewed != c.renewed {
				f.t.Errorf("%s: the blob is %s and promised for %s, want renewed %v", what, state, left, c.renewed)
			}
		}
	})
}

// A blob on its way out is absent: it can be pushed again, and no manifest takes
// it for held.
func TestTrashedAndSuspectBlobsAreAbsent(t *testing.T) {
	onBoth(t, func(f *fixture) {
		for _, state := range []string{"trashed", "suspect"} {
			b, d := randomBytes(50000)
			m := f.image(f.alice, f.app, b)
			f.exec(`UPDATE blobs SET state = ? WHERE digest = ?`, state, d.String())
			_, err := f.StatBlob(f.ctx(), f.alice, f.app, d)
			wantKind(f.t, err, errs.NotFound)
			mounted, err := f.Mount(f.ctx(), f.alice, f.other, d, f.app)
			if mounted || err != nil {
				f.t.Errorf("%s: mounted %v, %v", state, mounted, err)
			}
			if _, err = f.tag(f.alice, f.app, m, "v1"); err == nil {
				f.t.Errorf("%s: a manifest took it", state)
			}
			f.push(f.alice, f.app, b)
			_, err = f.tag(f.alice, f.app, m, "v1")
			f.check(err)
			if got, err := f.read(f.alice, f.app, d); err != nil || len(got) != len(b) {
				f.t.Errorf("%s: %d bytes, %v", state, len(got), err)
			}
		}
	})
}

// While nothing can be written, owners read all the same.
func TestReadingWritesNothing(t *testing.T) {
	onBoth(t, func(f *fixture) {
		_, d := randomBytes(0)
		f.push(f.alice, f.app, nil)
		f.exec(`UPDATE blobs SET lease_until = 0`)
		node := f.node(func(deps *registry.Deps) { deps.Commits = fullDatabase{f.store} })
		if _, err := node.FindBlob(f.ctx(), f.alice, f.app, d); err != nil {
			f.t.Error(err)
		}
		_, err := node.StatBlob(f.ctx(), f.alice, f.app, d)
		wantKind(f.t, err, errs.NoSpace) // a promise that cannot be kept is not given
	})
}

type fullDatabase struct{ registry.Commits }

func (fullDatabase) RenewBlob(context.Context, oci.Digest, time.Time) error {
	return errs.New(errs.NoSpace, "full")
}
