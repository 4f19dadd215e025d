package store

import (
	"context"
	"database/sql"
	"errors"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
)

var _ packages.Descriptions = (*Store)(nil)

// What a list tells of a package p of the owner o, with its repository r and
// that one's owner ro. A Docker package has the visibility of its repository.
const (
	summaryColumns = `o.login || '/' || p.name, p.type,
		CASE p.type WHEN 'docker' THEN COALESCE(r.visibility, 'private') ELSE p.visibility END,
		COALESCE(ro.login || '/' || r.name, ''), CASE p.type WHEN 'docker' THEN 1 ELSE p.inherits END,
		(SELECT COUNT(*) FROM versions v WHERE v.package_id = p.id AND v.deleted_at IS NULL)`
	summaryTables = ` FROM packages p
		JOIN accounts o ON o.id = p.owner_id
		LEFT JOIN repositories r ON r.id = p.repository_id AND r.deleted_at IS NULL
		LEFT JOIN accounts ro ON ro.id = r.owner_id`
)

// summaryRow scans summaryColumns.
type summaryRow struct {
	s                packages.Summary
	name, repository string
	inherits         int64
}

func (r *summaryRow) dest(more ...any) []any {
	return append([]any{&r.name, &r.s.Type, &r.s.Visibility, &r.repository, &r.inherits, &r.s.Versions}, more...)
}

func (r *summaryRow) summary() (s packages.Summary, err error) {
	s = r.s
	s.Inherits = r.inherits != 0
	if r.repository != "" {
		if s.Repository, err = oci.ParseName(r.repository); err != nil {
			return s, err
		}
	}
	s.Name, err = oci.ParseName(r.name)
	return s, err
}

// PackagesOf implements packages.Descriptions.
func (s *Store) PackagesOf(ctx context.Context, ownerID int64, after packages.Summary, n int) ([]packages.Summary, error) {
	rows, err := s.db.Read().Query(ctx, `SELECT `+summaryColumns+summaryTables+`
		WHERE p.owner_id = ? AND p.deleted_at IS NULL AND (p.type, p.name) > (?, ?)
		ORDER BY p.type, p.name LIMIT ?`, ownerID, string(after.Type), after.Name.Package(), n)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []packages.Summary
	for rows.Next() {
		var row summaryRow
		if err := rows.Scan(row.dest()...); err != nil {
			return nil, err
		}
		one, err := row.summary()
		if err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, rows.Err()
}

// PackageDetails implements packages.Descriptions.
func (s *Store) PackageDetails(ctx context.Context, id int64) (packages.Details, error) {
	var d packages.Details
	var row summaryRow
	var created int64
	var published sql.NullInt64
	err := s.db.Read().QueryRow(ctx, `SELECT `+summaryColumns+`, p.linked_by, p.claimed_source, p.created_at, p.published_at,
			COALESCE((SELECT c.login FROM accounts c WHERE c.id = p.created_by),
				(SELECT co.login || '/' || c.name FROM repositories c JOIN accounts co ON co.id = c.owner_id
					WHERE c.id = p.created_by / -2 AND p.created_by < 0 AND p.created_by % 2 = 0), ''),
			(SELECT COUNT(*) FROM tags t WHERE t.package_id = p.id AND t.until IS NULL)`+summaryTables+`
		WHERE p.id = ? AND p.deleted_at IS NULL`, id).
		Scan(row.dest(&d.LinkedBy, &d.ClaimedSource, &created, &published, &d.CreatedBy, &d.Tags)...)
	if errors.Is(err, sql.ErrNoRows) {
		return d, errs.New(errs.NotFound, "the package is gone")
	}
	if err != nil {
		return d, err
	}
	d.CreatedAt, d.PublishedAt = fromMicros(created), optionalTime(published)
	if d.Summary, err = row.summary(); err != nil {
		return d, err
	}
	if err := s.selfDescription(ctx, id, &d); err != nil {
		return d, err
	}
	d.Names, err = s.OtherNames(ctx, id)
	return d, err
}

// selfDescription reads what the newest version says that says anything.
func (s *Store) selfDescription(ctx context.Context, id int64, d *packages.Details) error {
	err := s.db.Read().QueryRow(ctx, `SELECT source, description, licenses FROM versions
		WHERE package_id = ? AND deleted_at IS NULL AND (source <> '' OR description <> '' OR licenses <> '')
		ORDER BY id DESC LIMIT 1`, id).Scan(&d.Source, &d.Description, &d.Licenses)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	return err
}

// OtherNames implements packages.Descriptions.
func (s *Store) OtherNames(ctx context.Context, id int64) ([]access.Package, error) {
	rows, err := s.db.Read().Query(ctx, `SELECT n.type, o.login || '/' || n.name
		FROM package_names n JOIN packages p ON p.id = n.package_id JOIN accounts o ON o.id = n.owner_id
		WHERE n.package_id = ? AND (n.owner_id <> p.owner_id OR n.name <> p.name OR n.type <> p.type)
		ORDER BY 1, 2`, id)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []access.Package
	for rows.Next() {
		var p access.Package
		var name string
		if err := rows.Scan(&p.Type, &name); err != nil {
			return nil, err
		}
		if p.Name, err = oci.ParseName(name); err != nil {
			return nil, err
		}
		list = append(list, p)
	}
	return list, rows.Err()
}
