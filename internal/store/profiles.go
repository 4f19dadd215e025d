package store

import (
	"context"
	"database/sql"
	"errors"

	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/database"
	"packhouse/internal/errs"
)

func textColumn(s string) any { return s }

// SetProfile implements account.Profiles.
func (s *Store) SetProfile(ctx context.Context, id int64, p account.Profile, e audit.Entry) error {
	return s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE accounts SET name = COALESCE(?, name), email = COALESCE(?, email),
			description = COALESCE(?, description), language = COALESCE(?, language), theme = COALESCE(?, theme) WHERE id = ?`,
			optional(p.Name, textColumn), optional(p.Email, textColumn), optional(p.Description, textColumn),
			optional(p.Language, textColumn), optional(p.Theme, textColumn), id)
		return err
	}, id)
}

// Preferences implements account.Profiles.
func (s *Store) Preferences(ctx context.Context, id int64) (p account.Preferences, err error) {
	err = s.db.Read().QueryRow(ctx, `SELECT language, theme FROM accounts WHERE id = ? AND deleted_at IS NULL`, id).Scan(&p.Language, &p.Theme)
	if errors.Is(err, sql.ErrNoRows) {
		err = errNoAccount()
	}
	return p, err
}

// RepositoryReadme implements account.Profiles.
func (s *Store) RepositoryReadme(ctx context.Context, id int64) (text string, err error) {
	err = s.db.Read().QueryRow(ctx, `SELECT readme FROM repositories WHERE id = ? AND deleted_at IS NULL`, id).Scan(&text)
	if errors.Is(err, sql.ErrNoRows) {
		err = errNoRepository()
	}
	return text, err
}

// SetRepositoryReadme implements account.Profiles.
func (s *Store) SetRepositoryReadme(ctx context.Context, id int64, text string, e audit.Entry) error {
	return s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `UPDATE repositories SET readme = ? WHERE id = ? AND deleted_at IS NULL`, text, id)
		if err != nil {
			return err
		}
		return oneRow(res, errNoRepository())
	})
}

// SetRepositoryDescription implements account.Profiles.
func (s *Store) SetRepositoryDescription(ctx context.Context, id int64, description string, e audit.Entry) error {
	return s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		res, err := tx.Exec(ctx, `UPDATE repositories SET description = ? WHERE id = ? AND deleted_at IS NULL`, description, id)
		if err != nil {
			return err
		}
		return oneRow(res, errNoRepository())
	})
}

// ChangeTeam implements account.Profiles.
func (s *Store) ChangeTeam(ctx context.Context, t account.Team, c account.TeamChange, e audit.Entry) error {
	return s.change(ctx, e, func(ctx context.Context, tx *database.Tx) error {
		if err := teamOf(ctx, tx, t.OrganizationID, t.ID); err != nil {
			return err
		}
		slug := t.Slug
		if c.Slug != nil {
			slug = *c.Slug
		}
		res, err := tx.Exec(ctx, `UPDATE teams SET slug = ?, name = COALESCE(?, name), description = COALESCE(?, description)
			WHERE id = ? AND NOT EXISTS (SELECT 1 FROM teams o WHERE o.organization_id = ? AND o.slug = ? AND o.id <> ?)`,
			slug, optional(c.Name, textColumn), optional(c.Description, textColumn), t.ID, t.OrganizationID, slug, t.ID)
		if err != nil {
			return err
		}
		return oneRow(res, errs.New(errs.Exists, "there is a team %s already", slug))
	}, t.OrganizationID)
}
