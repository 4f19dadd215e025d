package access

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"packhouse/internal/oci"
)

func at(t testing.TB, f Facts, repository string) Facts {
	t.Helper()
	return with(f, func(f *Facts) { f.Repository = packageName(t, repository) })
}

// withNames gives the jobs of this file's tables the names that texts need.
func withNames(t testing.TB, p Principal) Principal {
	t.Helper()
	if p.RepositoryID() != 0 {
		w := *p.Workflow
		w.Repository = packageName(t, "acme/app")
		p.Workflow = &w
	}
	return p
}

func tokenID(p Principal, id int64) Principal {
	return as(p, func(p *Principal) { p.TokenID = id })
}

func retired(f Facts) Facts { return with(absent(f), func(f *Facts) { f.Retired = true }) }

func visibleRepository(f Facts) Facts {
	return with(f, func(f *Facts) { f.RepositoryVisibility = Public })
}

// Every reason that may be told, with its text.
func TestExplainWhatMayBeTold(t *testing.T) {
	t.Parallel()
	push, pull, remove, settings := Effects{Action: Write}, Effects{Action: Read}, Effects{Action: Delete}, Effects{Action: Administer}
	internalPush := Effects{Action: Write, Visibility: Internal}
	for _, c := range []struct {
		who     Principal
		asked   string
		facts   Facts
		effects Effects
		code    string
		text    string
	}{
		{ann, "ann/app", annsOwn, push, "allowed", "ann may push ann/app"},
		{operator, "ann/app", annsOwn, remove, "allowed", "the operator may delete from ann/app"},
		{nobody, "bob/app", public(bobs), pull, "allowed", "anyone may pull bob/app"},
		{job, "acme/app", lies(someOrg, 30), settings, "allowed", "a job of acme/app may administer acme/app"},
		{trusted(Limit{50, 5, Pull}), "acme/app", someOrg, pull, "allowed", "a job let in by a rule of trust may pull acme/app"},
		{nobody, "bob/app", bobs, push, "no_credential", "authentication required"},

		{issued(ann), "ann/app", annsOwn, push, "not_issued_for", "the bearer token was not issued to push ann/app: ask for one with that scope"},
		{
			codespace, "acme/app", someOrg, push, "codespace_pulls",
			"the token of a codespace pulls and does nothing else: to push acme/app, use a personal access token",
		},
		{
			scoped(ann, ReadPackages), "ann/app", annsOwn, push, "no_scope",
			"to push ann/app the token needs the scope write:packages: packhouse admin token create ann --scopes read:packages,write:packages",
		},
		{
			scoped(ann, DeletePackages), "ann/app", annsOwn, pull, "no_scope",
			"to pull ann/app the token needs the scope read:packages: packhouse admin token create ann --scopes read:packages",
		},
		{
			scoped(ann, ReadPackages), "ann/app", annsOwn, remove, "no_scope",
			"to delete from ann/app the token needs the scope delete:packages, and read:packages with it: " +
				"packhouse admin token create ann --scopes read:packages,delete:packages",
		},
		{
			scoped(job, ReadPackages), "acme/app", someOrg, push, "no_scope",
			"to push acme/app the job needs the permission packages=write: packhouse admin workflow-token create acme/app --permissions packages=write",
		},
		{
			scoped(job, 0), "acme/app", someOrg, pull, "no_scope",
			"to pull acme/app the job needs the permission packages=read: packhouse admin workflow-token create acme/app --permissions packages=read",
		},
		{
			as(scoped(job, ReadPackages), func(p *Principal) { w := *p.Workflow; w.TrustID = 3; p.Workflow = &w }), "acme/app", someOrg, push, "no_scope",
			"the rule of trust that let this job of acme/app in does not allow it to push acme/app: packhouse admin trust list acme",
		},
		{
			scoped(trusted(Limit{50, 5, Pull}), ReadPackages), "acme/app", someOrg, push, "no_scope",
			"the rule of trust that let this job in does not allow it to push acme/app: packhouse admin trust list acme",
		},
		{
			trusted(Limit{50, 5, Pull}), "acme/app", someOrg, push, "outside_limits",
			"the rule of trust that let this job in does not allow it to push acme/app: packhouse admin trust list acme",
		},
		{
			limited(ann, Limit{1, 6, Pull}), "ann/app", annsOwn, push, "outside_limits",
			"this fine-grained token does not hold to push ann/app: packhouse admin token create-fine-grained ann --package ann/app:push",
		},
		{
			limited(ann, Limit{1, 6, Pull}), "ann/app", annsOwn, remove, "outside_limits",
			"this fine-grained token does not hold to delete from ann/app: packhouse admin token create-fine-grained ann --package ann/app:delete",
		},
		{
			limited(ann, Limit{1, 6, Pull}), "ann/new", absent(annsOwn), push, "outside_limits",
			"this fine-grained token does not hold to push ann/new: packhouse admin token create-fine-grained ann --namespace ann:push",
		},
		{
			limited(ann, Limit{1, 6, Push}), "ann/app", annsOwn, settings, "outside_limits",
			"a fine-grained token does not change the settings of ann/app: use a token with the scope write:packages",
		},
		{
			ann, "ann/app", mode(annsOwn, Disabled), pull, "registry_disabled",
			"the Container registry is disabled on this server: packhouse admin site registry container enabled",
		},
		{
			ann, "ann/app/web", mode(docker(annsOwn), ReadOnly), push, "registry_read_only",
			"the Docker registry is read-only, so that pulls work and to push ann/app/web does not: packhouse admin site registry docker enabled",
		},
		{
			tokenID(ann, 12), "acme/app", sso(member(someOrg, Member), false), pull, "single_sign_on",
			"acme requires single sign-on, and this token was not authorized to pull acme/app there: packhouse admin token authorize 12 acme",
		},
		{
			ann, "acme/app", sso(internal(someOrg), false), pull, "single_sign_on",
			"acme requires single sign-on, and a password is not enough to pull acme/app: " +
				"use a token that was authorized with packhouse admin token authorize TOKEN-ID acme",
		},
		{
			ann, "bob/app", public(bobs), push, "no_role",
			"to push bob/app takes the role write, and ann has no role: packhouse admin package grant bob/app --user ann --role write",
		},
		{
			ann, "acme/app", internal(someOrg), push, "no_role",
			"to push acme/app takes the role write, and ann has no role: only members of acme have one there: packhouse admin org member add acme ann",
		},
		{
			ann, "acme/app", public(someOrg), push, "no_role",
			"to push acme/app takes the role write, and ann has no role: packhouse admin package grant acme/app --user ann --role write",
		},
		{
			ann, "bob/app", granted(bobs, RoleWrite), remove, "no_role",
			"to delete from bob/app takes the role admin, and ann has only the role write: packhouse admin package grant bob/app --user ann --role admin",
		},
		{
			ann, "bob/app", at(t, inheriting(bobs, RepositoryRead), "bob/src"), push, "no_role",
			"to push bob/app takes the role write, and ann has only the role read: packhouse admin repo grant bob/src --user ann --role write",
		},
		{
			ann, "bob/app", at(t, visibleRepository(inheriting(public(bobs), 0)), "bob/src"), push, "no_role",
			"to push bob/app takes the role write, and ann has no role: packhouse admin repo grant bob/src --user ann --role write",
		},
		{
			ann, "bob/app", at(t, inheriting(public(bobs), 0), "bob/secret"), push, "no_role",
			"to push bob/app takes the role write, and ann has no role: it inherits its roles from a repository, whose administrators can give it",
		},
		{
			job, "acme/other", someOrg, push, "not_linked",
			"acme/other is not linked to acme/app and gives its jobs no role: packhouse admin package grant acme/other --repository acme/app --role write" +
				" (or: packhouse admin package link acme/other acme/app)",
		},
		{
			job, "bob/app", toJobs(bobs, RoleRead), push, "not_linked",
			"bob/app is not linked to acme/app and gives its jobs only the role read: packhouse admin package grant bob/app --repository acme/app --role write",
		},
		{
			job, "acme/lib/web", lies(docker(public(someOrg)), 31), push, "not_linked",
			"acme/lib/web is not linked to acme/app and gives its jobs no role: packhouse admin package grant acme/lib/web --repository acme/app --role write",
		},
		{
			ann, "bob/src/app", elsewhere(public(bobs), Disabled, ""), pull, "registry_disabled",
			"the Docker registry is disabled on this server: packhouse admin site registry docker enabled",
		},
		{
			ann, "bob/src/app", elsewhere(bobs, "", ReadOnly), push, "registry_read_only",
			"the Container registry is read-only, so that pulls work and to push bob/src/app does not: packhouse admin site registry container enabled",
		},
		{operator, "bob/app", absent(bobs), pull, "no_package", "there is no package bob/app"},
		{
			ann, "acme/app", suspended(member(someOrg, Member)), pull, "owner_suspended",
			"acme is suspended, and acme/app with it: packhouse admin user unsuspend acme",
		},
		{ann, "ann/app", retired(annsOwn), push, "name_retired", "the name ann/app belonged to another package and is not used again: choose another name"},
		{
			ann, "ann/src/app", lies(docker(absent(annsOwn)), 0), push, "no_repository",
			"there is no repository ann/src for ann/src/app to lie in: packhouse admin repo create ann/src",
		},
		{
			ann, "ann/app", lies(docker(absent(annsOwn)), 0), push, "no_repository",
			"packages of the Docker registry are named OWNER/REPOSITORY/IMAGE, and ann/app is not",
		},
		{
			ann, "bob/src/app", inRepository(docker(absent(bobs)), RepositoryRead), push, "no_repository_role",
			"to push bob/src/app takes the role write in the repository bob/src: packhouse admin repo grant bob/src --user ann --role write",
		},
		{
			job, "acme/src/app", lies(docker(absent(someOrg)), 31), push, "no_repository_role",
			"acme/src/app lies in the repository acme/src, and only that repository's jobs create packages in it",
		},
		{
			ann, "acme/app", member(absent(with(someOrg, func(f *Facts) { f.MembersCreate = SetPublic })), Member), push, "visibility_not_allowed",
			"acme/app would be private, and members of acme may not make such packages: packhouse admin org set acme --members-create private,public",
		},
		{
			ann, "acme/app", member(absent(closed(someOrg)), Member), internalPush, "visibility_not_allowed",
			"acme/app would be internal, and members of acme may not make such packages: packhouse admin org set acme --members-create internal",
		},
		{ann, "ann/app", absent(annsOwn), internalPush, "visibility_not_allowed", "ann/app cannot be internal: only organizations have internal packages"},
		{
			ann, "ann/src/app", docker(annsOwn), Effects{Action: Administer, Visibility: Public}, "visibility_not_allowed",
			"ann/src/app belongs to the Docker registry and has the visibility of its repository",
		},
		{operator, "bob/app", Facts{}, push, "no_push", "there is no account bob for bob/app to belong to"},
	} {
		who, asked := withNames(t, c.who), packageName(t, c.asked)
		d := Decide(who, asked, c.facts, c.effects)
		if d.Reason.Code != c.code || !d.Told || d.SignIn() != (c.code == "no_credential") || d.Absent() != (c.code == "no_package") {
			t.Errorf("%s, %s, action %d: %+v, want %s", who.Login, c.asked, c.effects.Action, d, c.code)
		}
		if got := Explain(who, asked, c.facts, c.effects, d); got != c.text {
			t.Errorf("%s, %s, %s:\n%s\nwant\n%s", who.Login, c.asked, c.code, got, c.text)
		}
	}
}

