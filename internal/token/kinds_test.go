package token_test

import (
	"context"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/token"
)

var samePrincipal = cmp.Options{cmpopts.EquateComparable(oci.Name{}), cmpopts.EquateEmpty()}

// kinds returns one credential of each kind of token, and who acts by it.
func kinds(t *testing.T, f *fixture) map[string]struct {
	secret string
	who    access.Principal
} {
	t.Helper()
	repository := f.repository(t, "ann/app")
	type kind = struct {
		secret string
		who    access.Principal
	}
	classic, c := f.personal(t, f.ann, access.ReadPackages)
	limits := []access.Limit{{OwnerID: f.ann.ID, Actions: access.Pull}, {OwnerID: f.bob.ID, Actions: access.Push | access.Remove}}
	fine, g := f.fineGrained(t, f.ann, limits...)
	job, j := f.job(t, repository, access.AllScopes)
	idle, i := f.job(t, repository, 0)
	secret, s, err := f.workflow.Create(t.Context(), audit.Operator, token.NewWorkflowToken{
		RepositoryID: repository.ID, OwnerID: f.ann.ID, Scopes: access.ReadPackages, Codespace: true,
		ExpiresAt: f.now.Add(time.Hour), Target: "ann/app",
	})
	if err != nil {
		t.Fatal(err)
	}
	workflow := func(id int64, s access.Scopes, codespace bool) access.Principal {
		return access.Principal{Login: "ann/app", Scopes: s, TokenID: id, Workflow: &access.Workflow{
			RepositoryID: repository.ID, Repository: repository.Name, OwnerID: f.ann.ID, Codespace: codespace,
		}}
	}
	return map[string]kind{
		"classic": {classic, access.Principal{AccountID: f.ann.ID, Login: "ann", Scopes: access.ReadPackages, TokenID: c.ID}},
		"fine-grained": {fine, access.Principal{
			AccountID: f.ann.ID, Login: "ann", Scopes: access.AllScopes, TokenID: g.ID, Limited: true, Limits: limits,
		}},
		"workflow":              {job, workflow(j.ID, access.AllScopes, false)},
		"workflow without any":  {idle, workflow(i.ID, 0, false)},
		"workflow of codespace": {secret.Reveal(), workflow(s.ID, access.ReadPackages, true)},
	}
}

func TestEveryKindOfTokenSignsInEveryWay(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	b64 := base64.StdEncoding.EncodeToString
	for what, k := range kinds(t, f) {
		for way, header := range map[string]string{
			"basic":           basic("ann", k.secret),
			"basic, case":     basic("ANN", k.secret),
			"bearer":          "Bearer " + k.secret,
			"bearer, base64":  "Bearer " + b64([]byte(k.secret)),
			"bearer, as pair": "Bearer " + b64([]byte("ann:"+k.secret)),
		} {
			who, err := f.ask(t, header)
			if diff := cmp.Diff(k.who, who, samePrincipal); diff != "" || err != nil {
				t.Errorf("%s, %s: %v\n%s", what, way, err, diff)
			}
		}
		for way, header := range map[string]string{
			"another's name": basic("bob", k.secret), "no user's name": basic("x-access-token", k.secret), "no name": basic("", k.secret),
			"pair": "Bearer " + b64([]byte("bob:"+k.secret)),
		} {
			who, err := f.ask(t, header)
			if k.who.User() {
				if !unauthenticated(err) || who.TokenID != 0 {
					t.Errorf("%s, %s: %+v, %v", what, way, who, err)
				}
			} else if diff := cmp.Diff(k.who, who, samePrincipal); diff != "" || err != nil {
				t.Errorf("%s, %s: %v\n%s", what, way, err, diff)
			}
		}
		who, err := f.Principal(t.Context(), k.who.TokenID)
		if diff := cmp.Diff(k.who, who, samePrincipal); diff != "" || err != nil {
			t.Errorf("%s by id: %v\n%s", what, err, diff)
		}
	}
	if _, err := f.Principal(t.Context(), 4711); !errs.Is(err, errs.NotFound) {
		t.Errorf("no such token: %v", err)
	}
}

