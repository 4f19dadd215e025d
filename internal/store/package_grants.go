package store

import (
	"context"
	"database/sql"
	"errors"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
)

var (
	_ packages.Grants    = (*Store)(nil)
	_ packages.Directory = (*Store)(nil)
)

// GrantPackage implements packages.Grants.
func (s *Store) GrantPackage(ctx context.Context, id int64, g packages.Grant, e audit.Entry) error {
	return s.changeContainer(ctx, id, e, func(ctx context.Context, tx *database.Tx, p packageRow) (err error) {
		if g.Kind != packages.Repository && p.inherits {
			return errChanged()
		}
		switch g.Kind {
		case packages.User:
			err = s.grantUser(ctx, tx, p, g)
		case packages.Team:
			err = grantTeam(ctx, tx, p, g)
		default:
			_, err = tx.Exec(ctx, `INSERT INTO package_repositories (package_id, repository_id, actions_role, codespaces)
				VALUES (?, ?, ?, ?)
				ON CONFLICT (package_id, repository_id) DO UPDATE SET
					actions_role = CASE WHEN excluded.actions_role = '' THEN package_repositories.actions_role
						ELSE excluded.actions_role END,
					codespaces = CASE WHEN excluded.codespaces <> 0 THEN 1 ELSE package_repositories.codespaces END`,
				id, g.ID, string(g.Role), flag(g.Codespaces))
		}
		return err
	})
}

// grantUser gives a role to a user, on what is not public in an organization to
// one who is, until the commit, a member.
func (s *Store) grantUser(ctx context.Context, tx *database.Tx, p packageRow, g packages.Grant) error {
	if p.visibility != string(access.Public) {
		var id int64
		err := tx.QueryRow(ctx, `SELECT user_id FROM memberships WHERE organization_id = ? AND user_id = ?`+s.forShare,
			p.owner, g.ID).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			err = tx.QueryRow(ctx, `SELECT id FROM accounts WHERE id = ? AND kind = 'user'`, p.owner).Scan(&id)
		}
		if errors.Is(err, sql.ErrNoRows) {
			return errChanged()
		}
		if err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, `INSERT INTO package_grants (package_id, account_id, role) VALUES (?, ?, ?)
		ON CONFLICT (package_id, account_id) DO UPDATE SET role = excluded.role`, p.id, g.ID, string(g.Role))
	return err
}

// grantTeam gives a role to a team that the package's owner still has.
func grantTeam(ctx context.Context, tx *database.Tx, p packageRow, g packages.Grant) error {
	res, err := tx.Exec(ctx, `INSERT INTO package_team_grants (package_id, team_id, role)
		SELECT CAST(? AS BIGINT), t.id, CAST(? AS TEXT) FROM teams t WHERE t.id = ? AND t.organization_id = ?
		ON CONFLICT (package_id, team_id) DO UPDATE SET role = excluded.role`, p.id, string(g.Role), g.ID, p.owner)
	if database.IsForeignKey(err) {
		return database.ErrRetry // the team is deleted at this moment
	}
	if err != nil {
		return err
	}
	return oneRow(res, errChanged())
}

// RevokePackage implements packages.Grants.
func (s *Store) RevokePackage(ctx context.Context, id int64, g packages.Grantee, e audit.Entry) error {
	return s.changeContainer(ctx, id, e, func(ctx context.Context, tx *database.Tx, _ packageRow) error {
		var res sql.Result
		var err error
		switch g.Kind {
		case packages.User:
			res, err = tx.Exec(ctx, `DELETE FROM package_grants WHERE package_id = ? AND account_id = ?`, id, g.ID)
		case packages.Team:
			res, err = tx.Exec(ctx, `DELETE FROM package_team_grants WHERE package_id = ? AND team_id = ?`, id, g.ID)
		default:
			res, err = tx.Exec(ctx, `DELETE FROM package_repositories WHERE package_id = ? AND repository_id = ?`, id, g.ID)
		}
		if err != nil {
			return err
		}
		return oneRow(res, errs.New(errs.NotFound, "the %s %s has no role on the package itself", g.Kind, g.Name))
	})
}

// PackageGrants implements packages.Grants.
func (s *Store) PackageGrants(ctx context.Context, id int64) ([]packages.Grant, error) {
	return s.grants(ctx, `SELECT 3, a.id, a.login, g.role, 0
			FROM package_grants g JOIN accounts a ON a.id = g.account_id AND a.deleted_at IS NULL WHERE g.package_id = ?
		UNION ALL SELECT 2, t.id, o.login || '/' || t.slug, g.role, 0
			FROM package_team_grants g JOIN teams t ON t.id = g.team_id JOIN accounts o ON o.id = t.organization_id
			WHERE g.package_id = ?
		UNION ALL SELECT 4, r.id, o.login || '/' || r.name, g.actions_role, g.codespaces
			FROM package_repositories g JOIN repositories r ON r.id = g.repository_id AND r.deleted_at IS NULL
			JOIN accounts o ON o.id = r.owner_id WHERE g.package_id = ?
		ORDER BY 1, 3`, id, id, id)
}

