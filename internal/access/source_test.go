package access

import "testing"

func TestMayPublishFrom(t *testing.T) {
	t.Parallel()
	inOrg := func(r RepositoryRole, m Membership) Facts {
		return Facts{OwnerID: 50, OwnerExists: true, OwnerIsOrganization: true, RepositoryID: 7, RepositoryRole: r, Membership: m}
	}
	job := func(id int64) Principal {
		return Principal{Scopes: AllScopes, Workflow: &Workflow{RepositoryID: id, OwnerID: 50}}
	}
	user := Principal{AccountID: 1, Scopes: AllScopes}
	demanding := inOrg(RepositoryAdmin, Member)
	demanding.SSORequired = true
	codespace := job(7)
	codespace.Workflow.Codespace = true
	for _, c := range []struct {
		label string
		who   Principal
		facts Facts
		want  bool
	}{
		{"one who may write", user, inOrg(RepositoryWrite, Member), true},
		{"one who may triage", user, inOrg(RepositoryTriage, Member), false},
		{"an owner", user, inOrg(0, Owner), true},
		{"a member", user, inOrg(0, Member), false},
		{"single sign-on is missing", user, demanding, false},
		{"the own namespace", user, Facts{OwnerID: 1, OwnerExists: true, RepositoryID: 7}, true},
		{"no repository", user, Facts{OwnerID: 1, OwnerExists: true}, false},
		{"nobody", Principal{}, inOrg(RepositoryAdmin, ""), false},
		{"a job of it", job(7), inOrg(0, ""), true},
		{"a job of another", job(8), inOrg(0, ""), false},
		{"a job of none", job(0), inOrg(0, ""), false},
		{"a codespace of it", codespace, inOrg(0, ""), false},
		{"the operator", Principal{Operator: true}, inOrg(0, ""), true},
	} {
		if got := MayPublishFrom(c.who, c.facts); got != c.want {
			t.Errorf("%s: %v, want %v", c.label, got, c.want)
		}
	}
}
