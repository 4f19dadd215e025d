package access

import (
	"slices"
	"testing"

	"pgregory.net/rapid"

	"packhouse/internal/oci"
)

// world is everything that Decide looks at.
type world struct {
	who     Principal
	name    oci.Name
	facts   Facts
	effects Effects
}

func (w world) decision() Decision { return Decide(w.who, w.name, w.facts, w.effects) }

func (w world) allowed() bool { return w.decision().Allowed }

func rarely(t *rapid.T, label string) bool { return rapid.IntRange(0, 5).Draw(t, label) == 0 }

func drawNames(t *rapid.T) []oci.Name {
	var names []oci.Name
	for _, s := range []string{"owner/app", "owner/other"} {
		n, err := oci.ParseName(s)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, n)
	}
	return names
}

// Generators are made for each use: one is not for tests side by side.

func someActions() *rapid.Generator[Action] {
	return rapid.SampledFrom([]Action{Read, Write, Delete, Administer})
}

func someVisibilities() *rapid.Generator[Visibility] {
	return rapid.SampledFrom([]Visibility{Private, Internal, Public})
}

func someRoles() *rapid.Generator[Role] {
	return rapid.SampledFrom([]Role{"", RoleRead, RoleWrite, RoleAdmin})
}

func drawWorld(t *rapid.T) world {
	names := drawNames(t)
	w := world{
		who: drawPrincipal(t, names), name: names[0], facts: drawFacts(t),
		effects: Effects{Action: someActions().Draw(t, "action")},
	}
	if rarely(t, "with a visibility") {
		w.effects.Visibility = someVisibilities().Draw(t, "effect")
	}
	return w
}

func drawPrincipal(t *rapid.T, names []oci.Name) Principal {
	yes := rapid.Bool()
	p := Principal{Scopes: Scopes(rapid.IntRange(0, int(AllScopes)).Draw(t, "scopes")), Restricted: yes.Draw(t, "restricted"), TokenID: 8}
	switch rapid.IntRange(0, 4).Draw(t, "kind") {
	case 0:
		p.Workflow = &Workflow{
			RepositoryID: rapid.Int64Range(0, 2).Draw(t, "job's repository"), OwnerID: rapid.Int64Range(1, 2).Draw(t, "job's owner"),
			Codespace: rarely(t, "codespace"),
		}
	case 1: // nobody
	default:
		p.AccountID, p.SiteAdmin = rapid.Int64Range(1, 2).Draw(t, "account"), rarely(t, "site administrator")
		p.SignedOn = rarely(t, "signed on")
	}
	p.Limited = p.Workflow != nil && p.Workflow.RepositoryID == 0 || rarely(t, "limited")
	for range rapid.IntRange(0, 2).Draw(t, "limits") {
		p.Limits = append(p.Limits, Limit{
			rapid.Int64Range(1, 2).Draw(t, "limit's owner"), rapid.Int64Range(0, 2).Draw(t, "limit's package"),
			Actions(rapid.IntRange(0, 7).Draw(t, "limit's actions")),
		})
	}
	for range rapid.IntRange(0, 2).Draw(t, "grants") {
		p.Grants = append(p.Grants, Grant{
			Name: rapid.SampledFrom(names).Draw(t, "grant name"), Actions: rapid.SliceOfN(someActions(), 0, 3).Draw(t, "grant actions"),
		})
	}
	return p
}

