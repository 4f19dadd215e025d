package account

import (
	"crypto/hmac"
	"crypto/sha256"
	"sync"
	"time"
)

// Clients that know only Basic send the password with every request; a check of
// 30 ms each would be all that the server does.
const (
	recentLife = time.Minute
	maxRecent  = 1024
)

// recent remembers which passwords were right a moment ago, by a keyed hash
// that is worthless outside this process. An entry names the stored hash it was
// checked against, so a changed password ends it.
type recent struct {
	key []byte

	mu      sync.Mutex
	entries map[[sha256.Size]byte]checked
}

type checked struct {
	hash  string
	until time.Time
}

func newRecent(key []byte) *recent {
	return &recent{key: key, entries: map[[sha256.Size]byte]checked{}}
}

func (r *recent) name(login, password string) (sum [sha256.Size]byte) {
	mac := hmac.New(sha256.New, r.key)
	mac.Write([]byte(login + "\x00" + password))
	mac.Sum(sum[:0])
	return sum
}

// has reports whether password was found to belong to hash.
func (r *recent) has(login, password, hash string, now time.Time) bool {
	name := r.name(login, password)
	r.mu.Lock()
	defer r.mu.Unlock()
	e, ok := r.entries[name]
	return ok && e.hash == hash && now.Before(e.until)
}

func (r *recent) add(login, password, hash string, now time.Time) {
	name := r.name(login, password)
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.entries) >= maxRecent {
		clear(r.entries)
	}
	r.entries[name] = checked{hash: hash, until: now.Add(recentLife)}
}
