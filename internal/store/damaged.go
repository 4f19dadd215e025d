package store

import "context"

// DamagedBlobs returns how many blobs are marked as damaged.
func (s *Store) DamagedBlobs(ctx context.Context) (n int64, err error) {
	err = s.db.Read().QueryRow(ctx, `SELECT COUNT(*) FROM blobs WHERE state = 'suspect'`).Scan(&n)
	return n, err
}