func TestABearerTokenCarriesAllThatIsKnown(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	cases := map[string]access.Principal{
		"password": {AccountID: f.ann.ID, Login: "ann", Scopes: access.AllScopes, Generation: 1767355200123456},
		"catalog":  {AccountID: f.ann.ID, Login: "ann", Scopes: access.ReadPackages, TokenID: 7, Catalog: true},
		"all limits": {AccountID: f.ann.ID, Login: "ann", Scopes: access.AllScopes, TokenID: 7, Limited: true,
			Limits: make([]access.Limit, token.MaxLimits)},
		"limited to nothing": {AccountID: f.ann.ID, Login: "ann", Scopes: access.AllScopes, TokenID: 7, Limited: true},
		"by a rule alone": {Login: "ann (trust rule 5)", Scopes: access.AllScopes, Limited: true,
			Limits: []access.Limit{{OwnerID: 1, PackageID: 2, Actions: access.Push}}, Workflow: &access.Workflow{OwnerID: 1, TrustID: 5}},
	}
	for what, k := range kinds(t, f) {
		cases[what] = k.who
	}
	for i := range cases["all limits"].Limits {
		cases["all limits"].Limits[i] = access.Limit{OwnerID: 1 << 40, PackageID: 1<<50 + int64(i), Actions: access.Pull | access.Push}
	}
	grants := []access.Grant{{Name: name(t, "ann/app"), Actions: []access.Action{access.Read, access.Write}}}
	for what, who := range cases {
		b, err := f.Issue(t.Context(), who, grants)
		if err != nil {
			t.Errorf("%s: %v", what, err)
			continue
		}
		want := who
		want.Restricted, want.Grants = true, grants
		for range 2 { // checked, then remembered
			got, err := f.ask(t, "Bearer "+b.Token.Reveal())
			if diff := cmp.Diff(want, got, samePrincipal); diff != "" || err != nil {
				t.Errorf("%s: %v\n%s", what, err, diff)
			}
		}
	}
}

// A bearer token that says half of who it is for must not become somebody.
func TestClaimsThatContradictEachOther(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	forge := f.forger(t)
	job := map[string]any{"repository_id": 1, "repository": "ann/app", "owner_id": 1, "trust_id": 0, "codespace": false}
	changed := func(key string, value any) map[string]any {
		w := map[string]any{}
		for k, v := range job {
			w[k] = v
		}
		w[key] = value
		return w
	}
	for what, changes := range map[string]map[string]any{
		"a job with an account":       {"packhouse_workflow": job},
		"a job without a name":        {"packhouse_workflow": job, "packhouse_account": 0, "sub": ""},
		"a job of an odd repository":  {"packhouse_workflow": changed("repository", "App!"), "packhouse_account": 0},
		"a job of a nameless one":     {"packhouse_workflow": changed("repository", ""), "packhouse_account": 0},
		"an unlimited job of no one":  {"packhouse_workflow": changed("repository_id", 0), "packhouse_account": 0},
		"a job with an unknown claim": {"packhouse_workflow": changed("admin", true), "packhouse_account": 0},
		"limits of an odd form":       {"packhouse_limited": true, "packhouse_limits": []any{"all"}},
		"limits beyond all actions":   {"packhouse_limited": true, "packhouse_limits": []any{[]int{1, 2, 256 + 7}}},
		"limits of no limited token":  {"packhouse_limits": []any{[]int{1, 2, 1}}},
	} {
		if who, err := f.ask(t, "Bearer "+forge.sign(forge.header(), f.payload(t, changes))); !unauthenticated(err) {
			t.Errorf("%s: %+v, %v", what, who, err)
		}
	}
	good := f.payload(t, map[string]any{"packhouse_workflow": job, "packhouse_account": 0, "sub": "ann/app"})
	if who, err := f.ask(t, "Bearer "+forge.sign(forge.header(), good)); err != nil || who.RepositoryID() != 1 {
		t.Errorf("a job: %+v, %v", who, err)
	}
}