// What only the operator is told, who asks about others.
func TestExplainToTheOperator(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		who   Principal
		asked string
		facts Facts
		text  string
	}{
		{ann, "bob/app", absent(bobs), "only bob creates packages such as bob/app"},
		{job, "bob/app", absent(bobs), "a job of acme/app creates packages for the owner of its repository alone, and bob/app is not one"},
		{
			ann, "acme/src/app", docker(absent(someOrg)),
			"to push acme/src/app takes the role write in the repository acme/src: packhouse admin repo grant acme/src --user ann --role write",
		},
		{ann, "acme/app", absent(someOrg), "only members of acme create packages such as acme/app: packhouse admin org member add acme ann"},
		{ann, "zoe/app", Facts{}, "there is no account zoe for zoe/app to belong to"},
	} {
		who, asked, e := withNames(t, c.who), packageName(t, c.asked), Effects{Action: Write}
		d := Decide(who, asked, c.facts, e)
		if d.Reason != noPush || d.Told {
			t.Errorf("%s: %+v", c.asked, d)
		}
		d.Told = true
		if got := Explain(who, asked, c.facts, e, d); got != c.text {
			t.Errorf("%s:\n%s\nwant\n%s", c.asked, got, c.text)
		}
	}
}

// One who may not know of the package gets one text, whatever there is.
func TestExplainToStrangers(t *testing.T) {
	t.Parallel()
	asked := packageName(t, "bob/app")
	there := []Facts{
		bobs, absent(bobs), retired(bobs), docker(bobs), docker(absent(bobs)), lies(docker(absent(bobs)), 0), inheriting(bobs, 0), suspended(bobs),
		suspended(absent(bobs)), suspended(public(bobs)), {}, closed(absent(someOrg)), granted(someOrg, RoleAdmin), sso(someOrg, false),
		sso(absent(someOrg), false), sso(bobs, true),
	}
	grantJobs := "; jobs of acme/app reach what is linked to it or grants it a role: packhouse admin package grant bob/app --repository acme/app --role "
	for _, c := range []struct {
		rule   string
		who    Principal
		action Action
		text   string
	}{
		{"pull", ann, Read, "there is no package bob/app, or no right to pull it"},
		{"delete", ann, Delete, "there is no package bob/app, or no right to delete from it"},
		{"settings", ann, Administer, "there is no package bob/app, or no right to administer it"},
		{"push", ann, Write, "no right to push bob/app: that takes the role write on it, or the right to create packages in bob"},
		{"pull in vain", issued(ann, Grant{Name: asked}), Read, "there is no package bob/app, or no right to pull it"},
		{"push in vain", issued(ann, Grant{Name: asked}), Write, "no right to push bob/app: that takes the role write on it, or the right to create packages in bob"},
		{
			"fine-grained, for another package", limited(ann, Limit{2, 99, Push}), Read,
			"there is no package bob/app, or no right to pull it; a fine-grained token reaches only what it names",
		},
		{
			"fine-grained, for a package that its owner lost", limited(ann, Limit{2, 7, Push}), Read,
			"there is no package bob/app, or no right to pull it; a fine-grained token reaches only what it names",
		},
		{
			"fine-grained, push", limited(ann, Limit{2, 7, Push}), Write,
			"no right to push bob/app: that takes the role write on it, or the right to create packages in bob; a fine-grained token reaches only what it names",
		},
		{"a stranger's job, pull", stranger, Read, "there is no package bob/app, or no right to pull it" + grantJobs + "read"},
		{"a stranger's job, delete", stranger, Delete, "there is no package bob/app, or no right to delete from it" + grantJobs + "admin"},
	} {
		who, e := withNames(t, c.who), Effects{Action: c.action}
		for _, f := range there {
			d := Decide(who, asked, f, e)
			if d.Allowed || d.Visible || d.Told || !d.Absent() {
				t.Errorf("%s, %+v: %+v", c.rule, f, d)
			}
			if got := Explain(who, asked, f, e, d); got != c.text {
				t.Errorf("%s, %+v:\n%s\nwant\n%s", c.rule, f, got, c.text)
			}
		}
	}
}

