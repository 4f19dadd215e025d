package tokenapi_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/oci"
	"packhouse/internal/token"
)

// directory changes what there is around the packages of the fixture at random.
type directory struct {
	f            *fixture
	t            *testing.T
	repositories map[string]int64
	packages     []int64
}

func newDirectory(t *testing.T) *directory {
	t.Helper()
	f := newFixture(t)
	d := &directory{f: f, t: t, repositories: map[string]int64{}}
	for _, name := range []string{"ann/app", "ann/other", "acme/app"} {
		d.repositories[name] = f.repository(t, name)
	}
	rows, err := f.db.Read().Query(t.Context(), `SELECT id FROM packages ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		d.packages = append(d.packages, id)
	}
	if err := rows.Err(); err != nil || len(d.packages) == 0 {
		t.Fatal(err)
	}
	return d
}

// change makes one change. The package and the account that it is about are
// drawn; what does not fit changes nothing.
func (d *directory) change(r *rapid.T) {
	f, t := d.f, d.t
	pkg := rapid.SampledFrom(d.packages).Draw(r, "package")
	repository := rapid.SampledFrom([]string{"ann/app", "ann/other", "acme/app"}).Draw(r, "repository")
	user := f.ids[rapid.SampledFrom([]string{"ann", "bob"}).Draw(r, "user")]
	yes := rapid.IntRange(0, 1).Draw(r, "flag")
	role := rapid.SampledFrom([]string{"read", "write", "admin"}).Draw(r, "role")
	switch rapid.IntRange(0, 10).Draw(r, "change") {
	case 0:
		f.exec(t, `UPDATE packages SET visibility = ? WHERE id = ?`, rapid.SampledFrom([]string{"private", "internal", "public"}).Draw(r, "visibility"), pkg)
	case 1:
		f.exec(t, `UPDATE packages SET inherits = ? WHERE id = ?`, yes, pkg)
	case 2:
		f.exec(t, `UPDATE packages SET repository_id = (SELECT id FROM repositories r WHERE r.id = ? AND r.owner_id = packages.owner_id) WHERE id = ?`,
			d.repositories[repository], pkg)
	case 3:
		f.exec(t, `INSERT INTO repository_grants (repository_id, account_id, role) VALUES (?, ?, ?)
			ON CONFLICT (repository_id, account_id) DO UPDATE SET role = excluded.role`,
			d.repositories[repository], user, rapid.IntRange(1, 5).Draw(r, "repository role"))
	case 4:
		f.exec(t, `DELETE FROM repository_grants WHERE account_id = ?`, user)
	case 5:
		f.exec(t, `INSERT INTO package_grants (package_id, account_id, role) VALUES (?, ?, ?)
			ON CONFLICT (package_id, account_id) DO UPDATE SET role = excluded.role`, pkg, user, role)
	case 6:
		f.exec(t, `DELETE FROM package_grants WHERE package_id = ?`, pkg)
	case 7:
		f.exec(t, `INSERT INTO package_repositories (package_id, repository_id, actions_role, codespaces) VALUES (?, ?, ?, ?)
			ON CONFLICT (package_id, repository_id) DO UPDATE SET actions_role = excluded.actions_role, codespaces = excluded.codespaces`,
			pkg, d.repositories[repository], rapid.SampledFrom([]string{"", role}).Draw(r, "actions role"), yes)
	case 8:
		f.exec(t, `DELETE FROM memberships WHERE user_id = ?`, f.ids["bob"])
		if yes == 1 {
			f.exec(t, `INSERT INTO memberships (organization_id, user_id, role, created_at) VALUES (?, ?, ?, 0)`,
				f.ids["acme"], f.ids["bob"], rapid.SampledFrom([]string{"member", "owner"}).Draw(r, "membership"))
		}
	case 9:
		f.exec(t, `UPDATE accounts SET sso_required = ?, base_role = ?, members_create = ? WHERE id = ?`,
			yes, rapid.IntRange(0, 5).Draw(r, "base role"), rapid.IntRange(0, 7).Draw(r, "members create"), f.ids["acme"])
	case 10:
		f.exec(t, `UPDATE accounts SET suspended_at = ? WHERE id = ?`, rapid.SampledFrom([]any{nil, nil, int64(1)}).Draw(r, "suspended"), f.ids["acme"])
	}
}

// credential draws an Authorization header.
func (d *directory) credential(r *rapid.T) string {
	f, t := d.f, d.t
	login := rapid.SampledFrom([]string{"ann", "bob", "root"}).Draw(r, "login")
	scopes := access.Scopes(rapid.IntRange(1, int(access.AllScopes)).Draw(r, "scopes"))
	owner := rapid.SampledFrom([]string{"ann", "acme"}).Draw(r, "owner of the repository")
	switch rapid.IntRange(0, 5).Draw(r, "credential") {
	case 0:
		return ""
	case 1:
		return basic("ann", password)
	case 2:
		secret, tok, err := f.personal.Create(t.Context(), audit.Operator, token.NewToken{AccountID: f.ids[login], Target: login, Scopes: scopes})
		if err != nil {
			t.Fatal(err)
		}
		if rapid.Bool().Draw(r, "authorized") {
			f.exec(t, `INSERT INTO token_authorizations (token_id, organization_id, created_at) VALUES (?, ?, 0)`, tok.ID, f.ids["acme"])
		}
		return basic(login, secret.Reveal())
	case 3:
		limits := []access.Limit{{OwnerID: f.ids["ann"], PackageID: f.packageID(t, "private")}, {OwnerID: f.ids["acme"]}, {OwnerID: f.ids["ann"]}}
		limits = limits[rapid.IntRange(0, 2).Draw(r, "limit"):]
		for i := range limits {
			limits[i].Actions = access.Actions(rapid.IntRange(1, 7).Draw(r, "actions"))
		}
		return basic(login, f.fineGrained(t, login, limits...))
	case 4:
		f.exec(t, `UPDATE accounts SET suspended_at = NULL WHERE id = ?`, f.ids["acme"]) // its jobs get no token else
		return basic("x", f.job(t, owner+"/app", scopes, false))
	}
	f.exec(t, `UPDATE accounts SET suspended_at = NULL WHERE id = ?`, f.ids["acme"])
	return basic("x", f.job(t, owner+"/app", access.ReadPackages, true))
}

var protocolActions = map[string]access.Action{"pull": access.Read, "push": access.Write, "delete": access.Delete}

// Whatever the directory and the credential are, a token is issued for what was
// asked and is allowed at that moment, and for nothing else.
func TestPropertyGrantedIsWithinAskedAndAllowed(t *testing.T) {
	t.Parallel()
	d := newDirectory(t)
	names := []string{"ann/private", "ann/internal", "ann/public", "ann/shared", "ann/new", "acme/private", "acme/new", "nobody/x"}
	grantedSome := 0
	rapid.Check(t, func(r *rapid.T) {
		for range rapid.IntRange(0, 4).Draw(r, "changes") {
			d.change(r)
		}
		authorization := d.credential(r)
		d.f.now = d.f.now.Add(time.Second)
		asked := map[string][]string{}
		var scopes []string
		for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom(names), 1, 4, rapid.ID[string]).Draw(r, "asked") {
			asked[name] = rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"pull", "push", "delete"}), 1, 3, rapid.ID[string]).Draw(r, "actions")
			scopes = append(scopes, "repository:"+name+":"+strings.Join(asked[name], ","))
		}
		w, b := d.f.get(t, authorization, scopes...)
		if w.Code != http.StatusOK {
			r.Fatalf("%d %s", w.Code, w.Body)
		}
		bearer, _ := d.f.granted(t, b.Token)
		for _, name := range names {
			for protocol, action := range protocolActions {
				granted := slices.ContainsFunc(bearer.Grants, func(g access.Grant) bool {
					return g.Name.String() == name && slices.Contains(g.Actions, action)
				})
				if granted {
					grantedSome++
				}
				d.compare(r, bearer, mustName(t, name), action, slices.Contains(asked[name], protocol), granted)
			}
		}
	})
	if grantedSome == 0 {
		t.Error("nothing was ever granted")
	}
}

// compare holds what was granted against what was asked and what the account
// behind the bearer token may do.
func (d *directory) compare(r *rapid.T, bearer access.Principal, name oci.Name, action access.Action, asked, granted bool) {
	f, err := facts{d.f.store}.Facts(d.t.Context(), bearer, name)
	if err != nil {
		r.Fatal(err)
	}
	decide := func(who access.Principal, a access.Action) bool {
		return access.Decide(who, name, f, access.Effects{Action: a}).Allowed
	}
	account := bearer.Unrestricted()
	allowed := decide(account, action)
	switch {
	case granted && !asked:
		r.Errorf("%s, action %d is granted and was not asked for", name, action)
	case granted && !allowed && (f.Exists || !decide(account, access.Write)):
		r.Errorf("%s, action %d is granted and not allowed", name, action)
	case !granted && asked && allowed:
		r.Errorf("%s, action %d is asked for, allowed and not granted", name, action)
	case decide(bearer, action) && !allowed:
		r.Errorf("%s, action %d: the bearer token does what its account may not", name, action)
	case decide(bearer, action) && !granted && (action != access.Read || !f.Exists || f.Visibility != access.Public):
		r.Errorf("%s, action %d: the bearer token does what it was not issued for", name, action)
	}
}
