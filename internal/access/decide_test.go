package access

import (
	"testing"

	"packhouse/internal/oci"
)

func packageName(t testing.TB, s string) oci.Name {
	t.Helper()
	n, err := oci.ParseName(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

var (
	ann    = Principal{AccountID: 1, Login: "ann", Scopes: AllScopes}
	site   = Principal{AccountID: 9, Login: "root", Scopes: AllScopes, SiteAdmin: true}
	nobody = Principal{}
	// operator needs no scopes.
	operator = Principal{Operator: true, Login: "operator"}
	// job acts for the repository 30 of the organization someOrg.
	job       = Principal{Login: "acme/app", Scopes: AllScopes, Workflow: &Workflow{RepositoryID: 30, OwnerID: 50}}
	codespace = Principal{Login: "acme/app", Scopes: AllScopes, Workflow: &Workflow{RepositoryID: 30, OwnerID: 50, Codespace: true}}
	someOrg   = Facts{
		Type: Container, AskedType: Container, Exists: true, PackageID: 5, Visibility: Private, Owner: "acme", OwnerID: 50, OwnerExists: true,
		OwnerIsOrganization: true, MembersCreate: SetAll,
	}
	annsOwn = Facts{Type: Container, AskedType: Container, Exists: true, PackageID: 6, Visibility: Private, Owner: "ann", OwnerID: 1, OwnerExists: true}
	bobs    = Facts{Type: Container, AskedType: Container, Exists: true, PackageID: 7, Visibility: Private, Owner: "bob", OwnerID: 2, OwnerExists: true}
)

func with(f Facts, change func(*Facts)) Facts {
	change(&f)
	return f
}

func as(p Principal, change func(*Principal)) Principal {
	change(&p)
	return p
}

func absent(f Facts) Facts {
	return with(f, func(f *Facts) {
		f.Exists, f.Visibility, f.PackageID, f.Grant, f.ActionsRole, f.Mode, f.Type = false, "", 0, "", "", f.AskedMode, f.AskedType
	})
}
func public(f Facts) Facts    { return with(f, func(f *Facts) { f.Visibility = Public }) }
func internal(f Facts) Facts  { return with(f, func(f *Facts) { f.Visibility = Internal }) }
func suspended(f Facts) Facts { return with(f, func(f *Facts) { f.OwnerSuspended = true }) }

func granted(f Facts, r Role) Facts { return with(f, func(f *Facts) { f.Grant = r }) }

func member(f Facts, m Membership) Facts { return with(f, func(f *Facts) { f.Membership = m }) }

func closed(f Facts) Facts { return with(f, func(f *Facts) { f.MembersCreate = 0 }) }

func scoped(p Principal, s Scopes) Principal { return as(p, func(p *Principal) { p.Scopes = s }) }

func issued(p Principal, grants ...Grant) Principal {
	return as(p, func(p *Principal) { p.Restricted, p.Grants = true, grants })
}

// rights is what Decide allows, in letters: r, w, d, a.
func rights(p Principal, name oci.Name, f Facts) string {
	got := ""
	for _, a := range []struct {
		action Action
		letter string
	}{{Read, "r"}, {Write, "w"}, {Delete, "d"}, {Administer, "a"}} {
		if Decide(p, name, f, Effects{Action: a.action}).Allowed {
			got += a.letter
		}
	}
	return got
}

func TestDecide(t *testing.T) {
	t.Parallel()
	name := packageName(t, "owner/app")
	other := packageName(t, "owner/other")
	readWrite := ReadPackages | WritePackages

	for _, c := range []struct {
		rule    string
		who     Principal
		facts   Facts
		rights  string
		visible bool
	}{
		{"nobody reads what is public", nobody, public(annsOwn), "r", true},
		{"nobody sees what is private", nobody, annsOwn, "", false},
		{"nobody sees what is internal", nobody, internal(annsOwn), "", false},
		{"nobody reads what does not exist", nobody, with(public(annsOwn), func(f *Facts) { f.Exists = false }), "", false},
		{"nobody creates", nobody, absent(annsOwn), "", false},
		{"nobody owns a namespace of account 0", nobody, Facts{Exists: true, Visibility: Private, OwnerExists: true}, "", false},
		{"nobody creates in a namespace of account 0", nobody, Facts{OwnerExists: true}, "", false},
		{"an explicit role is not for nobody", nobody, granted(annsOwn, RoleAdmin), "", false},
		{"scopes do not make somebody", scoped(nobody, AllScopes), internal(granted(annsOwn, RoleAdmin)), "", false},

		{"a user is admin of the own namespace", ann, annsOwn, "rwda", true},
		{"a user creates in the own namespace", ann, absent(annsOwn), "w", false},
		{"a user has no part in another's namespace", ann, bobs, "", false},
		{"a user does not create in another's namespace", ann, absent(bobs), "", false},
		{"an account's number is not an organization's owner", ann, with(annsOwn, func(f *Facts) { f.OwnerIsOrganization = true }), "", false},
		{"an account's number does not create in an organization", ann, absent(with(annsOwn, func(f *Facts) { f.OwnerIsOrganization = true })), "", false},
		{"no package without an owner", ann, Facts{OwnerID: 1}, "", false},
		{"an owner who is gone owns nothing", ann, with(annsOwn, func(f *Facts) { f.OwnerExists = false }), "", false},

		{"any account reads what is internal", ann, internal(bobs), "r", true},
		{"a stranger reads what is public", ann, public(bobs), "r", true},
		{"read role", ann, granted(bobs, RoleRead), "r", true},
		{"write role", ann, granted(bobs, RoleWrite), "rw", true},
		{"admin role", ann, granted(bobs, RoleAdmin), "rwda", true},
		{"an unknown role is none", ann, granted(bobs, "owner"), "", false},
		{"a role on a package that is gone creates nothing", ann, granted(absent(bobs), RoleAdmin), "", false},

		{"an organization's owner is admin", ann, member(someOrg, Owner), "rwda", true},
		{"an organization's owner creates", ann, member(absent(closed(someOrg)), Owner), "w", false},
		{"a member has no part in private packages", ann, member(someOrg, Member), "", false},
		{"a member with a role has the role", ann, granted(member(someOrg, Member), RoleWrite), "rw", true},
		{"a member creates", ann, member(absent(someOrg), Member), "w", false},
		{"a member creates only where allowed", ann, member(absent(closed(someOrg)), Member), "", false},
		{"a stranger does not create in an organization", ann, absent(someOrg), "", false},
		{"membership counts in organizations alone", ann, member(bobs, Owner), "", false},
		{"membership creates in organizations alone", ann, member(absent(bobs), Owner), "", false},

		{"a site administrator is admin of users' packages", site, bobs, "rwda", true},
		{"a site administrator is admin of organizations' packages", site, someOrg, "rwda", true},
		{"a site administrator creates", site, absent(someOrg), "w", false},
		{"a site administrator does not create without an owner", site, Facts{}, "", false},
		{"a site administrator's token has its scopes alone", scoped(site, ReadPackages), bobs, "r", true},

		{"read scope", scoped(ann, ReadPackages), annsOwn, "r", true},
		{"read scope does not create", scoped(ann, ReadPackages), absent(annsOwn), "", false},
		{"write scope brings read", scoped(ann, WritePackages), annsOwn, "rwa", true},
		{"write scope", scoped(ann, readWrite), annsOwn, "rwa", true},
		{"delete scope alone", scoped(ann, DeletePackages), annsOwn, "", false},
		{"delete and read scopes", scoped(ann, DeletePackages|ReadPackages), annsOwn, "rd", true},
		{"no scope reads what is public", scoped(ann, 0), public(annsOwn), "r", true},
		{"no scope, private", scoped(ann, 0), annsOwn, "", false},
		{"no scope, internal", scoped(ann, 0), internal(bobs), "", false},
		{"delete needs the admin role", ann, granted(public(bobs), RoleWrite), "rw", true},

		{"a bearer token for pull", issued(ann, Grant{name, []Action{Read}}), annsOwn, "r", true},
		{"a bearer token for push", issued(ann, Grant{name, []Action{Write}}), annsOwn, "w", false},
		{"a bearer token for all", issued(ann, Grant{name, []Action{Read, Write, Delete}}), annsOwn, "rwd", true},
		{"a bearer token for another package", issued(ann, Grant{other, []Action{Read, Write, Delete}}), annsOwn, "", false},
		{"a bearer token for nothing", issued(ann), annsOwn, "", false},
		{"a bearer token for nothing reads what is public", issued(ann), public(bobs), "r", true},
		{"a bearer token does not widen the role", issued(ann, Grant{name, []Action{Read, Write, Delete}}), bobs, "", false},
		{"a bearer token does not widen the scopes", issued(scoped(ann, ReadPackages), Grant{name, []Action{Read, Write, Delete}}), annsOwn, "r", true},
		{"a bearer token creates", issued(ann, Grant{name, []Action{Write}}), absent(annsOwn), "w", false},
		{"nobody's bearer token", issued(nobody, Grant{name, []Action{Read, Write}}), annsOwn, "", false},

		{"a suspended owner's public package is gone for others", ann, suspended(public(bobs)), "", false},
		{"a suspended owner's package is gone for those with a role", ann, suspended(granted(bobs, RoleAdmin)), "", false},
		{"nothing is created for a suspended owner", ann, member(absent(suspended(someOrg)), Owner), "", false},
		{"a site administrator works on a suspended owner's packages", site, suspended(bobs), "rwda", true},
	} {
		if got := rights(c.who, name, c.facts); got != c.rights {
			t.Errorf("%s: rights %q, want %q", c.rule, got, c.rights)
		}
		if got := Decide(c.who, name, c.facts, Effects{Action: Read}).Visible; got != c.visible {
			t.Errorf("%s: visible %v, want %v", c.rule, got, c.visible)
		}
	}
}

func TestDecideRefusesWhatHasNoAction(t *testing.T) {
	t.Parallel()
	name := packageName(t, "owner/app")
	for _, who := range []Principal{site, operator} {
		for _, a := range []Action{0, -1, Administer + 1} {
			for _, f := range []Facts{annsOwn, absent(annsOwn), public(annsOwn)} {
				if Decide(who, name, f, Effects{Action: a}).Allowed {
					t.Errorf("action %d is allowed", a)
				}
			}
		}
	}
}

func TestMayListNeedsSomebodyWithTheScope(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		who  Principal
		want bool
	}{
		{nobody, false}, {scoped(nobody, AllScopes), false}, {ann, true}, {scoped(ann, DeletePackages), false},
		{issued(ann), false}, {as(issued(ann), func(p *Principal) { p.Catalog = true }), true},
		{as(issued(nobody), func(p *Principal) { p.Catalog = true }), false}, {operator, true}, {job, true},
	} {
		if got := MayList(c.who); got != c.want {
			t.Errorf("MayList(%+v) = %v", c.who, got)
		}
	}
}

// Account 0 is nobody, wherever it is looked at: a missing id must not match a
// missing owner.
func TestNobodyHasNoRole(t *testing.T) {
	t.Parallel()
	name := packageName(t, "owner/app")
	for _, who := range []Principal{nobody, scoped(nobody, AllScopes), as(nobody, func(p *Principal) { p.SiteAdmin = true })} {
		for _, f := range []Facts{{OwnerExists: true}, granted(bobs, RoleAdmin), member(someOrg, Owner)} {
			if role := RoleOf(who, f); role != "" {
				t.Errorf("RoleOf(%+v, %+v) = %q", who, f, role)
			}
			if mayPushInto(who, f) {
				t.Errorf("%+v may create in %+v", who, f)
			}
			if d := Decide(who, name, f, Effects{Action: Write}); !d.SignIn() || !d.Told {
				t.Errorf("nobody is told %q, want to sign in", d.Reason.Code)
			}
		}
	}
}

// What a bearer token was not asked for, it learns nothing about, whoever's it
// is; where it was asked for in vain the cause is named, and what may be done
// after all takes another token.
func TestABearerTokenIsHeldToWhatItWasAskedFor(t *testing.T) {
	t.Parallel()
	name, other := packageName(t, "owner/app"), packageName(t, "owner/other")
	elsewhere, inVain := issued(ann, Grant{other, []Action{Read, Write, Delete}}), issued(ann, Grant{Name: name})
	for _, c := range []struct {
		rule   string
		who    Principal
		facts  Facts
		action Action
		want   Reason
		told   bool
	}{
		{"read elsewhere", elsewhere, annsOwn, Read, notIssuedFor, true},
		{"read nothing", elsewhere, absent(annsOwn), Read, notIssuedFor, true},
		{"push elsewhere", elsewhere, annsOwn, Write, notIssuedFor, true},
		{"push a stranger's elsewhere", elsewhere, bobs, Write, notIssuedFor, true},
		{"push what is public elsewhere", elsewhere, public(bobs), Write, notIssuedFor, true},
		{"nobody with a token for another name", issued(nobody, Grant{Name: other}), annsOwn, Read, noCredential, true},
		{"read in vain what may be read", inVain, annsOwn, Read, notIssuedFor, true},
		{"read in vain what is internal", inVain, internal(someOrg), Read, notIssuedFor, true},
		{"read in vain", inVain, bobs, Read, noRole, false},
		{"read in vain what is not there", inVain, absent(bobs), Read, noPackage, false},
		{"push in vain what may be pushed", inVain, annsOwn, Write, notIssuedFor, true},
		{"push in vain what is one's own and public", inVain, public(annsOwn), Write, notIssuedFor, true},
		{"push in vain what may be made", inVain, absent(annsOwn), Write, notIssuedFor, true},
		{"push in vain", inVain, bobs, Write, noRole, false},
		{"push in vain what is not there", inVain, absent(bobs), Write, noPush, false},
		{"push in vain what is public", inVain, public(bobs), Write, noRole, true},
	} {
		d := Decide(c.who, name, c.facts, Effects{Action: c.action})
		if d.Allowed || d.Visible != (c.facts.Visibility == Public) || d.Reason != c.want || d.Told != c.told {
			t.Errorf("%s: %+v, want %s", c.rule, d, c.want.Code)
		}
	}
}
