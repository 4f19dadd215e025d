package store

import "context"

// Census counts what is there: users, organizations and packages.
func (s *Store) Census(ctx context.Context) (users, organizations, packages int64, err error) {
	err = s.db.Read().QueryRow(ctx, `SELECT
			(SELECT COUNT(*) FROM accounts WHERE kind = 'user' AND deleted_at IS NULL),
			(SELECT COUNT(*) FROM accounts WHERE kind = 'organization' AND deleted_at IS NULL),
			(SELECT COUNT(*) FROM packages WHERE deleted_at IS NULL)`).Scan(&users, &organizations, &packages)
	return users, organizations, packages, err
}
