package token_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"packhouse/internal/errs"
	"packhouse/internal/testkit"
)

// SEC-073: limits by address alone, or by login alone, were walked around, and
// requests with a credential of another kind were not counted.
func TestSEC073_FailedSignInsAreLimitedByLoginAndByAddress(t *testing.T) {
	t.Parallel()
	home := netip.MustParseAddr("192.0.2.1")
	address := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}) }
	// failures is how many are refused for what they are before the limit.
	failures := func(t *testing.T, try func(i int) error) int {
		for i := range 100 {
			switch err := try(i); {
			case errs.Is(err, errs.RateLimited):
				return i
			case !unauthenticated(err):
				t.Fatal(err)
			}
		}
		return 100
	}
	t.Run("by login, from many addresses", func(t *testing.T) {
		t.Parallel()
		f := newTrusting(t)
		n := failures(t, func(i int) error {
			_, err := f.askFrom(t, address(i), basic("ann", fmt.Sprint("wrong", i)))
			return err
		})
		if n != 10 {
			t.Errorf("%d tries", n)
		}
	})
	t.Run("by address, with many logins", func(t *testing.T) {
		t.Parallel()
		f := newTrusting(t)
		n := failures(t, func(i int) error { _, err := f.askFrom(t, home, basic(fmt.Sprint("user", i), "wrong")); return err })
		if n != 30 {
			t.Errorf("%d tries", n)
		}
	})
	t.Run("by address, with identity tokens", func(t *testing.T) {
		t.Parallel()
		f := newTrusting(t)
		f.rule(t, "repository", "acme/app")
		good := f.job(t, nil)
		for i := range 100 {
			if _, err := f.askFrom(t, home, basic("ci", good)); err != nil {
				t.Fatalf("what is let in was counted, at the %dth: %v", i, err)
			}
		}
		stranger := f.job(t, map[string]any{"repository": "evil/app"})
		forged := f.issuer.MintToken(t, testkit.IssuerToken{Claims: f.claims(nil), Stranger: true})
		n := failures(t, func(i int) error {
			_, err := f.askFrom(t, home, []string{
				basic(fmt.Sprint("ci", i), stranger), "Bearer " + stranger, basic("", forged),
				"Bearer " + base64.StdEncoding.EncodeToString([]byte("ci:"+forged)),
			}[i%4])
			return err
		})
		if n != 30 {
			t.Errorf("%d tries", n)
		}
		_, err := f.askFrom(t, home, basic("ci", good))
		if e, ok := errors.AsType[*errs.Error](err); !ok || e.Kind != errs.RateLimited || e.RetryAfter != 2*time.Second {
			t.Errorf("the next: %v", err)
		}
		if _, err := f.askFrom(t, address(1), basic("ci", good)); err != nil {
			t.Errorf("from elsewhere: %v", err)
		}
		f.now = f.now.Add(2 * time.Second)
		if _, err := f.askFrom(t, home, basic("ci", good)); err != nil {
			t.Errorf("after the wait: %v", err)
		}
	})
	t.Run("an issuer that does not answer is not the client's failure", func(t *testing.T) {
		t.Parallel()
		f := newTrusting(t)
		f.rule(t, "repository", "acme/app")
		f.issuer.Answer(t, "/keys", testkit.IssuerAnswer{Status: 500})
		for range 40 {
			if _, err := f.askFrom(t, home, basic("ci", f.job(t, nil))); !errs.Is(err, errs.Unavailable) {
				t.Fatal(err)
			}
		}
	})
}
