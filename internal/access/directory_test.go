package access

import "testing"

var (
	dirAnn    = Principal{AccountID: 1, Login: "ann", Scopes: EveryScope}
	dirSite   = Principal{AccountID: 9, Login: "root", Scopes: EveryScope, SiteAdmin: true}
	dirOrg    = Standing{AccountID: 50, Organization: true}
	dirUser   = Standing{AccountID: 2}
	annStands = Standing{AccountID: 1}
)

func in(s Standing, m Membership) Standing { s.Membership = m; return s }

func repo(s Standing, v Visibility, r RepositoryRole) Standing {
	s.RepositoryID, s.Visibility, s.RepositoryRole = 30, v, r
	return s
}

func demanding(s Standing, authorized bool) Standing {
	s.SSORequired, s.SSOAuthorized = true, authorized
	return s
}

func shut(s Standing) Standing { s.Suspended = true; return s }

func TestDecideDirectory(t *testing.T) {
	t.Parallel()
	less := func(p Principal, s Scopes) Principal { p.Scopes = s; return p }
	bearer := func(p Principal) Principal { p.Restricted = true; return p }
	fine := func(p Principal) Principal { p.Limited = true; return p }
	for _, c := range []struct {
		rule string
		who  Principal
		s    Standing
		a    DirectoryAction
		want Verdict
	}{
		{"no action", dirSite, in(dirOrg, Owner), 0, Unseen},

		{"a member sees members", dirAnn, in(dirOrg, Member), SeeMembers, Granted},
		{"a stranger does not", dirAnn, dirOrg, SeeMembers, Unseen},
		{"nobody does not", nobody, dirOrg, SeeMembers, Unseen},
		{"a site administrator does", dirSite, dirOrg, SeeMembers, Granted},
		{"a site administrator by a limited token does not", fine(dirSite), dirOrg, SeeMembers, Unseen},
		{"a member by a bearer token does not", bearer(dirAnn), in(dirOrg, Member), SeeMembers, Unseen},
		{"a member by a limited token does not", fine(dirAnn), in(dirOrg, Member), SeeMembers, Unseen},
		{"a member without the scope does not", less(dirAnn, EveryScope&^(ReadOrg|WriteOrg|AdminOrg)), in(dirOrg, Member), SeeMembers, Unseen},
		{"a member with the scope alone does", less(dirAnn, ReadOrg), in(dirOrg, Member), SeeMembers, Granted},
		{"the operator needs no scope", operator, dirOrg, SeeMembers, Granted},
		{"a job sees none", job, in(dirOrg, Member), SeeMembers, Unseen},
		{"a user has no members", dirSite, dirUser, SeeMembers, Unseen},
		{"a member without single sign-on", dirAnn, demanding(in(dirOrg, Member), false), SeeMembers, SignOn},
		{"a member with it", dirAnn, demanding(in(dirOrg, Member), true), SeeMembers, Granted},
		{"a member in a session with it", vouched(dirAnn), demanding(in(dirOrg, Member), false), SeeMembers, Granted},
		{"the operator signs on nowhere", operator, demanding(dirOrg, false), SeeMembers, Granted},

		{"one's own account", dirAnn, annStands, AdministerAccount, Granted},
		{"another's", dirAnn, dirUser, AdministerAccount, Refused},
		{"nobody's own", nobody, Standing{}, AdministerAccount, Refused},
		{"one's own by a limited token", fine(dirAnn), annStands, AdministerAccount, Refused},
		{"one's own by a bearer token", bearer(dirAnn), annStands, AdministerAccount, Refused},
		{"a site administrator's every one", dirSite, dirUser, AdministerAccount, Granted},
		{"a site administrator's by a bearer token", bearer(dirSite), dirUser, AdministerAccount, Refused},
		{"the operator's every one", operator, dirOrg, AdministerAccount, Granted},
		{"an owner's organization", dirAnn, in(dirOrg, Owner), AdministerAccount, Granted},
		{"a member's is not", dirAnn, in(dirOrg, Member), AdministerAccount, Refused},
		{"an organization of the same id is no user", dirAnn, Standing{AccountID: 1, Organization: true}, AdministerAccount, Refused},
		{"a user has no owners", dirAnn, in(dirUser, Owner), AdministerAccount, Refused},
		{"an owner without single sign-on", dirAnn, demanding(in(dirOrg, Owner), false), AdministerAccount, SignOn},
		{"an owner in a session with it", vouched(dirAnn), demanding(in(dirOrg, Owner), false), AdministerAccount, Granted},
		{"a member is not told of it", dirAnn, demanding(in(dirOrg, Member), false), AdministerAccount, Refused},

		{"nobody sees what is public", nobody, repo(dirOrg, Public, 0), SeeRepository, Granted},
		{"without a repository there is none", dirSite, dirOrg, SeeRepository, Unseen},
		{"nobody sees nothing else", nobody, repo(dirOrg, Private, 0), SeeRepository, Unseen},
		{"nobody sees nothing internal", nobody, repo(dirOrg, Internal, 0), SeeRepository, Unseen},
		{"everyone signed in sees what is internal", dirAnn, repo(dirOrg, Internal, 0), SeeRepository, Granted},
		{"but not by a limited token", fine(dirAnn), repo(dirOrg, Internal, 0), SeeRepository, Unseen},
		{"nor without the scope", less(dirAnn, EveryScope&^Repo), repo(dirOrg, Internal, 0), SeeRepository, Unseen},
		{"nor without single sign-on", dirAnn, demanding(repo(dirOrg, Internal, 0), false), SeeRepository, Unseen},
		{"a stranger sees nothing private", dirAnn, repo(dirOrg, Private, 0), SeeRepository, Unseen},
		{"a reader does", dirAnn, repo(dirOrg, Private, RepositoryRead), SeeRepository, Granted},
		{"a reader by a limited token does not", fine(dirAnn), repo(dirOrg, Private, RepositoryRead), SeeRepository, Unseen},
		{"a reader without the scope does not", less(dirAnn, EveryScope&^Repo), repo(dirOrg, Private, RepositoryRead), SeeRepository, Unseen},
		{"a reader with the scope alone does", less(dirAnn, Repo), repo(dirOrg, Private, RepositoryRead), SeeRepository, Granted},
		{"a reader without single sign-on does not", dirAnn, demanding(repo(dirOrg, Private, RepositoryRead), false), SeeRepository, Unseen},
		{"what is public takes no single sign-on", dirAnn, demanding(repo(dirOrg, Public, 0), false), SeeRepository, Granted},
		{"a job sees its own", job, repo(dirOrg, Private, 0), SeeRepository, Granted},
		{"a job sees no other", Principal{Scopes: EveryScope, Workflow: &Workflow{RepositoryID: 31}}, repo(dirOrg, Private, 0), SeeRepository, Unseen},
		{"the operator sees all", operator, repo(dirOrg, Private, 0), SeeRepository, Granted},
		{"a suspended owner's is not to be seen", nobody, shut(repo(dirUser, Public, 0)), SeeRepository, Unseen},
		{"nor by those with a role", dirAnn, shut(repo(dirUser, Public, RepositoryAdmin)), SeeRepository, Unseen},
		{"but by site administrators", dirSite, shut(repo(dirUser, Private, 0)), SeeRepository, Granted},
		{"who signed on", dirSite, demanding(shut(repo(dirOrg, Private, 0)), false), SeeRepository, Unseen},

		{"a user's own", dirAnn, repo(annStands, Private, 0), AdministerRepository, Granted},
		{"an owner's", dirAnn, repo(in(dirOrg, Owner), Private, 0), AdministerRepository, Granted},
		{"an admin's", dirAnn, repo(dirOrg, Private, RepositoryAdmin), AdministerRepository, Granted},
		{"a maintainer's is not", dirAnn, repo(dirOrg, Private, RepositoryMaintain), AdministerRepository, Refused},
		{"a stranger's is not, and it is not there", dirAnn, repo(dirOrg, Private, 0), AdministerRepository, Unseen},
		{"a stranger's is not, though public", dirAnn, repo(dirOrg, Public, 0), AdministerRepository, Refused},
		{"a job's own is not", job, repo(dirOrg, Private, RepositoryAdmin), AdministerRepository, Refused},
		{"an admin's by a limited token is not", fine(dirAnn), repo(dirOrg, Public, RepositoryAdmin), AdministerRepository, Refused},
		{"an admin's without single sign-on", dirAnn, demanding(repo(dirOrg, Public, RepositoryAdmin), false), AdministerRepository, SignOn},
		{"a reader is not told of it", dirAnn, demanding(repo(dirOrg, Public, RepositoryRead), false), AdministerRepository, Refused},
		{"the operator's every one, signed on or not", operator, demanding(repo(dirOrg, Private, 0), false), AdministerRepository, Granted},
		{"without a repository", operator, dirOrg, AdministerRepository, Unseen},

		{"an owner removes", dirAnn, repo(in(dirOrg, Owner), Private, 0), RemoveRepository, Granted},
		{"an admin in the organization removes", dirAnn, repo(in(dirOrg, Member), Private, RepositoryAdmin), RemoveRepository, Granted},
		{"a maintainer does not", dirAnn, repo(in(dirOrg, Member), Private, RepositoryMaintain), RemoveRepository, Refused},
		{"an admin from outside does not", dirAnn, repo(dirOrg, Private, RepositoryAdmin), RemoveRepository, Refused},
		{"an admin of a user's removes", dirAnn, repo(dirUser, Private, RepositoryAdmin), RemoveRepository, Granted},
		{"a site administrator removes", dirSite, repo(dirOrg, Private, 0), RemoveRepository, Granted},
		{"a stranger removes nothing, and it is not there", dirAnn, repo(dirOrg, Private, 0), RemoveRepository, Unseen},
	} {
		if got := DecideDirectory(c.who, c.s, c.a); got != c.want {
			t.Errorf("%s: %d, want %d", c.rule, got, c.want)
		}
	}
}

func TestDirectoryRole(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rule string
		who  Principal
		s    Standing
		want RepositoryRole
	}{
		{"as was given", dirAnn, repo(dirOrg, Private, RepositoryTriage), RepositoryTriage},
		{"none without a repository", dirSite, in(dirOrg, Owner), 0},
		{"none without single sign-on", dirSite, demanding(repo(dirOrg, Private, RepositoryTriage), false), 0},
		{"all for an owner", dirAnn, repo(in(dirOrg, Owner), Private, RepositoryTriage), RepositoryAdmin},
		{"none for a job", job, repo(dirOrg, Private, RepositoryTriage), 0},
	} {
		if got := DirectoryRole(c.who, c.s); got != c.want {
			t.Errorf("%s: %s, want %s", c.rule, got, c.want)
		}
	}
}
