package signin_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"packhouse/internal/account"
	"packhouse/internal/errs"
)

// later is when a browser has to show again who sits there.
func (f *fixture) later() { f.ahead.Add(int64(account.SudoLife + time.Minute)) }

// fields returns what the form of the page that the selector finds would send,
// without what the person types, and where.
func (p page) fields(selector string) (action string, fields []string) {
	form := p.doc.Find(selector)
	action, _ = form.Attr("action")
	form.Find("input[type=hidden][name]").Each(func(_ int, i *selection) {
		name, _ := i.Attr("name")
		value, _ := i.Attr("value")
		fields = append(fields, name, value)
	})
	return action, fields
}

func TestWhatIsDangerousAsksAgain(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "")
	f.user(t, "ann", "ann's password")
	b := f.browser(t)
	b.signIn("ann", "ann's password")
	app := b.setUpApp(t)
	f.later()
	b.get(home).want(t, "what is not dangerous", http.StatusOK, "Recovery codes")
	before := b.session()

	ask := b.post("/settings/security/recovery-codes", "more", "than <one>", "more", "field")
	ask.want(t, "a form", http.StatusOK, "Confirm access")
	action, carried := ask.fields("#password-form")
	if got := strings.Join(carried, " "); action != "/settings/security/recovery-codes" || got != "more than <one> more field" {
		t.Fatalf("%s carries %q", action, got)
	}
	wrong := b.post(action, append(carried, "sudo_password", "wrong")...)
	wrong.want(t, "a wrong password", http.StatusForbidden, "The password is not right", "Confirm access")
	if again, kept := wrong.fields("#code-form"); again != action || len(kept) != len(carried) {
		t.Errorf("after a wrong try %s carries %q", again, kept)
	}
	b.post(action, append(carried, "sudo_code", "000000")...).want(t, "a wrong code", http.StatusForbidden, "The code is not right")
	if b.session() != before {
		t.Error("the secret changed for nothing")
	}
	b.post(action, append(carried, "sudo_password", "ann's password")...).want(t, "the password, and on it goes", http.StatusOK, "These codes are shown only now")
	if b.session() == before {
		t.Error("the session keeps its secret")
	}
	b.post("/settings/security/recovery-codes").want(t, "soon after", http.StatusOK, "These codes are shown only now")
	f.later()
	b.post("/settings/security/recovery-codes", "sudo_code", app.code(t)).want(t, "a code", http.StatusOK, "These codes are shown only now")
	log := f.actions(t)
	if strings.Count(log, "ann user.confirm ann") != 2 || strings.Count(log, "server user.sign-in-failed ann") != 2 ||
		!strings.Contains(log, "ann user.confirm ann map[address:192.0.2.1 by:authenticator app]") {
		t.Errorf("recorded:\n%s", log)
	}
}

func TestAPageThatAsksAgain(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "")
	f.user(t, "ann", "ann's password")
	b, phone := f.browser(t), newDevice(f)
	b.signIn("ann", "ann's password")
	phone.add(t, b, "phone")
	f.later()
	ask := b.get("/settings/security/app?a=b")
	ask.want(t, "a page", http.StatusOK, "Confirm access", `id="passkey-form"`)
	action, carried := ask.fields("#password-form")
	if got := strings.Join(carried, " "); action != "/sessions/sudo" || got != "return_to /settings/security/app?a=b" {
		t.Fatalf("%s carries %q", action, got)
	}
	res := b.post(action, append(carried, "sudo_passkey", phone.answer(t, b, "/sessions/sudo/options"))...)
	res.want(t, "a passkey", http.StatusOK, "signed in as ann")
	if strings.Contains(res.body, "Confirm access") || !strings.HasPrefix(res.Request.URL.Path, home) {
		t.Errorf("leads to %s", res.Request.URL)
	}
	f.later()
	for _, to := range []string{"//elsewhere.test", "https://elsewhere.test", `/\elsewhere.test`} {
		_, carried := b.get("/sessions/sudo?" + url.Values{"return_to": {to}}.Encode()).fields("#password-form")
		if strings.Join(carried, " ") != "return_to /" {
			t.Errorf("%s: carries %q", to, carried)
		}
	}
}

