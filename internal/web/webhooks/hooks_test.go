package webhooks_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"packhouse/internal/config"
	"packhouse/internal/web/webtest"
)

// receiver takes what hooks send, and answers with a status.
type receiver struct {
	*httptest.Server
	status atomic.Int64
	got    chan received
}

type received struct {
	event, signature string
	body             string
}

const answer = `<b>thanks</b>`

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{got: make(chan received, 100)}
	r.status.Store(http.StatusOK)
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		w.Header().Set("X-Answer", "of the receiver")
		w.WriteHeader(int(r.status.Load()))
		_, _ = io.WriteString(w, answer)
		r.got <- received{req.Header.Get("X-GitHub-Event"), req.Header.Get("X-Hub-Signature-256"), string(body)}
	}))
	t.Cleanup(r.Close)
	return r
}

func signed(secret, body string) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

func site(t *testing.T) *webtest.Site {
	t.Helper()
	s := webtest.New(t, func(c *config.Config) { c.Hooks.AllowPrivate = true })
	s.RunJobs()
	s.User("alice")
	s.User("mallory")
	return s
}

// open opens a page until it has what the selector finds: what was sent is noted
// after it was taken.
func open(t *testing.T, b *webtest.Browser, path, selector string) *webtest.Page {
	t.Helper()
	for range 2000 {
		if p := b.Get(path); p.Status != http.StatusOK || p.Find(selector).Length() > 0 {
			return p.Want(http.StatusOK, selector)
		}
	}
	return b.Get(path).Want(http.StatusOK, selector)
}

func TestComplaint25AHookFromItsFormToItsLog(t *testing.T) {
	t.Parallel()
	s, to := site(t), newReceiver(t)
	s.Push("alice", "alice/app:1")
	b := s.SignedIn("alice")
	const base = "/users/alice/packages/container/app/settings/hooks"
	b.Get(base).Want(200, ".blankslate").Want(200, `a[href="`+base+`/new"]`).Want(200, `.SideNav a[aria-current="page"]`)
	b.Get(base+"/new").Want(200, `form[action="`+base+`"] input[name="url"]`)
	p := b.Post(base, "url", to.URL+"/in", "content_type", "json", "secret", "our secret", "event", "package", "active", "1")
	p.Want(200, ".flash-success")
	hook := strings.TrimSuffix(strings.Split(p.Path, "?")[0], "/deliveries")
	ping := <-to.got
	if ping.event != "ping" || ping.signature != signed("our secret", ping.body) {
		t.Errorf("first came %+v", ping)
	}
	s.Push("alice", "alice/app:2")
	if got := <-to.got; got.event != "package" || got.signature != signed("our secret", got.body) || !strings.Contains(got.body, `"published"`) {
		t.Errorf("told %+v", got)
	}
	log := open(t, b, hook+"/deliveries", "tbody tr:first-child:not(:last-child) td:first-child .color-fg-success")
	if got := log.Text("tbody tr:first-child a"); got != "package.published" {
		t.Errorf("the newest is %q", got)
	}
	at, _ := log.Find("tbody tr:first-child a").Attr("href")
	one := b.Get(at).Want(200, `form[action="`+at+`/redeliver"]`)
	for _, want := range []string{"X-GitHub-Event: package", `"action": "published"`, "X-Answer: of the receiver", answer} {
		if !strings.Contains(one.Text(".hook-raw"), want) {
			t.Errorf("%q is not shown in %s", want, one.Text(".hook-raw"))
		}
	}
	if strings.Contains(one.Body, answer) {
		t.Error("the answer of the receiver came out as HTML")
	}
	b.Post(at+"/redeliver").Want(200, ".flash-success")
	if got := <-to.got; got.event != "package" {
		t.Errorf("redelivered %+v", got)
	}
	open(t, b, hook+"/deliveries", "tbody tr:first-child .Label")
	b.Post(hook+"/ping").Want(200, ".flash-success")
	if got := <-to.got; got.event != "ping" {
		t.Errorf("pinged %+v", got)
	}
	if secret := b.Get(hook).Want(200, "input[name=no_secret]").Body; strings.Contains(secret, "our secret") {
		t.Error("the secret is shown")
	}
	b.Post(hook+"/delete").Want(200, ".blankslate")
	if p := b.Get(hook); p.Status != 404 {
		t.Errorf("after it was deleted: %d", p.Status)
	}
}

func TestAHookIsChanged(t *testing.T) {
	t.Parallel()
	s, to := site(t), newReceiver(t)
	b := s.SignedIn("alice")
	const base = "/settings/hooks"
	p := b.Post(base, "url", "ftp://nowhere", "content_type", "form", "secret", "hidden", "event", "registry_package")
	p.Want(400, ".flash-error").Want(400, `input[name=url][value="ftp://nowhere"]`).Want(400, `option[value=form][selected]`)
	p.Want(400, `input[value=registry_package][checked]`).Without(`input[value=package][checked]`).Without(`input[name=active][checked]`)
	if strings.Contains(p.Body, "hidden\"") && p.Find(`input[name=secret][value]`).Length() > 0 {
		t.Error("the secret is shown again")
	}
	p = b.Post(base, "url", to.URL, "content_type", "json", "secret", "one", "event", "package", "active", "1")
	hook := strings.TrimSuffix(strings.Split(p.Path, "?")[0], "/deliveries")
	if got := <-to.got; got.signature != signed("one", got.body) {
		t.Errorf("pinged %+v", got)
	}
	change := func(fields ...string) {
		t.Helper()
		b.Post(hook, append([]string{"url", to.URL, "content_type", "json", "event", "package", "event", "*", "active", "1"}, fields...)...).Want(200, ".flash-success")
		b.Post(hook + "/ping")
	}
	change() // a secret that is not typed again stays
	if got := <-to.got; got.signature != signed("one", got.body) {
		t.Errorf("after a change: %+v", got)
	}
	b.Get(hook).Want(200, `input[value="*"][checked]`).Without(`input[value=package][checked]`)
	change("no_secret", "1", "insecure", "1")
	if got := <-to.got; got.signature != "" {
		t.Errorf("without a secret: %+v", got)
	}
	b.Get(hook).Want(200, `input[name=insecure][checked]`).Without("input[name=no_secret]")
	b.Post(hook, "url", to.URL, "content_type", "json", "active", "1").Want(400, ".flash-error")
}

