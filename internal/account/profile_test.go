package account_test

import (
	"strings"
	"testing"

	"packhouse/internal/account"
	"packhouse/internal/errs"
)

func TestWhatAccountsSayOfThemselves(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	f.user(t, "ann", "a long password")
	text := func(s string) *string { return &s }
	if err := f.SetProfile(ctx, op, "Ann", account.Profile{Name: text("Ann A."), Email: text("ann@example.test")}); err != nil {
		t.Fatal(err)
	}
	if err := f.SetProfile(ctx, op, "ann", account.Profile{Description: text("two\nlines"), Email: text("")}); err != nil {
		t.Fatal(err)
	}
	a, err := f.Get(ctx, "ann")
	if err != nil || a.Name != "Ann A." || a.Email != "" || a.Description != "two\nlines" {
		t.Errorf("%+v, %v", a, err)
	}
	for what, p := range map[string]account.Profile{
		"a long name":          {Name: text(strings.Repeat("ä", account.MaxName+1))},
		"two lines in a name":  {Name: text("a\nb")},
		"no address":           {Email: text("nothing")},
		"a long description":   {Description: text(strings.Repeat("x", account.MaxDescription+1))},
		"no text":              {Description: text("\xff")},
		"a control character":  {Description: text("a\x00b")},
		"an escape in a name":  {Name: text("\x1b[31m")},
		"a name with a return": {Name: text("a\rb")},
	} {
		if err := f.SetProfile(ctx, op, "ann", p); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := f.SetProfile(ctx, op, "ann", account.Profile{Name: text(strings.Repeat("ä", account.MaxName))}); err != nil {
		t.Errorf("the longest name: %v", err)
	}
}

func TestATeamGetsAnotherName(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	f.user(t, "ann", "a long password")
	if _, err := f.CreateOrganization(ctx, op, "acme", "ann"); err != nil {
		t.Fatal(err)
	}
	for _, slug := range []string{"devs", "ops"} {
		if _, err := f.CreateTeam(ctx, op, "acme", account.NewTeam{Slug: slug}); err != nil {
			t.Fatal(err)
		}
	}
	slug, taken, bad, name := "Makers", "ops", "no slug", "The Makers"
	for what, c := range map[string]account.TeamChange{"a taken one": {Slug: &taken}, "no slug": {Slug: &bad}} {
		if err := f.ChangeTeam(ctx, op, "acme", "devs", c); !errs.Is(err, errs.Exists) && !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := f.ChangeTeam(ctx, op, "acme", "devs", account.TeamChange{Slug: &slug, Name: &name}); err != nil {
		t.Fatal(err)
	}
	team, err := f.Team(ctx, "acme", "makers")
	if err != nil || team.Name != name || team.Slug != "makers" {
		t.Errorf("%+v, %v", team, err)
	}
	if _, err := f.Team(ctx, "acme", "devs"); !errs.Is(err, errs.NotFound) {
		t.Errorf("the old slug: %v", err)
	}
}

func TestRepositoriesHaveReadmes(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	f.user(t, "ann", "a long password")
	r, err := f.CreateRepository(ctx, op, "ann/app", "private")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.SetRepositoryReadme(ctx, op, "Ann/App", "# App\r\ntext"); err != nil {
		t.Fatal(err)
	}
	if text, err := f.RepositoryReadme(ctx, r.ID); text != "# App\ntext" || err != nil {
		t.Errorf("%q, %v", text, err)
	}
	for text, kind := range map[string]errs.Kind{
		strings.Repeat("x", account.MaxReadme+1): errs.TooLarge, "\xff": errs.Invalid, "a\x00b": errs.Invalid,
	} {
		if err := f.SetRepositoryReadme(ctx, op, "ann/app", text); !errs.Is(err, kind) {
			t.Errorf("%.10q: %v", text, err)
		}
	}
	if err := f.SetRepositoryReadme(ctx, op, "ann/app", strings.Repeat("x", account.MaxReadme)); err != nil {
		t.Errorf("the longest: %v", err)
	}
	if err := f.SetRepositoryReadme(ctx, op, "ann/gone", ""); !errs.Is(err, errs.NotFound) {
		t.Errorf("of none: %v", err)
	}
}

func TestPeopleChooseALanguageAndATheme(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	ann := f.user(t, "ann", "a long password")
	text := func(s string) *string { return &s }
	if err := f.SetProfile(ctx, op, "ann", account.Profile{Language: text("zh-CN"), Theme: text("dark-high-contrast")}); err != nil {
		t.Fatal(err)
	}
	if p, err := f.Preferences(ctx, ann.ID); err != nil || p.Language != "zh-CN" || p.Theme != "dark-high-contrast" {
		t.Errorf("%+v, %v", p, err)
	}
	for _, odd := range []string{"<de>", strings.Repeat("d", 36), "d e"} {
		if err := f.SetProfile(ctx, op, "ann", account.Profile{Language: text(odd)}); !errs.Is(err, errs.Invalid) {
			t.Errorf("language %q: %v", odd, err)
		}
		if err := f.SetProfile(ctx, op, "ann", account.Profile{Theme: text(odd)}); !errs.Is(err, errs.Invalid) {
			t.Errorf("theme %q: %v", odd, err)
		}
	}
}
