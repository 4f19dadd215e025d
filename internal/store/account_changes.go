package store

import (
	"context"
	"slices"
	"time"

	"packhouse/internal/audit"
	"packhouse/internal/database"
	"packhouse/internal/errs"
)

// lockAccount holds up other changes around the account until the end of the
// transaction, and tells whether it is there: two owners who demote each other
// must not both see the other, nor may anything be added to an account that is
// being deleted. NotFound when it was.
func lockAccount(ctx context.Context, tx *database.Tx, id int64) error {
	res, err := tx.Exec(ctx, `UPDATE accounts SET kind = kind WHERE id = ? AND deleted_at IS NULL`, id)
	if err != nil {
		return err
	}
	return oneRow(res, errNoAccount())
}

// lockAccounts locks several, in an order in which two never wait for each other.
func lockAccounts(ctx context.Context, tx *database.Tx, ids ...int64) error {
	ids = slices.Clone(ids)
	slices.Sort(ids)
	for _, id := range slices.Compact(ids) {
		if err := lockAccount(ctx, tx, id); err != nil {
			return err
		}
	}
	return nil
}

func errNoAccount() *errs.Error { return errs.New(errs.NotFound, "no such account") }

// change runs do in a write with the accounts locked, and records e.
func (s *Store) change(ctx context.Context, e audit.Entry, do func(ctx context.Context, tx *database.Tx) error, accounts ...int64) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		if err := lockAccounts(ctx, tx, accounts...); err != nil {
			return err
		}
		if err := do(ctx, tx); err != nil {
			return err
		}
		return record(ctx, tx, e)
	})
}

// SetPassword implements account.Changes.
func (s *Store) SetPassword(ctx context.Context, id int64, old, hash string, e audit.Entry) error {
	return s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `UPDATE accounts SET password_hash = ?, password_changed_at = ?
			WHERE id = ? AND password_hash = ?`, hash, toMicros(e.At), id, old)
		if err != nil {
			return err
		}
		return oneRow(res, errPasswordChanged())
	}, id)
}

// SetSuspended implements account.Changes.
func (s *Store) SetSuspended(ctx context.Context, id int64, suspended bool, e audit.Entry) error {
	var at time.Time
	if suspended {
		at = e.At
	}
	return s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE accounts SET suspended_at = ? WHERE id = ?`, optionalMicros(at), id)
		return err
	}, id)
}
