package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"sync"
	"time"
)

// renewBefore is how long before its end a bearer token is replaced.
const renewBefore = time.Minute

// tokens fetches and keeps the bearer tokens of one server as a client does:
// it asks /v2/ for the challenge and the realm it names for a token. Safe for
// concurrent use.
type tokens struct {
	addr  string
	creds credentials

	mu      sync.Mutex
	service string
	realm   string
	held    map[string]bearer
}

type bearer struct {
	header string
	until  time.Time
}

func newTokens(addr string, creds credentials) *tokens {
	return &tokens{addr: addr, creds: creds, held: map[string]bearer{}}
}

// header returns the header lines that authorize pull and push on repo; none
// for a server without credentials.
func (t *tokens) header(repo string) (string, error) {
	if t.creds == (credentials{}) {
		return "", nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if b, ok := t.held[repo]; ok && time.Until(b.until) > renewBefore {
		return b.header, nil
	}
	c, err := dial(t.addr)
	if err != nil {
		return "", err
	}
	defer c.close()
	if err := t.discover(c); err != nil {
		return "", err
	}
	b, err := t.fetch(c, repo)
	if err != nil {
		return "", err
	}
	t.held[repo] = b
	return b.header, nil
}

var (
	realmPattern   = regexp.MustCompile(`realm="([^"]*)"`)
	servicePattern = regexp.MustCompile(`service="([^"]*)"`)
)

// discover learns realm and service from the challenge of an anonymous request.
func (t *tokens) discover(c *conn) error {
	if t.realm != "" {
		return nil
	}
	a, err := c.do(request{method: "GET", path: "/v2/"})
	if err != nil {
		return err
	}
	realm, service := realmPattern.FindStringSubmatch(a.challenge), servicePattern.FindStringSubmatch(a.challenge)
	if a.status != 401 || realm == nil || service == nil {
		return fmt.Errorf("/v2/ answered %d with challenge %q", a.status, a.challenge)
	}
	t.realm, t.service = pathOf(realm[1]), service[1]
	return nil
}

// fetch asks for one token with the account's name and personal access token.
func (t *tokens) fetch(c *conn, repo string) (bearer, error) {
	a, err := c.do(t.request(repo))
	if err != nil {
		return bearer{}, err
	}
	var got struct {
		Token     string `json:"token"`
		ExpiresIn int    `json:"expires_in"`
	}
	if err := json.Unmarshal(a.body, &got); err != nil || a.status != 200 {
		return bearer{}, errors.Join(fmt.Errorf("token request answered %d: %.200s", a.status, a.body), err)
	}
	if got.Token == "" {
		return bearer{}, errors.New("token request answered without a token")
	}
	return bearer{
		header: "Authorization: Bearer " + got.Token + "\r\n",
		until:  time.Now().Add(time.Duration(got.ExpiresIn) * time.Second),
	}, nil
}

func (t *tokens) request(repo string) request {
	basic := base64.StdEncoding.EncodeToString([]byte(t.creds.user + ":" + t.creds.secret))
	q := url.Values{"service": {t.service}, "scope": {"repository:" + repo + ":pull,push"}}
	return request{method: "GET", path: t.realm + "?" + q.Encode(), header: "Authorization: Basic " + basic + "\r\n"}
}

// pathOf drops scheme and host of an address, which all servers here have in
// common with the connection.
func pathOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return address
	}
	return u.RequestURI()
}
