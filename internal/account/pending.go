package account

import (
	"context"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/errs"
)

// How long a sign-in waits for its second factor, and how many tries it has.
const (
	PendingLife  = 10 * time.Minute
	pendingTries = 5
)

// Pending is a sign-in whose password was right and which waits for the second
// factor. What is stored cannot be used to sign in.
type Pending struct {
	Hash      string // of the secret in the cookie
	AccountID int64
	// PasswordSet is when the password was set that was right, in microseconds.
	PasswordSet int64
	ReturnTo    string
	Tries       int
	ExpiresAt   time.Time
}

// PendingStore keeps sign-ins that wait.
type PendingStore interface {
	AddPending(ctx context.Context, p Pending) error
	// Pending returns the sign-in and its user as it is now; NotFound when it has
	// expired, had all its tries, or the user may not come in any more.
	Pending(ctx context.Context, hash string, now time.Time, tries int) (Pending, Account, error)
	// TryPending counts a try; NotFound when there were so many already.
	TryPending(ctx context.Context, hash string, now time.Time, tries int) error
}

// Wait begins a sign-in of who, whose password was right, and returns the secret
// by which the browser goes on with it.
func (f *Factors) Wait(ctx context.Context, who access.Principal, returnTo string) (secret string, err error) {
	if secret, err = f.secret(); err != nil {
		return "", err
	}
	return secret, f.Store.AddPending(ctx, Pending{
		Hash: hashOfSecret(secret), AccountID: who.AccountID, PasswordSet: who.Generation, ReturnTo: returnTo,
		ExpiresAt: f.Now().Add(PendingLife),
	})
}

// Waiting returns who waits for a second factor in the browser with that secret,
// and where to go on. Unauthenticated when nobody does, or not any more.
func (f *Factors) Waiting(ctx context.Context, secret string) (who access.Principal, returnTo string, err error) {
	p, a, err := f.Store.Pending(ctx, hashOfSecret(secret), f.Now(), pendingTries)
	if errs.Is(err, errs.NotFound) {
		return who, "", errNotWaiting()
	}
	who = principal(a)
	who.Generation = p.PasswordSet // a new password since then ends it
	return who, p.ReturnTo, err
}

// Try counts a try of the second factor, before it is looked at. Unauthenticated
// when there were too many: the sign-in begins anew.
func (f *Factors) Try(ctx context.Context, secret string) error {
	err := f.Store.TryPending(ctx, hashOfSecret(secret), f.Now(), pendingTries)
	if errs.Is(err, errs.NotFound) {
		return errNotWaiting()
	}
	return err
}

func errNotWaiting() *errs.Error {
	return errs.New(errs.Unauthenticated, "the sign-in took too long, or there were too many wrong codes; start again")
}
