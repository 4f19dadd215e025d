package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"packhouse/internal/audit"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/hooks"
	"packhouse/internal/jobs"
	"packhouse/internal/oci"
)

var _ hooks.Store = (*Store)(nil)

// What is read of a hook h of the owner o, with its latest answer a. Its secret
// is read for deliveries alone.
const (
	hookColumns = `h.id, h.owner_id, o.login, o.kind, COALESCE(h.repository_id, 0), COALESCE(h.package_id, 0),
		COALESCE(r.name, p.name, ''), COALESCE(p.type, ''), h.url, h.content_type, h.insecure_ssl, h.secret <> '', h.events, h.active,
		h.created_at, h.updated_at, h.created_by, h.updated_by, h.failing_since, h.stopped, COALESCE(a.status_code, -1), COALESCE(a.error, '')`
	hookTables = ` FROM hooks h JOIN accounts o ON o.id = h.owner_id
		LEFT JOIN repositories r ON r.id = h.repository_id LEFT JOIN packages p ON p.id = h.package_id
		LEFT JOIN deliveries a ON a.id = (SELECT l.id FROM deliveries l WHERE l.hook_id = h.id AND l.attempts > 0 ORDER BY l.id DESC LIMIT 1)`
	// hookLive keeps hooks whose target is there and still its owner's. A package
	// that was deleted has its own to be told of that.
	hookLive = ` AND o.deleted_at IS NULL
		AND (h.repository_id IS NULL OR r.deleted_at IS NULL AND r.owner_id = h.owner_id)
		AND (h.package_id IS NULL OR p.owner_id = h.owner_id)`

	hookRows = hookColumns + hookTables
	hookOf   = ` WHERE h.id = ? AND h.owner_id = ? AND COALESCE(h.repository_id, 0) = ? AND COALESCE(h.package_id, 0) = ?` + hookLive
)

// ofTarget is the condition of the hooks h of a target itself, with its id.
func ofTarget(t hooks.Target) (list, count string) {
	switch t.Kind() {
	case hooks.OfPackage:
		return `SELECT ` + hookRows + ` WHERE h.package_id = ?` + hookLive + ` ORDER BY h.id`, `SELECT COUNT(*) FROM hooks WHERE package_id = ?`
	case hooks.OfRepository:
		return `SELECT ` + hookRows + ` WHERE h.repository_id = ?` + hookLive + ` ORDER BY h.id`, `SELECT COUNT(*) FROM hooks WHERE repository_id = ?`
	case hooks.OfOrganization, hooks.OfUser:
	}
	return `SELECT ` + hookRows + ` WHERE h.owner_id = ? AND h.repository_id IS NULL AND h.package_id IS NULL` + hookLive + ` ORDER BY h.id`,
		`SELECT COUNT(*) FROM hooks WHERE owner_id = ? AND repository_id IS NULL AND package_id IS NULL`
}

func errNoHook() *errs.Error { return errs.New(errs.NotFound, "no such hook") }

func targetArgs(t hooks.Target) []any { return []any{t.OwnerID, t.RepositoryID, t.PackageID} }

