package store

import (
	"context"

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
			description = COALESCE(?, description) WHERE id = ?`,
			optional(p.Name, textColumn), optional(p.Email, textColumn), optional(p.Description, textColumn), id)
		return err
	}, id)
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
