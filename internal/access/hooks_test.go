package access

import "testing"

func TestHookScope(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		organization, repository bool
		want                     Scopes
	}{{false, false, User}, {true, false, AdminOrgHook}, {false, true, AdminRepoHook}, {true, true, AdminRepoHook}} {
		if got := HookScope(Facts{OwnerIsOrganization: c.organization}, c.repository); got != c.want {
			t.Errorf("organization %v, repository %v: %s, want %s", c.organization, c.repository, got, c.want)
		}
	}
}

func TestWhoRulesHooks(t *testing.T) {
	t.Parallel()
	ann := Principal{AccountID: 1}
	with := func(change func(*Principal)) Principal { p := ann; change(&p); return p }
	own := Facts{OwnerExists: true, OwnerID: 1}
	acme := Facts{OwnerExists: true, OwnerID: 2, OwnerIsOrganization: true, Membership: Owner}
	of := func(f Facts, change func(*Facts)) Facts { change(&f); return f }
	app := of(acme, func(f *Facts) { f.Membership, f.RepositoryID, f.RepositoryRole = "", 3, RepositoryAdmin })
	suspended := func(f *Facts) { f.OwnerSuspended = true }
	for what, c := range map[string]struct {
		p          Principal
		f          Facts
		repository bool
		want       bool
	}{
		"one's own":                          {ann, own, false, true},
		"another's":                          {Principal{AccountID: 9}, own, false, false},
		"nobody":                             {Principal{}, own, false, false},
		"of nobody, by nobody":               {Principal{}, of(own, func(f *Facts) { f.OwnerID = 0 }), false, false},
		"a job":                              {Principal{Workflow: &Workflow{OwnerID: 1}}, of(own, func(f *Facts) { f.OwnerID = 0 }), false, false},
		"the operator":                       {Principal{Operator: true}, own, false, true},
		"the operator, of a suspended owner": {Principal{Operator: true}, of(own, suspended), false, true},
		"an owner that is not there":         {ann, of(own, func(f *Facts) { f.OwnerExists = false }), false, false},
		"one's own, suspended":               {ann, of(own, suspended), false, false},
		"a site administrator":               {with(func(p *Principal) { p.AccountID, p.SiteAdmin = 9, true }), of(own, suspended), false, true},
		"a limited token":                    {with(func(p *Principal) { p.Limited = true }), own, false, false},
		"a bearer token":                     {with(func(p *Principal) { p.Restricted = true }), own, false, false},
		"an owner of the organization":       {ann, acme, false, true},
		"a member":                           {ann, of(acme, func(f *Facts) { f.Membership = Member }), false, false},
		"without single sign-on":             {ann, of(acme, func(f *Facts) { f.SSORequired = true }), false, false},
		"in a session with single sign-on":   {vouched(ann), of(acme, func(f *Facts) { f.SSORequired = true }), false, true},
		"with single sign-on":                {ann, of(acme, func(f *Facts) { f.SSORequired, f.SSOAuthorized = true, true }), false, true},
		"an admin of the repository":         {ann, app, true, true},
		"of the organization":                {ann, app, false, false},
		"one who maintains the repository":   {ann, of(app, func(f *Facts) { f.RepositoryRole = RepositoryMaintain }), true, false},
		"a repository that is not there":     {ann, of(app, func(f *Facts) { f.RepositoryID = 0 }), true, false},
		"an owner, of a repository":          {ann, of(app, func(f *Facts) { f.Membership, f.RepositoryRole = Owner, 0 }), true, true},
	} {
		if got := RulesHooks(c.p, c.f, c.repository); got != c.want {
			t.Errorf("%s: %v, want %v", what, got, c.want)
		}
	}
}
