package access

import (
	"testing"

	"pgregory.net/rapid"

	"packhouse/internal/oci"
)

// world is everything that Decide looks at.
type world struct {
	who    Principal
	name   oci.Name
	facts  Facts
	action Action
}

func (w world) allowed() bool {
	return Decide(w.who, w.name, w.facts, Effects{Action: w.action}).Allowed
}

func drawWorld(t *rapid.T) world {
	names := []oci.Name{}
	for _, s := range []string{"owner/app", "owner/other"} {
		n, err := oci.ParseName(s)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, n)
	}
	actions := rapid.SampledFrom([]Action{Read, Write, Delete, Administer})
	yes := rapid.Bool()
	w := world{
		who: Principal{
			AccountID: rapid.Int64Range(0, 2).Draw(t, "account"), SiteAdmin: rapid.IntRange(0, 3).Draw(t, "site") == 0,
			Scopes: Scopes(rapid.IntRange(0, int(AllScopes)).Draw(t, "scopes")), Restricted: yes.Draw(t, "restricted"),
		},
		name: names[0],
		facts: Facts{
			OwnerExists: true, OwnerID: rapid.Int64Range(1, 2).Draw(t, "owner"), OwnerIsOrganization: yes.Draw(t, "organization"),
			OwnerSuspended:   rapid.IntRange(0, 3).Draw(t, "suspended") == 0,
			Membership:       rapid.SampledFrom([]Membership{"", Member, Owner}).Draw(t, "membership"),
			MembersMayCreate: yes.Draw(t, "create"), Exists: yes.Draw(t, "exists"),
		},
		action: actions.Draw(t, "action"),
	}
	if w.facts.Exists {
		w.facts.Visibility = rapid.SampledFrom([]Visibility{Private, Internal, Public}).Draw(t, "visibility")
		w.facts.Grant = rapid.SampledFrom([]Role{"", RoleRead, RoleWrite, RoleAdmin}).Draw(t, "grant")
	}
	for range rapid.IntRange(0, 2).Draw(t, "grants") {
		w.who.Grants = append(w.who.Grants, Grant{
			Name: rapid.SampledFrom(names).Draw(t, "grant name"), Actions: rapid.SliceOfN(actions, 0, 3).Draw(t, "grant actions"),
		})
	}
	return w
}

// Whatever is allowed beyond reading what all may read lies in the scopes, in
// the role or the right to create, and in what the token was issued for.
func TestRightsAreWithinScopeAndRole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		if !w.allowed() || w.action == Read && w.facts.Exists && w.facts.Visibility == Public {
			return
		}
		if w.who.Anonymous() {
			t.Fatalf("nobody is allowed: %+v", w)
		}
		needed := map[Action]Scopes{Read: ReadPackages | WritePackages, Write: WritePackages, Delete: DeletePackages, Administer: WritePackages}[w.action]
		if w.who.Scopes&needed == 0 {
			t.Fatalf("without the scope: %+v", w)
		}
		if w.who.Restricted && !w.who.issuedFor(w.name, w.action) {
			t.Fatalf("not issued for it: %+v", w)
		}
		byRole := w.facts.Exists && RoleOf(w.who, w.facts).allows(w.action)
		byCreation := !w.facts.Exists && w.action == Write && mayCreate(w.who, w.facts)
		byVisibility := w.facts.Exists && w.facts.Visibility == Internal && w.action == Read
		if !byRole && !byCreation && !byVisibility {
			t.Fatalf("without a role: %+v", w)
		}
	})
}

// Taking something away from what is known in favour of the caller never allows
// more.
func TestLosingAFactNeverGrants(t *testing.T) {
	t.Parallel()
	losses := map[string]func(*world){
		"site admin":      func(w *world) { w.who.SiteAdmin = false },
		"account":         func(w *world) { w.who.AccountID = 0 },
		"a scope":         func(w *world) { w.who.Scopes &= w.who.Scopes - 1 },
		"every scope":     func(w *world) { w.who.Scopes = 0 },
		"unrestricted":    func(w *world) { w.who.Restricted = true },
		"grants":          func(w *world) { w.who.Grants = nil },
		"owner":           func(w *world) { w.facts.OwnerExists = false },
		"owner's health":  func(w *world) { w.facts.OwnerSuspended = true },
		"ownership":       func(w *world) { w.facts.OwnerID = 77 },
		"membership":      func(w *world) { w.facts.Membership = "" },
		"being an owner":  func(w *world) { w.facts.Membership = min(w.facts.Membership, Member) },
		"role":            func(w *world) { w.facts.Grant = "" },
		"creation":        func(w *world) { w.facts.MembersMayCreate = false },
		"being public":    func(w *world) { w.facts.Visibility = Private },
		"being published": func(w *world) { w.facts.Visibility = "" },
	}
	rapid.Check(t, func(t *rapid.T) {
		before := drawWorld(t)
		for label, lose := range losses {
			after := before
			lose(&after)
			if after.allowed() && !before.allowed() {
				t.Fatalf("losing %s allowed %+v", label, before)
			}
		}
	})
}

func TestSeeingIsNeverLessThanReading(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		w.action = Read
		d := Decide(w.who, w.name, w.facts, Effects{Action: Read})
		if d.Allowed != d.Visible {
			t.Fatalf("read %v, visible %v: %+v", d.Allowed, d.Visible, w)
		}
	})
}
