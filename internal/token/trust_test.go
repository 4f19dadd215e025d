package token_test

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/testkit"
	"packhouse/internal/token"
)

func pull(r *token.TrustRule) { r.Actions = access.Pull }

func TestWhoAnIdentityTokenIs(t *testing.T) {
	t.Parallel()
	f := newTrusting(t)
	repository := f.rule(t, "repository", "acme/app", func(r *token.TrustRule) { r.Actions = access.Push | access.Remove })
	read := f.rule(t, "repository", "acme/app", pull, func(r *token.TrustRule) { r.Claims = map[string]string{"ref": "refs/pull/*"} })
	owner := f.rule(t, "owner", "ann", func(r *token.TrustRule) { r.Claims = map[string]string{"repository": "ann/tool"} })
	cmpName := cmp.Comparer(func(a, b oci.Name) bool { return a == b })
	everybody := owner // no such rule can be made; it lets nobody in
	everybody.Claims = nil
	if _, err := f.store.AddTrustRule(t.Context(), everybody, audit.Entry{At: f.now, Actor: audit.Operator, Action: "trust.add", Target: "ann"}); err != nil {
		t.Fatal(err)
	}
	if who, err := f.ask(t, basic("ci", f.job(t, map[string]any{"repository": "evil/app"}))); !unauthenticated(err) {
		t.Errorf("anybody: %+v, %v", who, err)
	}
	for what, c := range map[string]struct {
		claims map[string]any
		want   access.Principal
	}{
		"a repository's": {nil, access.Principal{
			Login: "acme/app", Scopes: access.AllScopes,
			Workflow: &access.Workflow{RepositoryID: repository.RepositoryID, Repository: name(t, "acme/app"), OwnerID: repository.OwnerID, TrustID: repository.ID},
		}},
		"a repository's, to read": {map[string]any{"repository": "other/app", "ref": "refs/pull/1/merge"}, access.Principal{
			Login: "acme/app", Scopes: access.ReadPackages,
			Workflow: &access.Workflow{RepositoryID: repository.RepositoryID, Repository: name(t, "acme/app"), OwnerID: repository.OwnerID, TrustID: read.ID},
		}},
		"the strongest rule's alone": {map[string]any{"ref": "refs/pull/1/merge"}, access.Principal{
			Login: "acme/app", Scopes: access.AllScopes,
			Workflow: &access.Workflow{RepositoryID: repository.RepositoryID, Repository: name(t, "acme/app"), OwnerID: repository.OwnerID, TrustID: repository.ID},
		}},
		"a namespace's": {map[string]any{"repository": "ann/tool"}, access.Principal{
			Login: "ann (trust rule 3)", Scopes: access.ReadPackages | access.WritePackages,
			Limited: true, Limits: []access.Limit{{OwnerID: owner.OwnerID, Actions: access.Pull | access.Push}},
			Workflow: &access.Workflow{OwnerID: owner.OwnerID, TrustID: owner.ID},
		}},
	} {
		who, err := f.ask(t, basic("ci", f.job(t, c.claims)))
		if err != nil || !cmp.Equal(who, c.want, cmpName) {
			t.Errorf("%s: %v\n%s", what, err, cmp.Diff(c.want, who, cmpName))
		}
	}
	if used, err := f.store.TrustRule(t.Context(), repository.ID); err != nil || !used.LastUsedAt.Equal(f.now.Truncate(time.Minute)) {
		t.Errorf("last used at %s, %v", used.LastUsedAt, err)
	}
}

