package access

import "testing"

func docker(f Facts) Facts {
	return with(f, func(f *Facts) {
		f.Type, f.AskedType, f.RepositoryID, f.RepositoryVisibility = Docker, Docker, 30, f.Visibility
	})
}

func lies(f Facts, repository int64) Facts {
	return with(f, func(f *Facts) { f.RepositoryID = repository })
}

func inheriting(f Facts, r RepositoryRole) Facts {
	return with(f, func(f *Facts) { f.RepositoryID, f.Inherits, f.RepositoryRole = 30, true, r })
}

func inRepository(f Facts, r RepositoryRole) Facts {
	return with(f, func(f *Facts) { f.RepositoryRole = r })
}

func sso(f Facts, authorized bool) Facts {
	return with(f, func(f *Facts) { f.SSORequired, f.SSOAuthorized = true, authorized })
}

func vouched(p Principal) Principal { return as(p, func(p *Principal) { p.SignedOn = true }) }

func mode(f Facts, m Mode) Facts { return with(f, func(f *Facts) { f.Mode, f.AskedMode = m, m }) }

// elsewhere is in a registry of another mode than the one that was asked.
func elsewhere(f Facts, m, asked Mode) Facts {
	return with(docker(f), func(f *Facts) { f.Mode, f.AskedMode, f.AskedType = m, asked, Container })
}

func toJobs(f Facts, r Role) Facts { return with(f, func(f *Facts) { f.ActionsRole = r }) }

func toCodespaces(f Facts) Facts { return with(f, func(f *Facts) { f.CodespacesAccess = true }) }

func limited(p Principal, limits ...Limit) Principal {
	return as(p, func(p *Principal) { p.Limited, p.Limits = true, limits })
}

// trusted is a job that a rule of trust of account 50 let in.
func trusted(limits ...Limit) Principal {
	return Principal{Scopes: AllScopes, Limited: true, Limits: limits, Workflow: &Workflow{OwnerID: 50, TrustID: 3}}
}

// letIn is a job of the repository 30 that a rule of trust about it let in.
func letIn(s Scopes) Principal {
	return Principal{Login: "acme/app", Scopes: s, Workflow: &Workflow{RepositoryID: 30, OwnerID: 50, TrustID: 3}}
}

