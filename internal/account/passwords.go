package account

import (
	"context"
	"io"
	"sync/atomic"
	"time"

	"golang.org/x/text/unicode/norm"

	"packhouse/internal/errs"
)

// The lengths of a password, in bytes.
const (
	MinPasswordLength = 8
	MaxPasswordLength = 1024
)

// maxWaiting is how many checks may wait for a processor before the next one is
// turned away: a flood of sign-ins must not hold memory or delay pulls.
const maxWaiting = 50

// Passwords hashes and checks passwords, no more at a time than it was given
// slots. Safe for concurrent use.
type Passwords struct {
	cost    Cost
	random  io.Reader
	slots   chan struct{}
	waiting atomic.Int64
	dummy   hashed
}

// NewPasswords returns Passwords that spend cost on each new hash and run on at
// most parallel processors at once.
func NewPasswords(cost Cost, parallel int, random io.Reader) *Passwords {
	return &Passwords{
		cost: cost, random: random, slots: make(chan struct{}, max(1, parallel)),
		dummy: hashed{cost: cost, salt: make([]byte, saltLength), key: make([]byte, keyLength)},
	}
}

// Hash returns the text to store for a new password.
func (p *Passwords) Hash(ctx context.Context, password string) (string, error) {
	switch {
	case len(password) < MinPasswordLength:
		return "", errs.New(errs.Invalid, "a password has at least %d characters", MinPasswordLength)
	case len(password) > MaxPasswordLength:
		return "", errs.New(errs.Invalid, "a password has at most %d bytes", MaxPasswordLength)
	}
	salt := make([]byte, saltLength)
	if _, err := io.ReadFull(p.random, salt); err != nil {
		return "", errs.Wrap(errs.Internal, err, "no randomness for a salt")
	}
	release, err := p.acquire(ctx)
	if err != nil {
		return "", err
	}
	defer release()
	return derive(normal(password), salt, p.cost).String(), nil
}

// Verify reports whether password belongs to hash, and whether the hash was
// made at another cost than new ones. An empty hash takes the same time and
// matches nothing, so that an unknown login answers like a wrong password.
func (p *Passwords) Verify(ctx context.Context, hash, password string) (ok, outdated bool, err error) {
	if len(password) > MaxPasswordLength {
		return false, false, nil
	}
	stored := p.dummy
	if hash != "" {
		if stored, err = parseHash(hash); err != nil {
			return false, false, err
		}
	}
	release, err := p.acquire(ctx)
	if err != nil {
		return false, false, err
	}
	defer release()
	ok = stored.matches(normal(password)) && hash != ""
	return ok, stored.cost != p.cost, nil
}

// acquire waits for a slot.
func (p *Passwords) acquire(ctx context.Context) (release func(), err error) {
	if p.waiting.Add(1) > int64(maxWaiting+cap(p.slots)) {
		p.waiting.Add(-1)
		e := errs.New(errs.Unavailable, "too many sign-ins at once; try again")
		e.RetryAfter = time.Second
		return nil, e
	}
	select {
	case p.slots <- struct{}{}:
		return func() { <-p.slots; p.waiting.Add(-1) }, nil
	case <-ctx.Done():
		p.waiting.Add(-1)
		return nil, ctx.Err()
	}
}

// normal makes one byte string of the ways in which keyboards enter a text.
func normal(password string) []byte { return norm.NFKC.Bytes([]byte(password)) }
