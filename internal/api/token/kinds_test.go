package tokenapi_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/token"
)

// asks is a table of what a credential gets for what it asks.
type asks []struct{ what, authorization, scope, want string }

func (f *fixture) check(t *testing.T, table asks) {
	t.Helper()
	for _, c := range table {
		w, b := f.get(t, c.authorization, c.scope)
		if w.Code != http.StatusOK || b.Scope != c.want {
			t.Errorf("%s: %s: %d, %q; want %q", c.what, c.scope, w.Code, b.Scope, c.want)
			continue
		}
		if _, inside := f.granted(t, b.Token); inside != c.want {
			t.Errorf("%s: %s: the token holds for %q", c.what, c.scope, inside)
		}
	}
}

// Row 4 of the complaints: there were only tokens that reach all that their owner can.
func TestAFineGrainedTokenReachesWhatItNames(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ann, bob := f.ids["ann"], f.ids["bob"]
	shared := access.Limit{OwnerID: ann, PackageID: f.packageID(t, "shared"), Actions: access.Pull | access.Push}
	private := access.Limit{OwnerID: ann, PackageID: f.packageID(t, "private"), Actions: access.Pull}
	one := basic("ann", f.fineGrained(t, "ann", shared))
	two := basic("ann", f.fineGrained(t, "ann", shared, private))
	all := basic("ann", f.fineGrained(t, "ann", access.Limit{OwnerID: ann, Actions: access.Push}))
	removes := basic("ann", f.fineGrained(t, "ann", access.Limit{OwnerID: ann, Actions: access.Remove}))
	foreign := basic("bob", f.fineGrained(t, "bob", access.Limit{OwnerID: ann, Actions: access.Pull | access.Push | access.Remove}))
	elsewhere := basic("ann", f.fineGrained(t, "ann", access.Limit{OwnerID: bob, Actions: access.Push}))
	f.check(t, asks{
		{"one package", one, "repository:ann/shared:*", "repository:ann/shared:pull,push"},
		{"one package", one, "repository:ann/private:*", ""},
		{"one package", one, "repository:ann/new:pull,push", ""},
		{"one package", one, "repository:ann/public:*", "repository:ann/public:pull"},
		{"one package", one, "repository:acme/private:*", ""},
		{"two packages", two, "repository:ann/shared:push repository:ann/private:pull,push", "repository:ann/shared:push repository:ann/private:pull"},
		{"a namespace", all, "repository:ann/private:*", "repository:ann/private:pull,push"},
		{"a namespace", all, "repository:ann/new:pull,push", "repository:ann/new:pull,push"},
		{"a namespace", all, "repository:acme/private:*", ""},
		{"a namespace to delete in", removes, "repository:ann/private:*", "repository:ann/private:pull,delete"},
		{"a namespace of another", foreign, "repository:ann/private:*", ""},
		{"a namespace of another", foreign, "repository:ann/shared:*", "repository:ann/shared:pull,push"},
		{"a namespace of another", foreign, "repository:bob/new:push", ""},
		{"a namespace where one has no right", elsewhere, "repository:bob/new:push", ""},
		{"a namespace where one has no right", elsewhere, "repository:ann/private:pull", ""},
	})
	// Never more than its owner has at the moment of use.
	f.exec(t, `UPDATE package_grants SET role = 'read'`)
	f.check(t, asks{{"after the role was lowered", foreign, "repository:ann/shared:*", "repository:ann/shared:pull"}})
	f.exec(t, `DELETE FROM package_grants`)
	f.check(t, asks{{"after the role was taken", foreign, "repository:ann/shared:*", ""}})
}

func TestAFineGrainedTokenKnowsAPackageByItsID(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	one := basic("ann", f.fineGrained(t, "ann", access.Limit{OwnerID: f.ids["ann"], PackageID: f.packageID(t, "private"), Actions: access.Push}))
	f.exec(t, `UPDATE packages SET name = 'renamed' WHERE name = 'private' AND owner_id = ?`, f.ids["ann"])
	f.exec(t, `INSERT INTO package_names (owner_id, name, type, package_id) SELECT owner_id, name, type, id FROM packages WHERE name = 'renamed'`)
	f.check(t, asks{
		{"the new name", one, "repository:ann/renamed:pull,push", "repository:ann/renamed:pull,push"},
		{"the old name", one, "repository:ann/private:pull,push", "repository:ann/private:pull,push"},
	})
	// A package that comes after it under the same name is another one.
	f.exec(t, `DELETE FROM package_names WHERE package_id IN (SELECT id FROM packages WHERE name = 'renamed')`)
	f.exec(t, `UPDATE packages SET deleted_at = 1 WHERE name = 'renamed'`)
	f.check(t, asks{{"once it is gone", one, "repository:ann/renamed:pull,push", ""}, {"once it is gone", one, "repository:ann/private:push", ""}})
}

