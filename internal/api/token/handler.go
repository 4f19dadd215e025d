package tokenapi

import (
	"context"
	"mime"
	"net/http"
	"net/url"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/httpx"
	"packhouse/internal/oci"
	"packhouse/internal/token"
)

// maxForm is the largest body of a POST, in bytes.
const maxForm = 64 << 10

// Credentials tells who asks and issues tokens; token.Authenticator does.
type Credentials interface {
	// Authenticate returns the principal of the request's Authorization
	// header, nobody without one, and Unauthenticated if it does not hold.
	Authenticate(ctx context.Context, r *http.Request) (access.Principal, error)
	// SignIn does the same with a login and a token or password that came
	// with r in another way.
	SignIn(ctx context.Context, r *http.Request, login, secret string) (access.Principal, error)
	// CountRefusal does what takes a credential that came with r, and counts it
	// if that is Unauthenticated; after too many it is RateLimited and not done.
	CountRefusal(r *http.Request, do func() error) error
	// Issue signs a bearer token that holds for grants alone.
	Issue(ctx context.Context, who access.Principal, grants []access.Grant) (token.Bearer, error)
}

// Packages tells what is known of a package, for a decision.
type Packages interface {
	// Facts returns the facts as they are for who now; those of a package that
	// does not exist are no error.
	Facts(ctx context.Context, who access.Principal, name oci.Name) (access.Facts, error)
}

// Deps is what a Handler is built from.
type Deps struct {
	Credentials Credentials
	Packages    Packages
	// Exchanger takes identity tokens; nil when none are taken.
	Exchanger Exchanger
	// Realm is what a sign-in prompt calls us. It holds no quotes.
	Realm string
}

// New returns the token endpoint, for whatever path it is mounted at.
func New(d Deps) http.Handler {
	h := &handler{d}
	return httpx.Handle(h.serve, h.writeError)
}

type handler struct{ Deps }

func (h *handler) serve(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Cache-Control", "no-store")
	event := httpx.EventFrom(w)
	var who access.Principal
	var scopes []string
	var err error
	switch r.Method {
	case http.MethodGet:
		event.Route = "GET /token"
		who, scopes, err = h.byQuery(r)
	case http.MethodPost:
		event.Route = "POST /token"
		var form url.Values
		if form, err = readForm(r); err != nil {
			break
		}
		if form.Get("grant_type") == exchangeGrant {
			return h.trade(w, r, form)
		}
		who, scopes, err = h.byForm(r, form)
	default:
		w.Header().Set("Allow", "GET, POST")
		err = errs.New(errs.Unsupported, "the token endpoint takes GET and POST")
	}
	if err != nil {
		return httpx.StaleLogin(err, h.Realm)
	}
	event.Principal = who.Login
	body, err := h.exchange(r.Context(), who, scopes)
	if err != nil {
		return err
	}
	return writeJSON(w, http.StatusOK, body)
}

// byQuery reads a GET: scopes in the query, the credential in the header.
func (h *handler) byQuery(r *http.Request) (access.Principal, []string, error) {
	query, err := httpx.Query(r)
	if err != nil {
		return access.Principal{}, nil, err
	}
	who, err := h.Credentials.Authenticate(r.Context(), r)
	return who, query["scope"], err
}

// byForm reads a POST in the manner of OAuth 2. Refresh tokens are never given
// out, so none is taken.
func (h *handler) byForm(r *http.Request, form url.Values) (access.Principal, []string, error) {
	switch form.Get("grant_type") {
	case "password":
	case "refresh_token":
		return access.Principal{}, nil, unsupported("refresh tokens are not used here; sign in with a user name and a personal access token")
	case "":
		return access.Principal{}, nil, unsupported("the form names no grant_type; password is offered")
	default:
		return access.Principal{}, nil, unsupported("this grant_type is not offered; password is")
	}
	who, err := h.Credentials.SignIn(r.Context(), r, form.Get("username"), form.Get("password"))
	return who, form["scope"], err
}

func readForm(r *http.Request) (url.Values, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, unsupported("the body must be a form: application/x-www-form-urlencoded")
	}
	body, err := httpx.ReadBody(r, maxForm)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, errs.New(errs.Invalid, "the form is malformed") // the cause would quote a password
	}
	return form, nil
}

func unsupported(text string) error {
	return errs.New(errs.Invalid, "%s", text)
}

// exchange issues the token.
func (h *handler) exchange(ctx context.Context, who access.Principal, scopes []string) (answer, error) {
	asked, err := parseScopes(scopes)
	if err != nil {
		return answer{}, err
	}
	// Anyone gets to list, but sees what is public alone if nobody.
	granted := wanted{catalog: asked.catalog && access.MayList(who)}
	if granted.packages, err = h.grant(ctx, who, asked.packages); err != nil {
		return answer{}, err
	}
	who.Catalog = granted.catalog
	bearer, err := h.Credentials.Issue(ctx, who, granted.packages)
	if err != nil {
		return answer{}, err
	}
	return newAnswer(bearer, granted), nil
}
