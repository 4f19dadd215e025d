package app

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/hooks"
	"packhouse/internal/oci"
)

// No hook reaches into this machine or its network, however the address is
// written, and nothing of that network is told.
func TestHooksReachPublicAddressesAlone(t *testing.T) {
	t.Parallel()
	reached := make(chan string, 100)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { reached <- r.Host }))
	defer server.Close()
	port := server.URL[strings.LastIndexByte(server.URL, ':'):]
	sender := newHookSender(false)
	for _, host := range []string{
		"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "169.254.169.254", "0.0.0.0", "127.1.2.3",
		"10.0.0.1", "192.168.1.1", "172.16.0.1", "100.64.0.1", "[fe80::1]", "[fd00::1]", "[64:ff9b::a00:1]", "localhost.",
	} {
		for _, insecure := range []bool{false, true} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+host+port+"/", nil)
			if err != nil {
				t.Fatal(err)
			}
			res, err := sender.Send(r, insecure)
			if err == nil {
				_ = res.Body.Close()
			}
			if !errs.Is(err, errs.Unavailable) || strings.Contains(publicText(err), "127.") || strings.Contains(publicText(err), "10.0") {
				t.Errorf("%s: %v", host, err)
			}
		}
	}
	if len(reached) > 0 {
		t.Errorf("%s was reached", <-reached)
	}
}

// publicText is what the owner of a hook reads.
func publicText(err error) string {
	if e, ok := errors.AsType[*errs.Error](err); ok {
		return e.Public
	}
	return ""
}

// Where private addresses are allowed, a redirect is an answer and is not
// followed, and certificates are looked at unless the hook says not to.
func TestHooksFollowNoRedirectAndCheckCertificates(t *testing.T) {
	t.Parallel()
	away := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("a redirect was followed") }))
	defer away.Close()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, away.URL, http.StatusTemporaryRedirect)
	}))
	defer server.Close()
	sender := newHookSender(true)
	send := func(insecure bool) (*http.Response, error) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader("x"))
		if err != nil {
			t.Fatal(err)
		}
		return sender.Send(r, insecure)
	}
	if res, err := send(false); err == nil || !strings.Contains(publicText(err), "certificate") {
		t.Errorf("an unknown certificate: %v %v", res, err)
	}
	res, err := send(true)
	if err != nil || res.StatusCode != http.StatusTemporaryRedirect {
		t.Fatalf("a redirect: %v %v", res, err)
	}
	_ = res.Body.Close()
}

// The whole way, in one server: a push, the queue, the network, a receiver.
func TestAPushIsTold(t *testing.T) {
	t.Parallel()
	got := make(chan []byte, 10)
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Header.Get("X-GitHub-Event") == "package" {
			got <- body
		}
	}))
	defer receiver.Close()
	cfg := testConfig(t)
	cfg.Hooks.AllowPrivate = true
	r := composed(t, cfg)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); r.app.RunJobs(ctx, NewMetrics("test")) }()
	defer func() { stop(); <-done }()
	name, err := oci.ParseName("admin")
	if err != nil {
		t.Fatal(err)
	}
	contentType := "json"
	_, err = r.app.Hooks.Create(t.Context(), access.Principal{Operator: true}, hooks.Address{Kind: hooks.OfUser, Name: name},
		hooks.Change{URL: &receiver.URL, ContentType: &contentType})
	if err != nil {
		t.Fatal(err)
	}
	if status, text := r.push(t, "", "admin/app"); status != 201 {
		t.Fatal(status, text)
	}
	var p struct {
		Action  string
		Package struct {
			Version struct {
				Command string `json:"installation_command"`
			} `json:"package_version"`
		}
	}
	if err := json.Unmarshal(<-got, &p); err != nil || p.Action != "published" || !strings.HasSuffix(p.Package.Version.Command, "/admin/app:1") {
		t.Errorf("told %+v, %v", p, err)
	}
}
