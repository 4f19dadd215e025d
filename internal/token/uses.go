package token

import (
	"context"
	"sync"
	"time"
)

// maxPending bounds the uses that wait to be written; over it they are lost.
const maxPending = 10_000

// uses collects when tokens were used last, to the minute, and writes them now
// and then, away from requests.
type uses struct {
	mu      sync.Mutex
	pending map[int64]time.Time
}

// note records a use of t, unless its last one was in the same minute.
func (u *uses) note(t Token, now time.Time) {
	minute := now.Truncate(time.Minute)
	if !minute.After(t.LastUsedAt) {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, ok := u.pending[t.ID]; !ok && len(u.pending) >= maxPending {
		return
	}
	if u.pending == nil {
		u.pending = map[int64]time.Time{}
	}
	u.pending[t.ID] = minute
}

func (u *uses) flush(ctx context.Context, store Store) error {
	u.mu.Lock()
	pending := u.pending
	u.pending = nil
	u.mu.Unlock()
	if len(pending) == 0 {
		return nil
	}
	return store.TouchTokens(ctx, pending)
}

// FlushUses writes the times at which tokens were used last. Run it every few
// seconds and once at the end; what an error loses is made good by the next use.
func (a *Authenticator) FlushUses(ctx context.Context) error { return a.uses.flush(ctx, a.Store) }
