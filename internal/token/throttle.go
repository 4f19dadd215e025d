package token

import (
	"net/netip"
	"sync"
	"time"

	"packhouse/internal/errs"
)

// throttle limits failed sign-ins by key: burst at once, then one every
// interval, by the generic cell rate algorithm. It is a memory of this process.
type throttle struct {
	interval time.Duration
	burst    int

	mu sync.Mutex
	// next is, for each key, when an unhindered sequence of tries at the
	// allowed rate would come to an end.
	next map[string]time.Time
}

// maxThrottled bounds the memory. Over it, keys without a debt are forgotten
// first, then any.
const maxThrottled = 10_000

func newThrottle(burst int, interval time.Duration) *throttle {
	return &throttle{interval: interval, burst: burst, next: map[string]time.Time{}}
}

// take counts a try, or says how long to wait when there were too many.
func (t *throttle) take(key string, now time.Time) (wait time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at, wait := t.after(key, now)
	if wait > 0 {
		return wait
	}
	if len(t.next) >= maxThrottled {
		t.forget(now)
	}
	t.next[key] = at
	return 0
}

// wait says how long to wait when there were too many tries, and counts none.
func (t *throttle) wait(key string, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, wait := t.after(key, now)
	return wait
}

// after returns what next becomes with one try more, and for how long that is
// one too many.
func (t *throttle) after(key string, now time.Time) (at time.Time, wait time.Duration) {
	at = t.next[key]
	if at.Before(now) {
		at = now
	}
	at = at.Add(t.interval)
	return at, at.Sub(now) - time.Duration(t.burst)*t.interval
}

// giveBack takes a try back that turned out well.
func (t *throttle) giveBack(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if at, ok := t.next[key]; ok {
		t.next[key] = at.Add(-t.interval)
	}
}

func (t *throttle) forget(now time.Time) {
	for key, at := range t.next {
		if !at.After(now) {
			delete(t.next, key)
		}
	}
	for key := range t.next {
		if len(t.next) < maxThrottled {
			return
		}
		delete(t.next, key)
	}
}

// signInThrottle counts by account and by client at once, so that neither many
// addresses against one account nor one address against many come far.
type signInThrottle struct {
	accounts, clients *throttle
	// codes counts by account codes of few digits, which come after a password:
	// who knows that has all the time there is.
	codes *throttle
}

func newSignInThrottle() signInThrottle {
	return signInThrottle{
		accounts: newThrottle(10, 6*time.Second), // ten a minute
		clients:  newThrottle(30, 2*time.Second),
		codes:    newThrottle(10, 5*time.Minute), // of the million, 300 a day
	}
}

// admit counts a try on account from client. The caller reports through settle
// whether it was right.
func (s signInThrottle) admit(account string, client netip.Addr, now time.Time) (settle func(ok bool), err error) {
	network := clientKey(client)
	if wait := s.clients.take(network, now); wait > 0 {
		return nil, tooMany(wait)
	}
	if wait := s.accounts.take(account, now); wait > 0 {
		s.clients.giveBack(network)
		return nil, tooMany(wait)
	}
	return func(ok bool) {
		if ok {
			s.clients.giveBack(network)
			s.accounts.giveBack(account)
		}
	}, nil
}

// clientKey joins the addresses that one client has at will: all of a /64.
func clientKey(a netip.Addr) string {
	a = a.Unmap()
	if a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}

func tooMany(wait time.Duration) error {
	e := errs.New(errs.RateLimited, "too many failed sign-ins; wait before the next one")
	e.RetryAfter = wait
	return e
}
