package store

import (
	"context"
	"database/sql"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/registry"
)

const sessionColumns = `u.id, u.owner_id, u.type, o.login || '/' || u.name, u.principal_id, u.algorithm, u.epoch, u.size,
	u.hash_state, u.staged, u.content, u.created_at, u.expires_at`

// CreateSession implements registry.Sessions. A session may be lost by a power
// cut: its client then starts again.
func (s *Store) CreateSession(ctx context.Context, sess *registry.Session, max int) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `INSERT INTO upload_sessions
			(id, owner_id, type, name, principal_id, algorithm, epoch, size, created_at, expires_at)
			SELECT ?, ?, ?, ?, ?, ?, 0, 0, ?, ?
			WHERE (SELECT COUNT(*) FROM upload_sessions WHERE principal_id = ?) < ?`,
			sess.ID, sess.OwnerID, string(sess.Package.Type), sess.Package.Name.Package(), sess.PrincipalID,
			string(sess.Algorithm), toMicros(sess.CreatedAt), toMicros(sess.ExpiresAt), sess.PrincipalID, max)
		if err != nil {
			return err
		}
		return oneRow(res, &errs.Error{
			Kind: errs.RateLimited, RetryAfter: time.Minute,
			Public: "too many uploads are open; finish or cancel some, or wait until they expire",
		})
	}, database.Relaxed)
}

// Session implements registry.Sessions.
func (s *Store) Session(ctx context.Context, id string, who access.Principal, p access.Package) (*registry.Session, error) {
	rows, err := s.sessions(ctx, `SELECT `+sessionColumns+` FROM upload_sessions u JOIN accounts o ON o.id = u.owner_id
		WHERE u.id = ? AND u.principal_id = ? AND u.type = ? AND u.name = ? AND o.login = ?`,
		id, who.ID(), string(p.Type), p.Name.Package(), p.Name.Owner())
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, errNoSession()
	}
	return rows[0], nil
}

// ExpiredSessions implements registry.Sessions.
func (s *Store) ExpiredSessions(ctx context.Context, now time.Time, n int) ([]*registry.Session, error) {
	return s.sessions(ctx, `SELECT `+sessionColumns+` FROM upload_sessions u JOIN accounts o ON o.id = u.owner_id
		WHERE u.expires_at <= ? ORDER BY u.expires_at LIMIT ?`, toMicros(now), n)
}

func (s *Store) sessions(ctx context.Context, query string, args ...any) ([]*registry.Session, error) {
	rows, err := s.db.Read().Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var found []*registry.Session
	for rows.Next() {
		sess, err := scanSession(rows)
		if err != nil {
			return nil, err
		}
		found = append(found, sess)
	}
	return found, rows.Err()
}

func scanSession(rows *sql.Rows) (*registry.Session, error) {
	var sess registry.Session
	var kind, name, alg string
	var created, expires int64
	err := rows.Scan(&sess.ID, &sess.OwnerID, &kind, &name, &sess.PrincipalID, &alg, &sess.Epoch, &sess.Size,
		&sess.HashState, &sess.Staged, &sess.Content, &created, &expires)
	if err != nil {
		return nil, err
	}
	sess.Package.Type = access.PackageType(kind)
	sess.Algorithm = oci.Algorithm(alg)
	sess.CreatedAt, sess.ExpiresAt = fromMicros(created), fromMicros(expires)
	sess.Package.Name, err = oci.ParseName(name)
	return &sess, err
}

// TakeSession implements registry.Sessions.
func (s *Store) TakeSession(ctx context.Context, sess *registry.Session) error {
	return s.changeSession(ctx, sess, `UPDATE upload_sessions SET epoch = epoch + 1, expires_at = ?
		WHERE id = ? AND epoch = ?`, toMicros(sess.ExpiresAt), sess.ID, sess.Epoch)
}

// SaveSession implements registry.Sessions.
func (s *Store) SaveSession(ctx context.Context, sess *registry.Session) error {
	return s.changeSession(ctx, sess, `UPDATE upload_sessions
		SET epoch = epoch + 1, size = ?, hash_state = ?, staged = ?, content = ?, expires_at = ?
		WHERE id = ? AND epoch = ?`,
		sess.Size, sess.HashState, sess.Staged, sess.Content, toMicros(sess.ExpiresAt), sess.ID, sess.Epoch)
}

// changeSession runs an update that raises the epoch. What it writes may be lost
// by a power cut: the session then stands as before, or began earlier.
func (s *Store) changeSession(ctx context.Context, sess *registry.Session, update string, args ...any) error {
	err := s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, update, args...)
		if err != nil {
			return err
		}
		return stillOurs(ctx, tx, res, sess.ID)
	}, database.Relaxed)
	if err == nil {
		sess.Epoch++
	}
	return err
}

// stillOurs tells why a statement that named a session and its epoch changed
// nothing.
func stillOurs(ctx context.Context, tx *database.Tx, res sql.Result, id string) error {
	if n, err := res.RowsAffected(); n > 0 || err != nil {
		return err
	}
	var n int
	err := tx.QueryRow(ctx, countSessionQuery, id).Scan(&n)
	switch {
	case err != nil:
		return err
	case n == 0:
		return errNoSession()
	}
	return errs.New(errs.Conflict, "another request has written to this upload session").WithCode("BLOB_UPLOAD_INVALID")
}

const countSessionQuery = `SELECT COUNT(*) FROM upload_sessions WHERE id = ?`

// HasSession reports whether an upload session of that id is on record.
func (s *Store) HasSession(ctx context.Context, id string) (bool, error) {
	var n int
	err := s.db.Read().QueryRow(ctx, countSessionQuery, id).Scan(&n)
	return n > 0, err
}

// EndSession implements registry.Sessions.
func (s *Store) EndSession(ctx context.Context, sess *registry.Session) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		return endSession(ctx, tx, sess.ID, sess.Epoch)
	}, database.Relaxed)
}

func endSession(ctx context.Context, tx *database.Tx, id string, epoch int64) error {
	res, err := tx.Exec(ctx, `DELETE FROM upload_sessions WHERE id = ? AND epoch = ?`, id, epoch)
	if err != nil {
		return err
	}
	return stillOurs(ctx, tx, res, id)
}

func errNoSession() error {
	return errs.New(errs.NotFound, "no such upload session; it may have ended or expired").
		WithCode("BLOB_UPLOAD_UNKNOWN")
}

// oneRow returns otherwise when a statement changed no row.
func oneRow(res sql.Result, otherwise *errs.Error) error {
	n, err := res.RowsAffected()
	if err != nil {
		return err
	}
	if n == 0 {
		return otherwise
	}
	return nil
}

var (
	_ registry.Sessions = (*Store)(nil)
)
