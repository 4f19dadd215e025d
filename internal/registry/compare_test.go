package registry_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/oci"
)

// crowd is a directory made at random, with all that the right to read hangs on.
type crowd struct {
	*fixture
	random       *rand.Rand
	users, orgs  []int64
	repositories []int64
	packages     []access.Package
	callers      []access.Principal
	shared       oci.Digest // a blob that every package holds
}

func newCrowd(f *fixture, seed uint64) *crowd {
	c := &crowd{fixture: f, random: rand.New(rand.NewPCG(seed, 7))}
	for i := range 4 {
		c.users = append(c.users, f.account(fmt.Sprintf("user%d", i), "user").AccountID)
	}
	for i := range 3 {
		c.orgs = append(c.orgs, f.account(fmt.Sprintf("org%d", i), "organization").AccountID)
	}
	for _, id := range append(slices.Clone(c.users), c.orgs...) {
		f.exec(`UPDATE accounts SET suspended_at = ?, sso_required = ?, base_role = ? WHERE id = ?`,
			c.maybe(6, int64(1)), c.bit(4), c.random.IntN(4), id)
	}
	c.people()
	for i := range 8 {
		owner := c.owner()
		login := f.value(`SELECT login FROM accounts WHERE id = ?`, owner)
		c.repositories = append(c.repositories, f.repository(fmt.Sprintf("%s/repo%d", login, i), c.visibility()))
	}
	for _, id := range c.repositories {
		f.exec(`INSERT INTO repository_grants (repository_id, account_id, role) VALUES (?, ?, ?)`, id, c.user(), 1+c.random.IntN(5))
		f.exec(`INSERT INTO repository_team_grants (repository_id, team_id, role)
			SELECT ?, id, ? FROM teams WHERE organization_id = (SELECT owner_id FROM repositories WHERE id = ?)`, id, 1+c.random.IntN(5), id)
	}
	b := []byte("a blob that many have")
	c.shared = f.push(f.alice, f.app, b)
	f.exec(`UPDATE packages SET visibility = 'private'`)
	for i := range 40 {
		c.makePackage(i)
	}
	c.ask()
	return c
}

// people makes memberships and teams.
func (c *crowd) people() {
	for _, org := range c.orgs {
		for _, user := range c.users {
			if c.random.IntN(2) == 0 {
				role := []string{"member", "owner"}[c.bit(3)]
				c.exec(`INSERT INTO memberships (organization_id, user_id, role, created_at) VALUES (?, ?, ?, 0)`, org, user, role)
			}
		}
		c.exec(`INSERT INTO teams (organization_id, slug, created_at) VALUES (?, 'team', 0)`, org)
		c.exec(`INSERT INTO team_reach (user_id, team_id) SELECT m.user_id, t.id FROM memberships m JOIN teams t ON t.organization_id = m.organization_id
			WHERE t.organization_id = ? AND m.role = 'member' AND m.user_id % 2 = ?`, org, c.random.IntN(2))
	}
}

func (c *crowd) makePackage(i int) {
	owner, repository := c.owner(), any(nil)
	kind, name := access.Container, fmt.Sprintf("p%d", i)
	if c.random.IntN(2) == 0 {
		id := c.repositories[c.random.IntN(len(c.repositories))]
		repository, owner = id, c.id(`SELECT owner_id FROM repositories WHERE id = ?`, id)
		if c.random.IntN(3) == 0 {
			kind, name = access.Docker, c.value(`SELECT name FROM repositories WHERE id = ?`, id)+"/"+name
		}
	}
	inherits := int64(0)
	if repository != nil && (kind == access.Docker || c.random.IntN(2) == 0) {
		inherits = 1
	}
	c.exec(`INSERT INTO packages (owner_id, type, name, visibility, created_at, created_by, published_at, deleted_at, repository_id, inherits)
		VALUES (?, ?, ?, ?, 0, 0, ?, ?, ?, ?)`, owner, string(kind), name, string(c.visibility()),
		c.maybe(9, nil, int64(1)), c.maybe(9, int64(1)), repository, inherits)
	id := c.id(`SELECT id FROM packages WHERE name = ?`, name)
	c.exec(`INSERT INTO package_names (owner_id, name, type, package_id) VALUES (?, ?, ?, ?)`, owner, name, string(kind), id)
	c.exec(`INSERT INTO package_blobs (package_id, digest) VALUES (?, ?)`, id, c.shared.String())
	role := func() string { return []string{"read", "write", "admin"}[c.random.IntN(3)] }
	if c.random.IntN(2) == 0 {
		c.exec(`INSERT INTO package_grants (package_id, account_id, role) VALUES (?, ?, ?)`, id, c.user(), role())
	}
	if c.random.IntN(3) == 0 {
		c.exec(`INSERT INTO package_team_grants (package_id, team_id, role)
			SELECT ?, id, ? FROM teams WHERE organization_id = ?`, id, role(), owner)
	}
	if c.random.IntN(2) == 0 {
		c.exec(`INSERT INTO package_repositories (package_id, repository_id, actions_role, codespaces) VALUES (?, ?, ?, ?)`,
			id, c.repositories[c.random.IntN(len(c.repositories))], []string{"", "read", "write"}[c.random.IntN(3)], c.bit(2))
	}
	login := c.value(`SELECT login FROM accounts WHERE id = ?`, owner)
	p := pkg(login + "/" + name)
	p.Type = kind
	c.packages = append(c.packages, p)
}

