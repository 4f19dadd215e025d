package settings_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/oci"
	"packhouse/internal/token"
	"packhouse/internal/web/webtest"
)

func deletePackage(s *webtest.Site, login, name string) {
	s.Helper()
	n, err := oci.ParseName(name)
	if err != nil {
		s.Fatal(err)
	}
	a, err := s.App.Accounts.Get(s.Context(), login)
	if err != nil {
		s.Fatal(err)
	}
	who := access.Principal{AccountID: a.ID, Login: login, Scopes: access.EveryScope}
	if err := s.App.Packages.DeletePackage(s.Context(), who, access.Package{Type: access.Container, Name: n}); err != nil {
		s.Fatal(err)
	}
}

// may tells what a token may do with a package, asked as docker asks.
func may(s *webtest.Site, login, secret, name string) string {
	s.Helper()
	r, err := http.NewRequestWithContext(s.Context(), "GET", "http://"+webtest.Host+"/v2/"+name+"/manifests/1", nil)
	if err != nil {
		s.Fatal(err)
	}
	r.SetBasicAuth(login, secret)
	res, err := (&http.Client{Transport: s.Transport()}).Do(r)
	if err != nil {
		s.Fatal(err)
	}
	_ = res.Body.Close()
	return res.Status[:3]
}

func secretOn(p *webtest.Page) string { return p.Text("#new-token .command:nth-of-type(1) code") }

func TestClassicTokens(t *testing.T) {
	t.Parallel()
	s := webtest.New(t, nil)
	s.User("alice")
	s.Push("alice", "alice/app:1")
	b := s.SignedIn("alice")
	form := b.Get("/settings/tokens/new?scopes=write:packages,nonsense&description=CI+%3Cb%3E&default_expires_at=90").Want(200, "#token-form").
		Want(200, `input[value="write:packages"][checked]`).Want(200, `#note[value="CI <b>"]`).Want(200, `#expires option[value="90"][selected]`).
		Without(`input[value="read:packages"][checked]`).Without(`input[value=site_admin]`)
	if n := form.Find("input[name=scope]").Length(); n != 11 {
		t.Errorf("%d scopes", n)
	}
	b.Get("/settings/tokens/new").Want(200, `input[value="read:packages"][checked]`)
	again := b.Post("/settings/tokens", "note", "keep me", "expires", "custom", "until", "yesterday", "scope", "read:packages")
	again.Want(400, ".flash-error").Want(400, `#note[value="keep me"]`).Want(400, `input[value="read:packages"][checked]`)
	b.Post("/settings/tokens", "expires", "custom", "until", "2020-01-01", "scope", "read:packages").Want(400, ".flash-error")

	made := b.Post("/settings/tokens", "note", "laptop", "expires", "none", "scope", "read:packages").Want(200, "#new-token .js-copy")
	secret := secretOn(made)
	if !strings.HasPrefix(secret, "php_") || !strings.Contains(made.Text("#new-token"), "docker login "+webtest.Host) || made.Header.Get("Content-Encoding") != "" {
		t.Errorf("the page says %s", made.Text("#new-token"))
	}
	if got := may(s, "alice", secret, "alice/app"); got != "200" {
		t.Errorf("the token gets %s", got)
	}
	list := b.Get("/settings/tokens").Want(200, ".token")
	if strings.Contains(list.Body, secret) || !strings.Contains(list.Text(".token"), "never expires") {
		t.Errorf("the list says %s", list.Text(".token"))
	}
	b.Get("/settings/personal-access-tokens").Want(200, ".blankslate").Without(".token")
	action, _ := list.Find(".token form").Attr("action")
	b.Post(action).Want(200, ".flash-success").Without(".token")
	if got := may(s, "alice", secret, "alice/app"); got != "401" {
		t.Errorf("after it was deleted the token gets %s", got)
	}
	b.Post(action).Want(404, ".flash-error")
}

func TestATokenForADay(t *testing.T) {
	t.Parallel()
	s := webtest.New(t, nil)
	s.User("alice")
	day := time.Now().UTC().AddDate(0, 0, 20).Format(time.DateOnly)
	p := s.SignedIn("alice").Post("/settings/tokens", "expires", "custom", "until", day, "scope", "read:packages").Want(200, "#new-token")
	if at, _ := p.Find(".token time[datetime^='" + day + "T00:00:00']").Attr("datetime"); at == "" {
		t.Errorf("it ends otherwise: %s", p.Text(".token"))
	}
}

