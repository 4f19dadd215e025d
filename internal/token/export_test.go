package token

import (
	"io"
	"net/netip"
	"time"
)

func Generate(random io.Reader) (Secret, error) { return generate(Personal, random) }

func WellFormed(s string) bool { return Personal.wellFormed(s) }

func Checksum(s string) string { return checksum(s) }

// Throttle lets tests drive the sign-in throttle by itself.
type Throttle struct{ signInThrottle }

func NewThrottle() Throttle { return Throttle{newSignInThrottle()} }

func (t Throttle) Admit(account string, client netip.Addr, now time.Time) (func(bool), error) {
	return t.admit(account, client, now)
}

func (t Throttle) Remembered() int { return len(t.accounts.next) + len(t.clients.next) }

const MaxThrottled = maxThrottled
