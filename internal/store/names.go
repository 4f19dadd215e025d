package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/registry"
)

// ensurePackage returns the id of the package that a commit goes to, which it
// makes if need be.
func (s *Store) ensurePackage(ctx context.Context, tx *database.Tx, c registry.Creation, now time.Time) (int64, error) {
	if c.PackageID != 0 {
		var n int64
		err := tx.QueryRow(ctx, `SELECT COUNT(*) FROM packages WHERE id = ? AND deleted_at IS NULL`, c.PackageID).Scan(&n)
		if err == nil && n == 0 {
			err = errs.New(errs.NotFound, "the package was deleted meanwhile").WithCode("NAME_UNKNOWN")
		}
		return c.PackageID, err
	}
	var id, maker int64
	err := tx.QueryRow(ctx, `SELECT id, created_by FROM packages
		WHERE owner_id = ? AND type = ? AND name = ? AND deleted_at IS NULL`,
		c.OwnerID, string(c.Address.Type), c.Address.Name.Package()).Scan(&id, &maker)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return s.makePackage(ctx, tx, c, now)
	case err == nil && maker != c.Actor: // the right to make it is none on what another made
		err = errs.New(errs.Conflict, "another push made this package at the same moment; push again")
	}
	return id, err
}

func (s *Store) makePackage(ctx context.Context, tx *database.Tx, c registry.Creation, now time.Time) (int64, error) {
	if err := s.stillThere(ctx, tx, c); err != nil {
		return 0, err
	}
	var repository any
	if c.RepositoryID != 0 {
		repository = c.RepositoryID
	}
	var id int64
	err := tx.QueryRow(ctx, `INSERT INTO packages
			(owner_id, type, name, visibility, created_at, created_by, repository_id, linked_by, inherits)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (owner_id, type, name) WHERE deleted_at IS NULL DO NOTHING RETURNING id`,
		c.OwnerID, string(c.Address.Type), c.Address.Name.Package(), string(c.Visibility), toMicros(now), c.Actor,
		repository, string(c.LinkedBy), flag(c.Inherits)).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, database.ErrRetry // another push made it at this moment
	}
	if err != nil {
		return 0, err
	}
	if err := takeName(ctx, tx, c, id); err != nil {
		return 0, err
	}
	if c.Admin != 0 {
		_, err = tx.Exec(ctx, `INSERT INTO package_grants (package_id, account_id, role) VALUES (?, ?, 'admin')`, id, c.Admin)
	}
	if err == nil && c.ByJob {
		_, err = tx.Exec(ctx, `INSERT INTO package_repositories (package_id, repository_id, actions_role, codespaces)
			VALUES (?, ?, 'admin', 0)`, id, c.RepositoryID)
	}
	return id, err
}

// stillThere refuses to make a package in a namespace or a repository that went
// away or was renamed since it was looked at, or for a member who left, since a
// body may take hours; and keeps things so until the commit.
func (s *Store) stillThere(ctx context.Context, tx *database.Tx, c registry.Creation) error {
	gone := errs.New(errs.Denied, "the namespace or the repository of this package went away, or the right to it; push again")
	var id int64
	name := c.Address.Name.Package()
	err := tx.QueryRow(ctx, presentAccount+s.forShare, c.OwnerID, oci.MaxNameLength-len(name)).Scan(&id)
	switch segment, _, _ := strings.Cut(name, "/"); {
	case err != nil || c.RepositoryID == 0:
	case c.Address.Type == access.Docker:
		err = tx.QueryRow(ctx, presentRepository+` AND name = ?`+s.forShare, c.RepositoryID, c.OwnerID, segment).Scan(&id)
	default:
		err = tx.QueryRow(ctx, presentRepository+s.forShare, c.RepositoryID, c.OwnerID).Scan(&id)
	}
	if err == nil && c.Admin != 0 && c.Admin != c.OwnerID { // who leaves waits for the lock of the account
		err = tx.QueryRow(ctx, `SELECT user_id FROM memberships WHERE organization_id = ? AND user_id = ?`, c.OwnerID, c.Admin).Scan(&id)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return gone
	}
	return err
}

const (
	presentAccount    = `SELECT id FROM accounts WHERE id = ? AND deleted_at IS NULL AND length(login) < ?`
	presentRepository = `SELECT id FROM repositories WHERE id = ? AND owner_id = ? AND deleted_at IS NULL`
	presentPackage    = `SELECT id FROM packages WHERE id = ? AND owner_id = ? AND deleted_at IS NULL`
)

