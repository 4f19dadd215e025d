package testkit

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
)

// serveIssuer makes this process an issuer, if that is what it was started for,
// until its standard input ends.
func serveIssuer() bool {
	if os.Getenv(issuerVariable) == "" {
		return false
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return true
	}
	s := &issuerServer{
		url: "http://" + listener.Addr().String(), requests: map[string]int{}, answers: map[string]IssuerAnswer{},
		users: map[string]map[string]any{}, codes: map[string]issuerCode{}, sessions: map[string]string{},
	}
	if s.keys, err = newIssuerKeys(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return true
	}
	go http.Serve(listener, s.handler())
	fmt.Println(s.url)
	io.Copy(io.Discard, os.Stdin)
	return true
}

// issuerServer is the issuer inside its process.
type issuerServer struct {
	url string

	mu       sync.Mutex
	keys     issuerKeys
	requests map[string]int
	answers  map[string]IssuerAnswer
	users    map[string]map[string]any
	present  string                // who sits before the browser
	codes    map[string]issuerCode // by code; used once
	sessions map[string]string     // access token to user
}

func (s *issuerServer) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", s.discovery)
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) { answerJSON(w, http.StatusOK, s.keys.public()) })
	mux.HandleFunc("GET /authorize", s.authorize)
	mux.HandleFunc("POST /token", s.token)
	mux.HandleFunc("GET /userinfo", s.userinfo)
	mux.HandleFunc("POST /test/mint", s.mint)
	mux.HandleFunc("POST /test/{what}", s.control)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if strings.HasPrefix(r.URL.Path, "/test/") {
			mux.ServeHTTP(w, r)
			return
		}
		s.requests[r.URL.Path]++
		if a, ok := s.answers[r.URL.Path]; ok {
			if a.Location != "" {
				w.Header().Set("Location", a.Location)
			}
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(a.Status)
			io.WriteString(w, strings.Repeat(" ", a.Padding)+a.Body)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

func (s *issuerServer) discovery(w http.ResponseWriter, _ *http.Request) {
	answerJSON(w, http.StatusOK, map[string]any{
		"issuer":                                s.url,
		"authorization_endpoint":                s.url + "/authorize",
		"token_endpoint":                        s.url + "/token",
		"userinfo_endpoint":                     s.url + "/userinfo",
		"jwks_uri":                              s.url + "/keys",
		"response_types_supported":              []string{"code"},
		"subject_types_supported":               []string{"public"},
		"id_token_signing_alg_values_supported": []string{"ES256", "RS256", "EdDSA"},
		"code_challenge_methods_supported":      []string{"S256"},
		"scopes_supported":                      []string{"openid", "profile", "email", "groups"},
	})
}

func (s *issuerServer) mint(w http.ResponseWriter, r *http.Request) {
	var want IssuerToken
	if err := json.NewDecoder(r.Body).Decode(&want); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	text, err := s.sign(want)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	io.WriteString(w, text)
}

// control does what the test asks of the issuer.
func (s *issuerServer) control(w http.ResponseWriter, r *http.Request) {
	d := json.NewDecoder(r.Body)
	var err error
	switch r.PathValue("what") {
	case "rotate":
		s.keys, err = newIssuerKeys()
	case "requests":
		answerJSON(w, http.StatusOK, s.requests)
	case "answer":
		var a struct {
			Path   string
			Answer IssuerAnswer
		}
		err = d.Decode(&a)
		if s.answers[a.Path] = a.Answer; a.Answer == (IssuerAnswer{}) {
			delete(s.answers, a.Path)
		}
	case "user":
		var u struct {
			Name   string
			Claims map[string]any
		}
		err = d.Decode(&u)
		claims := map[string]any{"sub": "id-of-" + u.Name, "preferred_username": u.Name}
		for k, v := range u.Claims {
			claims[k] = v
		}
		s.users[u.Name] = claims
	case "signin":
		err = d.Decode(&s.present)
	default:
		err = errors.New("no such control")
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
	}
}

func answerJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(body)
}

func randomText() string { return strings.ToLower(rand.Text()) }
