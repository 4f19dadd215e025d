package token

import (
	"context"
	"encoding/base64"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/maypok86/otter/v2"

	"packhouse/internal/access"
	"packhouse/internal/errs"
)

// maxCredential is the longest user name and password that are looked at. The
// throttle remembers user names, so they must not be of any length.
const maxCredential = 4 << 10

// maxSeen is how many verified bearer tokens are remembered, about 1 KiB each.
const maxSeen = 4096

// Passwords checks the passwords of accounts.
type Passwords interface {
	// SignIn returns the principal if the password is right and enough. It calls
	// admit before it pays for a check, unless it knows the answer, and then settle.
	SignIn(ctx context.Context, login, password string, admit func() (settle func(ok bool), err error)) (access.Principal, error)
	// ByPassword does the same for those who can ask for a second factor, and
	// reports whether one is needed.
	ByPassword(ctx context.Context, login, password string, admit func() (settle func(ok bool), err error)) (who access.Principal, second bool, err error)
}

// Identities takes the identity tokens of outside issuers for what rules of
// trust say that they are worth.
type Identities interface {
	// Identify returns the job that an identity token speaks of, with TokenID
	// zero and Workflow.TrustID set. Unauthenticated when no rule takes it. The
	// login that came with it may be any, or OWNER/NAME to choose among what
	// several rules let the job into.
	Identify(ctx context.Context, login, text string) (access.Principal, error)
	// Trusted returns Unauthenticated when the rule that let who in, or what it
	// is about, is gone, its owner suspended, or the repository no longer the
	// owner's that who names.
	Trusted(ctx context.Context, who access.Principal) error
}

// Options is what an Authenticator is built from.
type Options struct {
	Store     Store
	Keys      KeyStore
	Passwords Passwords
	// Identities may be nil: then no identity token is taken.
	Identities Identities
	// Issuer and Service are the names in bearer tokens: whose they are and
	// what for. Tokens with others are refused.
	Issuer, Service string
	// Client returns the address of the client, behind trusted proxies.
	Client func(*http.Request) netip.Addr
	Now    func() time.Time
	Random io.Reader
}

// Authenticator tells who sent a request, and issues bearer tokens. Safe for
// concurrent use; several nodes may work on one database.
type Authenticator struct {
	Options
	keys     *keyring
	seen     *otter.Cache[string, verified]
	throttle signInThrottle
	uses     uses
}

// NewAuthenticator returns an Authenticator on o.
func NewAuthenticator(o Options) (*Authenticator, error) {
	seen, err := otter.New(&otter.Options[string, verified]{MaximumSize: maxSeen})
	if err != nil {
		return nil, err
	}
	return &Authenticator{
		Options:  o,
		keys:     &keyring{store: o.Keys, now: o.Now, random: o.Random},
		seen:     seen,
		throttle: newSignInThrottle(),
	}, nil
}

func errCredential(text string) error { return errs.New(errs.Unauthenticated, "%s", text) }

func errToken() error { return errCredential("the token is not valid") }

// Authenticate returns the principal of the request's credential and nobody for
// a request without one. A credential that does not hold is Unauthenticated,
// whatever the request is for; it is never taken for nobody.
//
// It takes Basic as SignIn does, Bearer with a token that Issue made or with an
// identity token, and Bearer with a token of ours as it is or, as scripts do,
// with "token" or "login:token" in base64.
func (a *Authenticator) Authenticate(ctx context.Context, r *http.Request) (access.Principal, error) {
	headers := r.Header["Authorization"]
	if len(headers) == 0 {
		return access.Principal{}, nil
	}
	scheme, value, _ := strings.Cut(headers[0], " ")
	switch {
	case len(headers) > 1:
		return access.Principal{}, errCredential("more than one Authorization header")
	case strings.EqualFold(scheme, "Bearer"):
		return a.byBearer(ctx, r, value)
	case strings.EqualFold(scheme, "Basic"):
		login, secret, ok := parseBasic(value)
		if !ok {
			return access.Principal{}, errCredential("the Authorization header is malformed")
		}
		return a.SignIn(ctx, r, login, secret)
	}
	return access.Principal{}, errCredential("the Authorization header is neither Basic nor Bearer")
}

func parseBasic(value string) (login, secret string, ok bool) {
	b, err := base64.StdEncoding.Strict().DecodeString(strings.TrimLeft(value, " "))
	if err != nil {
		return "", "", false
	}
	return strings.Cut(string(b), ":")
}

// SignIn returns the principal of a login with a token of ours or a password.
// The tokens of jobs, ours and those of an outside issuer, go with any login.
// Both empty is nobody.
func (a *Authenticator) SignIn(ctx context.Context, r *http.Request, login, secret string) (access.Principal, error) {
	switch {
	case login == "" && secret == "":
		return access.Principal{}, nil
	case a.takesIdentity(secret):
		return a.identify(ctx, r, login, secret)
	case len(login)+len(secret) > maxCredential:
		return access.Principal{}, errCredential("the user name or the password is not right")
	case kindOf(secret) != "":
		return a.named(ctx, login, secret)
	}
	return a.Passwords.SignIn(ctx, login, secret, func() (func(bool), error) {
		return a.throttle.admit(strings.ToLower(login), a.Client(r), a.Now())
	})
}

// named returns the principal of a token that came with a login. A user's token
// goes with the logins that lead to the user, also former ones.
func (a *Authenticator) named(ctx context.Context, login, secret string) (access.Principal, error) {
	who, err := a.secret(ctx, secret)
	if err != nil || !who.User() || strings.EqualFold(who.Login, login) {
		return who, err
	}
	own, err := a.Store.HasLogin(ctx, who.AccountID, strings.ToLower(login))
	if err == nil && !own {
		err = errCredential("the token is not of the user that was named")
	}
	if err != nil {
		return access.Principal{}, err
	}
	return who, nil
}

// secret returns the principal of a token of ours.
func (a *Authenticator) secret(ctx context.Context, secret string) (access.Principal, error) {
	kind := kindOf(secret)
	if !kind.wellFormed(secret) {
		return access.Principal{}, errToken()
	}
	t, h, err := a.Store.TokenBySecret(ctx, hashOf(secret))
	if errs.Is(err, errs.NotFound) || err == nil && t.Kind != kind {
		return access.Principal{}, errToken()
	}
	if err != nil {
		return access.Principal{}, err
	}
	now := a.Now()
	if err := live(t, h, now); err != nil {
		return access.Principal{}, err
	}
	who, err := a.principal(ctx, t, h)
	if err == nil {
		a.uses.note(t, now)
	}
	return who, err
}

// byBearer tells the things apart that come as Bearer.
func (a *Authenticator) byBearer(ctx context.Context, r *http.Request, value string) (access.Principal, error) {
	switch {
	case a.takesIdentity(value):
		return a.identify(ctx, r, "", value)
	case len(value) > MaxBearer:
		return access.Principal{}, errBearer()
	case strings.Contains(value, "."):
		return a.bearer(ctx, value)
	case kindOf(value) != "":
		return a.secret(ctx, value)
	}
	b, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(value, "="))
	if err != nil {
		return access.Principal{}, errBearer()
	}
	login, secret, pair := strings.Cut(string(b), ":")
	switch {
	case !pair:
		return a.secret(ctx, string(b))
	case a.takesIdentity(secret):
		return a.identify(ctx, r, login, secret)
	}
	return a.named(ctx, login, secret)
}
