package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/token"
)

var (
	_ token.TrustStore     = (*Store)(nil)
	_ token.TrustRuleStore = (*Store)(nil)
)

const (
	trustTables = ` FROM trust_rules t JOIN accounts o ON o.id = t.owner_id
		LEFT JOIN repositories r ON r.id = t.repository_id LEFT JOIN packages p ON p.id = t.package_id `
	trustSelect = `SELECT t.id, t.owner_id, o.login, COALESCE(t.repository_id, 0), COALESCE(t.package_id, 0),
		COALESCE(r.name, p.name, ''), t.issuer, t.audience, t.claims, t.actions, t.created_at, t.created_by, t.last_used_at` + trustTables
	// trustLive keeps rules that have an effect. What was given away is no
	// longer its former owner's to open.
	trustLive = ` AND o.deleted_at IS NULL AND o.suspended_at IS NULL
		AND (t.repository_id IS NULL OR r.deleted_at IS NULL AND r.owner_id = t.owner_id)
		AND (t.package_id IS NULL OR p.deleted_at IS NULL AND p.owner_id = t.owner_id)`
)

// TrustsIssuer implements token.TrustStore.
func (s *Store) TrustsIssuer(ctx context.Context, issuer string) (bool, error) {
	if !storable(issuer) {
		return false, nil
	}
	var one int64
	err := s.db.Read().QueryRow(ctx, `SELECT 1`+trustTables+`WHERE t.issuer = ?`+trustLive+` LIMIT 1`, issuer).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// storable reports whether what a stranger wrote can be in a row: PostgreSQL
// refuses to look for a text with a NUL, or one that is no UTF-8.
func storable(text string) bool { return utf8.ValidString(text) && !strings.Contains(text, "\x00") }

// TrustRulesOf implements token.TrustStore.
func (s *Store) TrustRulesOf(ctx context.Context, issuer, audience string, after int64, limit int) ([]token.TrustRule, error) {
	if !storable(issuer) || !storable(audience) {
		return nil, nil
	}
	return s.trustRules(ctx, trustSelect+`WHERE t.issuer = ? AND t.audience = ? AND t.id > ?`+trustLive+` ORDER BY t.id LIMIT ?`,
		issuer, audience, after, limit)
}

// TrustRulesIn implements token.TrustRuleStore.
func (s *Store) TrustRulesIn(ctx context.Context, ownerID int64) ([]token.TrustRule, error) {
	return s.trustRules(ctx, trustSelect+`WHERE t.owner_id = ? ORDER BY t.id`, ownerID)
}

// TrustRule implements token.TrustStore.
func (s *Store) TrustRule(ctx context.Context, id int64) (token.TrustRule, error) {
	return s.trustRule(ctx, trustSelect+`WHERE t.id = ?`+trustLive, id)
}

// AnyTrustRule implements token.TrustRuleStore.
func (s *Store) AnyTrustRule(ctx context.Context, id int64) (token.TrustRule, error) {
	return s.trustRule(ctx, trustSelect+`WHERE t.id = ?`, id)
}

func (s *Store) trustRule(ctx context.Context, query string, id int64) (token.TrustRule, error) {
	rules, err := s.trustRules(ctx, query, id)
	if err == nil && len(rules) == 0 {
		err = errNoTrustRule()
	}
	if err != nil {
		return token.TrustRule{}, err
	}
	return rules[0], nil
}

func errNoTrustRule() *errs.Error { return errs.New(errs.NotFound, "no such rule of trust") }

func (s *Store) trustRules(ctx context.Context, query string, args ...any) ([]token.TrustRule, error) {
	rows, err := s.db.Read().Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []token.TrustRule
	for rows.Next() {
		r, err := scanTrustRule(rows)
		if err != nil {
			return nil, err
		}
		list = append(list, r)
	}
	return list, rows.Err()
}

// scanTrustRule scans what trustSelect selects.
func scanTrustRule(row interface{ Scan(...any) error }) (token.TrustRule, error) {
	var r token.TrustRule
	var name, claims string
	var actions, created int64
	var used sql.NullInt64
	err := row.Scan(&r.ID, &r.OwnerID, &r.Owner, &r.RepositoryID, &r.PackageID, &name,
		&r.Issuer, &r.Audience, &claims, &actions, &created, &r.CreatedBy, &used)
	if err != nil {
		return r, err
	}
	r.Actions, r.CreatedAt, r.LastUsedAt = access.Actions(actions), fromMicros(created), optionalTime(used)
	if err := json.Unmarshal([]byte(claims), &r.Claims); err != nil {
		return r, err
	}
	if name != "" {
		r.Name, err = oci.ParseName(r.Owner + "/" + name)
	}
	return r, err
}

// TouchTrustRule implements token.TrustStore.
func (s *Store) TouchTrustRule(ctx context.Context, id int64, at time.Time) error {
	us := toMicros(at)
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE trust_rules SET last_used_at = ?
			WHERE id = ? AND (last_used_at IS NULL OR last_used_at < ?)`, us, id, us)
		return err
	}, database.Relaxed)
}

// keepOwner keeps a package or a repository the owner's until the commit, by
// presentPackage or presentRepository. sql.ErrNoRows when it is not; an id of 0
// stands for none.
func (s *Store) keepOwner(ctx context.Context, tx *database.Tx, present string, id, ownerID int64) error {
	if id == 0 {
		return nil
	}
	var found int64
	return tx.QueryRow(ctx, present+s.forShare, id, ownerID).Scan(&found)
}

// AddTrustRule implements token.TrustRuleStore. The rule is made only while what
// it is about is there and its owner's.
func (s *Store) AddTrustRule(ctx context.Context, r token.TrustRule, e audit.Entry) (id int64, err error) {
	claims, err := json.Marshal(r.Claims)
	if err != nil {
		return 0, err
	}
	err = s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		err := s.keepOwner(ctx, tx, presentRepository, r.RepositoryID, r.OwnerID)
		if err == nil {
			err = s.keepOwner(ctx, tx, presentPackage, r.PackageID, r.OwnerID)
		}
		if err == nil {
			err = tx.QueryRow(ctx, `INSERT INTO trust_rules
				(owner_id, repository_id, package_id, issuer, audience, claims, actions, created_at, created_by)
				SELECT o.id, ?, ?, ?, ?, ?, ?, ?, ? FROM accounts o WHERE o.id = ? AND o.deleted_at IS NULL RETURNING id`,
				optionalID(r.RepositoryID), optionalID(r.PackageID), r.Issuer, r.Audience, string(claims), int64(r.Actions),
				toMicros(r.CreatedAt), r.CreatedBy, r.OwnerID).Scan(&id)
		}
		if errors.Is(err, sql.ErrNoRows) {
			return errs.New(errs.NotFound, "no %s %q", r.Kind(), r.TrustTarget)
		}
		if err != nil {
			return err
		}
		return record(ctx, tx, e)
	})
	return id, err
}

// RemoveTrustRule implements token.TrustRuleStore.
func (s *Store) RemoveTrustRule(ctx context.Context, id int64, e audit.Entry) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `DELETE FROM trust_rules WHERE id = ?`, id)
		if err == nil {
			err = oneRow(res, errNoTrustRule())
		}
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `UPDATE tokens SET revoked_at = ? WHERE trust_id = ? AND revoked_at IS NULL`, toMicros(e.At), id)
		if err != nil {
			return err
		}
		return record(ctx, tx, e)
	})
}

// TrustTargets implements token.TrustStore. Names of packages are asked for
// after those of repositories.
func (s *Store) TrustTargets(ctx context.Context, name oci.Name) ([]token.TrustTarget, error) {
	query := `SELECT o.id, o.login, 0, 0, '' FROM logins l JOIN accounts o ON o.id = l.account_id AND o.deleted_at IS NULL WHERE l.login = ?`
	args := []any{name.Owner()}
	if name.Package() != "" {
		query = `SELECT o.id, o.login, r.id, 0, r.name FROM logins l JOIN repository_names n ON n.owner_id = l.account_id AND n.name = ?
			JOIN repositories r ON r.id = n.repository_id AND r.deleted_at IS NULL JOIN accounts o ON o.id = r.owner_id WHERE l.login = ?
			UNION ALL
			SELECT o.id, o.login, 0, p.id, p.name FROM logins l JOIN package_names n ON n.owner_id = l.account_id AND n.name = ?
			JOIN packages p ON p.id = n.package_id AND p.deleted_at IS NULL JOIN accounts o ON o.id = p.owner_id WHERE l.login = ?
			ORDER BY 3 DESC, 4`
		args = []any{name.Package(), name.Owner(), name.Package(), name.Owner()}
	}
	rows, err := s.db.Read().Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []token.TrustTarget
	for rows.Next() {
		var t token.TrustTarget
		var name string
		if err := rows.Scan(&t.OwnerID, &t.Owner, &t.RepositoryID, &t.PackageID, &name); err != nil {
			return nil, err
		}
		if name != "" {
			if t.Name, err = oci.ParseName(t.Owner + "/" + name); err != nil {
				return nil, err
			}
		}
		list = append(list, t)
	}
	return list, rows.Err()
}
