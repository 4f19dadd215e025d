package app

import (
	"context"
	"net/http"
	"sync/atomic"
	"time"
)

// pushes knows whether something is pushed to this node, so that work in the
// background can step back. The zero value knows of none. Safe for concurrent use.
type pushes struct {
	now  func() time.Time
	last atomic.Int64 // when one began or ended, in microseconds since 1970
}

// watch notes the writing requests that next answers.
func (p *pushes) watch(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet || r.Method == http.MethodHead {
			next.ServeHTTP(w, r)
			return
		}
		p.last.Store(p.now().UnixMicro())
		defer func() { p.last.Store(p.now().UnixMicro()) }()
		next.ServeHTTP(w, r)
	})
}

// Between two batches, work in the background rests for so many times as long
// as the last one took: while there are pushes, so that they lose less than a
// tenth of their speed, and while there are none.
const (
	restBusy, restIdle = 12, 0.25
	longestRest        = 2 * time.Second
	// pushesGoOn is how long after a request of a push the next is waited for.
	pushesGoOn = time.Second
)

// yield waits after a batch that took so long.
func (p *pushes) yield(ctx context.Context, worked time.Duration) error {
	times := restIdle
	if p.now().UnixMicro()-p.last.Load() < pushesGoOn.Microseconds() {
		times = restBusy
	}
	wait := time.NewTimer(min(time.Duration(float64(worked)*times), longestRest))
	defer wait.Stop()
	select {
	case <-wait.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