func drawFacts(t *rapid.T) Facts {
	yes := rapid.Bool()
	f := Facts{
		Mode:        rapid.SampledFrom([]Mode{"", "", "", Enabled, ReadOnly, Disabled}).Draw(t, "mode"),
		OwnerExists: true, Owner: "owner", OwnerID: rapid.Int64Range(1, 2).Draw(t, "owner"), OwnerIsOrganization: yes.Draw(t, "organization"),
		OwnerSuspended: rarely(t, "suspended"), Type: rapid.SampledFrom([]PackageType{Container, Docker}).Draw(t, "type"),
		Exists: yes.Draw(t, "exists"), Retired: rarely(t, "retired"), RepositoryID: rapid.Int64Range(0, 2).Draw(t, "repository"),
		RepositoryRole: RepositoryRole(rapid.IntRange(0, 5).Draw(t, "repository role")),
		MembersCreate:  VisibilitySet(rapid.IntRange(0, 7).Draw(t, "members create")),
		SSORequired:    rarely(t, "single sign-on"), SSOAuthorized: yes.Draw(t, "authorized"),
		DefaultVisibility: rapid.SampledFrom([]Visibility{Private, Internal, Public, AsRepository}).Draw(t, "default"),
	}
	if f.OwnerIsOrganization {
		f.Membership = rapid.SampledFrom([]Membership{"", Member, Owner}).Draw(t, "membership")
	}
	if f.RepositoryID == 0 {
		f.RepositoryRole = 0
	}
	f.AskedMode, f.AskedType = f.Mode, f.Type
	if f.Exists {
		f.AskedMode = rapid.SampledFrom([]Mode{f.Mode, f.Mode, "", ReadOnly, Disabled}).Draw(t, "asked mode")
		f.AskedType = rapid.SampledFrom([]PackageType{f.Type, f.Type, Container, Docker}).Draw(t, "asked type")
		f.PackageID = rapid.Int64Range(1, 2).Draw(t, "package")
		f.Visibility = someVisibilities().Draw(t, "visibility")
		f.Grant, f.ActionsRole = someRoles().Draw(t, "grant"), someRoles().Draw(t, "actions role")
		f.Inherits, f.CodespacesAccess = yes.Draw(t, "inherits"), yes.Draw(t, "codespaces")
	}
	return f
}

// What a bearer token lets its holder do lies in what was asked for, in what was
// granted, and in what the credential behind it may do at the moment.
func TestPropertyGrantedIsWithinAskedAndAllowed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		account := w
		account.who = w.who.Unrestricted()
		var granted []Action
		for _, g := range w.who.Grants {
			if g.Name == w.name {
				granted = append(granted, g.Actions...)
			}
		}
		public := w.effects.Action == Read && w.facts.Exists && w.facts.Visibility == Public
		if w.allowed() && (!account.allowed() || w.who.Restricted && !public && !slices.Contains(granted, w.effects.Action)) {
			t.Fatalf("allowed %+v", w)
		}
		if account.allowed() && !w.allowed() && slices.Contains(granted, w.effects.Action) {
			t.Fatalf("refused what it was issued for: %+v", w)
		}
	})
}

// What is allowed beyond reading what all may read lies in the scopes, in the
// limits, and in a role or the right to create.
func TestPropertyRightsAreWithinScopeLimitsAndRole(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		if !w.allowed() || w.effects.Action == Read && w.facts.Exists && w.facts.Visibility == Public {
			return
		}
		a := w.effects.Action
		needed := map[Action]Scopes{Read: ReadPackages | WritePackages, Write: WritePackages, Delete: DeletePackages, Administer: WritePackages}[a]
		if w.who.Anonymous() || w.who.Scopes&needed == 0 {
			t.Fatalf("nobody, or without the scope: %+v", w)
		}
		covers := func(l Limit) bool {
			want := map[Action]Actions{Read: Pull | Push | Remove, Write: Push, Delete: Remove}[a]
			return l.OwnerID == w.facts.OwnerID && (l.PackageID == 0 || l.PackageID == w.facts.PackageID) && l.Actions&want != 0
		}
		if w.who.Limited && !slices.ContainsFunc(w.who.Limits, covers) {
			t.Fatalf("outside the limits: %+v", w)
		}
		byRole := w.facts.Exists && RoleOf(w.who, w.facts).allows(a)
		byCreation := !w.facts.Exists && a == Write && mayPushInto(w.who, w.facts)
		byVisibility := w.facts.Exists && w.facts.Visibility == Internal && a == Read
		if !byRole && !byCreation && !byVisibility {
			t.Fatalf("without a role: %+v", w)
		}
	})
}

