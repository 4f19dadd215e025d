package registry_test

import (
	"errors"
	"fmt"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/registry"
)

// answers returns what each request on p is answered to who, whole.
func (f *fixture) answers(who access.Principal, p access.Package) map[string]string {
	f.t.Helper()
	b := []byte("what a stranger pushes")
	d := oci.SHA256.FromBytes(b)
	tag, err := oci.ParseReference("v1")
	f.check(err)
	ref := oci.Reference{Digest: d}
	manifest := []byte(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`)
	say := func(err error) string {
		var e *errs.Error
		if !errors.As(err, &e) {
			return fmt.Sprint(err)
		}
		return fmt.Sprintf("%s %s %q %v %s", e.Kind, e.Code, e.Public, e.Detail, e.RetryAfter)
	}
	all := map[string]string{}
	_, err = f.StatManifest(f.ctx(), who, p, tag)
	all["pull a tag"] = say(err)
	_, err = f.StatManifest(f.ctx(), who, p, ref)
	all["pull a digest"] = say(err)
	_, err = f.StatBlob(f.ctx(), who, p, d)
	all["pull a blob"] = say(err)
	_, err = f.Tags(f.ctx(), who, p, "", 10)
	all["list tags"] = say(err)
	page, err := f.Referrers(f.ctx(), who, p, d, "", 0, 10)
	all["list referrers"] = say(err) + fmt.Sprint(page)
	_, err = f.StartUpload(f.ctx(), who, p, oci.SHA256)
	all["upload"] = say(err)
	_, err = f.UploadStatus(f.ctx(), who, p, "0")
	all["upload status"] = say(err)
	_, err = f.Mount(f.ctx(), who, p, d, f.bobs)
	all["mount"] = say(err)
	_, err = f.PushManifest(f.ctx(), who, p, registry.Push{Reference: tag, Content: manifest})
	all["push"] = say(err)
	all["delete a tag"] = say(f.DeleteManifest(f.ctx(), who, p, tag))
	all["delete a blob"] = say(f.DeleteBlob(f.ctx(), who, p, d))
	return all
}

// TestStrangersCannotTellPrivateFromAbsent asks for an address before there is
// anything at it, when there is a private package with all that is asked for, and
// when that was renamed away.
func TestStrangersCannotTellPrivateFromAbsent(t *testing.T) {
	onBoth(t, func(f *fixture) {
		f.repository("alice/code", access.Private)
		bobs := f.repository("bob/code", access.Private)
		narrow, reader := f.bob, f.bob
		narrow.Restricted = true
		narrow.Grants = []access.Grant{{Name: f.bobs.Name, Actions: []access.Action{access.Read, access.Write}}}
		reader.Scopes = access.ReadPackages
		limited := f.bob
		limited.Limited, limited.Limits = true, []access.Limit{{OwnerID: f.bob.AccountID, Actions: access.Pull | access.Push}}
		strangers := map[string]access.Principal{
			"nobody": f.anyone, "bob": f.bob, "bob's narrow bearer token": narrow, "bob's reading token": reader,
			"bob's fine-grained token": limited, "a job of bob's": f.job("bob/code", bobs),
		}
		for _, p := range []access.Package{f.app, docker("alice/code/app"), {Type: access.Container, Also: access.Docker, Name: pkg("alice/both").Name}} {
			before := map[string]map[string]string{}
			for label, who := range strangers {
				before[label] = f.answers(who, p)
			}
			compare := func(state string) {
				for label, who := range strangers {
					for request, got := range f.answers(who, p) {
						if want := before[label][request]; got != want {
							f.t.Errorf("%s to %s, %s: %s; was %s when absent", request, p.Name, label, got, want)
						}
					}
				}
			}
			f.push(f.alice, p, []byte("what a stranger pushes"))
			f.check(f.publish(f.alice, p, nil))
			compare("private")
			f.exec(`INSERT INTO package_names (owner_id, name, type, package_id)
				SELECT owner_id, name || '-moved', type, id FROM packages WHERE name = ?`, p.Name.Package())
			f.exec(`UPDATE packages SET name = name || '-moved' WHERE name = ?`, p.Name.Package())
			compare("renamed")
			f.exec(`UPDATE packages SET deleted_at = 1`)
			compare("deleted")
		}
	})
}

func TestRefusalsSayWhy(t *testing.T) {
	onBoth(t, func(f *fixture) {
		f.check(f.publish(f.alice, f.app, nil))
		f.visibility(f.app, access.Public)
		carol := f.account("carol", "user")
		f.member("acme", carol, access.Member)
		f.exec(`UPDATE accounts SET members_create = 1, default_visibility = 'public' WHERE login = 'acme'`)
		reader := f.alice
		reader.Scopes = access.ReadPackages
		for _, c := range []struct {
			who    access.Principal
			p      access.Package
			reason string
		}{
			{f.bob, f.app, "no_role"},
			{reader, f.app, "no_scope"},
			{carol, f.org, "visibility_not_allowed"},
			{f.job("bob/code", f.repository("bob/code", access.Private)), f.app, "not_linked"},
		} {
			err := f.publish(c.who, c.p, map[string]string{"a": "b"})
			wantKind(f.t, err, errs.Denied)
			f.wantReason(err, c.reason)
			_, d, err := f.Explain(f.ctx(), c.who, c.p, access.Effects{Action: access.Write})
			if err != nil || d.Allowed || d.Reason.Code != c.reason {
				f.t.Errorf("explained as %+v, %v", d, err)
			}
		}
		f.exec(`UPDATE accounts SET sso_required = 1, default_visibility = 'private' WHERE login = 'acme'`)
		err := f.publish(carol, f.org, nil)
		wantKind(f.t, err, errs.Denied)
		f.wantReason(err, "single_sign_on")
	})
}

// A token that single sign-on authorized holds in the organization, and no other.
func TestAuthorizedTokens(t *testing.T) {
	onBoth(t, func(f *fixture) {
		carol := f.account("carol", "user")
		f.member("acme", carol, access.Member)
		f.exec(`UPDATE accounts SET sso_required = 1 WHERE login = 'acme'`)
		f.exec(`INSERT INTO tokens (account_id, kind, note, secret_hash, scopes, created_at) VALUES (?, 'personal', '', 'x', 7, 0)`, carol.AccountID)
		carol.TokenID = f.id(`SELECT id FROM tokens`)
		f.wantReason(f.publish(carol, f.org, nil), "single_sign_on")
		f.exec(`INSERT INTO token_authorizations (token_id, organization_id, created_at) VALUES (?, ?, 0)`, carol.TokenID, f.accountID("acme"))
		f.check(f.publish(carol, f.org, nil))
		_, err := f.stat(carol, f.org, "v1")
		f.check(err)
		other := carol
		other.TokenID++
		_, err = f.stat(other, f.org, "v1")
		wantKind(f.t, err, errs.Denied)
		f.wantReason(err, "single_sign_on")
	})
}
