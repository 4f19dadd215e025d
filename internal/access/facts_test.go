package access

import (
	"testing"

	"packhouse/internal/oci"
)

func TestNewVisibility(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		def, repository Visibility
		organization    bool
		want            Visibility
	}{
		{"", "", true, Private}, {Private, Public, true, Private}, {Public, Private, false, Public},
		{Internal, "", true, Internal}, {Internal, "", false, Private},
		{AsRepository, "", true, Private}, {AsRepository, Public, false, Public},
		{AsRepository, Internal, true, Internal}, {AsRepository, Internal, false, Private},
	} {
		f := Facts{DefaultVisibility: c.def, OwnerIsOrganization: c.organization}
		if got := f.NewVisibility(c.repository); got != c.want {
			t.Errorf("default %q, repository %q, organization %v: %q, want %q", c.def, c.repository, c.organization, got, c.want)
		}
	}
}

func TestVisibilitySet(t *testing.T) {
	t.Parallel()
	for s, want := range map[VisibilitySet]string{
		0: "", SetPrivate: "private", SetInternal: "internal", SetPublic: "public",
		SetPrivate | SetPublic: "private,public", SetAll: "private,internal,public",
	} {
		if s.String() != want {
			t.Errorf("%b: %q, want %q", s, s, want)
		}
		if s.Has("") || s.Has(AsRepository) {
			t.Errorf("%v has what is no visibility", s)
		}
	}
}

// Who pushes a first image looks at it with the same token.
func TestMade(t *testing.T) {
	t.Parallel()
	name := packageName(t, "acme/app")
	for _, c := range []struct {
		rule   string
		who    Principal
		facts  Facts
		rights string
	}{
		{"a user", ann, absent(annsOwn), "rwda"},
		{"a member", ann, member(absent(someOrg), Member), "rwda"},
		{"a job", job, absent(someOrg), "rwda"},
		{"a rule of trust", trusted(Limit{50, 0, Push}), absent(someOrg), "rw"},
		{"a fine-grained token", limited(ann, Limit{1, 0, Push}), absent(annsOwn), "rw"},
		{"a writer of a Docker package's repository", ann, inRepository(docker(absent(someOrg)), RepositoryWrite), "rw"},
		{"a job of a Docker package's repository", job, docker(absent(someOrg)), "rwda"},
		{"a job of another repository", job, lies(docker(absent(someOrg)), 31), ""},
	} {
		if got := rights(c.who, name, c.facts.Made(c.who)); got != c.rights {
			t.Errorf("%s: %q, want %q", c.rule, got, c.rights)
		}
	}
}

func TestRepositoryRoleNames(t *testing.T) {
	t.Parallel()
	for r := RepositoryRole(0); r <= RepositoryAdmin; r++ {
		if got, ok := RepositoryRoleNamed(r.String()); !ok || got != r {
			t.Errorf("%d is named %s, which names %d", r, r, got)
		}
	}
	if _, ok := RepositoryRoleNamed("owner"); ok {
		t.Error("there is no role owner")
	}
	for _, r := range []RepositoryRole{-1, RepositoryAdmin + 1} {
		if r.String() != "none" || r.PackageRole() != "" {
			t.Errorf("%d is %s, %q", int(r), r, r.PackageRole())
		}
	}
}

// The role that a rule of trust gives is for people to read; the actions decide.
func TestRoleOfARule(t *testing.T) {
	t.Parallel()
	for actions, want := range map[Actions]Role{
		0: "", Pull: RoleRead, Push: RoleWrite, Pull | Push: RoleWrite, Remove: RoleAdmin, Pull | Push | Remove: RoleAdmin,
	} {
		if got := RoleOf(trusted(Limit{50, 5, actions}), someOrg); got != want {
			t.Errorf("%b: %q, want %q", actions, got, want)
		}
	}
}

func TestMayPublishFrom(t *testing.T) {
	t.Parallel()
	repository := lies(absent(someOrg), 30)
	for _, c := range []struct {
		rule  string
		who   Principal
		facts Facts
		want  bool
	}{
		{"a job, its own repository", job, repository, true},
		{"a job, another", job, lies(repository, 31), false},
		{"a job, its role does not count", job, inRepository(lies(repository, 31), RepositoryAdmin), false},
		{"a codespace", codespace, repository, false},
		{"a rule of trust", trusted(Limit{50, 0, Push}), lies(repository, 0), false},
		{"nobody", nobody, inRepository(repository, RepositoryAdmin), false},
		{"no repository", ann, inRepository(lies(repository, 0), RepositoryAdmin), false},
		{"a writer", ann, inRepository(repository, RepositoryWrite), true},
		{"a reader", ann, inRepository(repository, RepositoryTriage), false},
		{"a writer without single sign-on", ann, sso(inRepository(repository, RepositoryWrite), false), false},
		{"an organization's owner", ann, member(repository, Owner), true},
		{"a user's own", ann, lies(annsOwn, 30), true},
		{"a site administrator", site, repository, true},
		{"the operator", operator, repository, true},
	} {
		if got := MayPublishFrom(c.who, c.facts); got != c.want {
			t.Errorf("%s: %v", c.rule, got)
		}
	}
}

func TestPrincipalID(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		who        Principal
		id         int64
		repository int64
	}{
		{nobody, 0, 0}, {operator, 0, 0}, {ann, 1, 0}, {job, -60, 30}, {trusted(), -7, 0},
	} {
		if c.who.ID() != c.id || c.who.RepositoryID() != c.repository {
			t.Errorf("%+v: id %d, repository %d", c.who, c.who.ID(), c.who.RepositoryID())
		}
	}
	who := as(issued(ann, Grant{oci.Name{}, nil}), func(p *Principal) { p.Catalog = true }).Unrestricted()
	if who.Restricted || who.Grants != nil || who.Catalog {
		t.Errorf("unrestricted: %+v", who)
	}
}
