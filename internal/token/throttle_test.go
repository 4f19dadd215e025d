package token_test

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/token"
)

// tries counts how many failed sign-ins are let through in a row.
func tries(th token.Throttle, login string, client func(i int) netip.Addr, now time.Time) int {
	for i := range 1000 {
		settle, err := th.Admit(login, client(i), now)
		if err != nil {
			return i
		}
		settle(false)
	}
	return 1000
}

func always(addr string) func(int) netip.Addr {
	return func(int) netip.Addr { return netip.MustParseAddr(addr) }
}

func TestGuessingIsSlow(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	th := token.NewThrottle()
	if n := tries(th, "ann", always("192.0.2.1"), now); n != 10 {
		t.Errorf("%d tries at once on one account", n)
	}
	if n := tries(th, "ann", always("198.51.100.7"), now); n != 0 {
		t.Errorf("%d more from elsewhere", n)
	}
	for range 50 { // what is refused for the account is not counted against the client
		tries(th, "ann", always("198.51.100.7"), now)
	}
	if n := tries(th, "bob", always("198.51.100.7"), now); n != 10 {
		t.Errorf("%d tries on another account", n)
	}
	if n := tries(th, "ann", always("192.0.2.1"), now.Add(6*time.Second)); n != 1 {
		t.Errorf("%d tries six seconds later", n)
	}
	if n := tries(th, "ann", always("192.0.2.1"), now.Add(time.Hour)); n != 10 {
		t.Errorf("%d tries an hour later", n)
	}
}

func TestOneClientComesNoFurtherWithManyAccounts(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	for what, client := range map[string]func(int) netip.Addr{
		"one address": always("192.0.2.1"),
		"one mapped":  func(i int) netip.Addr { return netip.MustParseAddr([]string{"::ffff:192.0.2.1", "192.0.2.1"}[i%2]) },
		"one network": func(i int) netip.Addr { return netip.MustParseAddr(fmt.Sprintf("2001:db8::%x", i+1)) },
		"one zone":    func(i int) netip.Addr { return netip.MustParseAddr(fmt.Sprintf("fe80::1%%eth%d", i)) },
		"no address":  func(int) netip.Addr { return netip.Addr{} },
	} {
		th := token.NewThrottle()
		n := 0
		for i := range 100 {
			if settle, err := th.Admit(fmt.Sprintf("user%d", i), client(i), now); err == nil {
				settle(false)
				n++
			}
		}
		if n != 30 {
			t.Errorf("%s: %d tries", what, n)
		}
	}
}

func TestARightPasswordIsNotCounted(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	th := token.NewThrottle()
	for range 500 {
		settle, err := th.Admit("ann", netip.MustParseAddr("192.0.2.1"), now)
		if err != nil {
			t.Fatal(err)
		}
		settle(true)
	}
	if n := tries(th, "ann", always("192.0.2.1"), now); n != 10 {
		t.Errorf("%d failures after many successes", n)
	}
}

func TestTheThrottleForgetsWithinBounds(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
	th := token.NewThrottle()
	for i := range 3 * token.MaxThrottled {
		client := netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)})
		if settle, err := th.Admit(fmt.Sprintf("user%d", i), client, now); err == nil {
			settle(false)
		}
	}
	if n := th.Remembered(); n > 2*token.MaxThrottled {
		t.Errorf("%d keys are remembered", n)
	}
}

func TestAThrottledClientIsToldToWait(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	pat, _ := f.personal(t, f.ann, access.ReadPackages)
	var err error
	for range 11 {
		_, err = f.ask(t, basic("ann", "wrong"))
	}
	e, ok := errors.AsType[*errs.Error](err)
	if !ok || e.Kind != errs.RateLimited || e.RetryAfter != 6*time.Second {
		t.Fatalf("%+v", err)
	}
	if _, err := f.ask(t, basic("Ann", password)); !errs.Is(err, errs.RateLimited) {
		t.Errorf("the password in other case: %v", err)
	}
	if _, err := f.ask(t, basic("ann", pat)); err != nil {
		t.Errorf("a token cannot be guessed and is not throttled: %v", err)
	}
	if _, err := f.ask(t, basic("bob", "bob's password")); err != nil {
		t.Errorf("another account: %v", err)
	}
	f.now = f.now.Add(e.RetryAfter)
	if _, err := f.ask(t, basic("ann", password)); err != nil {
		t.Errorf("after the wait: %v", err)
	}
}

// User names are kept by the throttle, so endless ones must not get there.
func TestEndlessUserNamesAreNotRemembered(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for i := range 40 {
		if _, err := f.ask(t, basic(strings.Repeat("x", 5000)+fmt.Sprint(i), "wrong")); !unauthenticated(err) {
			t.Fatalf("try %d: %v", i, err)
		}
	}
	if _, err := f.ask(t, basic("ann", password)); err != nil {
		t.Errorf("they were counted: %v", err)
	}
}