// One identity token may open several doors; the job says which it means.
func TestTheTargetIsChosen(t *testing.T) {
	t.Parallel()
	f := newTrusting(t)
	f.repository(t, "acme/web")
	app := f.rule(t, "repository", "acme/app")
	f.rule(t, "repository", "acme/app", pull)
	if who, err := f.ask(t, basic("anything", f.job(t, nil))); err != nil || who.Workflow.TrustID != app.ID {
		t.Fatalf("two rules about one thing: %+v, %v", who.Workflow, err)
	}
	web, all := f.rule(t, "repository", "acme/web"), f.rule(t, "owner", "acme")
	f.rule(t, "owner", "ann", func(r *token.TrustRule) { r.Claims["repository"] = "other/app" })
	for login, want := range map[string]int64{
		"acme/app": app.ID, "ACME/Web": web.ID, "acme": all.ID, "Acme": all.ID,
		"acme/other": 0, "acme/app/x": 0, "ann": 0, "": 0, "oauth2": 0, "/": 0,
	} {
		who, err := f.ask(t, basic(login, f.job(t, nil)))
		switch {
		case want != 0 && (err != nil || who.Workflow.TrustID != want):
			t.Errorf("%q: %+v, %v", login, who.Workflow, err)
		case want == 0 && (!unauthenticated(err) || strings.Contains(err.Error(), "ann")):
			t.Errorf("%q: %+v, %v", login, who, err)
		}
	}
	_, err := f.ask(t, basic("ci", f.job(t, nil)))
	if err == nil || !strings.Contains(err.Error(), "acme/app, acme/web, acme: name one of them as the user name") {
		t.Errorf("in doubt: %v", err)
	}
	if _, err := f.accounts.RenameRepository(t.Context(), audit.Operator, "acme/web", "site"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"acme/web", "acme/site"} {
		if who, err := f.ask(t, basic(name, f.job(t, nil))); err != nil || who.Login != "acme/site" {
			t.Errorf("%s after it was renamed: %+v, %v", name, who, err)
		}
	}
}

// A refusal tells the job what its own token says, and nothing of the rules.
func TestStrangersLearnNothingOfRules(t *testing.T) {
	t.Parallel()
	f := newTrusting(t)
	f.rule(t, "repository", "acme/app", func(r *token.TrustRule) { r.Claims["environment"] = "secret-place" })
	_, err := f.ask(t, basic("ci", f.job(t, map[string]any{"repository": "evil/app"})))
	var e *errs.Error
	if !errors.As(err, &e) || e.Kind != errs.Unauthenticated {
		t.Fatal(err)
	}
	for _, told := range []string{"secret-place", "environment", "acme"} {
		if strings.Contains(e.Public, told) {
			t.Errorf("%q tells %s", e.Public, told)
		}
	}
	if !strings.Contains(e.Public, f.issuer.URL) || !strings.Contains(e.Public, `subject "job"`) {
		t.Errorf("%q does not say what the token says", e.Public)
	}
	if !strings.Contains(e.Error(), "rule 1: environment") {
		t.Errorf("the log does not say why: %v", e)
	}
}

// What takes a rule away takes away what it gave: writes at once.
func TestARulesJobsEndWithIt(t *testing.T) {
	t.Parallel()
	for what, end := range map[string]func(f *trusting, ctx context.Context, id int64) error{
		"removed": func(f *trusting, ctx context.Context, id int64) error { return f.Remove(ctx, audit.Operator, id) },
		"repository deleted": func(f *trusting, ctx context.Context, _ int64) error {
			return f.accounts.DeleteRepository(ctx, audit.Operator, "acme/app")
		},
		"repository given away": func(f *trusting, ctx context.Context, _ int64) error {
			_, err := f.accounts.TransferRepository(ctx, audit.Operator, "acme/app", "ann")
			return err
		},
		"owner suspended": func(f *trusting, ctx context.Context, _ int64) error {
			return f.accounts.Suspend(ctx, audit.Operator, "acme", true)
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			f, ctx := newTrusting(t), t.Context()
			rule := f.rule(t, "repository", "acme/app")
			text := f.job(t, nil)
			straight, err := f.ask(t, basic("ci", text))
			if err != nil {
				t.Fatal(err)
			}
			made, err := f.Exchange(ctx, token.Exchange{Identity: text})
			if err != nil {
				t.Fatal(err)
			}
			exchanged, err := f.ask(t, basic("ci", made.Token.Reveal()))
			if err != nil {
				t.Fatal(err)
			}
			var bearers []access.Principal
			for _, who := range []access.Principal{straight, exchanged} {
				b, err := f.ask(t, "Bearer "+f.bearer(t, who, access.Read, access.Write))
				if err != nil || f.StillValid(ctx, b) != nil {
					t.Fatalf("before: %+v, %v", b, err)
				}
				bearers = append(bearers, b)
			}
			if err := end(f, ctx, rule.ID); err != nil {
				t.Fatal(err)
			}
			for i, b := range bearers {
				if err := f.StillValid(ctx, b); !unauthenticated(err) {
					t.Errorf("writes of bearer token %d: %v", i, err)
				}
			}
			for _, secret := range []string{text, made.Token.Reveal()} {
				if who, err := f.ask(t, basic("ci", secret)); !unauthenticated(err) {
					t.Errorf("still signs in as %+v, %v", who, err)
				}
			}
			if _, err := f.Exchange(ctx, token.Exchange{Identity: text}); !unauthenticated(err) {
				t.Errorf("is still exchanged: %v", err)
			}
		})
	}
}

