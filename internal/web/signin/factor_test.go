package signin_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"
	"github.com/pquerna/otp/totp"

	"packhouse/internal/account"
	"packhouse/internal/audit"
)

// second is a person's authenticator app, and the recovery codes.
type second struct {
	f     *fixture
	key   string
	codes []string
}

func (s *second) code(t *testing.T) string {
	t.Helper()
	s.f.ahead.Add(int64(30 * time.Second)) // each code is taken once
	code, err := totp.GenerateCode(s.key, s.f.now())
	if err != nil {
		t.Fatal(err)
	}
	return code
}

// setUpApp turns the second factor on as a person does, in a browser that is
// signed in.
func (b *browser) setUpApp(t *testing.T) *second {
	t.Helper()
	page := b.post("/settings/security/app")
	page.want(t, "set up", http.StatusOK, "Scan the QR code")
	s := &second{f: b.f, key: strings.ReplaceAll(page.doc.Find("#app-key code").Text(), " ", "")}
	if page.doc.Find("svg.qr-code path").Length() == 0 {
		t.Error("there is no QR code")
	}
	b.post("/settings/security/app/confirm", "code", "000000x").want(t, "a wrong code", http.StatusBadRequest, "The code is not right", "Scan the QR code")
	page = b.post("/settings/security/app/confirm", "code", s.code(t))
	page.want(t, "recovery codes", http.StatusOK, "These codes are shown only now")
	page.doc.Find(".recovery-codes code").Each(func(_ int, c *selection) { s.codes = append(s.codes, c.Text()) })
	file, _ := page.doc.Find("#codes-download").Attr("href")
	if text, err := url.PathUnescape(file); len(s.codes) != 10 || err != nil || !strings.Contains(text, strings.Join(s.codes, "\n")) {
		t.Fatalf("%d recovery codes, to download: %s", len(s.codes), text)
	}
	if page.Header.Get("Content-Encoding") != "" {
		t.Error("secrets were compressed")
	}
	return s
}

func TestASecondFactorAtSignIn(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "")
	f.user(t, "ann", "ann's password")
	b := f.browser(t)
	b.signIn("ann", "ann's password").want(t, "before", http.StatusOK, "signed in as ann", "Two-factor authentication is off")
	app := b.setUpApp(t)
	b.get(home).want(t, "after", http.StatusOK, "Two-factor authentication is on", "10 left")

	other := f.browser(t)
	res := other.signIn("ann", "ann's password")
	res.want(t, "the password alone", http.StatusOK, "Authentication code", `action="/login/second-factor"`)
	if other.who() != "" || other.session() != "" {
		t.Fatal("the password alone signs in")
	}
	other.post("/login/second-factor", "code", "000000").want(t, "a wrong code", http.StatusForbidden, "The code is not right")
	code := app.code(t)
	other.post("/login/second-factor", "code", code).want(t, "the right code", http.StatusOK, "signed in as ann")
	if at := other.get("/login/second-factor").Request.URL.Path; at == "/login/second-factor" {
		t.Error("the sign-in still waits")
	}
	third := f.browser(t)
	third.signIn("ann", "ann's password")
	third.post("/login/second-factor", "code", code).want(t, "a code that was used", http.StatusForbidden, "The code is not right")
	third.get("/login/second-factor?with=recovery-code").want(t, "the other form", http.StatusOK, `name="recovery_code"`)
	third.post("/login/second-factor", "recovery_code", "abcd-efgh").want(t, "a wrong recovery code", http.StatusForbidden, "The code is not right", `name="recovery_code"`)
	third.post("/login/second-factor", "recovery_code", strings.ToUpper(app.codes[0])).want(t, "a recovery code", http.StatusOK, "signed in as ann", "9 left")
	log := f.actions(t)
	for line, want := range map[string]int{
		"ann user.sign-in ann map[address:192.0.2.1 by:password second_factor:authenticator app]":           1,
		"ann user.sign-in ann map[address:192.0.2.1 by:password second_factor:recovery code]":               1,
		"server user.sign-in-failed ann map[address:192.0.2.1 by:password second_factor:authenticator app]": 2,
		"server user.sign-in-failed ann map[address:192.0.2.1 by:password second_factor:recovery code]":     1,
		"ann user.second-factor-enabled ann map[by:authenticator app]":                                      1,
	} {
		if got := strings.Count(log, line); got != want {
			t.Errorf("%q is recorded %d times:\n%s", line, got, log)
		}
	}
}