// Taking something away from what is known in favour of the caller, or adding a
// demand, never allows more.
func TestPropertyRestrictionsNeverGrant(t *testing.T) {
	t.Parallel()
	for label, lose := range map[string]func(*world){
		"site admin":  func(w *world) { w.who.SiteAdmin = false },
		"account":     func(w *world) { w.who.AccountID = 0 },
		"a scope":     func(w *world) { w.who.Scopes &= w.who.Scopes - 1 },
		"every scope": func(w *world) { w.who.Scopes = 0 },
		"limits":      func(w *world) { w.who.Limited = true },
		"a limit":     func(w *world) { w.who.Limits = w.who.Limits[min(1, len(w.who.Limits)):] },
		"actions": func(w *world) {
			w.who.Limited, w.who.Limits = true, slices.Clone(w.who.Limits)
			for i := range w.who.Limits {
				w.who.Limits[i].Actions &= Pull
			}
		},
		"unrestricted":    func(w *world) { w.who.Restricted = true },
		"grants":          func(w *world) { w.who.Restricted, w.who.Grants = true, nil },
		"owner":           func(w *world) { w.facts.OwnerExists = false },
		"owner's health":  func(w *world) { w.facts.OwnerSuspended = true },
		"membership":      func(w *world) { w.facts.Membership = "" },
		"being an owner":  func(w *world) { w.facts.Membership = min(w.facts.Membership, Member) },
		"grant":           func(w *world) { w.facts.Grant = "" },
		"repository role": func(w *world) { w.facts.RepositoryRole = 0 },
		"jobs' role":      func(w *world) { w.facts.ActionsRole = "" },
		"codespaces":      func(w *world) { w.facts.CodespacesAccess = false },
		"creation":        func(w *world) { w.facts.MembersCreate = 0 },
		"being public":    func(w *world) { w.facts.Visibility = Private },
		"being visible":   func(w *world) { w.facts.Visibility = "" },
		"authorization":   func(w *world) { w.facts.SSORequired, w.facts.SSOAuthorized, w.who.SignedOn = true, false, false },
		"writing": func(w *world) {
			if w.facts.Mode != Disabled {
				w.facts.Mode = ReadOnly
			}
			if w.facts.AskedMode != Disabled {
				w.facts.AskedMode = ReadOnly
			}
		},
		"the registry": func(w *world) { w.facts.Mode, w.facts.AskedMode = Disabled, Disabled },
		"the name":     func(w *world) { w.facts.Retired = true },
		"being a job of more than a codespace": func(w *world) {
			if w.who.Workflow != nil {
				other := *w.who.Workflow
				other.Codespace = true
				w.who.Workflow, w.facts.CodespacesAccess = &other, false
			}
		},
	} {
		t.Run(label, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(t *rapid.T) {
				before := drawWorld(t)
				after := before
				lose(&after)
				if after.allowed() && !before.allowed() {
					t.Fatalf("losing %s allowed %+v", label, before)
				}
			})
		})
	}
}

// One who may not know of a package, or may not be told, gets the same as if
// there were none.
func TestPropertyPrivateLooksAbsent(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		none := w
		none.facts = absent(w.facts)
		none.facts.Inherits, none.facts.CodespacesAccess = false, false
		private, nothing := w.decision(), none.decision()
		open := w
		open.facts.Mode = Enabled
		if open.decision().Visible || mayPushInto(w.who, w.facts) || concerned(w.who, w.facts) {
			return
		}
		if private.Allowed || nothing.Allowed || private.Told != nothing.Told {
			t.Fatalf("%+v for a package that is not visible, %+v for none: %+v", private, nothing, w)
		}
		one, other := Explain(w.who, w.name, w.facts, w.effects, private), Explain(w.who, w.name, none.facts, w.effects, nothing)
		if one != other {
			t.Fatalf("%q for a package that is not visible, %q for none: %+v", one, other, w)
		}
	})
}

func TestPropertySeeingIsReading(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		w.effects = Effects{Action: Read}
		if d := w.decision(); d.Allowed != d.Visible {
			t.Fatalf("%+v: %+v", d, w)
		}
	})
}
