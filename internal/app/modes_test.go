package app

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/account"
	v2 "packhouse/internal/api/v2"
	"packhouse/internal/audit"
	"packhouse/internal/config"
	"packhouse/internal/token"
)

// Where both registries share a host, the state of one tells strangers nothing
// of the names in it.
func TestTheStateOfARegistryGivesNoNameAway(t *testing.T) {
	t.Parallel()
	const host = "packages.test.example"
	first, second := testConfig(t), testConfig(t)
	first.BareHost = config.BareDocker
	r := composed(t, first)
	for name, v := range map[string]access.Visibility{"admin/open": access.Public, "admin/shut": access.Private} {
		if _, err := r.app.Accounts.CreateRepository(t.Context(), audit.Operator, name, v); err != nil {
			t.Fatal(err)
		}
		if status, text := r.push(t, host, name+"/image"); status != 201 {
			t.Fatalf("push: %d %s", status, text)
		}
	}
	r.lastWords(t) // the next one opens the same data
	r = composedIn(t, second, first.Data)
	w := &matrixWorld{running: r, t: t}
	ctx, a := t.Context(), r.app.Accounts
	_, err := a.CreateUser(ctx, audit.Operator, account.NewUser{Login: "stranger"})
	w.check(err)
	as := basicHeader("stranger", w.personal("stranger", token.NewToken{Scopes: access.AllScopes}))
	at := family{name: "bare", host: host}
	for _, modes := range []struct{ container, docker access.Mode }{
		{access.Enabled, access.Enabled}, {access.Enabled, access.ReadOnly}, {access.Enabled, access.Disabled},
		{access.ReadOnly, access.Enabled}, {access.Disabled, access.Enabled}, {access.ReadOnly, access.Disabled},
	} {
		w.check(a.SetRegistry(ctx, audit.Operator, access.Container, modes.container))
		w.check(a.SetRegistry(ctx, audit.Operator, access.Docker, modes.docker))
		for _, header := range []http.Header{nil, as} {
			for _, rt := range v2.Routes() {
				private, text := w.try(rt, at, "admin/shut/image", header)
				one := fingerprint(private, text, "admin/shut/image")
				absent, text := w.try(rt, at, "admin/shut/other", header)
				if other := fingerprint(absent, text, "admin/shut/other"); one != other {
					t.Errorf("%s with %+v: private\n%s\nabsent\n%s", rt.Method+" "+rt.Pattern, modes, one, other)
				}
			}
		}
		want := http.StatusOK
		if modes.docker == access.Disabled {
			want = http.StatusUnauthorized
		}
		res, text := r.ask(t, "GET", host, "/v2/admin/open/image/manifests/1", as, nil)
		if res.StatusCode != want || want != 200 && !strings.Contains(text, "the Docker registry is disabled") {
			t.Errorf("a public image with %+v: %s", modes, fmt.Sprint(res.StatusCode, " ", text))
		}
	}
}