// ask makes callers of every kind.
func (c *crowd) ask() {
	c.callers = []access.Principal{{}, {Login: "operator", Operator: true}}
	for i, id := range c.users {
		c.exec(`INSERT INTO tokens (account_id, kind, note, secret_hash, scopes, created_at) VALUES (?, 'personal', '', ?, 7, 0)`, id, fmt.Sprint(i))
		who := access.Principal{AccountID: id, Login: fmt.Sprint(id), Scopes: access.AllScopes, TokenID: c.id(`SELECT id FROM tokens WHERE account_id = ?`, id)}
		for _, org := range c.orgs {
			if c.random.IntN(2) == 0 {
				c.exec(`INSERT INTO token_authorizations (token_id, organization_id, created_at) VALUES (?, ?, 0)`, who.TokenID, org)
			}
		}
		password, writer, deleter, limited, bearer, site := who, who, who, who, who, who
		password.TokenID = 0
		writer.Scopes, deleter.Scopes = access.WritePackages, access.DeletePackages
		limited.Limited, limited.Limits = true, []access.Limit{{OwnerID: c.owner(), Actions: access.Pull}}
		bearer.Restricted, bearer.Catalog = true, true
		site.SiteAdmin = true
		c.callers = append(c.callers, who, password, writer, deleter, limited, bearer, site)
	}
	for _, id := range c.repositories {
		job := access.Principal{Login: "job", Scopes: access.ReadPackages, Workflow: &access.Workflow{
			RepositoryID: id, OwnerID: c.id(`SELECT owner_id FROM repositories WHERE id = ?`, id), Codespace: c.random.IntN(3) == 0,
		}}
		c.callers = append(c.callers, job)
	}
}

func (c *crowd) bit(n int) int64 {
	if c.random.IntN(n) == 0 {
		return 1
	}
	return 0
}

// maybe returns v once in n, else the alternative, nil without one.
func (c *crowd) maybe(n int, v any, otherwise ...any) any {
	switch {
	case c.random.IntN(n) == 0:
		return v
	case len(otherwise) > 0:
		return otherwise[0]
	}
	return nil
}

func (c *crowd) user() int64 { return c.users[c.random.IntN(len(c.users))] }

func (c *crowd) owner() int64 {
	all := append(slices.Clone(c.users), c.orgs...)
	return all[c.random.IntN(len(all))]
}

func (c *crowd) visibility() access.Visibility {
	return []access.Visibility{access.Private, access.Private, access.Internal, access.Public}[c.random.IntN(4)]
}

// readable returns the names of type t that who may read, by a lookup and a
// decision each.
func (c *crowd) readable(who access.Principal, t access.PackageType) []string {
	var names []string
	for _, p := range c.packages {
		found, err := c.store.Package(c.ctx(), who, p)
		c.check(err)
		d := access.Decide(who.Unrestricted(), p.Name, found.Facts, access.Effects{Action: access.Read})
		if p.Type == t && found.Published && d.Allowed {
			names = append(names, p.Name.String())
		}
	}
	slices.SortFunc(names, func(a, b string) int {
		ownerA, nameA, _ := strings.Cut(a, "/")
		ownerB, nameB, _ := strings.Cut(b, "/")
		return strings.Compare(ownerA+"\x00"+nameA, ownerB+"\x00"+nameB)
	})
	return names
}

// TestListsAreWhatMayBeRead compares the catalog, and what a mount without a
// source finds, with a decision on every package, for every kind of caller, in
// directories made at random.
func TestListsAreWhatMayBeRead(t *testing.T) {
	onBoth(t, func(f *fixture) {
		seed := rand.Uint64()
		f.t.Logf("seed %d", seed) // shown when the test fails
		c := newCrowd(f, seed)
		allowed := 0
		for _, who := range c.callers {
			for _, kind := range []access.PackageType{access.Container, access.Docker} {
				want := c.readable(who, kind)
				allowed += len(want)
				var got []string
				for last, more := "", true; more; more = last != "" {
					page, err := f.Catalog(f.ctx(), who, kind, "", last, 1+c.random.IntN(7))
					f.check(err)
					got, last = append(got, page.Names...), page.Next
				}
				if !slices.Equal(got, want) {
					f.t.Errorf("%+v, %s packages:\ncatalog  %v\nmay read %v", who, kind, got, want)
				}
			}
			c.compareHolder(who)
		}
		if allowed < 50 {
			f.t.Errorf("only %d packages could be read by anybody; the directory is too poor to compare", allowed)
		}
	})
}

// compareHolder looks for the shared blob as a mount does.
func (c *crowd) compareHolder(who access.Principal) {
	c.t.Helper()
	who = who.Unrestricted()
	may := false
	for _, p := range append([]access.Package{c.app}, c.packages...) {
		found, err := c.store.Package(c.ctx(), who, p)
		c.check(err)
		may = may || access.Decide(who, p.Name, found.Facts, access.Effects{Action: access.Read}).Allowed
	}
	p, ok, err := c.store.Holder(c.ctx(), who, c.shared)
	c.check(err)
	if ok != may {
		c.t.Errorf("%+v: a holder was found %v, there is one %v", who, ok, may)
	}
	if !ok {
		return
	}
	found, err := c.store.Package(c.ctx(), who, p)
	c.check(err)
	if !access.Decide(who, p.Name, found.Facts, access.Effects{Action: access.Read}).Allowed {
		c.t.Errorf("%+v: the holder %s may not be read", who, p.Name)
	}
}
