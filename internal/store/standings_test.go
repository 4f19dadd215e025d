package store_test

import (
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/oci"
)

// What a caller is to a repository: by its own role, a team's, a team's above, or
// membership; and to a demanding organization by its token.
func TestStandings(t *testing.T) {
	onBothWorlds(t, func(t *testing.T, d *world) {
		ctx := t.Context()
		check := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		name, err := oci.ParseName("acme/code")
		check(err)
		r := account.Repository{OwnerID: d.acme, Name: name, Visibility: access.Private, Description: "what it is"}
		r.ID, err = d.CreateRepository(ctx, r, entry("repository.create"))
		check(err)
		d.join(t, d.acme, d.bob)
		base := access.RepositoryTriage
		yes := true
		check(d.SetSettings(ctx, d.acme, account.SettingsChange{BaseRole: &base, RequireSSO: &yes}, entry("account.settings")))
		top := d.team(t, account.Team{OrganizationID: d.acme, Slug: "top"})
		below := d.team(t, account.Team{OrganizationID: d.acme, Slug: "below", ParentID: top.ID})
		is := func(id int64, membership access.Membership, role access.RepositoryRole) {
			t.Helper()
			o, err := d.RepositoryStanding(ctx, access.Principal{AccountID: id}, name)
			check(err)
			s := o.Standing
			if s.Membership != membership || s.RepositoryRole != role || s.RepositoryID != r.ID || s.AccountID != d.acme ||
				!s.Organization || !s.SSORequired || s.SSOAuthorized || s.Visibility != access.Private || o.Description != "what it is" {
				t.Errorf("account %d: %+v, %q", id, s, o.Description)
			}
		}
		is(0, "", 0)
		is(d.carl, "", 0)
		is(d.bob, access.Member, access.RepositoryTriage)
		is(d.ann, access.Owner, access.RepositoryTriage)
		check(d.SetRepositoryTeamGrant(ctx, r, top.ID, access.RepositoryWrite, entry("repository.grant")))
		check(d.SetTeamMember(ctx, below, d.bob, true, entry("team.add")))
		is(d.bob, access.Member, access.RepositoryWrite)
		check(d.SetRepositoryGrant(ctx, r, d.carl, access.RepositoryAdmin, entry("repository.grant")))
		is(d.carl, "", access.RepositoryAdmin)

		got := map[string]access.RepositoryRole{}
		list, err := d.Collaborators(ctx, r)
		check(err)
		for _, c := range list {
			got[c.Login] = c.Role
		}
		if len(got) != 3 || got["ann"] != access.RepositoryAdmin || got["bob"] != access.RepositoryWrite || got["carl"] != access.RepositoryAdmin {
			t.Errorf("collaborators: %v", got)
		}
		outside, err := d.OutsideCollaborators(ctx, d.acme)
		if check(err); len(outside) != 1 || outside[0].Login != "carl" {
			t.Errorf("outside: %+v", outside)
		}
		for id, want := range map[int64]int{d.ann: 1, d.bob: 1, d.carl: 1, 0: 0} {
			mine, err := d.RepositoriesWith(ctx, access.Principal{AccountID: id})
			if check(err); len(mine) != want {
				t.Errorf("account %d reaches %d repositories, want %d", id, len(mine), want)
			}
		}
	})
}

// The record of one account is that of all its names, and of nothing whose name
// begins alike.
func TestTheRecordOfOneAccount(t *testing.T) {
	onBothWorlds(t, func(t *testing.T, d *world) {
		ctx := t.Context()
		at := func(action, target string) audit.Entry {
			e := entry(action)
			e.Target = target
			return e
		}
		if err := d.RenameAccount(ctx, d.acme, "apex", "Apex", at("account.rename", "acme")); err != nil {
			t.Fatal(err)
		}
		addOrganization(t, d.Store, "apex-other", d.ann)
		for _, target := range []string{"apex", "apex/app", "apex-other/app", "apexes"} {
			description := "x"
			if err := d.SetProfile(ctx, d.ann, account.Profile{Description: &description}, at("try", target)); err != nil {
				t.Fatal(err)
			}
		}
		list, err := d.AuditEntries(ctx, audit.Query{Account: d.acme, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range list {
			got = append(got, e.Action+" "+e.Target)
		}
		if len(got) < 3 || got[0] != "try apex/app" || got[1] != "try apex" || got[2] != "account.rename acme" {
			t.Errorf("%q", got)
		}
		page, err := d.AuditEntries(ctx, audit.Query{Account: d.acme, After: list[2].ID, Limit: 1})
		if err != nil || len(page) != 1 || page[0].ID != list[1].ID {
			t.Errorf("the page before: %+v, %v", page, err)
		}
		some, err := d.AuditEntries(ctx, audit.Query{Account: d.acme, Action: "try", Actor: string(list[0].Actor), Limit: 10})
		if err != nil || len(some) != 2 {
			t.Errorf("of one action: %+v, %v", some, err)
		}
	})
}