func TestAWorkflowTokenGetsWhatItsRepositoryMay(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	app, other := f.repository(t, "ann/app"), f.repository(t, "ann/other")
	f.exec(t, `UPDATE packages SET repository_id = ? WHERE name = 'private' AND owner_id = ?`, app, f.ids["ann"])
	f.exec(t, `INSERT INTO package_repositories (package_id, repository_id, actions_role, codespaces) VALUES (?, ?, 'read', 0)`,
		f.packageID(t, "shared"), app)
	as := func(secret string) string { return basic("whoever", secret) }
	write, read := as(f.job(t, "ann/app", access.AllScopes, false)), as(f.job(t, "ann/app", access.ReadPackages, false))
	none, space := as(f.job(t, "ann/app", 0, false)), as(f.job(t, "ann/app", access.ReadPackages, true))
	sibling := as(f.job(t, "ann/other", access.AllScopes, false))
	f.check(t, asks{
		{"write", write, "repository:ann/private:*", "repository:ann/private:pull,push,delete"},
		{"write", write, "repository:ann/new:pull,push", "repository:ann/new:pull,push"},
		{"write, granted read", write, "repository:ann/shared:*", "repository:ann/shared:pull"},
		{"write", write, "repository:ann/public:*", "repository:ann/public:pull"},
		{"write", write, "repository:acme/private:*", ""},
		{"write", write, "repository:acme/new:push", ""},
		{"read", read, "repository:ann/private:*", "repository:ann/private:pull"},
		{"read", read, "repository:ann/new:pull,push", ""},
		{"none", none, "repository:ann/private:* repository:ann/public:*", "repository:ann/public:pull"},
		{"codespace", space, "repository:ann/new:push", ""},
		{"codespace", space, "repository:ann/shared:*", ""},
		{"another repository of the owner", sibling, "repository:ann/private:*", ""},
		{"another repository of the owner", sibling, "repository:ann/shared:*", ""},
		{"another repository of the owner", sibling, "repository:ann/new2:push", "repository:ann/new2:push"},
	})
	f.exec(t, `INSERT INTO package_repositories (package_id, repository_id, actions_role, codespaces) VALUES (?, ?, '', 1)`,
		f.packageID(t, "private"), other)
	f.check(t, asks{
		{"codespace of a repository that may pull", as(f.job(t, "ann/other", access.ReadPackages, true)), "repository:ann/private:*", "repository:ann/private:pull"},
		{"job of a repository whose codespaces may pull", sibling, "repository:ann/private:*", ""},
	})
}

// docker login posts or gets with the secret as the password, and each kind of
// token is taken in both ways.
func TestEveryKindOfTokenIsAPasswordOfDockerLogin(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	f.repository(t, "ann/app")
	for what, secret := range map[string]string{
		"classic":      f.pat(t, "ann", access.AllScopes),
		"fine-grained": f.fineGrained(t, "ann", access.Limit{OwnerID: f.ids["ann"], Actions: access.Push}),
		"workflow":     f.job(t, "ann/app", access.AllScopes, false),
	} {
		const scope = "repository:ann/new:pull,push"
		if w, b := f.get(t, basic("ann", secret), scope); w.Code != http.StatusOK || b.Scope != scope {
			t.Errorf("%s by GET: %d %s", what, w.Code, w.Body)
		}
		w, b := f.post(t, url.Values{
			"grant_type": {"password"}, "username": {"ann"}, "password": {secret}, "service": {"registry.test"}, "scope": {scope},
		})
		if w.Code != http.StatusOK || b.Scope != scope {
			t.Errorf("%s by POST: %d %s", what, w.Code, w.Body)
		}
	}
}