// stranger is a job of a repository of account 77.
var stranger = Principal{Login: "acme/app", Scopes: AllScopes, Workflow: &Workflow{RepositoryID: 31, OwnerID: 77}}

func TestWhoIsTold(t *testing.T) {
	t.Parallel()
	asked := packageName(t, "acme/app")
	for _, c := range []struct {
		rule   string
		who    Principal
		facts  Facts
		action Action
		told   bool
	}{
		{"a member who may create is told of what it may not push to", ann, member(someOrg, Member), Write, true},
		{"and not of what it may not read", ann, member(someOrg, Member), Read, false},
		{"nor delete", ann, member(someOrg, Member), Delete, false},
		{"a job of the owner's is told of both", job, someOrg, Write, true},
		{"as a push would tell", job, someOrg, Read, true},
		{"but not one that may not push", scoped(job, ReadPackages), someOrg, Read, false},
		{"nor another owner's", stranger, someOrg, Read, false},
		{"nor a codespace", codespace, someOrg, Read, false},
		{"a job that a namespace trusts is told", trusted(Limit{50, 0, Push}), absent(someOrg), Read, true},
		{"not one that it trusts to pull", trusted(Limit{50, 0, Pull}), absent(someOrg), Read, false},
		{"a reader of the repository may know what lies in it", ann, inRepository(docker(absent(someOrg)), RepositoryRead), Write, true},
		{"not one without a role", ann, member(docker(absent(someOrg)), Member), Write, false},

		{"single sign-on is told to members everywhere", ann, sso(member(absent(someOrg), Member), false), Read, true},
		{"to those with a role", ann, sso(granted(public(someOrg), RoleWrite), false), Write, true},
		{"to site administrators", site, sso(someOrg, false), Read, true},
		{"to all where it is internal", ann, sso(internal(someOrg), false), Delete, true},
		{"not to strangers", ann, sso(someOrg, false), Read, false},
		{"nor of what is not there", ann, sso(absent(internal(someOrg)), false), Read, false},

		{"suspension is told to members everywhere", ann, suspended(member(absent(someOrg), Member)), Read, true},
		{"to those with a role", ann, suspended(granted(bobs, RoleRead)), Read, true},
		{"to all where it is internal", ann, suspended(internal(someOrg)), Read, true},
		{"not to strangers", ann, suspended(bobs), Write, false},
		{"nor of what is public", ann, suspended(public(bobs)), Read, false},

		{"a disabled registry is told to those who may read there", ann, elsewhere(inRepository(bobs, RepositoryRead), Disabled, ""), Read, true},
		{"and of what is public", nobody, elsewhere(public(bobs), Disabled, ""), Read, true},
		{"and of what is not there", ann, mode(absent(bobs), Disabled), Read, true},
		{"not to strangers of what lies elsewhere", ann, elsewhere(bobs, Disabled, ""), Read, false},
		{"nor a read-only one", ann, elsewhere(bobs, ReadOnly, ""), Write, false},
		{"they are told of the one that they asked", ann, elsewhere(bobs, "", ReadOnly), Write, true},
		{"the operator is told everything", operator, absent(bobs), Read, true},
	} {
		if d := Decide(c.who, asked, c.facts, Effects{Action: c.action}); d.Allowed || d.Told != c.told {
			t.Errorf("%s: %+v", c.rule, d)
		}
	}
}

// The reason that a stranger's single sign-on would be missing is not told.
func TestSingleSignOnIsNoStrangersBusiness(t *testing.T) {
	t.Parallel()
	d := Decide(ann, packageName(t, "acme/app"), sso(public(someOrg), false), Effects{Action: Write})
	if d.Reason != noRole {
		t.Errorf("%+v, want %s", d, noRole.Code)
	}
}

func TestPlainText(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"a ~b": "a ~b", "a\"b": "a?b", `a\b`: "a?b", "a\nb": "a?b", "a\x7fb": "a?b", "é": "?",
		strings.Repeat("x", MaxExplanation+1): strings.Repeat("x", MaxExplanation),
	} {
		if got := plain(in); got != want {
			t.Errorf("plain(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestPropertyExplanationsFitIntoAHeader(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorld(t)
		long, err := oci.ParseName("o" + strings.Repeat("/abcdefgh", 22))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []oci.Name{w.name, long} {
			text := Explain(w.who, name, w.facts, w.effects, w.decision())
			if text == "" || len(text) > MaxExplanation || plain(text) != text {
				t.Fatalf("%q", text)
			}
		}
	})
}