func TestRules(t *testing.T) {
	t.Parallel()
	name := packageName(t, "owner/app")
	all := Pull | Push | Remove

	for _, c := range []struct {
		rule    string
		who     Principal
		facts   Facts
		rights  string
		visible bool
	}{
		{"inheriting, no role", ann, member(inheriting(someOrg, 0), Member), "", false},
		{"inheriting, read", ann, member(inheriting(someOrg, RepositoryRead), Member), "r", true},
		{"inheriting, triage", ann, member(inheriting(someOrg, RepositoryTriage), Member), "r", true},
		{"inheriting, write", ann, member(inheriting(someOrg, RepositoryWrite), Member), "rw", true},
		{"inheriting, maintain", ann, member(inheriting(someOrg, RepositoryMaintain), Member), "rw", true},
		{"inheriting, admin", ann, member(inheriting(someOrg, RepositoryAdmin), Member), "rwda", true},
		{"inheriting, grants do not count", ann, granted(member(inheriting(someOrg, RepositoryRead), Member), RoleAdmin), "r", true},
		{"not inheriting, the repository does not count", ann, member(inRepository(lies(someOrg, 30), RepositoryAdmin), Member), "", false},
		{"an organization's owner is admin of what inherits", ann, member(inheriting(someOrg, 0), Owner), "rwda", true},
		{"inheriting, outside collaborator", ann, inheriting(someOrg, RepositoryAdmin), "", false},
		{"inheriting and public, outside collaborator", ann, inheriting(public(someOrg), RepositoryAdmin), "r", true},
		{"inheriting, a user's collaborator", ann, inheriting(bobs, RepositoryWrite), "rw", true},
		{"a grant from outside a private package's organization", ann, granted(someOrg, RoleAdmin), "", false},
		{"a grant from outside an internal package's organization", ann, granted(internal(someOrg), RoleAdmin), "r", true},
		{"a grant from outside a public package's organization", ann, granted(public(someOrg), RoleAdmin), "rwda", true},
		{"a member's grant on an internal package", ann, granted(member(internal(someOrg), Member), RoleAdmin), "rwda", true},

		{"Docker, outside collaborator", ann, inRepository(docker(someOrg), RepositoryWrite), "rw", true},
		{"Docker, grants do not count", ann, granted(member(docker(someOrg), Member), RoleAdmin), "", false},
		{"Docker, outside collaborator creates", ann, inRepository(docker(absent(someOrg)), RepositoryWrite), "w", false},
		{"Docker, a reader of the repository creates nothing", ann, inRepository(docker(absent(someOrg)), RepositoryRead), "", false},
		{"Docker, a member without a role creates nothing", ann, member(docker(absent(someOrg)), Member), "", false},
		{"Docker, the organization's rule on visibilities does not count", ann, inRepository(docker(closed(absent(someOrg))), RepositoryWrite), "w", false},
		{"Docker, an owner creates", ann, docker(absent(annsOwn)), "w", false},
		{"Docker, a site administrator creates", site, docker(absent(bobs)), "w", false},
		{"Docker, no repository", ann, lies(docker(absent(annsOwn)), 0), "", false},
		{"Docker, the repository's job creates", job, docker(absent(someOrg)), "w", false},
		{"Docker, another repository's job does not", job, lies(docker(absent(someOrg)), 31), "", false},
		{"Docker, public", nobody, docker(public(someOrg)), "r", true},

		{"a job on what is linked", job, lies(someOrg, 30), "rwda", true},
		{"a job on what inherits from its repository", job, inheriting(someOrg, 0), "rwda", true},
		{"a job on what is not linked", job, someOrg, "", false},
		{"a job on what is linked elsewhere", job, lies(someOrg, 31), "", false},
		{"a job on what gives it read", job, toJobs(someOrg, RoleRead), "r", true},
		{"a job on what gives it write", job, toJobs(bobs, RoleWrite), "rw", true},
		{"a job on what gives it admin", job, toJobs(lies(someOrg, 31), RoleAdmin), "rwda", true},
		{"a job reads what is internal anywhere", job, internal(with(bobs, func(f *Facts) { f.OwnerIsOrganization = true })), "r", true},
		{"a job reads what is public", job, public(bobs), "r", true},
		{"a job has its permissions alone", scoped(job, ReadPackages), lies(someOrg, 30), "r", true},
		{"a job without permissions", scoped(job, 0), lies(someOrg, 30), "", false},
		{"a job that a rule with push let in", letIn(WritePackages), lies(someOrg, 30), "rw", true},
		{"a job that a rule with delete let in", letIn(ReadPackages | DeletePackages), lies(someOrg, 30), "rd", true},
		{"a job that a rule with push and delete let in", letIn(AllScopes), lies(someOrg, 30), "rwda", true},
		{"a job that a rule with push let in, given admin", letIn(WritePackages), toJobs(someOrg, RoleAdmin), "rw", true},
		{"a job creates for its owner", job, absent(someOrg), "w", false},
		{"a job creates for no other owner", job, absent(bobs), "", false},
		{"a job creates what members may", job, absent(closed(someOrg)), "", false},
		{"a job's account is nobody's", job, granted(member(someOrg, Owner), RoleAdmin), "", false},
		{"a user's job creates", as(job, func(p *Principal) { p.Workflow = &Workflow{RepositoryID: 30, OwnerID: 2} }), absent(bobs), "w", false},

		{"a codespace on what lists it", codespace, toCodespaces(someOrg), "r", true},
		{"a codespace on what inherits from its repository", codespace, inheriting(someOrg, 0), "r", true},
		{"a codespace on its repository's Docker package", codespace, docker(someOrg), "r", true},
		{"a codespace on what is linked alone", codespace, lies(someOrg, 30), "", false},
		{"a codespace on what inherits from another", codespace, lies(inheriting(someOrg, 0), 31), "", false},
		{"a codespace has no share in what jobs get", codespace, toJobs(someOrg, RoleAdmin), "", false},
		{"a codespace on what is internal", codespace, internal(someOrg), "r", true},
		{"a codespace creates nothing", codespace, absent(someOrg), "", false},
		{"a codespace deletes nothing", codespace, toCodespaces(public(someOrg)), "r", true},

		{"a rule for a package: pull", trusted(Limit{50, 5, Pull}), someOrg, "r", true},
		{"a rule for a package: push", trusted(Limit{50, 5, Push}), someOrg, "rw", true},
		{"a rule for a package: delete", trusted(Limit{50, 5, Remove}), someOrg, "rd", true},
		{"a rule for a package: all", trusted(Limit{50, 5, all}), someOrg, "rwd", true},
		{"a rule for a package: nothing", trusted(Limit{50, 5, 0}), someOrg, "", false},
		{"a rule for a package that is linked", trusted(Limit{50, 5, all}), lies(someOrg, 31), "rwd", true},
		{"a rule for another package", trusted(Limit{50, 4, all}), someOrg, "", false},
		{"a rule for another package, internal", trusted(Limit{50, 4, all}), internal(someOrg), "", false},
		{"a rule for another namespace, internal", trusted(Limit{2, 0, all}), internal(someOrg), "", false},
		{"a rule for a package creates nothing", trusted(Limit{50, 5, all}), absent(someOrg), "", false},
		{"a rule for a namespace", trusted(Limit{50, 0, all}), someOrg, "rwd", true},
		{"a rule for a namespace creates", trusted(Limit{50, 0, Push}), absent(someOrg), "w", false},
		{"a rule for a namespace that pulls creates nothing", trusted(Limit{50, 0, Pull}), absent(someOrg), "", false},
		{"a rule creates what members may", trusted(Limit{50, 0, Push}), absent(closed(someOrg)), "", false},
		{"a rule for a namespace and no other", trusted(Limit{50, 0, all}), annsOwn, "", false},
		{"a rule without marks holds for its limits alone", as(trusted(Limit{50, 5, Remove}), func(p *Principal) { p.Limited = false }), someOrg, "rd", true},
		{"a rule has its permissions alone", scoped(trusted(Limit{50, 5, all}), ReadPackages), someOrg, "r", true},
		{"a rule says nothing of an unlinked repository", trusted(Limit{50, 4, all}), toJobs(someOrg, RoleAdmin), "", false},

		{"fine-grained, pull", limited(ann, Limit{1, 6, Pull}), annsOwn, "r", true},
		{"fine-grained, push", limited(ann, Limit{1, 6, Push}), annsOwn, "rw", true},
		{"fine-grained, delete", limited(ann, Limit{1, 6, Remove}), annsOwn, "rd", true},
		{"fine-grained, all", limited(ann, Limit{1, 0, all}), annsOwn, "rwd", true},
		{"fine-grained, nothing", limited(ann), annsOwn, "", false},
		{"fine-grained, another package", limited(ann, Limit{1, 9, all}), annsOwn, "", false},
		{"fine-grained, another namespace", limited(ann, Limit{2, 0, all}), annsOwn, "", false},
		{"fine-grained, several limits", limited(ann, Limit{2, 0, all}, Limit{1, 6, Pull}, Limit{1, 0, Push}), annsOwn, "rw", true},
		{"fine-grained, no more than the owner", limited(ann, Limit{2, 0, all}), granted(bobs, RoleRead), "r", true},
		{"fine-grained, an owner without a right", limited(ann, Limit{2, 0, all}), bobs, "", false},
		{"fine-grained, what is public elsewhere", limited(ann, Limit{1, 6, all}), public(bobs), "r", true},
		{"fine-grained, what is internal elsewhere", limited(ann, Limit{1, 6, all}), internal(someOrg), "", false},
		{"fine-grained, creating", limited(ann, Limit{1, 0, Push}), absent(annsOwn), "w", false},
		{"fine-grained, creating with a limit to one package", limited(ann, Limit{1, 6, Push}), absent(annsOwn), "", false},
		{"fine-grained, an owner that is not there", limited(ann, Limit{0, 0, all}), Facts{OwnerExists: true, OwnerIsOrganization: true, Membership: Owner}, "", false},

		{"single sign-on missing, member", ann, sso(granted(member(someOrg, Member), RoleAdmin), false), "", false},
		{"single sign-on done, member", ann, sso(granted(member(someOrg, Member), RoleWrite), true), "rw", true},
		{"single sign-on missing, owner", ann, sso(member(someOrg, Owner), false), "", false},
		{"single sign-on missing, creating", ann, sso(member(absent(someOrg), Member), false), "", false},
		{"single sign-on done, creating", ann, sso(member(absent(someOrg), Member), true), "w", false},
		{"single sign-on missing, site administrator", site, sso(someOrg, false), "", false},
		{"single sign-on missing, internal", ann, sso(internal(someOrg), false), "", false},
		{"single sign-on done, internal", ann, sso(internal(someOrg), true), "r", true},
		{"single sign-on by the session, member", vouched(ann), sso(granted(member(someOrg, Member), RoleWrite), false), "rw", true},
		{"single sign-on by the session, internal", vouched(ann), sso(internal(someOrg), false), "r", true},
		{"single sign-on by the session, a stranger", vouched(ann), sso(someOrg, false), "", false},
		{"single sign-on by the session, creating", vouched(ann), sso(member(absent(someOrg), Member), false), "w", false},
		{"single sign-on missing, public", ann, sso(public(member(someOrg, Owner)), false), "r", true},
		{"single sign-on is not for jobs", job, sso(lies(someOrg, 30), false), "rwda", true},
		{"single sign-on is not for the operator", operator, sso(someOrg, false), "rwda", true},

		{"read-only", ann, mode(annsOwn, ReadOnly), "r", true},
		{"read-only, creating", ann, mode(absent(annsOwn), ReadOnly), "", false},
		{"read-only, public", nobody, mode(public(bobs), ReadOnly), "r", true},
		{"read-only, site administrator", site, mode(bobs, ReadOnly), "r", true},
		{"read-only, operator", operator, mode(bobs, ReadOnly), "rwda", true},
		{"enabled", ann, mode(annsOwn, Enabled), "rwda", true},
		{"disabled", ann, mode(annsOwn, Disabled), "", false},
		{"disabled, public", ann, mode(public(annsOwn), Disabled), "", false},
		{"disabled, creating", ann, mode(absent(annsOwn), Disabled), "", false},
		{"disabled, site administrator", site, mode(public(bobs), Disabled), "", false},
		{"disabled, operator", operator, mode(bobs, Disabled), "rwda", true},

		{"the operator", operator, bobs, "rwda", true},
		{"the operator creates", operator, absent(someOrg), "w", false},
		{"the operator creates for no one who is not", operator, Facts{}, "", false},
		{"the operator, suspended owner", operator, suspended(public(bobs)), "rwda", true},
		{"the operator, retired name", operator, with(absent(bobs), func(f *Facts) { f.Retired = true }), "", false},
		{"the operator, Docker without a repository", operator, lies(docker(absent(bobs)), 0), "", false},

		{"a retired name is not used again", ann, with(absent(annsOwn), func(f *Facts) { f.Retired = true }), "", false},
		{"a suspended owner, internal", ann, suspended(internal(someOrg)), "", false},
		{"a suspended owner, a job", job, suspended(lies(someOrg, 30)), "", false},
		{"a suspended owner, a site administrator without single sign-on", site, sso(suspended(someOrg), false), "", false},
	} {
		if got := rights(c.who, name, c.facts); got != c.rights {
			t.Errorf("%s: rights %q, want %q", c.rule, got, c.rights)
		}
		if got := Decide(c.who, name, c.facts, Effects{Action: Read}).Visible; got != c.visible {
			t.Errorf("%s: visible %v, want %v", c.rule, got, c.visible)
		}
	}
}

