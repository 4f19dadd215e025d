package app

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/token"
)

// firstRead runs a function before the first byte of a body is sent.
type firstRead struct {
	io.Reader
	then func()
}

func (f *firstRead) Read(p []byte) (int, error) {
	if f.then != nil {
		f.then()
		f.then = nil
	}
	return f.Reader.Read(p)
}

// SEC-070: a body may take minutes to arrive. What is revoked meanwhile publishes
// nothing.
func TestSEC070_ARevokedTokenDoesNotFinishAPush(t *testing.T) {
	t.Parallel()
	w := newMatrixWorld(t)
	w.upload("olga/late", "{}", w.as("olga"))
	olga, err := w.app.Accounts.Get(t.Context(), "olga")
	w.check(err)
	client := &http.Transport{ExpectContinueTimeout: time.Minute}
	defer client.CloseIdleConnections()
	for _, way := range []string{"basic", "bearer"} {
		as := basicHeader("olga", w.personal("olga", token.NewToken{Scopes: access.AllScopes}))
		list, err := w.app.personalTokens().List(t.Context(), olga.ID)
		w.check(err)
		if way == "bearer" {
			as = w.bearer(t, containersHost, "repository:olga/late:pull,push", as)
		}
		body := &firstRead{strings.NewReader(smallManifest), func() {
			w.check(w.app.personalTokens().Revoke(t.Context(), audit.Operator, olga.ID, list[0].ID))
		}}
		r, err := http.NewRequestWithContext(t.Context(), "PUT", "http://"+w.addr+"/v2/olga/late/manifests/"+way, body)
		w.check(err)
		r.Host, r.Header, r.ContentLength = containersHost, manifestHeader(as), int64(len(smallManifest))
		r.Header.Set("Expect", "100-continue") // the server asks for the body once it has let the caller in
		res, err := client.RoundTrip(r)
		w.check(err)
		w.check(res.Body.Close())
		if res.StatusCode != http.StatusUnauthorized || body.then != nil {
			t.Errorf("%s: %s", way, res.Status)
		}
		w.want(404, "GET", "olga/late/manifests/"+way, w.as("olga"), "")
	}
}
