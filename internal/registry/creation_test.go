package registry_test

import (
	"context"
	"errors"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/registry"
)

// made describes the package that a first push made.
func (f *fixture) made(p access.Package) string {
	f.t.Helper()
	return f.value(`SELECT p.visibility || ' by ' || p.created_by || ' linked to ' || COALESCE(r.name, '-') || ' ' || p.linked_by
			|| ' inherits ' || p.inherits || ' admins ' || (SELECT COUNT(*) FROM package_grants g WHERE g.package_id = p.id AND g.role = 'admin')
			|| ' jobs ' || (SELECT COUNT(*) FROM package_repositories j WHERE j.package_id = p.id AND j.actions_role = 'admin')
		FROM packages p JOIN accounts o ON o.id = p.owner_id LEFT JOIN repositories r ON r.id = p.repository_id
		WHERE o.login = ? AND p.name = ? AND p.type = ?`, p.Name.Owner(), p.Name.Package(), string(p.Type))
}

func TestWhoMakesAPackage(t *testing.T) {
	onBoth(t, func(f *fixture) {
		id := f.repository("acme/code", access.Internal)
		carol, dave := f.account("carol", "user"), f.account("dave", "user")
		f.member("acme", carol, access.Member)
		f.member("acme", dave, access.Owner)
		job := f.job("acme/code", id)
		site := f.bob
		site.SiteAdmin = true
		operator := access.Principal{Login: "operator", Operator: true}
		f.exec(`INSERT INTO trust_rules (owner_id, issuer, audience, claims, actions, created_at, created_by) VALUES (?, '', '', '', 3, 0, 0)`, f.accountID("acme"))
		trust := f.id(`SELECT id FROM trust_rules`)
		rule := access.Principal{
			Login: "rule", Scopes: access.AllScopes, Workflow: &access.Workflow{OwnerID: f.accountID("acme"), TrustID: trust},
			Limited: true, Limits: []access.Limit{{OwnerID: f.accountID("acme"), Actions: access.Pull | access.Push}},
		}
		for _, c := range []struct {
			label string
			who   access.Principal
			p     access.Package
			want  string
		}{
			{"a user in the own namespace", f.alice, f.app, "private by " + id64(f.alice.AccountID) + " linked to -  inherits 0 admins 1 jobs 0"},
			{"a member", carol, pkg("acme/carols"), "private by " + id64(carol.AccountID) + " linked to -  inherits 0 admins 1 jobs 0"},
			{"an organization's owner", dave, pkg("acme/daves"), "private by " + id64(dave.AccountID) + " linked to -  inherits 0 admins 1 jobs 0"},
			{"a job", job, pkg("acme/jobs"), "private by " + id64(-2*id) + " linked to code workflow inherits 1 admins 0 jobs 1"},
			{"a job that a rule let in", rule, pkg("acme/ruled"), "private by " + id64(-2*trust-1) + " linked to -  inherits 0 admins 0 jobs 0"},
			{"a site administrator", site, pkg("acme/sites"), "private by " + id64(site.AccountID) + " linked to -  inherits 0 admins 0 jobs 0"},
			{"the operator", operator, pkg("acme/operators"), "private by 0 linked to -  inherits 0 admins 0 jobs 0"},
			{"a member, in the Docker registry", dave, docker("acme/code/daves"), "internal by " + id64(dave.AccountID) + " linked to code hand inherits 1 admins 0 jobs 0"},
			{"a job, in the Docker registry", job, docker("acme/code/jobs"), "internal by " + id64(-2*id) + " linked to code hand inherits 1 admins 0 jobs 0"},
		} {
			if err := f.publish(c.who, c.p, nil); err != nil {
				f.t.Errorf("%s: %v", c.label, err)
				continue
			}
			if got := f.made(c.p); got != c.want {
				f.t.Errorf("%s made a package that is %s, want %s", c.label, got, c.want)
			}
			if _, err := f.stat(c.who, c.p, "v1"); err != nil {
				f.t.Errorf("%s may not read it: %v", c.label, err)
			}
			if err := f.publish(c.who, c.p, map[string]string{"a": "b"}); err != nil {
				f.t.Errorf("%s may not push to it again: %v", c.label, err)
			}
		}
	})
}

