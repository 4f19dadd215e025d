package audit

import (
	"context"
	"time"

	"packhouse/internal/access"
)

// Actor names who made a change: a login, OWNER/REPO for a job, or one of the
// names below, which no account can have.
type Actor string

// The actors without an account.
const (
	Operator Actor = "operator" // by the commands of the machine
	Server   Actor = "server"   // by itself: at its first start, or as an outside provider says
)

// By returns the name under which the changes of who are recorded.
func By(who access.Principal) Actor {
	switch {
	case who.Operator:
		return Operator
	case who.Workflow != nil && !who.Workflow.Repository.IsZero():
		return Actor(who.Workflow.Repository.String())
	}
	return Actor(who.Login)
}

// Entry is one change. All but ID and Detail must be set to be recorded.
type Entry struct {
	ID     int64
	At     time.Time
	Actor  Actor
	Action string // NOUN.VERB
	Target string
	// Detail is what JSON can hold; numbers are read back as float64.
	Detail map[string]any
}

// Query chooses entries, the newest first.
type Query struct {
	// Before is the ID of the last entry of the page before; zero is the newest.
	Before int64
	// After, unless it is zero, asks for the page that ends before that entry.
	After int64
	Limit int
	// Account, unless it is zero, asks for what was done to the account of that
	// id and to what is in its namespace, by the names that it had.
	Account int64
	// Actor and Action choose further; empty ones choose all.
	Actor, Action string
}

// MaxPage is the longest page.
const MaxPage = 1000

// Store keeps entries.
type Store interface {
	// AuditEntries returns the entries that q chooses.
	AuditEntries(ctx context.Context, q Query) ([]Entry, error)
}

// Service reads the record.
type Service struct{ Store Store }

// List returns one page of entries. The limit is brought between 1 and MaxPage.
func (s *Service) List(ctx context.Context, q Query) ([]Entry, error) {
	q.Limit = min(max(q.Limit, 1), MaxPage)
	return s.Store.AuditEntries(ctx, q)
}
