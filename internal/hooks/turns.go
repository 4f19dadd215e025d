package hooks

import (
	"sync"
	"time"
)

// turns gives each hook to one delivery at a time on this node, and lets those
// rest whose receiver gave no answer: a dead one holds up nobody else.
type turns struct {
	mu    sync.Mutex
	hooks map[int64]turn
}

type turn struct {
	busy    bool
	silence int       // attempts without an answer, one after the other
	rest    time.Time // no attempt begins before
}

// How long a delivery waits for one of the same hook, and how long a hook rests
// whose receiver is silent: twice as long each time.
const (
	busyWait  = time.Second
	firstRest = 10 * time.Second
	longRest  = 5 * time.Minute
)

// take returns zero when the hook is the caller's until give, else how long to
// wait before it asks again.
func (t *turns) take(hook int64, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.hooks == nil {
		t.hooks = map[int64]turn{}
	}
	mine := t.hooks[hook]
	if mine.busy {
		return busyWait
	}
	if rest := mine.rest.Sub(now); rest > 0 {
		return rest
	}
	mine.busy = true
	t.hooks[hook] = mine
	return 0
}

// give ends a turn.
func (t *turns) give(hook int64, silent bool, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	mine := t.hooks[hook]
	if !silent {
		delete(t.hooks, hook)
		return
	}
	mine.busy = false
	mine.rest = now.Add(min(firstRest<<min(mine.silence, 10), longRest))
	mine.silence++
	t.hooks[hook] = mine
}