// Wrong codes end the sign-in after five, and count for the account.
func TestCodesCannotBeGuessed(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "")
	f.user(t, "ann", "ann's password")
	b := f.browser(t)
	b.signIn("ann", "ann's password")
	app := b.setUpApp(t)
	other := f.browser(t)
	other.signIn("ann", "ann's password")
	for range 4 {
		other.post("/login/second-factor", "code", "000000").want(t, "a wrong code", http.StatusForbidden, "The code is not right")
	}
	other.post("/login/second-factor", "code", "000000").want(t, "the fifth", http.StatusForbidden, "too many wrong codes", `action="/login"`)
	other.post("/login/second-factor", "code", app.code(t)).want(t, "the right one after that", http.StatusForbidden, `action="/login"`)
	if other.who() != "" {
		t.Fatal("signed in")
	}
	limited := false
	for range 3 {
		again := f.browser(t)
		again.signIn("ann", "ann's password")
		for range 4 {
			limited = limited || again.post("/login/second-factor", "code", "000000").StatusCode == http.StatusTooManyRequests
		}
	}
	if !limited {
		t.Error("a new sign-in gives new tries without end")
	}
	stranger := f.browser(t)
	stranger.post("/login/second-factor", "code", app.code(t)).want(t, "without a password", http.StatusForbidden, "start again", `action="/login"`)
	if to := stranger.get("/login/second-factor").Request.URL.Path; to != "/login" {
		t.Errorf("leads to %s", to)
	}
}

// device is a person's phone with passkeys.
type device struct {
	virtualwebauthn.Authenticator
	rp virtualwebauthn.RelyingParty
}

func newDevice(f *fixture) *device {
	return &device{virtualwebauthn.NewAuthenticator(), virtualwebauthn.RelyingParty{ID: "localhost", Origin: f.url}}
}

// newKey makes a key that the software authenticator writes as it should be: it
// drops the zeros with which a coordinate may begin.
func newKey(t *testing.T) virtualwebauthn.Credential {
	t.Helper()
	for {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		point, err := key.PublicKey.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if point[1] == 0 || point[33] == 0 {
			continue
		}
		data, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return virtualwebauthn.NewCredentialWithImportedKey(virtualwebauthn.KeyTypeEC2, data)
	}
}

// ask gets what the page's script gets.
func (b *browser) ask(t *testing.T, path string) string {
	t.Helper()
	res := b.post(path)
	if res.StatusCode != http.StatusOK || !json.Valid([]byte(res.body)) {
		t.Fatalf("%s: %s\n%s", path, res.Status, res.doc.Find("main").Text())
	}
	return res.body
}

func (d *device) add(t *testing.T, b *browser, name string) page {
	t.Helper()
	asked, err := virtualwebauthn.ParseAttestationOptions(b.ask(t, "/settings/security/passkeys/options"))
	if err != nil {
		t.Fatal(err)
	}
	key := newKey(t)
	d.Options.UserHandle = []byte(asked.UserID)
	d.AddCredential(key)
	return b.post("/settings/security/passkeys", "name", name, "passkey", virtualwebauthn.CreateAttestationResponse(d.rp, d.Authenticator, key, *asked))
}

func (d *device) answer(t *testing.T, b *browser, path string) string {
	t.Helper()
	asked, err := virtualwebauthn.ParseAssertionOptions(b.ask(t, path))
	if err != nil {
		t.Fatal(err)
	}
	key := &d.Credentials[0]
	key.Counter++
	return virtualwebauthn.CreateAssertionResponse(d.rp, d.Authenticator, *key, *asked)
}