// CreateHook implements hooks.Store.
func (s *Store) CreateHook(ctx context.Context, h hooks.Hook, secret string, max int, e audit.Entry) (id int64, err error) {
	events, err := json.Marshal(h.Events)
	if err != nil {
		return 0, err
	}
	err = s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		err := s.keepOwner(ctx, tx, presentRepository, h.RepositoryID, h.OwnerID)
		if err == nil {
			err = s.keepOwner(ctx, tx, presentPackage, h.PackageID, h.OwnerID)
		}
		if errors.Is(err, sql.ErrNoRows) {
			return errs.New(errs.NotFound, "the %s is gone", h.Kind())
		}
		if err != nil {
			return err
		}
		if err := roomForHook(ctx, tx, h.Target, max); err != nil {
			return err
		}
		err = tx.QueryRow(ctx, `INSERT INTO hooks (owner_id, repository_id, package_id, url, content_type, secret, insecure_ssl, events, active,
				created_at, updated_at, created_by, updated_by) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
			h.OwnerID, optionalID(h.RepositoryID), optionalID(h.PackageID), h.URL, h.ContentType, secret, flag(h.InsecureSSL), string(events),
			flag(h.Active), toMicros(h.CreatedAt), toMicros(h.UpdatedAt), h.CreatedBy, h.UpdatedBy).Scan(&id)
		e.Detail["hook"] = id
		if err != nil || !h.Active {
			return err
		}
		ping := hooks.Event{Action: hooks.Ping, HookID: id, Actor: e.Actor, ActorID: h.CreatedBy, At: e.At}
		return enqueue(ctx, tx, jobs.Insert{Kind: hooks.JobEvent, Args: ping}, e.At)
	}, h.OwnerID)
	return id, err
}

// roomForHook refuses another hook of a target that has enough. The account is
// locked, so that none is added meanwhile.
func roomForHook(ctx context.Context, tx *database.Tx, t hooks.Target, max int) error {
	_, count := ofTarget(t)
	var n int
	err := tx.QueryRow(ctx, count, t.ID()).Scan(&n)
	if err == nil && n >= max {
		err = errs.New(errs.Invalid, "%s has %d hooks, and no more are possible", t, n).WithCode("422")
	}
	return err
}

// HooksOf implements hooks.Store.
func (s *Store) HooksOf(ctx context.Context, t hooks.Target) ([]hooks.Hook, error) {
	list, _ := ofTarget(t)
	return s.hooks(ctx, list, t.ID())
}

// HookOf implements hooks.Store.
func (s *Store) HookOf(ctx context.Context, t hooks.Target, id int64) (hooks.Hook, error) {
	list, err := s.hooks(ctx, `SELECT `+hookRows+hookOf, append([]any{id}, targetArgs(t)...)...)
	if err == nil && len(list) == 0 {
		err = errNoHook()
	}
	if err != nil {
		return hooks.Hook{}, err
	}
	return list[0], nil
}

func (s *Store) hooks(ctx context.Context, query string, args ...any) ([]hooks.Hook, error) {
	rows, err := s.db.Read().Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []hooks.Hook
	for rows.Next() {
		h, err := scanHook(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, h)
	}
	return list, rows.Err()
}

// scanHook scans hookColumns, and more.
func scanHook(row interface{ Scan(...any) error }, more ...any) (h hooks.Hook, err error) {
	var kind, name, events, lastError string
	var insecure, active, created, updated, status int64
	var failing sql.NullInt64
	err = row.Scan(append([]any{
		&h.ID, &h.OwnerID, &h.Owner, &kind, &h.RepositoryID, &h.PackageID, &name, &h.Type, &h.URL, &h.ContentType, &insecure, &h.HasSecret,
		&events, &active, &created, &updated, &h.CreatedBy, &h.UpdatedBy, &failing, &h.Stopped, &status, &lastError,
	}, more...)...)
	if err != nil {
		return h, err
	}
	h.OwnerIsOrganization, h.InsecureSSL, h.Active = kind == "organization", insecure != 0, active != 0
	h.CreatedAt, h.UpdatedAt, h.FailingSince = fromMicros(created), fromMicros(updated), optionalTime(failing)
	if status >= 0 {
		h.Last = &hooks.LastResponse{Code: int(status), Message: lastError}
	}
	if name != "" {
		if h.Name, err = oci.ParseName(h.Owner + "/" + name); err != nil {
			return h, err
		}
	}
	return h, json.Unmarshal([]byte(events), &h.Events)
}

// UpdateHook implements hooks.Store.
func (s *Store) UpdateHook(ctx context.Context, h hooks.Hook, secret *string, e audit.Entry) error {
	events, err := json.Marshal(h.Events)
	if err != nil {
		return err
	}
	var failing any
	if !h.FailingSince.IsZero() {
		failing = toMicros(h.FailingSince)
	}
	return s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `UPDATE hooks SET url = ?, content_type = ?, secret = COALESCE(?, secret), insecure_ssl = ?, events = ?, active = ?,
			updated_at = ?, updated_by = ?, failing_since = ?, stopped = ?
			WHERE id = ? AND owner_id = ? AND COALESCE(repository_id, 0) = ? AND COALESCE(package_id, 0) = ?`,
			append([]any{
				h.URL, h.ContentType, secret, flag(h.InsecureSSL), string(events), flag(h.Active), toMicros(h.UpdatedAt), h.UpdatedBy, failing, string(h.Stopped), h.ID,
			}, targetArgs(h.Target)...)...)
		if err != nil {
			return err
		}
		return oneRow(res, errNoHook())
	})
}

// DeleteHook implements hooks.Store.
func (s *Store) DeleteHook(ctx context.Context, t hooks.Target, id int64, e audit.Entry) error {
	return s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `UPDATE hooks SET active = 0
			WHERE id = ? AND owner_id = ? AND COALESCE(repository_id, 0) = ? AND COALESCE(package_id, 0) = ?`, append([]any{id}, targetArgs(t)...)...)
		if err == nil {
			err = oneRow(res, errNoHook())
		}
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM deliveries WHERE hook_id = ?`, id); err != nil {
			return err
		}
		return dropHooks(ctx, tx, `DELETE FROM hooks WHERE id = ?`, id)
	})
}