// Passwords are never put into a page, nor what is too much for one.
func TestWhatIsNotCarriedAlong(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "")
	f.user(t, "ann", "ann's password")
	b := f.browser(t)
	b.signIn("ann", "ann's password")
	f.later()
	for what, fields := range map[string][]string{
		"passwords": {"old_password", "ann's password", "password", "a canary", "password_again", "a canary"},
		"too much":  {"name", strings.Repeat("a canary ", 2000)},
	} {
		form := url.Values{}
		for i := 0; i < len(fields); i += 2 {
			form.Set(fields[i], fields[i+1])
		}
		ask := b.do(http.MethodPost, "/settings/security/password", form, "Referer", f.url+home+"?from=here")
		ask.want(t, what, http.StatusOK, "Confirm access", "was not kept")
		if strings.Contains(ask.body, "canary") || strings.Contains(ask.body, "ann's password") || strings.Contains(ask.body, "ann&#39;s") {
			t.Errorf("%s are in the page", what)
		}
		if action, carried := ask.fields("#password-form"); action != "/sessions/sudo" || strings.Join(carried, " ") != "return_to "+home+"?from=here" {
			t.Errorf("%s: %s carries %q", what, action, carried)
		}
	}
	ask := b.do(http.MethodPost, "/settings/security/password", url.Values{"password": {"x"}}, "Referer", "https://elsewhere.test/a")
	if _, carried := ask.fields("#password-form"); strings.Join(carried, " ") != "return_to /" {
		t.Errorf("from elsewhere: carries %q", carried)
	}
}

func TestTriesToShowAgainAreLimited(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "")
	f.user(t, "ann", "ann's password")
	b := f.browser(t)
	b.signIn("ann", "ann's password")
	f.later()
	for _, name := range []string{"sudo_password", "sudo_code", "sudo_passkey"} {
		f.ahead.Add(int64(10 * time.Minute))
		for i := range 12 {
			res := b.post("/sessions/sudo", name, "000000")
			if i < 10 && res.StatusCode != http.StatusForbidden || i > 10 && res.StatusCode != http.StatusTooManyRequests {
				t.Errorf("%s: try %d: %s", name, i, res.Status)
			}
		}
	}
	if res := f.browser(t).post("/sessions/sudo", "sudo_password", "ann's password"); res.who() != "" || !strings.HasPrefix(res.Request.URL.Path, "/login") {
		t.Errorf("nobody is asked: %s", res.Request.URL)
	}
}

// Whom the provider let in shows it there again, and by no password.
func TestTheProviderAsksAgain(t *testing.T) {
	t.Parallel()
	f, issuer := withIssuer(t)
	holds := f.now().Add(24 * time.Hour).Unix() // the provider's clock stands still
	issuer.SetUser(t, "mona", map[string]any{"exp": holds})
	issuer.SignInAs(t, "mona")
	b := f.browser(t)
	b.get(toProvider).want(t, "sign in", http.StatusOK, "signed in as mona")
	f.later()
	ask := b.do(http.MethodPost, "/settings/security/app", nil, "Referer", f.url+home)
	ask.want(t, "a form", http.StatusOK, "Confirm access", "Confirm with Example ID")
	if ask.doc.Find("#password-form").Length() != 0 {
		t.Error("a password is asked for")
	}
	b.post("/settings/security/app", "sudo_password", "").want(t, "a password", http.StatusForbidden, "show who you are there")
	action, carried := ask.fields("#provider-form")
	again := func() (page, string) {
		leave := b.post(action, carried...)
		_, address, _ := strings.Cut(leave.Header.Get("Refresh"), "url=")
		return b.get(address), address
	}
	res, address := again()
	res.want(t, "back", http.StatusOK, "signed in as mona", "Go on with what you wanted to do")
	if !strings.Contains(address, "prompt=login") || !strings.Contains(address, "max_age=0") {
		t.Errorf("the provider is not told to ask: %s", address)
	}
	b.post("/settings/security/app").want(t, "then", http.StatusOK, "Scan the QR code")
	f.later()
	issuer.SetUser(t, "mona", map[string]any{"exp": holds, "auth_time": f.now().Add(-time.Hour).Unix()})
	res, _ = again()
	res.want(t, "a provider that did not ask", http.StatusForbidden, "did not ask who you are again")
	issuer.SetUser(t, "ann", map[string]any{"exp": holds})
	issuer.SignInAs(t, "ann")
	res, _ = again()
	res.want(t, "somebody else there", http.StatusForbidden, "you are somebody else")
	if _, err := f.accounts.Get(t.Context(), "ann"); !errs.Is(err, errs.NotFound) {
		t.Errorf("an account was made for somebody else: %v", err)
	}
	b.post("/settings/security/app").want(t, "still", http.StatusOK, "Confirm access")
}
