package rest

import (
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"packhouse/internal/errs"
)

// window is how long a count of requests goes on.
const window = time.Hour

// maxCounted is how many callers are counted at once. Should there be more, all
// counts begin anew: the limit is there against programs gone wild, and is none
// that anything else relies on.
const maxCounted = 100_000

// rates counts the requests of each caller at this node. Safe for concurrent use.
type rates struct {
	now func() time.Time

	mu     sync.Mutex
	counts map[string]*count
}

type count struct {
	used  int
	until time.Time
}

// take counts one request of the caller and returns how it stands.
func (r *rates) take(caller string) count {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if len(r.counts) >= maxCounted {
		r.counts = nil
	}
	if r.counts == nil {
		r.counts = map[string]*count{}
	}
	c := r.counts[caller]
	if c == nil || !now.Before(c.until) {
		c = &count{until: now.Add(window)}
		r.counts[caller] = c
	}
	c.used++
	return *c
}

// rate counts the request, tells the caller how many are left, and refuses one
// too many. A limit of zero is none.
func (c *call) rate() error {
	limit, caller := c.h.RateLimit, strconv.FormatInt(c.who.ID(), 10)
	if c.who.Anonymous() {
		limit, caller = c.h.AnonymousRateLimit, network(c.h.Client(c.r))
	}
	now := c.h.rates.take(caller)
	if limit == 0 {
		return nil
	}
	h := c.w.Header()
	h.Set("X-RateLimit-Limit", strconv.Itoa(limit))
	h.Set("X-RateLimit-Remaining", strconv.Itoa(max(0, limit-now.used)))
	h.Set("X-RateLimit-Used", strconv.Itoa(now.used))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(now.until.Unix(), 10))
	h.Set("X-RateLimit-Resource", "core")
	if now.used <= limit {
		return nil
	}
	return &errs.Error{
		Kind: errs.RateLimited, RetryAfter: now.until.Sub(c.h.Now()),
		Public: "API rate limit exceeded: " + strconv.Itoa(limit) + " requests an hour.",
	}
}

// network names what one client has of addresses at will: all of a /64.
func network(a netip.Addr) string {
	if a = a.Unmap(); a.Is6() {
		if p, err := a.Prefix(64); err == nil {
			return p.String()
		}
	}
	return a.String()
}

// getRateLimit is GET /rate_limit.
func (h *Handler) getRateLimit(c *call) error {
	header := c.w.Header()
	number := func(name string) int {
		n, _ := strconv.Atoi(header.Get("X-RateLimit-" + name))
		return n
	}
	core := map[string]int{
		"limit": number("Limit"), "remaining": number("Remaining"), "used": number("Used"), "reset": number("Reset"),
	}
	return c.json(http.StatusOK, map[string]any{"resources": map[string]any{"core": core}, "rate": core})
}
