package signin_test

import (
	"net/http"
	"net/url"
	"testing"
	"time"
)

// Whoever finds a browser open must not let themselves in for good.
func TestLinkingAsksWhoSitsThere(t *testing.T) {
	t.Parallel()
	f, issuer := withIssuer(t)
	f.user(t, "ann", "ann's password")
	issuer.SetUser(t, "mallory", nil)
	issuer.SignInAs(t, "mallory")
	b := f.browser(t)
	b.signIn("ann", "ann's password")
	f.later()
	ask := b.post("/settings/identities")
	ask.want(t, "linking", http.StatusOK, "Confirm access")
	if ask.Header.Get("Refresh") != "" {
		t.Error("the browser is sent to the provider all the same")
	}
	b.post("/settings/identities", "sudo_password", "ann's password").want(t, "with the password", http.StatusOK, "Continue at Example ID")
}

// A provider that knows the person from this morning says nothing of who sits
// there now.
func TestSigningInAtTheProviderAsEarlierIsNotShowingWhoOneIs(t *testing.T) {
	t.Parallel()
	f, issuer := withIssuer(t)
	issuer.SignInAs(t, "mona")
	for what, c := range map[string]struct {
		claims map[string]any
		text   string
	}{
		"a provider that does not say": {nil, "Confirm access"},
		"this morning":                 {map[string]any{"auth_time": f.now().Add(-time.Hour).Unix()}, "Confirm access"},
		"just now":                     {map[string]any{"auth_time": f.now().Unix()}, "Scan the QR code"},
	} {
		issuer.SetUser(t, "mona", c.claims)
		b := f.browser(t)
		b.get(toProvider).want(t, what, http.StatusOK, "signed in as mona")
		b.post("/settings/security/app").want(t, what, http.StatusOK, c.text)
	}
}

// A new password is no word of the provider's: the session that goes on is not
// one that it vouched for just now.
func TestANewPasswordDoesNotRenewWhatTheProviderSaid(t *testing.T) {
	t.Parallel()
	f, issuer := withIssuer(t)
	issuer.SetUser(t, "mona", map[string]any{"auth_time": f.now().Unix()})
	issuer.SignInAs(t, "mona")
	b := f.browser(t)
	b.get(toProvider).want(t, "sign in", http.StatusOK, "signed in as mona")
	f.ahead.Add(int64(10 * time.Minute))
	b.post("/settings/security/password", "password", "mona's password", "password_again", "mona's password").want(t, "a password", http.StatusOK, "signed in as mona")
	session, _, err := f.deps.Sessions.Find(t.Context(), b.session())
	if err != nil || session.Issuer != "" {
		t.Errorf("%+v, %v", session, err)
	}
}

// The page with the secret of an app is not compressed when it is shown again.
func TestAWrongCodeDoesNotCompressTheSecret(t *testing.T) {
	t.Parallel()
	f := newFixture(t, "")
	f.user(t, "ann", "ann's password")
	b := f.browser(t)
	b.signIn("ann", "ann's password")
	b.post("/settings/security/app")
	page := b.do(http.MethodPost, "/settings/security/app/confirm", url.Values{"code": {"000000x"}}, "Accept-Encoding", "gzip")
	if page.StatusCode != http.StatusBadRequest || page.Header.Get("Content-Encoding") != "" {
		t.Errorf("%s, compressed with %q", page.Status, page.Header.Get("Content-Encoding"))
	}
}
