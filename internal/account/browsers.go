package account

import (
	"context"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
)

// nameLength is how much of the hash of its secret names a session: enough to
// tell one person's apart, and nothing that signs anybody in.
const nameLength = 16

// Name tells the session from others of its account.
func (s Session) Name() string { return s.SecretHash[:min(nameLength, len(s.SecretHash))] }

// BrowserStore keeps in which browsers people are signed in.
type BrowserStore interface {
	// WebSessionsOf returns the account's sessions that hold at now, the one that
	// was seen last first.
	WebSessionsOf(ctx context.Context, accountID int64, now time.Time) ([]Session, error)
	// EndWebSessionNamed ends the account's session of that name; NotFound
	// without it.
	EndWebSessionNamed(ctx context.Context, accountID int64, name string, e audit.Entry) error
	// EndWebSessionsOf ends all sessions of the account but the one whose hash is
	// kept, which may be "". It is recorded also when there is none.
	EndWebSessionsOf(ctx context.Context, accountID int64, kept string, e audit.Entry) error
}

// Browsers shows people where they are signed in, and signs them out there. Safe
// for concurrent use.
type Browsers struct {
	Store BrowserStore
	Now   func() time.Time
}

// List returns the sessions of who, the one that was seen last first.
func (b *Browsers) List(ctx context.Context, who access.Principal) ([]Session, error) {
	return b.Store.WebSessionsOf(ctx, who.AccountID, b.Now())
}

// End ends the session of who with that name; NotFound without it.
func (b *Browsers) End(ctx context.Context, who access.Principal, name string) error {
	return b.Store.EndWebSessionNamed(ctx, who.AccountID, name, b.entry(who, "user.end-session", map[string]any{"session": name}))
}

// EndOthers signs who out everywhere but in the session kept.
func (b *Browsers) EndOthers(ctx context.Context, who access.Principal, kept Session) error {
	return b.Store.EndWebSessionsOf(ctx, who.AccountID, kept.SecretHash, b.entry(who, "user.end-sessions", map[string]any{"kept": kept.Name()}))
}

// EndAll signs who out everywhere.
func (b *Browsers) EndAll(ctx context.Context, who access.Principal) error {
	return b.Store.EndWebSessionsOf(ctx, who.AccountID, "", b.entry(who, "user.end-sessions", nil))
}

func (b *Browsers) entry(who access.Principal, action string, detail map[string]any) audit.Entry {
	return audit.Entry{At: b.Now(), Actor: audit.By(who), Action: action, Target: who.Login, Detail: detail}
}
