package store

import (
	"context"
	"sync"

	"packhouse/internal/access"
	"packhouse/internal/database"
	"packhouse/internal/registry"
)

// recent keeps the answers of lookups for as long as nothing at all changes in
// the database, which the database is asked each time: an answer is never older
// than that question. SQLite can tell for a third of what the lookup costs;
// PostgreSQL cannot, and nothing is kept there.
type recent struct {
	db *database.DB

	mu      sync.RWMutex
	version uint64
	answers map[lookup]answer
}

// maxRecent is how many answers are kept, about 500 bytes each.
const maxRecent = 4096

// lookup is a question, whole: who asks, and for what. What a caller's credential
// allows beside is not asked of the database.
type lookup struct {
	account, token, repository int64

	pkg  access.Package
	what string // the tag or digest
	blob bool
}

func question(who access.Principal, p access.Package, what string) lookup {
	return lookup{account: who.AccountID, token: who.TokenID, repository: who.RepositoryID(), pkg: p, what: what}
}

type answer struct {
	pkg     registry.Package
	version *registry.Version
	blob    *registry.Blob
}

// get returns the answer to q, from ask unless it is known. Two callers may ask
// at once.
func (r *recent) get(ctx context.Context, q lookup, ask func() (answer, error)) (answer, error) {
	// The version comes before the question, so that a change between them
	// makes the answer look older than it is, never newer.
	version, ok, err := r.db.Version(ctx)
	if err != nil || !ok {
		return ask()
	}
	r.mu.RLock()
	known, found := r.answers[q]
	found = found && r.version == version
	r.mu.RUnlock()
	if found {
		return known, nil
	}
	a, err := ask()
	if err == nil {
		r.keep(version, q, a)
	}
	return a, err
}

func (r *recent) keep(version uint64, q lookup, a answer) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.version != version || len(r.answers) >= maxRecent {
		r.version, r.answers = version, map[lookup]answer{}
	}
	r.answers[q] = a
}