// Hooks end with what they are of when that gets another owner, each with its
// deliveries before it.
const (
	deliveriesOfPackage    = `DELETE FROM deliveries WHERE hook_id IN (SELECT h.id FROM hooks h WHERE h.package_id = ?)`
	hooksOfPackage         = `DELETE FROM hooks WHERE package_id = ?`
	deliveriesOfRepository = `DELETE FROM deliveries WHERE hook_id IN (SELECT h.id FROM hooks h WHERE h.repository_id = ?)`
	hooksOfRepository      = `DELETE FROM hooks WHERE repository_id = ?`
	deliveriesOfImages     = `DELETE FROM deliveries WHERE hook_id IN (SELECT h.id FROM packages i JOIN hooks h ON h.package_id = i.id
		WHERE i.repository_id = ? AND i.type = 'docker')`
	hooksOfImages   = `DELETE FROM hooks WHERE package_id IN (SELECT i.id FROM packages i WHERE i.repository_id = ? AND i.type = 'docker')`
	deliveriesOwned = `DELETE FROM deliveries WHERE hook_id IN (SELECT h.id FROM hooks h WHERE h.owner_id = ?)`
	hooksOwned      = `DELETE FROM hooks WHERE owner_id = ?`
)

// endHooks runs such statements.
func endHooks(ctx context.Context, tx *database.Tx, id int64, deliveries, hooks string) error {
	if _, err := tx.Exec(ctx, deliveries, id); err != nil {
		return err
	}
	return dropHooks(ctx, tx, hooks, id)
}

// dropHooks deletes hooks whose deliveries are gone.
func dropHooks(ctx context.Context, tx *database.Tx, statement string, id int64) error {
	_, err := tx.Exec(ctx, statement, id)
	if database.IsForeignKey(err) {
		return database.ErrRetry // a delivery is made at this moment
	}
	return err
}

// AskHook implements hooks.Store.
func (s *Store) AskHook(ctx context.Context, e hooks.Event) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		return enqueue(ctx, tx, jobs.Insert{Kind: hooks.JobEvent, Args: e}, e.At)
	})
}

// The newest version v of a package p, and one of its tags.
const latestVersion = `p.id, v.id, v.digest, COALESCE((SELECT t.name FROM tags t
		WHERE t.package_id = v.package_id AND t.digest = v.digest AND t.until IS NULL ORDER BY t.id DESC LIMIT 1), '')
	FROM packages p JOIN versions v ON v.package_id = p.id AND v.deleted_at IS NULL WHERE p.deleted_at IS NULL AND `

// LatestVersion implements hooks.Store.
func (s *Store) LatestVersion(ctx context.Context, t hooks.Target) (hooks.Event, error) {
	query := `SELECT ` + latestVersion + `p.owner_id = ? ORDER BY p.id DESC, v.id DESC LIMIT 1`
	switch t.Kind() {
	case hooks.OfPackage:
		query = `SELECT ` + latestVersion + `p.id = ? ORDER BY v.id DESC LIMIT 1`
	case hooks.OfRepository:
		query = `SELECT ` + latestVersion + `p.repository_id = ? ORDER BY p.id DESC, v.id DESC LIMIT 1`
	case hooks.OfOrganization, hooks.OfUser:
	}
	e := hooks.Event{Action: hooks.Published}
	err := s.db.Read().QueryRow(ctx, query, t.ID()).Scan(&e.PackageID, &e.VersionID, &e.Digest, &e.Tag)
	if errors.Is(err, sql.ErrNoRows) {
		return e, errs.New(errs.NotFound, "no version was published")
	}
	return e, err
}