func TestExchange(t *testing.T) {
	t.Parallel()
	f, ctx := newTrusting(t), t.Context()
	rule := f.rule(t, "repository", "acme/app", func(r *token.TrustRule) { r.Actions = access.Push | access.Remove })
	f.rule(t, "owner", "ann", func(r *token.TrustRule) { r.Claims["repository"] = "ann/tool" })
	app, tool := f.job(t, nil), f.job(t, map[string]any{"repository": "ann/tool"})
	for what, c := range map[string]struct {
		x      token.Exchange
		scopes access.Scopes // of what comes out; 0 when it is refused
		kind   errs.Kind
	}{
		"as the rule says":     {token.Exchange{Identity: app}, access.AllScopes, 0},
		"narrower":             {token.Exchange{Identity: app, Actions: access.Pull}, access.ReadPackages, 0},
		"to push":              {token.Exchange{Identity: app, Actions: access.Push}, access.ReadPackages | access.WritePackages, 0},
		"for us":               {token.Exchange{Identity: app, Audience: []string{issuer + "/", strings.ToUpper(service)}}, access.AllScopes, 0},
		"a target":             {token.Exchange{Identity: app, Target: "acme/app"}, access.AllScopes, 0},
		"a target's address":   {token.Exchange{Identity: app, Target: issuer + "/acme/app"}, access.AllScopes, 0},
		"a namespace":          {token.Exchange{Identity: tool, Target: "ann"}, access.ReadPackages | access.WritePackages, 0},
		"wider than the rule":  {token.Exchange{Identity: tool, Actions: access.Remove}, 0, errs.Denied},
		"for another server":   {token.Exchange{Identity: app, Audience: []string{issuer, "https://elsewhere.test"}}, 0, errs.Invalid},
		"another target":       {token.Exchange{Identity: app, Target: "ann"}, 0, errs.Unauthenticated},
		"too long a token":     {token.Exchange{Identity: f.job(t, map[string]any{"pad": strings.Repeat("x", token.MaxIdentity)})}, 0, errs.Unauthenticated},
		"no identity token":    {token.Exchange{Identity: "php_x"}, 0, errs.Unauthenticated},
		"a bearer token":       {token.Exchange{Identity: f.bearer(t, access.Principal{})}, 0, errs.Unauthenticated},
		"another job's":        {token.Exchange{Identity: f.job(t, map[string]any{"repository": "evil/app"})}, 0, errs.Unauthenticated},
		"an expired job's":     {token.Exchange{Identity: f.job(t, map[string]any{"exp": f.now.Add(-time.Minute).Unix()})}, 0, errs.Unauthenticated},
		"a target of no rules": {token.Exchange{Identity: app, Target: "nobody/nothing"}, 0, errs.Unauthenticated},
	} {
		made, err := f.Exchange(ctx, c.x)
		if c.scopes == 0 {
			if !errs.Is(err, c.kind) {
				t.Errorf("%s: %v", what, err)
			}
			continue
		}
		if err != nil || made.Life != time.Hour || !strings.HasPrefix(made.Token.Reveal(), "phw_") {
			t.Errorf("%s: %+v, %v", what, made, err)
			continue
		}
		who, err := f.ask(t, basic("ci", made.Token.Reveal()))
		if err != nil || who.Scopes != c.scopes || who.TokenID == 0 || who.Workflow.TrustID == 0 || who.Login != made.Who.Login {
			t.Errorf("%s: %+v, %v", what, who, err)
		}
	}
	made, err := f.Exchange(ctx, token.Exchange{Identity: app})
	if err != nil {
		t.Fatal(err)
	}
	f.now = f.now.Add(time.Hour - time.Second)
	if _, err := f.ask(t, basic("ci", made.Token.Reveal())); err != nil {
		t.Errorf("in its hour: %v", err)
	}
	f.now = f.now.Add(time.Second)
	if _, err := f.ask(t, basic("ci", made.Token.Reveal())); !unauthenticated(err) {
		t.Errorf("after its hour: %v", err)
	}
	if made.Who.Workflow.TrustID != rule.ID {
		t.Errorf("came from rule %d", made.Who.Workflow.TrustID)
	}
}

