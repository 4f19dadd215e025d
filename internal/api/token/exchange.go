package tokenapi

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"packhouse/internal/errs"
	"packhouse/internal/httpx"
	"packhouse/internal/token"
)

// The names that RFC 8693 gives.
const (
	exchangeGrant   = "urn:ietf:params:oauth:grant-type:token-exchange"
	typeJWT         = "urn:ietf:params:oauth:token-type:jwt"
	typeIdentity    = "urn:ietf:params:oauth:token-type:id_token"
	typeAccessToken = "urn:ietf:params:oauth:token-type:access_token"
)

// Exchanger gives workflow tokens for identity tokens; token.Trust does.
type Exchanger interface {
	Exchange(ctx context.Context, x token.Exchange) (token.Exchanged, error)
}

// exchangeAnswer is the body of RFC 8693, section 2.2.1.
type exchangeAnswer struct {
	AccessToken string `json:"access_token"`
	IssuedType  string `json:"issued_token_type"`
	TokenType   string `json:"token_type"`
	ExpiresIn   int    `json:"expires_in"` // seconds
	Scope       string `json:"scope"`      // actions
}

// exchangeError is the body of RFC 6749, section 5.2.
type exchangeError struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

// trade answers an exchange of tokens. Its refusals have OAuth's form.
func (h *handler) trade(w http.ResponseWriter, r *http.Request, form url.Values) error {
	httpx.EventFrom(w).Route = "POST /token (exchange)"
	x, err := parseExchange(form)
	if err == nil && h.Exchanger == nil {
		err = unsupported("this server takes no identity tokens")
	}
	var made token.Exchanged
	if err == nil {
		err = h.Credentials.CountRefusal(r, func() (err error) {
			made, err = h.Exchanger.Exchange(r.Context(), x)
			return err
		})
	}
	if err != nil {
		return h.refuseExchange(w, err)
	}
	httpx.EventFrom(w).Principal = made.Who.Login
	return writeJSON(w, http.StatusOK, exchangeAnswer{
		AccessToken: made.Token.Reveal(), IssuedType: typeAccessToken, TokenType: "Bearer",
		ExpiresIn: int(made.Life / time.Second), Scope: strings.ReplaceAll(token.FormatActions(made.Actions), ",", " "),
	})
}

// errScope marks an error about the scope parameter.
var errScope = errors.New("invalid scope")

func parseExchange(form url.Values) (token.Exchange, error) {
	x := token.Exchange{Identity: form.Get("subject_token"), Audience: form["audience"], Target: form.Get("resource")}
	for name, values := range form {
		if len(values) > 1 && name != "audience" && name != "resource" {
			return x, unsupported("a parameter of the exchange is there twice")
		}
	}
	kind, wanted := form.Get("subject_token_type"), form.Get("requested_token_type")
	switch {
	case x.Identity == "":
		return x, unsupported("the exchange needs a subject_token: the identity token of the job")
	case kind != typeJWT && kind != typeIdentity:
		return x, unsupported("subject_token_type must be " + typeIdentity + " or " + typeJWT)
	case wanted != "" && wanted != typeAccessToken:
		return x, unsupported("requested_token_type can only be " + typeAccessToken)
	case form.Has("actor_token") || form.Has("actor_token_type"):
		return x, unsupported("an actor_token is not taken")
	case len(slices.Compact(form["resource"])) > 1:
		return x, errs.Wrap(errs.Invalid, token.ErrTarget, "an exchange is for one resource")
	}
	if scope := form.Get("scope"); scope != "" {
		var err error
		if x.Actions, err = token.ParseActionSet(scope); err != nil {
			return x, errs.Wrap(errs.Invalid, errScope, "the scope of an exchange is made of pull, push and delete")
		}
	}
	return x, nil
}

// refuseExchange writes OAuth's form of a refusal, and returns err for the log.
// Section 2.2.2 of RFC 8693 wants invalid_request for a token that is refused.
func (h *handler) refuseExchange(w http.ResponseWriter, err error) error {
	kind := errs.KindOf(err)
	body, status := exchangeError{Error: "invalid_request"}, http.StatusBadRequest
	switch {
	case errors.Is(err, token.ErrTarget):
		body.Error = "invalid_target"
	case errors.Is(err, errScope), kind == errs.Denied:
		body.Error = "invalid_scope"
	case kind == errs.Unavailable:
		body.Error, status = "temporarily_unavailable", httpx.Status(kind)
	case kind != errs.Invalid && kind != errs.Unauthenticated:
		return err // not about this grant: the endpoint's own form
	}
	if e, ok := errors.AsType[*errs.Error](err); ok {
		body.Description = e.Public
		httpx.SetRetryAfter(w.Header(), e.RetryAfter)
	}
	httpx.EventFrom(w).Err = err
	return writeJSON(w, status, body)
}