// takeName has the name lead to the package id. A name leads away from a package
// only when that is deleted and has the very name; all others are taken for good.
func takeName(ctx context.Context, tx *database.Tx, c registry.Creation, id int64) error {
	res, err := tx.Exec(ctx, `INSERT INTO package_names (owner_id, name, type, package_id) VALUES (?, ?, ?, ?)
		ON CONFLICT (owner_id, name, type) DO UPDATE SET package_id = excluded.package_id
		WHERE EXISTS (SELECT 1 FROM packages d WHERE d.id = package_names.package_id AND d.deleted_at IS NOT NULL
			AND d.owner_id = package_names.owner_id AND d.name = package_names.name AND d.type = package_names.type)`,
		c.OwnerID, c.Address.Name.Package(), string(c.Address.Type), id)
	if err != nil {
		return err
	}
	return oneRow(res, errs.New(errs.Denied, "this name was given up by another package and is not used again"))
}

// publish notes the first publication of a package, and links the package to the
// repository that the manifest came from. What the first alone does is lost to a
// push that comes second.
func (s *Store) publish(ctx context.Context, tx *database.Tx, id int64, c *registry.ManifestCommit) error {
	p := c.Publish
	res, err := tx.Exec(ctx, `UPDATE packages SET published_at = ?, visibility = COALESCE(NULLIF(?, ''), visibility)
		WHERE id = ? AND published_at IS NULL`, toMicros(c.Now), string(p.Visibility), id)
	if err != nil {
		return err
	}
	first, err := res.RowsAffected()
	if err != nil {
		return err
	}
	linked, err := s.linkByLabel(ctx, tx, id, p, first > 0)
	if err != nil || p.Claim == "" || linked {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE packages SET claimed_source = ?
		WHERE id = ? AND repository_id IS NULL AND claimed_source <> ?`, p.Claim, id, p.Claim)
	return err
}

// linkByLabel links a package that never was linked to the repository that its
// label names, if it still has the same owner, which it keeps until the commit.
func (s *Store) linkByLabel(ctx context.Context, tx *database.Tx, id int64, p registry.Publication, first bool) (bool, error) {
	if p.Link == 0 {
		return false, nil
	}
	var repository int64
	err := tx.QueryRow(ctx, `SELECT id FROM repositories WHERE id = ? AND deleted_at IS NULL`+s.forShare, p.Link).Scan(&repository)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	res, err := tx.Exec(ctx, `UPDATE packages SET repository_id = ?, linked_by = 'label', inherits = ?, claimed_source = ''
		WHERE id = ? AND repository_id IS NULL AND linked_by = '' AND EXISTS (SELECT 1 FROM repositories r
			WHERE r.id = ? AND r.owner_id = packages.owner_id)`, repository, flag(p.Inherit && first), id, repository)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// Source implements registry.Sources.
func (s *Store) Source(ctx context.Context, who access.Principal, name oci.Name) (registry.Source, bool, error) {
	var src registry.Source
	var visibility, membership string
	var own, team, base int64
	err := s.db.Read().QueryRow(ctx, sourceQuery, who.AccountID, name.Package(), name.Owner()).
		Scan(&src.ID, &src.OwnerID, &visibility, &membership, &base, &own, &team)
	if errors.Is(err, sql.ErrNoRows) {
		return src, false, nil
	}
	src.Visibility = access.Visibility(visibility)
	if membership == "" {
		base = 0
	}
	src.Role = access.RepositoryRole(max(own, team, base))
	return src, err == nil, err
}

const sourceQuery = `SELECT r.id, r.owner_id, r.visibility, COALESCE(m.role, ''), o.base_role,
		` + repositoryGrant + `, ` + repositoryTeamGrant + `
	FROM (SELECT CAST(? AS BIGINT) AS account) w
	CROSS JOIN logins l
	JOIN repository_names n ON n.owner_id = l.account_id AND n.name = ?
	JOIN repositories r ON r.id = n.repository_id AND r.deleted_at IS NULL
	JOIN accounts o ON o.id = r.owner_id AND o.deleted_at IS NULL
	LEFT JOIN memberships m ON m.organization_id = o.id AND m.user_id = w.account
	WHERE l.login = ?`

var _ registry.Sources = (*Store)(nil)
