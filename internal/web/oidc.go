package web

import (
	"encoding/base64"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"packhouse/internal/account"
	"packhouse/internal/errs"
)

const (
	oidcPath = "/login/oidc"
	// CallbackPath is where, below the public address, the outside provider
	// sends people back; it has to be known there.
	CallbackPath = "/login/oidc/callback"
	// attemptLife is how long somebody may take at the provider.
	attemptLife = 10 * time.Minute
)

// attempt is a way to the provider and back, kept by the browser in a cookie.
// What it says is bound into the state, so no part can be changed on the way.
type attempt struct {
	secret   []byte
	begun    time.Time
	link     int64 // the account to link the identity to; 0: sign in
	returnTo string
}

func (a attempt) binding() string {
	return strconv.FormatInt(a.begun.Unix(), 10) + "." + strconv.FormatInt(a.link, 10) + "." +
		base64.RawURLEncoding.EncodeToString([]byte(a.returnTo))
}

func (a attempt) provider() account.Attempt {
	return account.Attempt{Secret: a.secret, Binding: a.binding()}
}

func (a attempt) cookie() string {
	return base64.RawURLEncoding.EncodeToString(a.secret) + "." + a.binding()
}

// parseAttempt is the reverse of cookie.
func parseAttempt(s string) (a attempt, ok bool) {
	parts := strings.Split(s, ".")
	if len(parts) != 4 {
		return attempt{}, false
	}
	secret, err1 := base64.RawURLEncoding.DecodeString(parts[0])
	begun, err2 := strconv.ParseInt(parts[1], 10, 64)
	link, err3 := strconv.ParseInt(parts[2], 10, 64)
	to, err4 := base64.RawURLEncoding.DecodeString(parts[3])
	if err1 != nil || err2 != nil || err3 != nil || err4 != nil || len(secret) != 32 {
		return attempt{}, false
	}
	return attempt{secret: secret, begun: time.Unix(begun, 0), link: link, returnTo: string(to)}, true
}

// begin sets out for the provider and returns its address.
func (p *pages) begin(w http.ResponseWriter, r *http.Request, link int64, returnTo string) (string, error) {
	a := attempt{secret: make([]byte, 32), begun: p.Now(), link: link, returnTo: localPath(returnTo)}
	if _, err := io.ReadFull(p.Random, a.secret); err != nil {
		return "", errs.Wrap(errs.Internal, err, "no randomness for a sign-in")
	}
	address, err := p.Provider.Address(r.Context(), a.provider())
	if err == nil {
		p.setCookie(w, attemptCookie, a.cookie(), int(attemptLife.Seconds()))
	}
	return address, err
}

func (p *pages) toProvider(w http.ResponseWriter, r *http.Request) error {
	address, err := p.begin(w, r, 0, r.URL.Query().Get("return_to"))
	if err != nil {
		return err
	}
	return redirect(w, address)
}

// fromProvider takes back who was sent to the provider.
func (p *pages) fromProvider(w http.ResponseWriter, r *http.Request) error {
	a, ok := parseAttempt(p.cookie(r, attemptCookie))
	p.setCookie(w, attemptCookie, "", -1) // one way there, one way back
	q := r.URL.Query()
	if !ok || p.Now().Sub(a.begun).Abs() > attemptLife || !a.provider().Owns(q.Get("state")) {
		return errs.New(errs.Denied, "this sign-in was not begun in this browser, or took too long; sign in again")
	}
	settle, err := p.Credentials.Attempt(r)
	if err != nil {
		return err
	}
	i, err := p.redeem(r, a, q.Get("iss"), q.Get("error"), q.Get("code"))
	settle(err == nil)
	if err == nil && a.link != 0 {
		return p.linkTo(w, r, a, i)
	}
	if err == nil {
		err = p.enter(w, r, i, a.returnTo)
	}
	if errs.Is(err, errs.Denied) || errs.Is(err, errs.Unauthenticated) {
		name := ""
		if i.Subject != "" {
			name = "identity " + i.Subject
		}
		if failure := p.Sessions.Failed(r.Context(), name, p.Provider.Issuer, p.browser(r)); failure != nil {
			return failure
		}
	}
	return err
}

func (p *pages) redeem(r *http.Request, a attempt, issuer, refusal, code string) (account.Identity, error) {
	switch {
	case issuer != "" && issuer != p.Provider.Issuer:
		return account.Identity{}, errs.New(errs.Denied, "another provider sent you here; sign in again")
	case refusal != "" || code == "":
		return account.Identity{}, errs.New(errs.Denied, "the provider did not sign you in: %s", plainName(refusal))
	}
	return p.Provider.Redeem(r.Context(), a.provider(), code)
}

// enter signs in who the provider vouches for.
func (p *pages) enter(w http.ResponseWriter, r *http.Request, i account.Identity, returnTo string) error {
	who, err := p.Identities.SignIn(r.Context(), i)
	if err != nil {
		return err
	}
	return p.start(w, r, who, i.Issuer, returnTo)
}

// linkTo links the identity to the account that set out to do so, if it still is
// the one that is signed in.
func (p *pages) linkTo(w http.ResponseWriter, r *http.Request, a attempt, i account.Identity) error {
	v, err := p.visitor(w, r)
	if err != nil {
		return err
	}
	if v.AccountID != a.link {
		return errs.New(errs.Denied, "somebody else has signed in meanwhile; start again")
	}
	if err := p.Identities.Link(r.Context(), v.Principal, i); err != nil {
		return err
	}
	return p.start(w, r, v.Principal, i.Issuer, a.returnTo)
}

func (p *pages) listIdentities(w http.ResponseWriter, r *http.Request, v visitor) error {
	list, err := p.Identities.List(r.Context(), v.Principal)
	if err != nil {
		return err
	}
	linked := false
	for _, i := range list {
		linked = linked || i.Issuer == p.Provider.Issuer
	}
	return p.show(w, http.StatusOK, "identities", struct {
		oldFrame
		Provider   string
		Identities []account.Identity
		Linked     bool
	}{p.oldPage("Identities", v.Principal, nil), p.ProviderName, list, linked})
}

// linkIdentity sets out for the provider. A form may not lead to another site,
// by the policy of the page, so a page of ours stands between.
func (p *pages) linkIdentity(w http.ResponseWriter, r *http.Request, v visitor) error {
	address, err := p.begin(w, r, v.AccountID, "/settings/identities")
	if err != nil {
		return err
	}
	w.Header().Set("Refresh", "0; url="+address)
	return p.show(w, http.StatusOK, "leave", struct {
		oldFrame
		Provider, Address string
	}{p.oldPage("Continue", v.Principal, nil), p.ProviderName, address})
}