func TestVisibilitiesThatMayBeMade(t *testing.T) {
	t.Parallel()
	name := packageName(t, "owner/app")
	allows := func(f Facts, s VisibilitySet) Facts { return with(f, func(f *Facts) { f.MembersCreate = s }) }
	plain, defaults := member(allows(someOrg, SetPublic), Member), func(f Facts, v Visibility) Facts {
		return with(f, func(f *Facts) { f.DefaultVisibility = v })
	}
	for _, c := range []struct {
		rule    string
		who     Principal
		facts   Facts
		effects Effects
		want    bool
	}{
		{"a member makes what is allowed", ann, absent(plain), Effects{Action: Write, Visibility: Public}, true},
		{"a member makes nothing else", ann, absent(plain), Effects{Action: Write, Visibility: Internal}, false},
		{"what is private by default", ann, absent(plain), Effects{Action: Write}, false},
		{"what is public by default", ann, absent(defaults(plain, Public)), Effects{Action: Write}, true},
		{"what is internal by default", ann, absent(defaults(allows(plain, SetInternal), Internal)), Effects{Action: Write}, true},
		{"what follows a repository by default may become private", ann, absent(defaults(allows(plain, SetPrivate), AsRepository)), Effects{Action: Write}, true},
		{"what follows a repository by default may become internal", ann, absent(defaults(allows(plain, SetInternal), AsRepository)), Effects{Action: Write}, true},
		{"what follows a repository by default may become public", ann, absent(defaults(plain, AsRepository)), Effects{Action: Write}, true},
		{"what follows a repository becomes nothing", ann, absent(defaults(allows(plain, 0), AsRepository)), Effects{Action: Write}, false},
		{"what followed a repository and is private", ann, absent(defaults(plain, AsRepository)), Effects{Action: Write, Visibility: Private}, false},
		{"an owner makes anything", ann, absent(member(allows(someOrg, 0), Owner)), Effects{Action: Write, Visibility: Internal}, true},
		{"a site administrator makes anything", site, absent(allows(someOrg, 0)), Effects{Action: Write, Visibility: Internal}, true},
		{"the operator makes anything", operator, absent(allows(someOrg, 0)), Effects{Action: Write, Visibility: Internal}, true},
		{"a job makes what members may", job, absent(allows(someOrg, SetPublic)), Effects{Action: Write, Visibility: Public}, true},
		{"a job makes nothing else", job, absent(allows(someOrg, SetPublic)), Effects{Action: Write, Visibility: Private}, false},
		{"a user makes what is public", ann, absent(annsOwn), Effects{Action: Write, Visibility: Public}, true},
		{"a user makes nothing internal", ann, absent(annsOwn), Effects{Action: Write, Visibility: Internal}, false},
		{"a user's default is never internal", ann, absent(defaults(annsOwn, Internal)), Effects{Action: Write}, true},
		{"the operator makes nothing internal of a user's", operator, absent(annsOwn), Effects{Action: Write, Visibility: Internal}, false},

		{"an admin changes to what is allowed", ann, granted(plain, RoleAdmin), Effects{Action: Administer, Visibility: Public}, true},
		{"an admin changes to nothing else", ann, granted(plain, RoleAdmin), Effects{Action: Administer, Visibility: Internal}, false},
		{"an admin changes other settings", ann, granted(plain, RoleAdmin), Effects{Action: Administer}, true},
		{"an organization's owner changes to anything", ann, member(plain, Owner), Effects{Action: Administer, Visibility: Internal}, true},
		{"a writer changes nothing", ann, granted(plain, RoleWrite), Effects{Action: Administer, Visibility: Public}, false},
		{"a push to what exists changes no visibility", ann, granted(plain, RoleWrite), Effects{Action: Write, Visibility: Internal}, true},
		{"a user's package does not become internal", ann, annsOwn, Effects{Action: Administer, Visibility: Internal}, false},
		{"a Docker package has its repository's", ann, docker(annsOwn), Effects{Action: Administer, Visibility: Public}, false},
	} {
		if d := Decide(c.who, name, c.facts, c.effects); d.Allowed != c.want {
			t.Errorf("%s: %+v", c.rule, d)
		} else if !d.Allowed && c.effects.Visibility != "" && c.facts.Grant != RoleWrite && d.Reason != visibilityNotAllowed {
			t.Errorf("%s: refused for %s", c.rule, d.Reason.Code)
		}
	}
}