// packageRole is the role on a package that a role on its repository gives.
const packageRole = `CASE WHEN g.role >= 5 THEN 'admin' WHEN g.role >= 3 THEN 'write' ELSE 'read' END`

// InheritedGrants implements packages.Grants.
func (s *Store) InheritedGrants(ctx context.Context, id int64) ([]packages.Grant, error) {
	return s.grants(ctx, `SELECT 1, g.id, g.login, CASE WHEN g.base_role >= 5 THEN 'admin' WHEN g.base_role >= 3 THEN 'write' ELSE 'read' END, 0
			FROM packages p JOIN accounts g ON g.id = p.owner_id AND g.kind = 'organization' AND g.base_role > 0 WHERE p.id = ?
		UNION ALL SELECT 3, a.id, a.login, `+packageRole+`, 0
			FROM packages p JOIN repository_grants g ON g.repository_id = p.repository_id
			JOIN accounts a ON a.id = g.account_id AND a.deleted_at IS NULL WHERE p.id = ?
		UNION ALL SELECT 2, t.id, o.login || '/' || t.slug, `+packageRole+`, 0
			FROM packages p JOIN repository_team_grants g ON g.repository_id = p.repository_id
			JOIN teams t ON t.id = g.team_id JOIN accounts o ON o.id = t.organization_id WHERE p.id = ?
		ORDER BY 1, 3`, id, id, id)
}

var granteeKinds = map[int64]packages.GranteeKind{
	1: packages.Members, 2: packages.Team, 3: packages.User, 4: packages.Repository,
}

func (s *Store) grants(ctx context.Context, query string, args ...any) ([]packages.Grant, error) {
	rows, err := s.db.Read().Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []packages.Grant
	for rows.Next() {
		var g packages.Grant
		var kind, codespaces int64
		if err := rows.Scan(&kind, &g.ID, &g.Name, &g.Role, &codespaces); err != nil {
			return nil, err
		}
		g.Kind, g.Codespaces = granteeKinds[kind], codespaces != 0
		list = append(list, g)
	}
	return list, rows.Err()
}

// PackageUser implements packages.Directory.
func (s *Store) PackageUser(ctx context.Context, login string, organizationID int64) (packages.Grantee, bool, error) {
	g := packages.Grantee{Kind: packages.User}
	var member bool
	err := s.db.Read().QueryRow(ctx, `SELECT a.id, a.login,
			EXISTS (SELECT 1 FROM memberships m WHERE m.organization_id = ? AND m.user_id = a.id)
		FROM logins l JOIN accounts a ON a.id = l.account_id AND a.kind = 'user' AND a.deleted_at IS NULL
		WHERE l.login = ?`, organizationID, login).Scan(&g.ID, &g.Name, &member)
	if errors.Is(err, sql.ErrNoRows) {
		err = errs.New(errs.NotFound, "no user %q", login)
	}
	return g, member, err
}

// PackageTeam implements packages.Directory.
func (s *Store) PackageTeam(ctx context.Context, organizationID int64, slug string) (packages.Grantee, error) {
	g := packages.Grantee{Kind: packages.Team}
	err := s.db.Read().QueryRow(ctx, `SELECT t.id, o.login || '/' || t.slug
		FROM teams t JOIN accounts o ON o.id = t.organization_id WHERE t.organization_id = ? AND t.slug = ?`,
		organizationID, slug).Scan(&g.ID, &g.Name)
	if errors.Is(err, sql.ErrNoRows) {
		err = errs.New(errs.NotFound, "no team %q", slug)
	}
	return g, err
}

const packageRepositoryQuery = `SELECT r.id, r.owner_id, o.login || '/' || r.name, r.visibility,
		CASE WHEN o.id = w.account OR m.role = 'owner' THEN 5 ELSE ` + repositoryGrant + ` END,
		` + repositoryTeamGrant + `, CASE WHEN m.role IS NULL THEN 0 ELSE o.base_role END
	FROM (SELECT CAST(? AS BIGINT) AS account) w
	JOIN logins l ON l.login = ?
	JOIN repository_names n ON n.owner_id = l.account_id AND n.name = ?
	JOIN repositories r ON r.id = n.repository_id AND r.deleted_at IS NULL
	JOIN accounts o ON o.id = r.owner_id AND o.deleted_at IS NULL
	LEFT JOIN memberships m ON m.organization_id = o.id AND m.user_id = w.account`

// PackageRepository implements packages.Directory.
func (s *Store) PackageRepository(ctx context.Context, who access.Principal, name oci.Name) (packages.LinkedRepository, error) {
	var r packages.LinkedRepository
	var full, visibility string
	var own, team, base access.RepositoryRole
	err := s.db.Read().QueryRow(ctx, packageRepositoryQuery, who.AccountID, name.Owner(), name.Package()).
		Scan(&r.ID, &r.OwnerID, &full, &visibility, &own, &team, &base)
	if errors.Is(err, sql.ErrNoRows) {
		return r, errs.New(errs.NotFound, "no repository %q", name)
	}
	if err != nil {
		return r, err
	}
	r.Role = max(own, team, base)
	r.Visible = r.Role > 0 || visibility == string(access.Public) || visibility == string(access.Internal) && who.User()
	r.Name, err = oci.ParseName(full)
	return r, err
}