func TestTheNamespaceDecidesOfNewPackages(t *testing.T) {
	onBoth(t, func(f *fixture) {
		id := f.repository("acme/code", access.Internal)
		f.exec(`UPDATE accounts SET inherit_default = 0, default_visibility = 'public' WHERE login = 'acme'`)
		job := f.job("acme/code", id)
		f.check(f.publish(job, pkg("acme/open"), nil))
		if got, want := f.made(pkg("acme/open")), "public by "+id64(-2*id)+" linked to code workflow inherits 0 admins 0 jobs 1"; got != want {
			f.t.Errorf("the package is %s, want %s", got, want)
		}
		f.exec(`UPDATE accounts SET default_visibility = 'repository', inherit_default = 1 WHERE login = 'acme'`)
		f.check(f.publish(job, pkg("acme/like"), nil))
		if got, want := f.made(pkg("acme/like")), "internal by "+id64(-2*id)+" linked to code workflow inherits 1 admins 0 jobs 1"; got != want {
			f.t.Errorf("the package is %s, want %s", got, want)
		}
		// A manifest without blobs makes the package and publishes it at once.
		_, err := f.tag(job, pkg("acme/empty"), []byte(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`), "v1")
		f.check(err)
		if got := f.facts(job, pkg("acme/empty")); got.Visibility != access.Internal || got.RepositoryID != id {
			f.t.Errorf("the package is %s, linked to %d", got.Visibility, got.RepositoryID)
		}
		f.exec(`UPDATE accounts SET default_visibility = 'private', members_create = 4 WHERE login = 'acme'`)
		err = f.publish(job, pkg("acme/closed"), nil)
		wantKind(f.t, err, errs.Denied)
		f.wantReason(err, "visibility_not_allowed")
	})
}

// wantReason checks the code that a refusal tells.
func (f *fixture) wantReason(err error, code string) {
	f.t.Helper()
	var e *errs.Error
	detail, _ := map[string]string(nil), errors.As(err, &e)
	if e != nil {
		detail, _ = e.Detail.(map[string]string)
	}
	if detail["reason"] != code {
		f.t.Errorf("the refusal %v has the reason %q, want %q", err, detail["reason"], code)
	}
}

// What one push made, another's right to make it does not reach.
func TestAPackageMadeMeanwhileIsNotAnothers(t *testing.T) {
	onBoth(t, func(f *fixture) {
		carol, dave := f.account("carol", "user"), f.account("dave", "user")
		f.member("acme", carol, access.Member)
		f.member("acme", dave, access.Member)
		into := func(who access.Principal) registry.Creation {
			return registry.Creation{
				Address: f.org, OwnerID: f.accountID("acme"), Actor: who.AccountID, Admin: who.AccountID, Visibility: access.Private,
			}
		}
		commit := func(c registry.Creation) error {
			b, d := randomBytes(10)
			_, err := f.store.CommitBlob(f.ctx(), &registry.BlobCommit{
				Into: c, Digest: d, Size: int64(len(b)), Content: b, Now: f.now, LeaseUntil: f.now,
			})
			return err
		}
		f.check(commit(into(carol)))
		f.check(commit(into(carol)))
		wantKind(f.t, commit(into(dave)), errs.Conflict)
		c := into(carol)
		c.PackageID = f.id(`SELECT id FROM packages`)
		f.exec(`UPDATE packages SET name = 'renamed'`)
		f.check(commit(c))
		// The old name still leads to it, and is not taken by another.
		wantKind(f.t, commit(into(carol)), errs.Denied)
		f.exec(`UPDATE packages SET deleted_at = 1`)
		wantKind(f.t, commit(c), errs.NotFound)
		wantKind(f.t, commit(into(carol)), errs.Denied)
		// Nothing is made in what went away.
		gone := into(carol)
		gone.Address = pkg("acme/other")
		gone.RepositoryID = f.repository("alice/code", access.Private)
		wantKind(f.t, commit(gone), errs.Denied)
		gone.RepositoryID = 0
		f.exec(`UPDATE accounts SET deleted_at = 1 WHERE login = 'acme'`)
		wantKind(f.t, commit(gone), errs.Denied)
		if n := f.packages(); n != "1" {
			f.t.Errorf("%s packages stand", n)
		}
	})
}

func TestNewPackagesNeedAName(t *testing.T) {
	onBoth(t, func(f *fixture) {
		f.repository("alice/code", access.Private)
		wantKind(f.t, f.publish(f.alice, pkg("alice"), nil), errs.Invalid)
		wantKind(f.t, f.publish(f.alice, docker("alice/code"), nil), errs.Invalid)
		wantKind(f.t, f.publish(f.alice, docker("alice/nothing/app"), nil), errs.Denied)
		f.check(f.publish(f.alice, docker("alice/code/app"), nil))
	})
}

// The uploads of a job are its repository's, and no one else's.
func TestJobsHaveUploadSessions(t *testing.T) {
	onBoth(t, func(f *fixture) {
		id := f.repository("alice/code", access.Private)
		job := f.job("alice/code", id)
		f.roundTrip(job, f.app, f.app)
		sess, err := f.StartUpload(f.ctx(), job, f.app, oci.SHA256)
		f.check(err)
		_, err = f.UploadStatus(f.ctx(), f.job("alice/code", id), f.app, sess.ID)
		f.check(err)
		for _, who := range []access.Principal{f.alice, {Operator: true}} {
			_, err = f.UploadStatus(f.ctx(), who, f.app, sess.ID)
			wantKind(f.t, err, errs.NotFound)
		}
	})
}

// leaving is lookups after which something happens.
type leaving struct {
	registry.Lookups
	then func()
}

func (l leaving) Package(ctx context.Context, who access.Principal, p access.Package) (registry.Package, error) {
	pkg, err := l.Lookups.Package(ctx, who, p)
	l.then()
	return pkg, err
}

// A member who leaves the organization while the bytes are on their way makes no
// package there any more, and is nobody's admin.
func TestWhoLeavesMakesNoPackage(t *testing.T) {
	onBoth(t, func(f *fixture) {
		f.exec(`UPDATE accounts SET default_visibility = 'public' WHERE login = 'acme'`)
		carol, content := f.account("carol", "user"), []byte("a layer")
		f.member("acme", carol, access.Member)
		node := f.node(func(d *registry.Deps) {
			d.Lookups = leaving{f.store, func() { f.exec(`DELETE FROM memberships WHERE user_id = ?`, carol.AccountID) }}
		})
		err := node.PushBlob(f.ctx(), carol, f.org, oci.SHA256.FromBytes(content), whole(content))
		wantKind(f.t, err, errs.Denied)
		if facts := f.facts(carol, f.org); facts.Exists || facts.Grant != "" {
			f.t.Errorf("there is %+v", facts)
		}
	})
}
