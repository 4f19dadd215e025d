package store_test

import (
	"strings"
	"sync"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/errs"
)

// reach returns the teams whose grants reach the user, by name.
func (d *world) reach(t *testing.T, user int64) string {
	t.Helper()
	rows, err := d.db.Read().Query(t.Context(), `SELECT t.slug FROM team_reach r JOIN teams t ON t.id = r.team_id
		WHERE r.user_id = ? ORDER BY t.slug`, user)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var slugs []string
	for rows.Next() {
		var slug string
		if err := rows.Scan(&slug); err != nil {
			t.Fatal(err)
		}
		slugs = append(slugs, slug)
	}
	return strings.Join(slugs, " ")
}

func TestGrantsReachThroughNestedTeams(t *testing.T) {
	onBothWorlds(t, func(t *testing.T, d *world) {
		ctx := t.Context()
		d.join(t, d.acme, d.bob)
		d.join(t, d.acme, d.carl)
		a := d.team(t, account.Team{OrganizationID: d.acme, Slug: "a"})
		b := d.team(t, account.Team{OrganizationID: d.acme, Slug: "b", ParentID: a.ID})
		c := d.team(t, account.Team{OrganizationID: d.acme, Slug: "c", ParentID: b.ID})
		e := d.team(t, account.Team{OrganizationID: d.acme, Slug: "e"})
		put := func(team account.Team, user int64, in bool) func() error {
			return func() error { return d.SetTeamMember(ctx, team, user, in, entry("team.add")) }
		}
		move := func(team account.Team, parent int64) func() error {
			return func() error { return d.MoveTeam(ctx, team, parent, entry("team.move")) }
		}
		for _, step := range []struct {
			what      string
			do        func() error
			bob, carl string
		}{
			{"bob into the lowest", put(c, d.bob, true), "a b c", ""},
			{"and once more", put(c, d.bob, true), "a b c", ""},
			{"carl into the middle", put(b, d.carl, true), "a b c", "a b"},
			{"bob into another", put(e, d.bob, true), "a b c e", "a b"},
			{"the middle on top", move(b, 0), "b c e", "b"},
			{"the middle below another", move(b, e.ID), "b c e", "b e"},
			{"the other one below the first", move(e, a.ID), "a b c e", "a b e"},
			{"bob out of the other one, above which he is still", put(e, d.bob, false), "a b c e", "a b e"},
			{"the middle deleted", func() error { return d.DeleteTeam(ctx, b, entry("team.delete")) }, "a c e", ""},
			{"bob out of the lowest", put(c, d.bob, false), "", ""},
			{"bob back", put(c, d.bob, true), "a c e", ""},
			{"bob out of the organization", func() error { return d.RemoveMember(ctx, d.acme, d.bob, entry("member.remove")) }, "", ""},
		} {
			if err := step.do(); err != nil {
				t.Fatalf("%s: %v", step.what, err)
			}
			if got := d.reach(t, d.bob); got != step.bob {
				t.Errorf("%s: bob is reached by %q, want %q", step.what, got, step.bob)
			}
			if got := d.reach(t, d.carl); got != step.carl {
				t.Errorf("%s: carl is reached by %q, want %q", step.what, got, step.carl)
			}
		}
		if list, err := d.TeamMembers(ctx, c.ID); len(list) != 0 || err != nil {
			t.Errorf("who left the organization is in %v, %v", list, err)
		}
	})
}

