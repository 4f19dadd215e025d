package httpx

import (
	"sync"
	"time"

	"packhouse/internal/errs"
)

// Gate bounds how much one principal or one address does at a time. The zero
// value is ready. Safe for concurrent use.
type Gate struct {
	mu     sync.Mutex
	inside map[string]int
}

// Enter counts key in, unless limit of it are inside: then it is RateLimited.
// leave counts it out and must be called once.
func (g *Gate) Enter(key string, limit int) (leave func(), err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inside[key] >= limit {
		e := errs.New(errs.RateLimited, "more than %d requests at a time", limit)
		e.RetryAfter = time.Second
		return nil, e
	}
	if g.inside == nil {
		g.inside = map[string]int{}
	}
	g.inside[key]++
	return func() { g.leave(key) }, nil
}

func (g *Gate) leave(key string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.inside[key]--; g.inside[key] <= 0 {
		delete(g.inside, key)
	}
}