func TestRulesAreChecked(t *testing.T) {
	t.Parallel()
	f, ctx := newTrusting(t), t.Context()
	target, err := f.Target(ctx, "repository", "Acme/App")
	if err != nil {
		t.Fatal(err)
	}
	good := token.TrustRule{
		TrustTarget: target, Issuer: "https://issuer.example.com", Audience: issuer, Actions: access.Pull, Claims: map[string]string{"sub": "x"},
	}
	try := func(what string, change func(*token.TrustRule), kind errs.Kind) {
		t.Helper()
		r := good
		r.Claims = maps.Clone(good.Claims)
		change(&r)
		if _, err := f.Add(ctx, audit.Operator, access.Principal{Operator: true}, r); (kind == 0) != (err == nil) || err != nil && !errs.Is(err, kind) {
			t.Errorf("%s: %v", what, err)
		}
	}
	issuerIs := func(url string) func(*token.TrustRule) { return func(r *token.TrustRule) { r.Issuer = url } }
	try("good", func(*token.TrustRule) {}, 0)
	try("with a path", issuerIs("https://issuer.example.com/a/b"), 0)
	try("with a slash", issuerIs("https://issuer.example.com/"), 0)
	try("of this machine", issuerIs("http://127.0.0.1:80"), 0)
	for _, wrong := range []string{
		"", "issuer.example.com", "http://issuer.example.com", "http://10.0.0.1", "ftp://issuer.example.com", "https://", "https:///x", "https://u@issuer.example.com",
		"https://issuer.example.com?x=1", "https://issuer.example.com?", "https://issuer.example.com#x", "https://Issuer.example.com", "HTTPS://issuer.example.com",
		"https://issuer.example.com/" + strings.Repeat("x", 300), "file:///etc/passwd", "http://127.0.0.1.example.com",
	} {
		try(wrong, issuerIs(wrong), errs.Invalid)
	}
	try("no audience", func(r *token.TrustRule) { r.Audience = "" }, errs.Invalid)
	try("no action", func(r *token.TrustRule) { r.Actions = 0 }, errs.Invalid)
	try("another action", func(r *token.TrustRule) { r.Actions = 8 }, errs.Invalid)
	try("no claim", func(r *token.TrustRule) { r.Claims = nil }, errs.Invalid)
	try("many claims", func(r *token.TrustRule) {
		for i := range 21 {
			r.Claims[strings.Repeat("c", i+1)] = "x"
		}
	}, errs.Invalid)
	try("what is another's", func(r *token.TrustRule) { r.OwnerID = f.bob.ID }, errs.NotFound)
	try("what is not there", func(r *token.TrustRule) { r.RepositoryID = 4711 }, errs.NotFound)
	good.Issuer = "http://127.0.0.1:80"
	if _, err := f.trust(false).Add(ctx, audit.Operator, access.Principal{Operator: true}, good); !errs.Is(err, errs.Invalid) {
		t.Errorf("http:// where it is not allowed: %v", err)
	}
	for _, c := range [][2]string{
		{"repository", "acme/none"}, {"package", "acme/app"}, {"owner", "nobody"}, {"repository", "acme"}, {"owner", "acme/app"}, {"repository", "a b"},
	} {
		if found, err := f.Target(ctx, c[0], c[1]); err == nil {
			t.Errorf("%v is %+v", c, found)
		}
	}
	if err := f.Remove(ctx, audit.Operator, 4711); !errs.Is(err, errs.NotFound) {
		t.Errorf("a rule that is not there: %v", err)
	}
}