// A delivery that failed shows, is to be found, and can be sent again.
func TestFailedDeliveriesAreFound(t *testing.T) {
	t.Parallel()
	s, to := site(t), newReceiver(t)
	s.Organization("acme", "alice")
	b := s.SignedIn("alice")
	to.status.Store(http.StatusGone) // for which a receiver is not asked again
	p := b.Post("/organizations/acme/settings/hooks", "url", to.URL, "content_type", "json", "event", "*", "active", "1")
	hook := strings.TrimSuffix(strings.Split(p.Path, "?")[0], "/deliveries")
	<-to.got
	log := open(t, b, hook+"/deliveries?status=failure", "tbody .color-fg-danger")
	b.Get("/organizations/acme/settings/hooks").Want(200, ".Box-row .color-fg-danger")
	at, _ := log.Find("tbody a").Attr("href")
	to.status.Store(http.StatusOK)
	b.Post(at + "/redeliver")
	<-to.got
	open(t, b, hook+"/deliveries", "tbody tr:first-child:not(:last-child) td:first-child .color-fg-success")
	if p := b.Get(hook + "/deliveries?status=failure"); p.Find("tbody tr").Length() != 1 {
		t.Errorf("failed: %s", p.Text("tbody"))
	}
}

// The log goes on behind its first page.
func TestTheLogGoesOn(t *testing.T) {
	t.Parallel()
	s, to := site(t), newReceiver(t)
	b := s.SignedIn("alice")
	p := b.Post("/settings/hooks", "url", to.URL, "content_type", "json", "event", "package", "active", "1")
	hook := strings.TrimSuffix(strings.Split(p.Path, "?")[0], "/deliveries")
	<-to.got
	for range 31 {
		b.Post(hook + "/ping")
	}
	for range 31 {
		<-to.got
	}
	log := open(t, b, hook+"/deliveries", `a[rel=next]`)
	if n := log.Find("tbody tr").Length(); n != 30 {
		t.Errorf("%d on the first page", n)
	}
	older, _ := log.Find("a[rel=next]").Attr("href")
	if p := b.Get(older).Want(200, "a[rel=first]"); p.Find("tbody tr").Length() != 2 {
		t.Errorf("%d on the second page", p.Find("tbody tr").Length())
	}
}

// Who may not rule the hooks of something finds none there, whether it exists or not.
func TestStrangersFindNoHooks(t *testing.T) {
	t.Parallel()
	s, to := site(t), newReceiver(t)
	s.Organization("acme", "alice")
	s.Push("alice", "alice/app:1")
	_, err := s.App.Accounts.CreateRepository(t.Context(), "alice", "alice/code", "private")
	if err != nil {
		t.Fatal(err)
	}
	b, other, nobody := s.SignedIn("alice"), s.SignedIn("mallory"), s.Browser()
	for _, base := range []string{
		"/users/alice/packages/container/app/settings/hooks", "/organizations/acme/settings/hooks", "/alice/code/settings/hooks",
	} {
		p := b.Post(base, "url", to.URL, "content_type", "json", "event", "package", "active", "1").Want(200, ".flash-success")
		<-to.got
		hook := strings.TrimSuffix(strings.Split(p.Path, "?")[0], "/deliveries")
		delivery, _ := open(t, b, hook+"/deliveries", "tbody td:first-child .color-fg-success").Find("tbody a").Attr("href")
		for _, at := range []string{base, base + "/new", hook, hook + "/deliveries", delivery} {
			b.Get(at).Want(200, "h1")
			if p := other.Get(at); p.Status != 404 {
				t.Errorf("%s is there for others: %d", at, p.Status)
			}
			if p := nobody.Get(at); p.Status == 200 && !strings.HasPrefix(p.Path, "/login") {
				t.Errorf("%s is there for nobody: %s", at, p.Path)
			}
		}
		for _, at := range []string{base, hook, hook + "/delete", hook + "/ping", delivery + "/redeliver"} {
			if p := other.Post(at, "url", to.URL, "content_type", "json", "event", "package"); p.Status != 404 {
				t.Errorf("others may POST %s: %d", at, p.Status)
			}
		}
		// A hook of one place is none of another.
		mine := "/settings/hooks/" + hook[strings.LastIndexByte(hook, '/')+1:]
		if p := b.Get(mine); p.Status != 404 {
			t.Errorf("%s: %d", mine, p.Status)
		}
	}
	if p := b.Get("/organizations/alice/settings/hooks"); p.Status != 404 {
		t.Errorf("a user is an organization: %d", p.Status)
	}
	select {
	case got := <-to.got:
		t.Errorf("told %+v", got)
	default:
	}
}