func TestFormerLoginsGoWithAToken(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	classic, _ := f.personal(t, f.ann, access.ReadPackages)
	if err := f.accounts.Rename(t.Context(), audit.Operator, "ann", "anna"); err != nil {
		t.Fatal(err)
	}
	for login, ok := range map[string]bool{"ann": true, "Ann": true, "anna": true, "bob": false, "": false} {
		who, err := f.ask(t, basic(login, classic))
		if (err == nil) != ok || ok && who.Login != "anna" {
			t.Errorf("as %q: %+v, %v", login, who, err)
		}
	}
}

func TestFineGrainedTokensThatAreNotMade(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	day := f.now.Add(24 * time.Hour)
	own := []access.Limit{{OwnerID: f.ann.ID, Actions: access.Pull}}
	for what, n := range map[string]token.NewToken{
		"no end":             {Limits: own},
		"an end too far":     {Limits: own, ExpiresAt: f.now.Add(token.MaxFineGrainedLife + time.Second)},
		"already over":       {Limits: own, ExpiresAt: f.now},
		"scopes too":         {Limits: own, ExpiresAt: day, Scopes: access.ReadPackages},
		"no action":          {Limits: []access.Limit{{OwnerID: f.ann.ID}}, ExpiresAt: day},
		"an unknown action":  {Limits: []access.Limit{{OwnerID: f.ann.ID, Actions: 8}}, ExpiresAt: day},
		"no owner":           {Limits: []access.Limit{{Actions: access.Pull}}, ExpiresAt: day},
		"too many":           {Limits: make([]access.Limit, token.MaxLimits+1), ExpiresAt: day},
		"an endless note":    {Limits: own, ExpiresAt: day, Note: strings.Repeat("x", 201)},
		"a package of bob's": {Limits: []access.Limit{{OwnerID: f.ann.ID, PackageID: 99, Actions: access.Pull}}, ExpiresAt: day},
		"an unknown account": {Limits: []access.Limit{{OwnerID: 4711, Actions: access.Pull}}, ExpiresAt: day},
	} {
		n.AccountID, n.Target = f.ann.ID, "ann"
		if _, _, err := f.Create(t.Context(), audit.Operator, n); !errs.Is(err, errs.Invalid) && !errs.Is(err, errs.NotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if list, err := f.List(t.Context(), f.ann.ID); len(list) != 0 || err != nil {
		t.Errorf("there are %v, %v", list, err)
	}
	_, tok := f.fineGrained(t, f.ann, access.Limit{OwnerID: f.ann.ID, Actions: access.Push}, access.Limit{OwnerID: f.bob.ID, Actions: access.Pull})
	if tok.Scopes != access.ReadPackages|access.WritePackages {
		t.Errorf("pull and push give %v", tok.Scopes)
	}
}

func TestWorkflowTokensThatAreNotMade(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	repository := f.repository(t, "ann/app")
	hour := f.now.Add(time.Hour)
	good := token.NewWorkflowToken{RepositoryID: repository.ID, OwnerID: f.ann.ID, Scopes: access.AllScopes, ExpiresAt: hour, Target: "ann/app"}
	for what, change := range map[string]func(*token.NewWorkflowToken){
		"longer than 6 hours":     func(n *token.NewWorkflowToken) { n.ExpiresAt = f.now.Add(6*time.Hour + time.Second) },
		"no end":                  func(n *token.NewWorkflowToken) { n.ExpiresAt = time.Time{} },
		"already over":            func(n *token.NewWorkflowToken) { n.ExpiresAt = f.now },
		"no repository":           func(n *token.NewWorkflowToken) { n.RepositoryID = 0 },
		"no owner":                func(n *token.NewWorkflowToken) { n.OwnerID = 0 },
		"another's repository":    func(n *token.NewWorkflowToken) { n.OwnerID = f.bob.ID },
		"an unknown repository":   func(n *token.NewWorkflowToken) { n.RepositoryID = 4711 },
		"an unknown rule":         func(n *token.NewWorkflowToken) { n.TrustID = 4711 },
		"a scope that is none":    func(n *token.NewWorkflowToken) { n.Scopes = access.Repo },
		"a codespace that pushes": func(n *token.NewWorkflowToken) { n.Codespace = true },
	} {
		n := good
		change(&n)
		if _, _, err := f.workflow.Create(ctx, audit.Operator, n); !errs.Is(err, errs.Invalid) && !errs.Is(err, errs.NotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for permission, want := range map[string]access.Scopes{"none": 0, "read": access.ReadPackages, "write": access.AllScopes} {
		if s, err := token.PermissionScopes(permission); s != want || err != nil {
			t.Errorf("%s gives %v, %v", permission, s, err)
		}
	}
	if _, err := token.PermissionScopes("admin"); !errs.Is(err, errs.Invalid) {
		t.Errorf("admin: %v", err)
	}
}

// However a workflow token ends, it is refused at once and says why, and its
// bearer tokens write no more.
func TestAWorkflowTokenEnds(t *testing.T) {
	t.Parallel()
	for why, end := range map[string]func(ctx context.Context, f *fixture, r account.Repository, tok token.Token) error{
		"expired": func(_ context.Context, f *fixture, _ account.Repository, _ token.Token) error {
			f.now = f.now.Add(time.Hour)
			return nil
		},
		"revoked": func(ctx context.Context, f *fixture, _ account.Repository, tok token.Token) error {
			return f.workflow.Revoke(ctx, audit.Operator, tok.ID)
		},
		"repository was deleted": func(ctx context.Context, f *fixture, r account.Repository, _ token.Token) error {
			return f.accounts.DeleteRepository(ctx, audit.Operator, r.Name.String())
		},
		"suspended": func(ctx context.Context, f *fixture, _ account.Repository, _ token.Token) error {
			return f.accounts.Suspend(ctx, audit.Operator, "ann", true)
		},
	} {
		f, ctx := newFixture(t), t.Context()
		repository := f.repository(t, "ann/app")
		secret, tok := f.job(t, repository, access.AllScopes)
		who, err := f.ask(t, basic("x", secret))
		if err != nil {
			t.Fatal(err)
		}
		b, err := f.Issue(ctx, who, nil)
		if err != nil {
			t.Fatal(err)
		}
		bearer, err := f.ask(t, "Bearer "+b.Token.Reveal())
		if err != nil || f.StillValid(ctx, bearer) != nil {
			t.Fatalf("%s: before: %v", why, err)
		}
		if err := end(ctx, f, repository, tok); err != nil {
			t.Fatal(err)
		}
		if _, err := f.ask(t, basic("x", secret)); !unauthenticated(err) || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: signing in: %v", why, err)
		}
		if _, err := f.Principal(ctx, tok.ID); !unauthenticated(err) || !strings.Contains(err.Error(), why) {
			t.Errorf("%s: by id: %v", why, err)
		}
		if err := f.StillValid(ctx, bearer); !unauthenticated(err) {
			t.Errorf("%s: writing: %v", why, err)
		}
	}
}

// A workflow token goes with its repository to a new name. With a new owner it
// ends: the jobs that it was made for were the former owner's.
func TestAWorkflowTokenFollowsItsRepository(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	secret, _ := f.job(t, f.repository(t, "ann/app"), access.AllScopes)
	before, err := f.ask(t, basic("x", secret))
	if err != nil {
		t.Fatal(err)
	}
	before.Restricted = true
	if _, err := f.accounts.RenameRepository(ctx, audit.Operator, "ann/app", "web"); err != nil {
		t.Fatal(err)
	}
	if who, err := f.ask(t, basic("x", secret)); err != nil || who.Login != "ann/web" || who.Workflow.Repository != name(t, "ann/web") {
		t.Errorf("after the new name: %+v, %v", who, err)
	}
	if err := f.StillValid(ctx, before); err != nil {
		t.Errorf("writing after the new name: %v", err)
	}
	if _, err := f.accounts.TransferRepository(ctx, audit.Operator, "ann/web", "bob"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.ask(t, basic("x", secret)); !unauthenticated(err) {
		t.Errorf("after the new owner: %v", err)
	}
	if err := f.StillValid(ctx, before); !unauthenticated(err) {
		t.Errorf("writing after the new owner: %v", err)
	}
}

func TestTokensAreRevokedAsWhatTheyAre(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	_, classic := f.personal(t, f.ann, access.ReadPackages)
	_, fine := f.fineGrained(t, f.ann, access.Limit{OwnerID: f.ann.ID, Actions: access.Pull})
	repository := f.repository(t, "ann/app")
	_, job := f.job(t, repository, access.ReadPackages)
	if list, err := f.List(ctx, f.ann.ID); len(list) != 2 || err != nil {
		t.Errorf("ann's tokens: %+v, %v", list, err)
	}
	if list, err := f.workflow.List(ctx, repository.ID); len(list) != 1 || list[0].ID != job.ID || err != nil {
		t.Errorf("the repository's: %+v, %v", list, err)
	}
	for what, revoke := range map[string]func() error{
		"a workflow token as a user's": func() error { return f.Revoke(ctx, audit.Operator, f.ann.ID, job.ID) },
		"a user's as a workflow token": func() error { return f.workflow.Revoke(ctx, audit.Operator, classic.ID) },
		"another's":                    func() error { return f.Revoke(ctx, audit.Operator, f.bob.ID, classic.ID) },
		"none":                         func() error { return f.Revoke(ctx, audit.Operator, f.ann.ID, 4711) },
	} {
		if err := revoke(); !errs.Is(err, errs.NotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, err := range []error{
		f.Revoke(ctx, audit.Operator, f.ann.ID, classic.ID), f.Revoke(ctx, audit.Operator, f.ann.ID, fine.ID),
		f.workflow.Revoke(ctx, audit.Operator, job.ID),
	} {
		if err != nil {
			t.Error(err)
		}
	}
	if list, err := f.workflow.List(ctx, repository.ID); len(list) != 0 || err != nil {
		t.Errorf("the repository's: %+v, %v", list, err)
	}
	entries, err := f.store.AuditEntries(ctx, audit.Query{Limit: 1})
	if err != nil || entries[0].Action != "workflow_token.revoke" || entries[0].Target != "ann/app" || entries[0].Detail["token"] != float64(job.ID) {
		t.Errorf("recorded is %+v, %v", entries, err)
	}
}

func TestAWorkflowTokenIsRememberedForAWeek(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	secret, tok := f.job(t, f.repository(t, "ann/app"), access.ReadPackages)
	ended := tok.ExpiresAt
	for _, after := range []time.Duration{0, 7 * 24 * time.Hour} {
		f.now = ended.Add(after)
		if n, err := f.workflow.Sweep(ctx); n != 0 || err != nil {
			t.Errorf("%v after: forgot %d, %v", after, n, err)
		}
		if _, err := f.ask(t, basic("x", secret)); !unauthenticated(err) || !strings.Contains(err.Error(), "expired") {
			t.Errorf("%v after: %v", after, err)
		}
	}
	f.now = ended.Add(7*24*time.Hour + time.Second)
	if n, err := f.workflow.Sweep(ctx); n != 1 || err != nil {
		t.Errorf("forgot %d, %v", n, err)
	}
	if _, err := f.ask(t, basic("x", secret)); !unauthenticated(err) || strings.Contains(err.Error(), "expired") {
		t.Errorf("at the end: %v", err)
	}
}
