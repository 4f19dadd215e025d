package packages_test

import (
	"bytes"
	"context"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/registry"
)

// Row 18 of the complaints: a move leaves packages behind, or their addresses.
func TestRenamedPackageAnswersUnderItsOldName(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx := f.t.Context()
		f.push(f.ann, at("ann/first"), "1", "layer")
		f.check(f.Rename(ctx, f.ann, at("ann/first"), "Second"))
		f.check(f.Rename(ctx, f.ann, at("ann/first"), "ann/third/part"))
		for i, name := range []string{"ann/first", "ann/second", "ann/third/part"} {
			f.check(f.pull(f.ann, at(name), "1"))
			f.push(f.ann, at(name), "after", name)
			d, err := f.Show(ctx, f.ann, at(name))
			f.check(err)
			if d.Name.String() != "ann/third/part" || len(d.Names) != 2 || d.Versions != int64(i+2) {
				f.t.Errorf("%s is shown as %+v", name, d)
			}
		}
		f.recorded("ann package.rename ann/second", "ann package.rename ann/first")

		f.push(f.ann, at("ann/other"), "1", "layer")
		for _, name := range []string{"first", "second", "third/part"} {
			f.refused(f.Rename(ctx, f.ann, at("ann/other"), name), errs.Exists, "the name "+name+" of another")
		}
		f.refused(f.Rename(ctx, f.ann, at("ann/other"), "a//b"), errs.Invalid, "a name that is none")
		f.refused(f.Rename(ctx, f.eve, at("ann/other"), "mine"), errs.NotFound, "by a stranger")
		f.check(f.Rename(ctx, f.ann, at("ann/third/part"), "first")) // back again
		f.check(f.Rename(ctx, f.ann, at("ann/first"), "first"))

		f.check(f.accounts.Rename(ctx, audit.Operator, "ann", "annie"))
		f.check(f.Rename(ctx, f.ann, at("ann/first"), "ann/fourth")) // with the login that it had
		d, err := f.Show(ctx, f.ann, at("ann/first"))
		f.check(err)
		if d.Name.String() != "annie/fourth" {
			f.t.Errorf("shown as %+v", d)
		}
	})
}

func TestTransferredPackageAnswersUnderItsOldOwner(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx, old := f.t.Context(), at("acme/app")
		f.push(f.job("acme/src"), old, "1", "layer")
		f.check(f.SetVisibility(ctx, f.ann, old, access.Internal))
		f.check(f.Grant(ctx, f.ann, old, role(repository("ann/src"), access.RoleWrite)))
		f.repositoryRole("acme/src", "bob", access.RepositoryAdmin)
		f.refused(f.Transfer(ctx, f.bob, old, "ann"), errs.Denied, "into the namespace of another")
		f.refused(f.Transfer(ctx, f.bob, old, "nowhere"), errs.NotFound, "to nobody")
		f.refused(f.Transfer(ctx, f.job("acme/src"), old, "acme"), errs.Denied, "by a job")
		f.refused(f.Transfer(ctx, f.eve, old, "eve"), errs.Denied, "by one who only reads")

		f.check(f.Transfer(ctx, f.bob, old, "Bob"))
		d, err := f.Show(ctx, f.bob, old)
		f.check(err)
		if d.Name.String() != "bob/app" || d.Visibility != access.Private || !d.Repository.IsZero() || d.Inherits {
			f.t.Errorf("shown as %+v", d)
		}
		f.may(f.bob, old, access.RoleAdmin)
		for _, who := range []access.Principal{f.ann, f.job("acme/src"), f.job("ann/src")} {
			f.may(who, old, "")
		}
		f.push(f.bob, old, "2", "more")
		f.check(f.pull(f.bob, at("bob/app"), "2"))
		f.refused(f.pull(f.ann, old, "2"), errs.NotFound, "by the owner that was")
		f.recorded("bob package.transfer acme/app")
		f.push(f.ann, at("ann/app"), "1", "layer")
		f.refused(f.Transfer(ctx, f.operator, at("ann/app"), "acme"), errs.Exists, "onto a name that still leads elsewhere")
		f.refused(f.Transfer(ctx, f.operator, at("ann/app"), "bob"), errs.Exists, "onto a name in use")
	})
}

// What the old owner let tokens and rules of trust do ends with a transfer, also
// when the package comes back.
func TestATransferEndsWhatReachedThePackageAlone(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx, p := f.t.Context(), at("ann/app")
		f.push(f.ann, p, "1", "layer")
		pkg, err := f.store.Package(ctx, f.ann, p)
		f.check(err)
		f.check(f.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
			for _, statement := range []string{
				`INSERT INTO trust_rules (owner_id, package_id, issuer, audience, claims, actions, created_at, created_by)
					SELECT owner_id, id, '', '', '', 1, 0, 0 FROM packages WHERE id = ?`,
				`INSERT INTO tokens (account_id, kind, note, secret_hash, scopes, created_at, trust_id)
					SELECT owner_id, 'phw', '', 'x', 1, 0, (SELECT MAX(id) FROM trust_rules) FROM packages WHERE id = ?`,
				`INSERT INTO token_limits (token_id, owner_id, package_id, actions)
					SELECT (SELECT MAX(id) FROM tokens), owner_id, id, 1 FROM packages WHERE id = ?`,
			} {
				if _, err := tx.Exec(ctx, statement, pkg.ID); err != nil {
					return err
				}
			}
			return nil
		}))
		f.check(f.Grant(ctx, f.ann, p, role(user("eve"), access.RoleAdmin)))
		f.check(f.Transfer(ctx, f.ann, p, "acme"))
		f.check(f.SetVisibility(ctx, f.ann, p, access.Public)) // so that being no member takes no role away
		f.may(f.eve, p, "")
		var left int
		f.check(f.db.Read().QueryRow(ctx, `SELECT (SELECT COUNT(*) FROM trust_rules) + (SELECT COUNT(*) FROM token_limits)
			+ (SELECT COUNT(*) FROM package_grants)
			+ (SELECT COUNT(*) FROM tokens WHERE revoked_at IS NULL)`).Scan(&left))
		if left != 0 {
			f.t.Errorf("%d rules, limits and tokens are left", left)
		}
	})
}

// An upload that began under the old name ends under the new one.
func TestAnUploadFollowsItsPackage(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx, p := f.t.Context(), at("ann/app")
		f.push(f.ann, p, "1", "layer")
		sess, err := f.registry.StartUpload(ctx, f.ann, p, "")
		f.check(err)
		f.check(f.Rename(ctx, f.ann, p, "renamed"))
		f.finish(f.ann, p, sess.ID)
		sess, err = f.registry.StartUpload(ctx, f.ann, p, "")
		f.check(err)
		f.check(f.Transfer(ctx, f.ann, p, "acme"))
		f.finish(f.ann, at("acme/renamed"), sess.ID)
	})
}

func (f *fixture) finish(who access.Principal, p access.Package, session string) {
	f.t.Helper()
	content := []byte("content of " + session)
	body := registry.Body{Reader: bytes.NewReader(content), Length: int64(len(content)), Start: -1, RangeLength: -1}
	_, err := f.registry.FinishUpload(f.t.Context(), who, p, session, oci.SHA256.FromBytes(content), body)
	f.check(err)
}