// A job is trusted for what its rule is about, whatever its bearer token says.
func TestARuleIsNotAnothers(t *testing.T) {
	t.Parallel()
	f, ctx := newTrusting(t), t.Context()
	f.repository(t, "acme/web")
	app, web := f.rule(t, "repository", "acme/app"), f.rule(t, "repository", "acme/web")
	for _, c := range []struct {
		rule, repository, owner int64
		ok                      bool
	}{
		{app.ID, app.RepositoryID, app.OwnerID, true}, {app.ID, web.RepositoryID, app.OwnerID, false}, {app.ID, 0, app.OwnerID, false},
		{app.ID, app.RepositoryID, f.ann.ID, false}, {web.ID + 1, web.RepositoryID, web.OwnerID, false},
	} {
		who := access.Principal{Workflow: &access.Workflow{TrustID: c.rule, RepositoryID: c.repository, OwnerID: c.owner}, Restricted: true}
		if err := f.StillValid(ctx, who); (err == nil) != c.ok || err != nil && !unauthenticated(err) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

// The rules of an issuer and an audience may be more than are in memory at a time.
func TestRulesOfManyAreFound(t *testing.T) {
	t.Parallel()
	f := newTrusting(t)
	f.SetPage(2)
	var wanted []token.TrustRule
	for i := range 5 {
		name := string(rune('a' + i))
		f.repository(t, "acme/"+name)
		wanted = append(wanted, f.rule(t, "repository", "acme/"+name, func(r *token.TrustRule) { r.Claims["repository"] = "acme/" + name }))
		f.rule(t, "repository", "acme/"+name, func(r *token.TrustRule) { r.Audience, r.Actions = "elsewhere", access.Push|access.Remove })
	}
	for _, r := range wanted {
		who, err := f.ask(t, basic("ci", f.job(t, map[string]any{"repository": r.Claims["repository"], "aud": []string{"x", issuer, issuer}})))
		if err != nil || who.Workflow.TrustID != r.ID {
			t.Errorf("rule %d: %+v, %v", r.ID, who.Workflow, err)
		}
	}
	many := []string{issuer}
	for i := range 10 {
		many = append(many, strings.Repeat("x", i+1))
	}
	if _, err := f.ask(t, basic("ci", f.job(t, map[string]any{"repository": "acme/a", "aud": many[:10]}))); err != nil {
		t.Errorf("10 audiences: %v", err)
	}
	if _, err := f.ask(t, basic("ci", f.job(t, map[string]any{"repository": "acme/a", "aud": many}))); !unauthenticated(err) {
		t.Errorf("11 audiences: %v", err)
	}
}

// Whether a rule names an issuer is not for those who have no token of it.
func TestAForgedTokenTellsNoIssuers(t *testing.T) {
	t.Parallel()
	f := newTrusting(t)
	f.rule(t, "repository", "acme/app")
	other := testkit.Issuer(t)
	public := func(text string) string {
		_, err := f.ask(t, basic("ci", text))
		e, ok := errors.AsType[*errs.Error](err)
		if !ok || e.Kind != errs.Unauthenticated {
			t.Fatal(err)
		}
		return e.Public
	}
	forged := public(other.MintToken(t, testkit.IssuerToken{Claims: f.claims(map[string]any{"iss": f.issuer.URL})}))
	unknown := public(other.MintToken(t, testkit.IssuerToken{Claims: f.claims(map[string]any{"iss": other.URL})}))
	if strings.ReplaceAll(unknown, other.URL, f.issuer.URL) != forged || !strings.Contains(forged, f.issuer.URL) {
		t.Errorf("of an issuer that is trusted: %q; of one that is not: %q", forged, unknown)
	}
}
