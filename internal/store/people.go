package store

import (
	"context"
	"database/sql"
	"errors"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/database"
	"packhouse/internal/errs"
)

// eachAccount calls add for each row of a query that selects accountColumns and
// what more is scanned into.
func eachAccount(ctx context.Context, q database.Querier, query string, args, more []any, add func(account.Account)) error {
	rows, err := q.Query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var row accountRow
		if err := rows.Scan(append(row.dest(), more...)...); err != nil {
			return err
		}
		add(row.account())
	}
	return rows.Err()
}

// AccountsAfter implements account.People.
func (s *Store) AccountsAfter(ctx context.Context, k account.Kind, after int64, limit int) (list []account.Account, err error) {
	add := func(a account.Account) { list = append(list, a) }
	if k == "" {
		err = eachAccount(ctx, s.db.Read(), `SELECT `+accountColumns+` FROM accounts a
			WHERE a.id > ? AND a.deleted_at IS NULL ORDER BY a.id LIMIT ?`, []any{after, limit}, nil, add)
		return list, err
	}
	err = eachAccount(ctx, s.db.Read(), `SELECT `+accountColumns+` FROM accounts a
		WHERE a.kind = ? AND a.id > ? AND a.deleted_at IS NULL ORDER BY a.id LIMIT ?`, []any{string(k), after, limit}, nil, add)
	return list, err
}

// Memberships implements account.People.
func (s *Store) Memberships(ctx context.Context, userID int64) (list []account.MembershipIn, err error) {
	var role string
	err = eachAccount(ctx, s.db.Read(), `SELECT `+accountColumns+`, m.role FROM memberships m JOIN accounts a ON a.id = m.organization_id
		WHERE m.user_id = ? AND a.deleted_at IS NULL ORDER BY a.login`, []any{userID}, []any{&role}, func(a account.Account) {
		list = append(list, account.MembershipIn{Organization: a, Role: access.Membership(role)})
	})
	return list, err
}

// MemberAccounts implements account.People.
func (s *Store) MemberAccounts(ctx context.Context, organizationID int64) (list []account.MemberAccount, err error) {
	var role string
	err = eachAccount(ctx, s.db.Read(), `SELECT `+accountColumns+`, m.role FROM memberships m JOIN accounts a ON a.id = m.user_id
		WHERE m.organization_id = ? ORDER BY a.login`, []any{organizationID}, []any{&role}, func(a account.Account) {
		list = append(list, account.MemberAccount{Account: a, Role: access.Membership(role)})
	})
	return list, err
}

// TeamAccounts implements account.People.
func (s *Store) TeamAccounts(ctx context.Context, teamID int64) (list []account.Account, err error) {
	err = eachAccount(ctx, s.db.Read(), `SELECT `+accountColumns+` FROM team_members m JOIN accounts a ON a.id = m.user_id
		WHERE m.team_id = ? ORDER BY a.login`, []any{teamID}, nil, func(a account.Account) { list = append(list, a) })
	return list, err
}

// TeamsOf implements account.People.
func (s *Store) TeamsOf(ctx context.Context, userID int64) (list []account.TeamIn, err error) {
	var row teamRow
	err = eachAccount(ctx, s.db.Read(), `SELECT `+accountColumns+`, `+teamColumns+teamTables+`
		JOIN accounts a ON a.id = t.organization_id
		JOIN team_members m ON m.team_id = t.id AND m.user_id = ?
		ORDER BY a.login, t.slug`, []any{userID}, row.dest(), func(a account.Account) {
		list = append(list, account.TeamIn{Team: row.team(), Organization: a})
	})
	return list, err
}

// TeamByID implements account.People.
func (s *Store) TeamByID(ctx context.Context, organizationID, id int64) (account.Team, error) {
	var row teamRow
	err := s.db.Read().QueryRow(ctx, `SELECT `+teamColumns+teamTables+` WHERE t.id = ? AND t.organization_id = ?`, id, organizationID).Scan(row.dest()...)
	if errors.Is(err, sql.ErrNoRows) {
		return account.Team{}, errs.New(errs.NotFound, "no such team in this organization")
	}
	return row.team(), err
}

// Collaborators implements account.People. Owners have all rights, members what
// the organization gives to each of them.
func (s *Store) Collaborators(ctx context.Context, r account.Repository) (list []account.Collaborator, err error) {
	var role, direct, member int64
	err = eachAccount(ctx, s.db.Read(), `SELECT `+accountColumns+`, u.role, u.direct, u.member FROM (
			SELECT up.id, MAX(up.role) AS role, MAX(up.direct) AS direct, MAX(up.member) AS member FROM (
				SELECT g.account_id AS id, g.role AS role, g.role AS direct, 0 AS member FROM repository_grants g WHERE g.repository_id = ?
				UNION ALL SELECT t.user_id, g.role, 0, 0 FROM repository_team_grants g
					JOIN team_reach t ON t.team_id = g.team_id WHERE g.repository_id = ?
				UNION ALL SELECT m.user_id, CASE m.role WHEN 'owner' THEN 5 ELSE o.base_role END, 0, 1 FROM memberships m
					JOIN accounts o ON o.id = m.organization_id WHERE m.organization_id = ?
				UNION ALL SELECT o.id, 5, 5, 0 FROM accounts o WHERE o.id = ? AND o.kind = 'user') up
			GROUP BY up.id) u
		JOIN accounts a ON a.id = u.id AND a.deleted_at IS NULL WHERE u.role > 0 ORDER BY a.login`,
		[]any{r.ID, r.ID, r.OwnerID, r.OwnerID}, []any{&role, &direct, &member}, func(a account.Account) {
			list = append(list, account.Collaborator{
				Account: a, Role: access.RepositoryRole(role), Direct: access.RepositoryRole(direct), Member: member != 0,
			})
		})
	return list, err
}

// OutsideCollaborators implements account.Grants.
func (s *Store) OutsideCollaborators(ctx context.Context, organizationID int64) (list []account.Account, err error) {
	err = eachAccount(ctx, s.db.Read(), `SELECT `+accountColumns+` FROM (
			SELECT DISTINCT g.account_id AS id FROM repositories r JOIN repository_grants g ON g.repository_id = r.id
			WHERE r.owner_id = ? AND r.deleted_at IS NULL) u
		JOIN accounts a ON a.id = u.id AND a.deleted_at IS NULL
		WHERE NOT EXISTS (SELECT 1 FROM memberships m WHERE m.organization_id = ? AND m.user_id = u.id)
		ORDER BY a.login`, []any{organizationID, organizationID}, nil, func(a account.Account) { list = append(list, a) })
	return list, err
}
