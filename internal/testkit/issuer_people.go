package testkit

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// issuerCode is one authorization code that waits to be redeemed.
type issuerCode struct {
	user, redirect, nonce, challenge string
}

// authorize signs a person in and sends the browser back with a code.
func (s *issuerServer) authorize(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	back, err := url.Parse(q.Get("redirect_uri"))
	switch {
	case err != nil || back.Host == "" || q.Get("client_id") != IssuerClientID:
		http.Error(w, "unknown client or address", http.StatusBadRequest)
		return
	case q.Get("response_type") != "code" || !slices.Contains(strings.Fields(q.Get("scope")), "openid"):
		http.Error(w, "only the code flow with the scope openid", http.StatusBadRequest)
		return
	case q.Get("code_challenge") == "" || q.Get("code_challenge_method") != "S256":
		http.Error(w, "PKCE with S256 is needed", http.StatusBadRequest)
		return
	}
	user := q.Get("login_hint")
	if user == "" {
		user = s.present
	}
	if s.users[user] == nil {
		s.choose(w, q)
		return
	}
	code := randomText()
	s.codes[code] = issuerCode{user, q.Get("redirect_uri"), q.Get("nonce"), q.Get("code_challenge")}
	answer := back.Query()
	answer.Set("code", code)
	answer.Set("state", q.Get("state"))
	back.RawQuery = answer.Encode()
	http.Redirect(w, r, back.String(), http.StatusFound)
}

// choose shows a page with a link for each person.
func (s *issuerServer) choose(w http.ResponseWriter, q url.Values) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprintln(w, "<!doctype html><title>Sign in</title><h1>Sign in as</h1>")
	for _, name := range slices.Sorted(maps.Keys(s.users)) {
		q.Set("login_hint", name)
		fmt.Fprintf(w, "<p><a href=\"/authorize?%s\">%s</a>\n", html.EscapeString(q.Encode()), html.EscapeString(name))
	}
}

// token redeems a code for an identity token and an access token.
func (s *issuerServer) token(w http.ResponseWriter, r *http.Request) {
	id, secret, basic := r.BasicAuth()
	if basic { // OAuth encodes both before Basic does
		id, _ = url.QueryUnescape(id)
		secret, _ = url.QueryUnescape(secret)
	} else {
		id, secret = r.PostFormValue("client_id"), r.PostFormValue("client_secret")
	}
	if id != IssuerClientID || secret != IssuerClientSecret {
		answerJSON(w, http.StatusUnauthorized, map[string]string{"error": "invalid_client"})
		return
	}
	given := r.PostFormValue("code")
	code, ok := s.codes[given]
	delete(s.codes, given)
	sum := sha256.Sum256([]byte(r.PostFormValue("code_verifier")))
	if !ok || r.PostFormValue("grant_type") != "authorization_code" || code.redirect != r.PostFormValue("redirect_uri") ||
		base64.RawURLEncoding.EncodeToString(sum[:]) != code.challenge {
		answerJSON(w, http.StatusBadRequest, map[string]string{"error": "invalid_grant"})
		return
	}
	claims := maps.Clone(s.users[code.user])
	claims["aud"] = IssuerClientID
	if code.nonce != "" {
		claims["nonce"] = code.nonce
	}
	text, err := s.sign(IssuerToken{Claims: claims})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	access := randomText()
	s.sessions[access] = code.user
	answerJSON(w, http.StatusOK, map[string]any{
		"access_token": access, "token_type": "Bearer", "expires_in": 600, "id_token": text,
	})
}

func (s *issuerServer) userinfo(w http.ResponseWriter, r *http.Request) {
	access, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	user, ok := s.sessions[access]
	if !ok {
		http.Error(w, "unknown access token", http.StatusUnauthorized)
		return
	}
	answerJSON(w, http.StatusOK, s.users[user])
}
