package store_test

import (
	"context"

	"pgregory.net/rapid"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/packages"
)

func (m *directoryModel) grant(t *rapid.T) {
	p, user := m.aPackage(t, access.Container), m.anAccount(t)
	if p == nil || p.inherits || user.organization {
		return
	}
	g := packages.Grant{Grantee: packages.Grantee{Kind: packages.User, ID: user.id}, Role: access.RoleRead}
	want := none
	if p.owner.organization && user != m.accounts[0] { // who is its only member
		want = errs.Conflict
	}
	if expect(t, m.GrantPackage(context.Background(), p.id, g, entry("package.grant")), want, "grant %s", p.name) {
		p.granted[user] = true
	}
}

// mayRead is the model's answer for a package that nobody made public.
func (m *directoryModel) mayRead(p *modelPackage, user *modelAccount) bool {
	switch {
	case p.owner.organization:
		return user == m.accounts[0] // its owner and only member
	case p.owner == user:
		return true
	}
	return !p.inherits && p.granted[user]
}

// check asks for every second address there may be, each as one of the users, and
// for the others the next time.
func (m *directoryModel) check(t *rapid.T) {
	var users []*modelAccount
	for _, a := range m.accounts {
		if !a.gone && !a.organization {
			users = append(users, a)
		}
	}
	m.seq++
	turn := 0
	for _, letter := range []string{"a", "b", "c", "d", "e"} {
		for _, name := range []string{"x", "r/x", "r/y", "repo/x", "repo/y"} {
			if turn++; turn%2 == m.seq%2 {
				continue
			}
			m.checkOne(t, users[turn%len(users)], access.Container, m.login(letter), name)
			m.checkOne(t, users[(turn+1)%len(users)], access.Docker, m.login(letter), name)
		}
	}
}

func (m *directoryModel) checkOne(t *rapid.T, user *modelAccount, kind access.PackageType, login, name string) {
	want, _, _ := m.resolve(kind, login, name)
	who := access.Principal{AccountID: user.id, Login: user.login, Scopes: access.AllScopes}
	got := m.lookup(t, who, kind, login+"/"+name)
	switch {
	case want == nil && got.ID != 0:
		t.Fatalf("%s %s/%s leads to %s, want nothing", kind, login, name, got.Address.Name)
	case want == nil:
		return
	case got.ID != want.id:
		t.Fatalf("%s %s/%s leads to %d (%s), want %d (%s)", kind, login, name, got.ID, got.Address.Name, want.id, want.name)
	}
	if present := want.owner.login + "/" + want.name; got.Address.Name.String() != present || got.Address.Type != want.kind {
		t.Fatalf("%s %s/%s is called %s, want %s", kind, login, name, got.Address.Name, present)
	}
	if want.repository != nil && (got.Facts.RepositoryID != want.repository.id ||
		got.Facts.Repository.String() != want.owner.login+"/"+want.repository.name) {
		t.Fatalf("%s/%s is linked to %s, want %s", login, name, got.Facts.Repository, want.repository.name)
	}
	if want.repository == nil && got.Facts.RepositoryID != 0 {
		t.Fatalf("%s/%s is linked to %s", login, name, got.Facts.Repository)
	}
	may := access.Decide(who, got.Facts.Name, got.Facts, access.Effects{Action: access.Read}).Allowed
	if may != m.mayRead(want, user) {
		t.Fatalf("%s may read %s/%s: %v", user.login, login, name, may)
	}
}