func TestWhatTeamsCannotBe(t *testing.T) {
	onBothWorlds(t, func(t *testing.T, d *world) {
		ctx := t.Context()
		other := addOrganization(t, d.Store, "other", d.bob)
		a := d.team(t, account.Team{OrganizationID: d.acme, Slug: "a"})
		b := d.team(t, account.Team{OrganizationID: d.acme, Slug: "b", ParentID: a.ID})
		c := d.team(t, account.Team{OrganizationID: d.acme, Slug: "c", ParentID: b.ID})
		foreign := d.team(t, account.Team{OrganizationID: other, Slug: "a"})
		outside := d.team(t, account.Team{OrganizationID: d.acme, Slug: "outside", Group: "g"})
		app := d.repository(t, d.acme, "acme/app", access.Private)
		create := func(t account.Team) error { return second(d.CreateTeam(ctx, t, entry("team.create"))) }
		for what, c := range map[string]struct {
			err  error
			kind errs.Kind
		}{
			"below itself":              {d.MoveTeam(ctx, a, a.ID, entry("team.move")), errs.Conflict},
			"below its child":           {d.MoveTeam(ctx, a, b.ID, entry("team.move")), errs.Conflict},
			"below its grandchild":      {d.MoveTeam(ctx, a, c.ID, entry("team.move")), errs.Conflict},
			"below a foreign team":      {d.MoveTeam(ctx, a, foreign.ID, entry("team.move")), errs.NotFound},
			"of a foreign organization": {d.MoveTeam(ctx, account.Team{ID: foreign.ID, OrganizationID: d.acme}, 0, entry("team.move")), errs.NotFound},
			"twice the same":            {create(account.Team{OrganizationID: d.acme, Slug: "a"}), errs.Exists},
			"made below a foreign one":  {create(account.Team{OrganizationID: d.acme, Slug: "x", ParentID: foreign.ID}), errs.NotFound},
			"of strangers":              {d.SetTeamMember(ctx, a, d.carl, true, entry("team.add")), errs.Conflict},
			"left by strangers":         {d.SetTeamMember(ctx, a, d.ann, false, entry("team.remove")), errs.NotFound},
			"filled twice":              {d.SetTeamMember(ctx, outside, d.ann, true, entry("team.add")), errs.Conflict},
			"deleted by others":         {d.DeleteTeam(ctx, account.Team{ID: foreign.ID, OrganizationID: d.acme}, entry("team.delete")), errs.NotFound},
			"given a foreign repository": {d.SetRepositoryTeamGrant(ctx, app, foreign.ID, access.RepositoryRead, entry("repository.grant")),
				errs.NotFound},
		} {
			if !errs.Is(c.err, c.kind) {
				t.Errorf("%s: %v, want %v", what, c.err, c.kind)
			}
		}
		list, err := d.ListTeams(ctx, d.acme)
		if err != nil || len(list) != 4 || list[0].ParentID != 0 || list[1].Parent != "a" || list[2].Parent != "b" || list[3].Group != "g" {
			t.Errorf("the teams are %+v, %v", list, err)
		}
	})
}

// Two moves at once, each right by itself, do not make a circle.
func TestTeamsMovedAtOnceMakeNoCircle(t *testing.T) {
	onBothWorlds(t, func(t *testing.T, d *world) {
		a := d.team(t, account.Team{OrganizationID: d.acme, Slug: "a"})
		b := d.team(t, account.Team{OrganizationID: d.acme, Slug: "b"})
		for range 6 {
			for _, team := range []account.Team{a, b} {
				if err := d.MoveTeam(t.Context(), team, 0, entry("team.move")); err != nil {
					t.Fatal(err)
				}
			}
			var wg sync.WaitGroup
			wg.Go(func() { _ = d.MoveTeam(t.Context(), a, b.ID, entry("team.move")) }) // one of them fails
			wg.Go(func() { _ = d.MoveTeam(t.Context(), b, a.ID, entry("team.move")) })
			wg.Wait()
			if n := d.number(t, `SELECT COUNT(*) FROM teams WHERE parent_id IS NULL`); n != 1 {
				t.Fatalf("%d teams are on top", n)
			}
		}
	})
}