func TestExpiredTokensAreMarked(t *testing.T) {
	t.Parallel()
	s := webtest.New(t, nil)
	alice := s.User("alice")
	past := time.Now().Add(-48 * time.Hour)
	tokens := &token.PersonalTokens{Store: s.App.Store, Now: func() time.Time { return past }, Random: zeros{}}
	n := token.NewToken{AccountID: alice.ID, Target: "alice", Scopes: access.ReadPackages, ExpiresAt: past.Add(time.Hour)}
	if _, _, err := tokens.Create(t.Context(), audit.Operator, n); err != nil {
		t.Fatal(err)
	}
	s.SignedIn("alice").Get("/settings/tokens").Want(200, ".token .Label--danger")
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestFineGrainedTokens(t *testing.T) {
	t.Parallel()
	s := webtest.New(t, nil)
	s.User("alice")
	s.User("bob")
	for _, name := range []string{"alice/app", "alice/other", "bob/app"} {
		s.Push(name[:strings.Index(name, "/")], name+":1")
	}
	b := s.SignedIn("alice")
	const at = "/settings/personal-access-tokens"
	b.Get(at+"/new?name=ci&target_name=alice/app").Want(200, `#note[value=ci]`).Want(200, `#name-1[value="alice/app"]`).
		Want(200, `datalist option[value="alice/app"]`).Without(`datalist option[value="bob/app"]`).Without(`#expires option[value=none]`)
	fields := []string{"note", "ci", "expires", "30", "kind", "package", "name", "Alice/App", "pull", "1"}
	more := b.Post(at, append(fields, "more", "1")...).Want(200, `#name-4`).Want(200, `#name-1[value="Alice/App"]`).Want(200, `input[name=pull][value="1"][checked]`)
	more.Without("#new-token")

	made := b.Post(at, fields...).Want(200, "#new-token")
	secret := secretOn(made)
	if got := made.Text(".limits"); got != "alice/app: pull" {
		t.Errorf("it reaches %q", got)
	}
	for name, want := range map[string]string{"alice/app": "200", "alice/other": "404", "bob/app": "404"} {
		if got := may(s, "alice", secret, name); got != want && (want == "200" || got == "200") {
			t.Errorf("the token gets %s of %s", got, name)
		}
	}
	for what, odd := range map[string][]string{
		"nothing":             {"expires", "30", "kind", "package", "name", ""},
		"a private one":       {"expires", "30", "kind", "package", "name", "bob/app", "pull", "1"},
		"none":                {"expires", "30", "kind", "package", "name", "alice/none", "pull", "1"},
		"no action":           {"expires", "30", "kind", "package", "name", "alice/app"},
		"no such owner":       {"expires", "30", "kind", "owner", "name", "nobody", "pull", "1"},
		"an empty repository": {"expires", "30", "kind", "repository", "name", "alice/repo", "pull", "1"},
		"too long":            {"expires", "900", "kind", "package", "name", "alice/app", "pull", "1"},
		"a far day":           {"expires", "custom", "until", "2099-01-01", "kind", "package", "name", "alice/app", "pull", "1"},
	} {
		if p := b.Post(at, odd...); p.Status != 400 || p.Find(".flash-error").Length() != 1 || p.Find("#new-token").Length() != 0 {
			t.Errorf("%s: %d", what, p.Status)
		}
	}
	private := b.Post(at, "expires", "30", "kind", "package", "name", "bob/app", "pull", "1").Text(".flash-error")
	absent := b.Post(at, "expires", "30", "kind", "package", "name", "bob/none", "pull", "1").Text(".flash-error")
	if strings.ReplaceAll(private, "app", "none") != absent {
		t.Errorf("a private package is told from none: %q, %q", private, absent)
	}
	whole := b.Post(at, "expires", "7", "kind", "owner", "name", "alice", "pull", "1", "push", "1", "delete", "1").Want(200, "#new-token")
	if got := whole.Text(".token:first-child .limits"); got != "alice: pull, push, delete" {
		t.Errorf("it reaches %q", got)
	}
}

func TestATokenForThePackagesOfARepository(t *testing.T) {
	t.Parallel()
	s := webtest.New(t, nil)
	alice := s.User("alice")
	s.Push("alice", "alice/app:1")
	s.Push("alice", "alice/other:1")
	if _, err := s.App.Accounts.CreateRepository(t.Context(), audit.Operator, "alice/repo", access.Private); err != nil {
		t.Fatal(err)
	}
	n, err := oci.ParseName("alice/app")
	if err != nil {
		t.Fatal(err)
	}
	who := access.Principal{AccountID: alice.ID, Login: "alice", Scopes: access.EveryScope}
	if err := s.App.Packages.Link(t.Context(), who, access.Package{Type: access.Container, Name: n}, "alice/repo", false); err != nil {
		t.Fatal(err)
	}
	p := s.SignedIn("alice").Post("/settings/personal-access-tokens", "expires", "30", "kind", "repository", "name", "alice/repo", "push", "1").Want(200, "#new-token")
	if got := p.Text(".limits"); got != "alice/app: push" {
		t.Errorf("it reaches %q", got)
	}
}

func TestOthersTokensAreNotThere(t *testing.T) {
	t.Parallel()
	s := webtest.New(t, nil)
	s.User("alice")
	s.User("bob")
	b := s.SignedIn("alice")
	p := b.Post("/settings/tokens", "expires", "30", "scope", "read:packages").Want(200, "#new-token")
	action, _ := p.Find(".token form").Attr("action")
	for _, path := range []string{action, strings.Replace(action, "revoke", "authorize", 1)} {
		s.SignedIn("bob").Post(path, "organization", "acme").Want(404, ".flash-error")
	}
	b.Get("/settings/tokens").Want(200, ".token")
}

func TestWithoutAProviderNoIdentityIsLinked(t *testing.T) {
	t.Parallel()
	s := webtest.New(t, nil)
	s.User("alice")
	b := s.SignedIn("alice")
	b.Get("/settings/identities").Want(200, ".blankslate").Without("form[action^='/settings/identities']")
	b.Post("/settings/identities/unlink").Want(404, ".flash-error")
}
