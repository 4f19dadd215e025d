// Package webtest runs the whole server inside a test and looks at its pages as a
// browser without script does. It is for tests alone.
package webtest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"packhouse/internal/account"
	"packhouse/internal/app"
	"packhouse/internal/audit"
	"packhouse/internal/config"
)

// Host is the public name of the site of a test.
const Host = "packages.test.example"

// Password is that of every user of a test.
const Password = "correct horse battery"

// Site is a running server on SQLite and a disk of its own.
type Site struct {
	*testing.T
	App    *app.App
	Config *config.Config
	addr   string
}

// New starts a site; change, unless nil, alters its configuration before.
func New(t *testing.T, change func(*config.Config)) *Site {
	t.Helper()
	cfg := config.Default()
	cfg.Data, cfg.URL, cfg.Listen, cfg.MetricsListen = t.TempDir(), "http://"+Host, "127.0.0.1:0", "127.0.0.1:0"
	if change != nil {
		change(cfg)
	}
	log := slog.New(slog.DiscardHandler)
	a, err := app.Build(t.Context(), cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	s := &Site{T: t, App: a, Config: cfg}
	var requests atomic.Int64
	started, done := make(chan app.Addresses, 1), make(chan error, 1)
	ctx, stop := context.WithCancel(context.WithoutCancel(t.Context()))
	hurry := make(chan struct{})
	go func() {
		done <- app.Serve(ctx, cfg, app.Serving{
			Handlers: a.Handlers, Log: log, Metrics: app.NewMetrics("test"), Hurry: hurry,
			NewID:   func() string { return fmt.Sprint("request-", requests.Add(1)) },
			Started: func(at app.Addresses) { started <- at },
		})
	}()
	t.Cleanup(func() {
		stop()
		close(hurry)
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	select {
	case at := <-started:
		s.addr = at.Registry[0]
	case err := <-done:
		done <- nil
		t.Fatal("the server ended: ", err)
	}
	return s
}

// User makes a user, whose password is Password.
func (s *Site) User(login string) account.Account {
	s.Helper()
	a, err := s.App.Accounts.CreateUser(s.Context(), audit.Operator, account.NewUser{Login: login, Password: Password})
	s.check(err)
	return a
}

// Administrator makes a user who administers the site.
func (s *Site) Administrator(login string) account.Account {
	s.Helper()
	a := s.User(login)
	s.check(s.App.Accounts.SetSiteAdmin(s.Context(), audit.Operator, login, true))
	return a
}

// Organization makes an organization that a user owns.
func (s *Site) Organization(login, owner string) account.Account {
	s.Helper()
	a, err := s.App.Accounts.CreateOrganization(s.Context(), audit.Operator, login, owner)
	s.check(err)
	return a
}

func (s *Site) check(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// Transport reaches the site under its public name.
func (s *Site) Transport() *http.Transport {
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		if host, _, err := net.SplitHostPort(address); err == nil && (host == Host || strings.HasSuffix(host, "."+Host)) {
			address = s.addr
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	t := &http.Transport{DialContext: dial}
	s.Cleanup(t.CloseIdleConnections)
	return t
}

// Browser is somebody with cookies, and without script.
type Browser struct {
	*http.Client
	site *Site
	// Language is sent as Accept-Language; empty for none.
	Language string
}

// Browser returns one in which nobody is signed in.
func (s *Site) Browser() *Browser {
	s.Helper()
	jar, err := cookiejar.New(nil)
	s.check(err)
	return &Browser{Client: &http.Client{Jar: jar, Transport: s.Transport()}, site: s}
}

// SignedIn returns a browser in which the user has just signed in.
func (s *Site) SignedIn(login string) *Browser {
	s.Helper()
	b := s.Browser()
	if p := b.Post("/login", "login", login, "password", Password, "return_to", "/"); p.Path == "/login" {
		s.Fatalf("%s could not sign in: %s", login, p.Text("main"))
	}
	return b
}

// Page is an answer, after redirects.
type Page struct {
	*goquery.Document
	Status int
	// Path is the address that was shown in the end, with its query.
	Path   string
	Header http.Header
	Body   string
	site   *Site
}

// Get opens a page.
func (b *Browser) Get(path string) *Page {
	b.site.Helper()
	return b.do("GET", path, nil)
}

// Post sends a form: names and values by turns.
func (b *Browser) Post(path string, fields ...string) *Page {
	b.site.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	return b.do("POST", path, strings.NewReader(form.Encode()))
}

func (b *Browser) do(method, path string, body io.Reader) *Page {
	t := b.site
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, "http://"+Host+path, body)
	t.check(err)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	if b.Language != "" {
		r.Header.Set("Accept-Language", b.Language)
	}
	if body != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	res, err := b.Do(r)
	t.check(err)
	defer func() { _ = res.Body.Close() }()
	content, err := io.ReadAll(res.Body)
	t.check(err)
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(string(content)))
	t.check(err)
	return &Page{
		Document: doc, Status: res.StatusCode, Path: res.Request.URL.RequestURI(), Header: res.Header, Body: string(content), site: t,
	}
}

// Want fails the test unless the page has that status and something that the
// selector finds.
func (p *Page) Want(status int, selector string) *Page {
	p.site.Helper()
	if p.Status != status || p.Find(selector).Length() == 0 {
		p.site.Fatalf("%s: status %d, %d of %q; want status %d and one at least\n%s",
			p.Path, p.Status, p.Find(selector).Length(), selector, status, p.Text("main"))
	}
	return p
}

// Without fails the test if the selector finds something.
func (p *Page) Without(selector string) *Page {
	p.site.Helper()
	if n := p.Find(selector).Length(); n > 0 {
		p.site.Fatalf("%s: %d of %q; want none", p.Path, n, selector)
	}
	return p
}

// Text returns what is to be read where the selector points, with single spaces.
func (p *Page) Text(selector string) string {
	return strings.Join(strings.Fields(p.Find(selector).Text()), " ")
}