// Row 6 of the complaints: a login that has ended made public pulls fail with a word. It
// still is no nobody, but the answer says what happened and what helps.
func TestAStaleLoginSaysWhatHappened(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	f.repository(t, "ann/app")
	for _, secret := range []string{
		f.fineGrained(t, "ann", access.Limit{OwnerID: f.ids["ann"], Actions: access.Pull}), f.job(t, "ann/app", access.ReadPackages, false),
	} {
		f.now = f.now.Add(24 * time.Hour)
		w, b := f.get(t, basic("ann", secret), "repository:ann/public:pull")
		if w.Code != http.StatusUnauthorized || !strings.Contains(b.Errors[0].Message, "expired") ||
			!strings.Contains(b.Errors[0].Message, "docker logout registry.test") {
			t.Errorf("expired: %d %s", w.Code, w.Body)
		}
	}
	secret, tok, err := f.personal.Create(ctx, audit.Operator, token.NewToken{AccountID: f.ids["ann"], Target: "ann", Scopes: access.AllScopes})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.personal.Revoke(ctx, audit.Operator, f.ids["ann"], tok.ID); err != nil {
		t.Fatal(err)
	}
	if w, b := f.get(t, basic("ann", secret.Reveal()), "repository:ann/public:pull"); w.Code != http.StatusUnauthorized ||
		!strings.Contains(b.Errors[0].Message, "revoked") {
		t.Errorf("revoked: %d %s", w.Code, w.Body)
	}
}

// SEC-075: a right whose cause was deleted fell back to a larger one. Each row
// that a grant rests on is taken away in turn, and nothing is granted.
func TestSEC075_WithoutARowNothingIsGranted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ what, credential, scope, without string }{
		{"limits", "fine", "repository:ann/shared:pull,push", `DELETE FROM token_limits`},
		{"the package of the limit", "fine", "repository:ann/shared:pull,push", `UPDATE packages SET deleted_at = 1 WHERE name = 'shared'`},
		{"the name of the package", "fine", "repository:ann/shared:pull,push", `DELETE FROM package_names WHERE name = 'shared'`},
		{"the role", "bob", "repository:ann/shared:pull,push", `DELETE FROM package_grants`},
		{"the membership", "bob", "repository:acme/new:pull,push", `DELETE FROM memberships WHERE role = 'member'`},
		{"what members may make", "bob", "repository:acme/new:pull,push", `UPDATE accounts SET members_create = 0`},
		{"the grant to the repository", "job", "repository:ann/shared:pull,push", `DELETE FROM package_repositories`},
		{"the link to the repository", "job", "repository:ann/private:pull,push", `UPDATE packages SET repository_id = NULL`},
		{"the authorization", "authorized", "repository:acme/private:pull", `DELETE FROM token_authorizations`},
		{"the membership of an owner", "authorized", "repository:acme/private:pull", `DELETE FROM memberships`},
		{"the owner of the package", "bob", "repository:ann/shared:pull,push", `DELETE FROM logins WHERE login = 'ann'`},
	} {
		f := newFixture(t)
		app := f.repository(t, "ann/app")
		f.exec(t, `UPDATE packages SET repository_id = ? WHERE name = 'private' AND owner_id = ?`, app, f.ids["ann"])
		f.exec(t, `INSERT INTO package_repositories (package_id, repository_id, actions_role, codespaces) VALUES (?, ?, 'write', 0)`,
			f.packageID(t, "shared"), app)
		f.exec(t, `UPDATE accounts SET sso_required = ? WHERE login = 'acme'`, map[bool]int{true: 1}[c.credential == "authorized"])
		secret := map[string]func() string{
			"fine": func() string {
				return f.fineGrained(t, "bob", access.Limit{OwnerID: f.ids["ann"], PackageID: f.packageID(t, "shared"), Actions: access.Push})
			},
			"bob":        func() string { return f.pat(t, "bob", access.AllScopes) },
			"job":        func() string { return f.job(t, "ann/app", access.AllScopes, false) },
			"authorized": func() string { return f.pat(t, "ann", access.AllScopes) },
		}[c.credential]()
		if c.credential == "authorized" {
			f.exec(t, `INSERT INTO token_authorizations (token_id, organization_id, created_at) SELECT max(id), ?, 0 FROM tokens`, f.ids["acme"])
		}
		login := map[string]string{"fine": "bob", "bob": "bob", "job": "x", "authorized": "ann"}[c.credential]
		if w, b := f.get(t, basic(login, secret), c.scope); w.Code != http.StatusOK || b.Scope != c.scope {
			t.Errorf("%s: before: %d, %q", c.what, w.Code, b.Scope)
		}
		f.exec(t, c.without)
		if w, b := f.get(t, basic(login, secret), c.scope); b.Scope != "" {
			t.Errorf("without %s: %d, %q", c.what, w.Code, b.Scope)
		}
	}
}