// SEC-011: groups replace, they never add.
func TestSEC011_GroupsReplace(t *testing.T) {
	onBothWorlds(t, func(t *testing.T, d *world) {
		ctx := t.Context()
		other := addOrganization(t, d.Store, "other", d.ann)
		d.join(t, other, d.bob)
		top := d.team(t, account.Team{OrganizationID: d.acme, Slug: "top"})
		d.team(t, account.Team{OrganizationID: d.acme, Slug: "devs", Group: "g-devs", ParentID: top.ID})
		d.team(t, account.Team{OrganizationID: d.acme, Slug: "ops", Group: "g-ops"})
		d.team(t, account.Team{OrganizationID: other, Slug: "guests", Group: "g-devs"})
		byHand := d.team(t, account.Team{OrganizationID: other, Slug: "hand"})
		if err := d.SetTeamMember(ctx, byHand, d.bob, true, entry("team.add")); err != nil {
			t.Fatal(err)
		}
		orgs := func() (n int64) {
			return d.number(t, `SELECT COUNT(*) FROM memberships WHERE user_id = ?`, d.bob)
		}
		for _, step := range []struct {
			groups  []string
			reach   string
			orgs    int64
			records int
		}{
			{nil, "hand", 1, 0},
			{[]string{"unknown", ""}, "hand", 1, 0},
			{[]string{"g-devs", "g-devs"}, "devs guests hand top", 2, 1},
			{[]string{"g-devs", "unknown"}, "devs guests hand top", 2, 0},
			{[]string{"g-ops", "g-devs"}, "devs guests hand ops top", 2, 1},
			{[]string{"g-ops"}, "hand ops", 2, 1},
			{nil, "hand", 1, 1}, // the membership of acme came of groups alone
			{nil, "hand", 1, 0},
		} {
			before := len(entries(t, d.Store))
			if err := d.ReplaceGroups(ctx, d.bob, step.groups, entry("user.groups")); err != nil {
				t.Fatalf("%v: %v", step.groups, err)
			}
			if got := d.reach(t, d.bob); got != step.reach || orgs() != step.orgs {
				t.Errorf("%v: reached by %q in %d organizations, want %q in %d", step.groups, got, orgs(), step.reach, step.orgs)
			}
			list := entries(t, d.Store)
			if len(list)-before != step.records || step.records > 0 && list[0].Target != "bob" {
				t.Errorf("%v: %d new entries, want %d", step.groups, len(list)-before, step.records)
			}
		}
		if got := d.reach(t, d.carl); got != "" {
			t.Errorf("somebody else is reached by %s", got)
		}
	})
}

// A membership that was given by hand is not the provider's to end, also when it
// came of a group at first.
func TestGroupsEndOnlyTheMembershipsThatTheyMade(t *testing.T) {
	onBothWorlds(t, func(t *testing.T, d *world) {
		ctx := t.Context()
		d.team(t, account.Team{OrganizationID: d.acme, Slug: "devs", Group: "g"})
		app := d.repository(t, d.acme, "acme/app", access.Private)
		for _, user := range []int64{d.bob, d.carl} {
			if err := d.ReplaceGroups(ctx, user, []string{"g"}, entry("user.groups")); err != nil {
				t.Fatal(err)
			}
			if err := d.SetRepositoryGrant(ctx, app, user, access.RepositoryWrite, entry("repository.grant")); err != nil {
				t.Fatal(err)
			}
		}
		d.join(t, d.acme, d.carl)
		for _, user := range []int64{d.bob, d.carl, d.ann} {
			if err := d.ReplaceGroups(ctx, user, nil, entry("user.groups")); err != nil {
				t.Fatal(err)
			}
		}
		list, err := d.ListMembers(ctx, d.acme)
		if got := members(list); got != "ann:owner carl:member" || err != nil {
			t.Errorf("members are %s, %v", got, err)
		}
		if n := d.number(t, `SELECT COUNT(*) FROM repository_grants WHERE account_id = ?`, d.bob); n != 0 {
			t.Error("who left the organization keeps a role on its repository")
		}
	})
}
