package crash

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// account is who the clients sign in as.
type account struct{ login, token string }

// newAccount makes a user with a token for everything, by the program's own
// commands.
func newAccount(s *server, login string) (account, error) {
	if _, err := s.admin(adminPassword+"\n", "user", "create", login, "--password-stdin"); err != nil {
		return account{}, err
	}
	token, err := s.admin("", "token", "create", login, "--scopes", "read:packages,write:packages,delete:packages")
	return account{login, token}, err
}

// client speaks to one server with a bearer token. It is used by one goroutine.
type client struct {
	base   string
	http   *http.Client
	bearer string
}

// answer is a whole response.
type answer struct {
	status int
	header http.Header
	body   []byte
}

func (a answer) String() string { return fmt.Sprintf("%d %.300s", a.status, a.body) }

// requestLimit ends a request that hangs; every one is small.
const requestLimit = 15 * time.Second

// newClient fetches a token for the packages and returns a client that uses it.
func newClient(ctx context.Context, s *server, who account, packages []string) (*client, error) {
	c := &client{base: s.url(), http: &http.Client{
		Timeout:       requestLimit,
		Transport:     &http.Transport{DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
	q := url.Values{"service": {s.addr}}
	for _, p := range packages {
		q.Add("scope", "repository:"+p+":pull,push,delete")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/token?"+q.Encode(), nil)
	if err != nil {
		return nil, err
	}
	r.SetBasicAuth(who.login, who.token)
	a, err := c.send(r)
	if err != nil {
		return nil, err
	}
	var got struct{ Token string }
	if err := json.Unmarshal(a.body, &got); err != nil || a.status != http.StatusOK || got.Token == "" {
		return nil, errors.Join(fmt.Errorf("/token answered %s", a), err)
	}
	c.bearer = got.Token
	return c, nil
}

func (c *client) close() { c.http.CloseIdleConnections() }

// request is one request to /v2/. The path may be one that the server gave.
type request struct {
	method, path string
	header       map[string]string
	body         []byte
	stream       bool // send the body without its length
}

func (c *client) do(ctx context.Context, req request) (answer, error) {
	var body io.Reader
	if req.body != nil {
		body = bytes.NewReader(req.body)
	}
	if req.stream {
		body = io.MultiReader(body) // hides the length
	}
	r, err := http.NewRequestWithContext(ctx, req.method, c.base+req.path, body)
	if err != nil {
		return answer{}, err
	}
	r.Header.Set("Authorization", "Bearer "+c.bearer)
	for name, value := range req.header {
		r.Header.Set(name, value)
	}
	return c.send(r)
}

// send returns an answer only when all of it arrived.
func (c *client) send(r *http.Request) (answer, error) {
	res, err := c.http.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(res.Body); err != nil {
		return answer{}, err
	}
	return answer{res.StatusCode, res.Header, body.Bytes()}, nil
}

// next returns the path in a Link header to the next page, or "".
func (a answer) next() string {
	link := a.header.Get("Link")
	from, to := strings.IndexByte(link, '<'), strings.IndexByte(link, '>')
	if from < 0 || to < from {
		return ""
	}
	return link[from+1 : to]
}
