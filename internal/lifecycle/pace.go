package lifecycle

import (
	"context"
	"sync"
	"time"
)

// Pace keeps work to a number of bytes a second. Safe for concurrent use; nil,
// and one of no bytes, do not hold anything up.
type Pace struct {
	perSecond int64
	now       func() time.Time

	mu   sync.Mutex
	free time.Time // when the bytes that were spent so far are paid for
}

// burst is how much may be done ahead.
const burst = 250 * time.Millisecond

// lookCost is what looking for one object counts as, in bytes.
const lookCost = 16 << 10

// NewPace returns a Pace of perSecond bytes; zero is without a limit.
func NewPace(perSecond int64, now func() time.Time) *Pace {
	return &Pace{perSecond: perSecond, now: now}
}

// Spend counts n bytes and waits as long as the pace demands. Its error is that
// of ctx.
func (p *Pace) Spend(ctx context.Context, n int64) error {
	if p == nil || p.perSecond <= 0 {
		return ctx.Err()
	}
	wait := p.spend(n)
	if wait <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// spend returns how long to wait.
func (p *Pace) spend(n int64) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.now()
	if p.free.Before(now) {
		p.free = now
	}
	p.free = p.free.Add(time.Duration(float64(n) / float64(p.perSecond) * float64(time.Second)))
	return p.free.Sub(now) - burst
}