func TestPasskeys(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "")
	f.user(t, "ann", "ann's password")
	b, phone := f.browser(t), newDevice(f)
	b.signIn("ann", "ann's password")
	phone.add(t, b, "<phone>").want(t, "add", http.StatusOK, "These codes are shown only now")
	list := b.get(home)
	list.want(t, "the list", http.StatusOK, "&lt;phone&gt;", "Two-factor authentication is on")
	b.post("/settings/security/passkeys", "name", "again", "passkey", "{}").want(t, "nothing that was asked", http.StatusBadRequest, "The passkey was not accepted")

	other := f.browser(t)
	answer := phone.answer(t, other, "/login/passkey/options")
	other.post("/login/passkey", "passkey", answer, "return_to", home).want(t, "a passkey alone", http.StatusOK, "signed in as ann")
	third := f.browser(t)
	third.post("/login/passkey", "passkey", answer).want(t, "the same answer elsewhere", http.StatusForbidden, "The passkey was not accepted", `action="/login"`)
	third.signIn("ann", "ann's password").want(t, "the password", http.StatusOK, `id="passkey-form"`)
	third.post("/login/second-factor", "passkey", phone.answer(t, third, "/login/second-factor/options")).want(t, "and a passkey", http.StatusOK, "signed in as ann")

	remove, _ := list.doc.Find("form.passkey-remove").Attr("action")
	rename, _ := list.doc.Find("form.passkey-rename").Attr("action")
	b.post(rename, "name", "my phone").want(t, "rename", http.StatusOK, "my phone", "The passkey was renamed")
	b.post(rename, "name", "").want(t, "no name", http.StatusBadRequest, "A passkey has a name")
	b.post(remove).want(t, "remove", http.StatusOK, "Two-factor authentication is off", "The passkey was removed")
	b.post(remove).want(t, "twice", http.StatusNotFound)
	if log := f.actions(t); !strings.Contains(log, "ann user.sign-in ann map[address:192.0.2.1 by:passkey]") {
		t.Errorf("recorded:\n%s", log)
	}
}

func TestAChangedPassword(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "")
	f.user(t, "ann", "ann's password")
	b, other := f.browser(t), f.browser(t)
	b.signIn("ann", "ann's password")
	other.signIn("ann", "ann's password")
	change := func(old, next, again string) page {
		return b.post("/settings/security/password", "old_password", old, "password", next, "password_again", again)
	}
	change("wrong", "another password", "another password").want(t, "a wrong old one", http.StatusBadRequest, "The old password is not right")
	change("ann's password", "another password", "anoter password").want(t, "two new ones", http.StatusBadRequest, "not the same")
	change("ann's password", "short", "short").want(t, "a short one", http.StatusBadRequest, "at least 8")
	if other.who() != "ann" {
		t.Fatal("a change that failed ended sessions")
	}
	before := b.session()
	change("ann's password", "another password", "another password").want(t, "changed", http.StatusOK, "signed in as ann", "The password was changed")
	if b.session() == before || b.who() != "ann" || other.who() != "" {
		t.Errorf("here %q, elsewhere %q", b.who(), other.who())
	}
	f.browser(t).signIn("ann", "ann's password").want(t, "the old one", http.StatusForbidden)
	f.browser(t).signIn("ann", "another password").want(t, "the new one", http.StatusOK, "signed in as ann")
}

// A new browser looks as the person chose.
func TestTheLanguageOfThePerson(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "")
	f.user(t, "ann", "ann's password")
	language, theme := "de", "dark"
	if err := f.accounts.SetProfile(t.Context(), audit.Operator, "ann", account.Profile{Language: &language, Theme: &theme}); err != nil {
		t.Fatal(err)
	}
	b := f.browser(t)
	b.get("/login").want(t, "before", http.StatusOK, "Password", `lang="en"`)
	b.signIn("ann", "ann's password").want(t, "after", http.StatusOK, `<html lang="de" data-theme="dark"`)
}
