package s3

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"
)

// After this many requests in a row that the service did not answer, requests
// fail at once, and one in each pause tries whether it answers again. Without
// it everything that waits for the service would pile up here.
const (
	silentRequests = 5
	pause          = time.Second
)

var errBroken = errors.New("the storage service did not answer the last requests")

// breaker stands before a service that may be down.
type breaker struct {
	next http.RoundTripper
	now  func() time.Time

	mu     sync.Mutex
	silent int       // requests in a row without an answer
	tried  time.Time // when the last of them was made or failed
}

// RoundTrip implements http.RoundTripper.
func (b *breaker) RoundTrip(r *http.Request) (*http.Response, error) {
	if !b.admit() {
		return nil, errBroken
	}
	answer, err := b.next.RoundTrip(r)
	// A request that its maker gave up says nothing about the service.
	if err == nil || !errors.Is(context.Cause(r.Context()), context.Canceled) {
		b.learn(err == nil)
	}
	return answer, err
}

func (b *breaker) admit() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.silent < silentRequests {
		return true
	}
	now := b.now()
	if now.Sub(b.tried) < pause {
		return false
	}
	b.tried = now
	return true
}

func (b *breaker) learn(answered bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if answered {
		b.silent = 0
		return
	}
	b.silent++
	b.tried = b.now()
}
