package store

import (
	"context"
	"database/sql"
	"errors"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// What the caller, whose account is in the row w with its token, is to the
// account a and to the repository r of that account.
const (
	standingColumns = `CASE WHEN a.kind = 'organization'
			THEN COALESCE((SELECT m.role FROM memberships m WHERE m.organization_id = a.id AND m.user_id = w.account), '')
			ELSE '' END,
		CASE WHEN a.sso_required <> 0 AND w.token <> 0
			THEN (SELECT COUNT(*) FROM token_authorizations ta WHERE ta.token_id = w.token AND ta.organization_id = a.id)
			ELSE 0 END`
	repositoryStanding = repositoryGrant + `, ` + repositoryTeamGrant
	callerRow          = `(SELECT CAST(? AS BIGINT) AS account, CAST(? AS BIGINT) AS token) w`
)

// standingRow scans accountColumns and standingColumns.
type standingRow struct {
	accountRow
	membership string
	authorized int64
}

func (r *standingRow) dest(more ...any) []any {
	return append(append(r.accountRow.dest(), &r.membership, &r.authorized), more...)
}

func (r *standingRow) standing(a account.Account) access.Standing {
	return access.Standing{
		AccountID: a.ID, Organization: a.Kind == account.Organization, Suspended: a.Suspended,
		Membership: access.Membership(r.membership), SSORequired: a.Settings.RequireSSO, SSOAuthorized: r.authorized != 0,
	}
}

// ownedRow scans accountColumns, standingColumns, repositoryColumns and
// repositoryStanding.
type ownedRow struct {
	standingRow
	repositoryRow
	own, team int64
}

func (r *ownedRow) dest(more ...any) []any {
	return append(append(r.standingRow.dest(r.repositoryRow.dest()...), &r.own, &r.team), more...)
}

func (r *ownedRow) owned() (o account.OwnedRepository, err error) {
	o.Owner = r.account()
	o.Standing = r.standing(o.Owner)
	if o.Repository, err = r.repository(); err != nil {
		return o, err
	}
	role := access.RepositoryRole(max(r.own, r.team))
	if o.Standing.Membership != "" {
		role = max(role, o.Owner.Settings.BaseRole)
	}
	o.Standing.RepositoryID, o.Standing.Visibility, o.Standing.RepositoryRole = o.ID, o.Visibility, role
	return o, nil
}

// AccountStanding implements account.Standings.
func (s *Store) AccountStanding(ctx context.Context, who access.Principal, login string) (account.Account, access.Standing, error) {
	var row standingRow
	err := s.db.Read().QueryRow(ctx, `SELECT `+accountColumns+`, `+standingColumns+` FROM `+callerRow+`
		CROSS JOIN logins l JOIN accounts a ON a.id = l.account_id
		WHERE l.login = ? AND a.deleted_at IS NULL`, who.AccountID, who.TokenID, login).Scan(row.dest()...)
	if errors.Is(err, sql.ErrNoRows) {
		return account.Account{}, access.Standing{}, errs.New(errs.NotFound, "no account %q", login)
	}
	a := row.account()
	return a, row.standing(a), err
}

// AccountByID implements account.Standings.
func (s *Store) AccountByID(ctx context.Context, id int64) (account.Account, error) {
	var row accountRow
	err := s.db.Read().QueryRow(ctx, `SELECT `+accountColumns+` FROM accounts a WHERE a.id = ? AND a.deleted_at IS NULL`, id).Scan(row.dest()...)
	if errors.Is(err, sql.ErrNoRows) {
		return account.Account{}, errNoAccount()
	}
	return row.account(), err
}

// ownedColumns are those of ownedRow, where o is the owner again.
const ownedColumns = accountColumns + `, ` + standingColumns + `, ` + repositoryColumns + `, ` + repositoryStanding

// RepositoryStanding implements account.Standings.
func (s *Store) RepositoryStanding(ctx context.Context, who access.Principal, name oci.Name) (account.OwnedRepository, error) {
	var row ownedRow
	err := s.db.Read().QueryRow(ctx, `SELECT `+ownedColumns+` FROM `+callerRow+`
		CROSS JOIN logins l
		JOIN repository_names n ON n.owner_id = l.account_id AND n.name = ?
		JOIN repositories r ON r.id = n.repository_id AND r.deleted_at IS NULL
		JOIN accounts o ON o.id = r.owner_id
		JOIN accounts a ON a.id = r.owner_id AND a.deleted_at IS NULL
		WHERE l.login = ?`, who.AccountID, who.TokenID, name.Package(), name.Owner()).Scan(row.dest()...)
	if errors.Is(err, sql.ErrNoRows) {
		return account.OwnedRepository{}, errs.New(errs.NotFound, "no repository %q", name)
	}
	if err != nil {
		return account.OwnedRepository{}, err
	}
	return row.owned()
}

func (s *Store) queryOwned(ctx context.Context, query string, args ...any) ([]account.OwnedRepository, error) {
	rows, err := s.db.Read().Query(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []account.OwnedRepository
	for rows.Next() {
		var row ownedRow
		if err := rows.Scan(row.dest()...); err != nil {
			return nil, err
		}
		one, err := row.owned()
		if err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, rows.Err()
}

// RepositoriesOf implements account.Standings.
func (s *Store) RepositoriesOf(ctx context.Context, who access.Principal, ownerID int64) ([]account.OwnedRepository, error) {
	return s.queryOwned(ctx, `SELECT `+ownedColumns+` FROM `+callerRow+`
		CROSS JOIN repositories r
		JOIN accounts o ON o.id = r.owner_id
		JOIN accounts a ON a.id = r.owner_id
		WHERE r.owner_id = ? AND r.deleted_at IS NULL ORDER BY r.name`, who.AccountID, who.TokenID, ownerID)
}

// RepositoriesWith implements account.Standings.
func (s *Store) RepositoriesWith(ctx context.Context, who access.Principal) ([]account.OwnedRepository, error) {
	return s.queryOwned(ctx, `SELECT `+ownedColumns+` FROM `+callerRow+`
		CROSS JOIN (SELECT x.id FROM repositories x WHERE x.owner_id = ?
			UNION SELECT x.id FROM memberships m JOIN repositories x ON x.owner_id = m.organization_id WHERE m.user_id = ?
			UNION SELECT g.repository_id FROM repository_grants g WHERE g.account_id = ?
			UNION SELECT g.repository_id FROM team_reach t JOIN repository_team_grants g ON g.team_id = t.team_id WHERE t.user_id = ?) u
		JOIN repositories r ON r.id = u.id AND r.deleted_at IS NULL
		JOIN accounts o ON o.id = r.owner_id
		JOIN accounts a ON a.id = r.owner_id AND a.deleted_at IS NULL
		WHERE w.account <> 0 ORDER BY o.login, r.name`,
		who.AccountID, who.TokenID, who.AccountID, who.AccountID, who.AccountID, who.AccountID)
}

// TeamRepositories implements account.Standings.
func (s *Store) TeamRepositories(ctx context.Context, who access.Principal, teamID int64) ([]account.TeamRepository, error) {
	rows, err := s.db.Read().Query(ctx, `SELECT `+ownedColumns+`, tg.role FROM `+callerRow+`
		CROSS JOIN repository_team_grants tg
		JOIN repositories r ON r.id = tg.repository_id AND r.deleted_at IS NULL
		JOIN accounts o ON o.id = r.owner_id
		JOIN accounts a ON a.id = r.owner_id
		WHERE tg.team_id = ? ORDER BY r.name`, who.AccountID, who.TokenID, teamID)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var list []account.TeamRepository
	for rows.Next() {
		var row ownedRow
		var one account.TeamRepository
		if err := rows.Scan(row.dest(&one.Role)...); err != nil {
			return nil, err
		}
		if one.OwnedRepository, err = row.owned(); err != nil {
			return nil, err
		}
		list = append(list, one)
	}
	return list, rows.Err()
}

// RepositoryCounts implements account.Standings.
func (s *Store) RepositoryCounts(ctx context.Context, ownerID int64) (public, others int, err error) {
	err = s.db.Read().QueryRow(ctx, `SELECT COALESCE(SUM(CASE r.visibility WHEN 'public' THEN 1 ELSE 0 END), 0),
		COALESCE(SUM(CASE r.visibility WHEN 'public' THEN 0 ELSE 1 END), 0)
		FROM repositories r WHERE r.owner_id = ? AND r.deleted_at IS NULL`, ownerID).Scan(&public, &others)
	return public, others, err
}
