package site_test

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"testing"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/account"
)

// code is what an authenticator app shows for the key now.
func code(t *testing.T, key string) string {
	t.Helper()
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(key)
	must(t, err)
	h := hmac.New(sha1.New, secret)
	must(t, binary.Write(h, binary.BigEndian, time.Now().Unix()/30))
	sum := h.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	return fmt.Sprintf("%06d", (binary.BigEndian.Uint32(sum[at:])&0x7fffffff)%1_000_000)
}

// Somebody who lost the second factor is let in again by an administrator.
func TestTakingASecondFactorAway(t *testing.T) {
	t.Parallel()
	s := world(t)
	b := s.SignedIn("root")
	b.Get("/site/accounts/alice").Want(200, "h2").Without("form[action$=second_factor]")
	b.Post("/site/accounts/alice/second_factor").Want(404, ".flash-error")
	public, err := url.Parse(s.Config.URL)
	must(t, err)
	factors, err := account.NewFactors(account.FactorOptions{Store: s.App.Store, URL: public, Now: time.Now, Random: rand.Reader})
	must(t, err)
	a, err := s.App.Accounts.Get(t.Context(), "alice")
	must(t, err)
	who := access.Principal{AccountID: a.ID, Login: a.Login, Scopes: access.EveryScope}
	must(t, factors.BeginApp(t.Context(), who))
	setup, err := factors.AppSetup(t.Context(), who)
	must(t, err)
	_, err = factors.ConfirmApp(t.Context(), who, code(t, setup.Key), account.Session{})
	must(t, err)
	b.Get("/site/accounts/alice").Want(200, `dd:contains("Authenticator app")`).Want(200, "form[action$=second_factor]")
	b.Post("/site/accounts/alice/second_factor").Want(200, ".flash-success").Without("form[action$=second_factor]")
	if status, err := factors.Status(t.Context(), a.ID); err != nil || status.On() {
		t.Errorf("it is on still: %v", err)
	}
}
