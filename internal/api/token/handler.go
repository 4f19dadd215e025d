package tokenapi

import (
	"context"
	"errors"
	"net/http"
	"net/url"

	"packhouse/internal/access"
	"packhouse/internal/errs"
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
	// Realm is what a sign-in prompt calls us. It holds no quotes.
	Realm string
	// RequestID returns the id under which the log has the request.
	RequestID func(*http.Request) string
	// Observe hears how each request ended, for the log; it may be nil.
	Observe func(r *http.Request, who access.Principal, err error)
}

// Handler serves the token endpoint at whatever path it is mounted. Safe for
// concurrent use.
type Handler struct{ Deps }

// New returns a Handler on d.
func New(d Deps) *Handler { return &Handler{d} }

// ServeHTTP answers one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	who, answer, err := h.serve(w, r)
	if h.Observe != nil {
		h.Observe(r, who, err)
	}
	w.Header().Set("Cache-Control", "no-store")
	if err != nil {
		h.writeError(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, answer)
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) (access.Principal, any, error) {
	var who access.Principal
	var scopes []string
	var err error
	switch r.Method {
	case http.MethodGet:
		who, scopes, err = h.byQuery(r)
	case http.MethodPost:
		who, scopes, err = h.byForm(w, r)
	default:
		w.Header().Set("Allow", "GET, POST")
		err = errs.New(errs.Unsupported, "the token endpoint takes GET and POST")
	}
	if err != nil {
		return who, nil, err
	}
	answer, err := h.exchange(r.Context(), who, scopes)
	return who, answer, err
}

// byQuery reads a GET: scopes in the query, the credential in the header.
func (h *Handler) byQuery(r *http.Request) (access.Principal, []string, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return access.Principal{}, nil, errs.Wrap(errs.Invalid, err, "the query is malformed")
	}
	who, err := h.Credentials.Authenticate(r.Context(), r)
	return who, query["scope"], err
}

// byForm reads a POST in the manner of OAuth 2. Refresh tokens are never given
// out, so none is taken.
func (h *Handler) byForm(w http.ResponseWriter, r *http.Request) (access.Principal, []string, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
			return access.Principal{}, nil, errs.Wrap(errs.TooLarge, err, "the form is larger than %d bytes", maxForm)
		}
		return access.Principal{}, nil, errs.Wrap(errs.Invalid, err, "the form is malformed")
	}
	switch r.PostForm.Get("grant_type") {
	case "password":
	case "refresh_token":
		return access.Principal{}, nil, unsupported("refresh tokens are not used here; sign in with a user name and a personal access token")
	case "":
		return access.Principal{}, nil, unsupported("the form names no grant_type; password is offered")
	default:
		return access.Principal{}, nil, unsupported("this grant_type is not offered; password is")
	}
	who, err := h.Credentials.SignIn(r.Context(), r, r.PostForm.Get("username"), r.PostForm.Get("password"))
	return who, r.PostForm["scope"], err
}

func unsupported(text string) error { return errs.New(errs.Invalid, "%s", text).WithCode("UNSUPPORTED") }

// exchange issues the token.
func (h *Handler) exchange(ctx context.Context, who access.Principal, scopes []string) (any, error) {
	wanted, err := parseScopes(scopes)
	if err != nil {
		return nil, err
	}
	granted, err := h.grant(ctx, who, wanted)
	if err != nil {
		return nil, err
	}
	bearer, err := h.Credentials.Issue(ctx, who, granted)
	if err != nil {
		return nil, err
	}
	return newAnswer(bearer, granted), nil
}
