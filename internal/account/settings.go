package account

import (
	"context"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

// SettingsChange names the settings to change; nil ones stay.
type SettingsChange struct {
	BaseRole          *access.RepositoryRole
	MembersCreate     *access.VisibilitySet
	InheritDefault    *bool
	DefaultVisibility *access.Visibility
	RequireSSO        *bool
}

// detail is what the record tells of the change.
func (c SettingsChange) detail() map[string]any {
	d := map[string]any{}
	if c.BaseRole != nil {
		d["base_role"] = c.BaseRole.String()
	}
	if c.MembersCreate != nil {
		d["members_create"] = int(*c.MembersCreate)
	}
	if c.InheritDefault != nil {
		d["inherit_default"] = *c.InheritDefault
	}
	if c.DefaultVisibility != nil {
		d["default_visibility"] = string(*c.DefaultVisibility)
	}
	if c.RequireSSO != nil {
		d["sso_required"] = *c.RequireSSO
	}
	return d
}

// check refuses values that there are not, and those of members for a user.
func (c SettingsChange) check(k Kind) error {
	if k == User && (c.BaseRole != nil || c.MembersCreate != nil || c.RequireSSO != nil) {
		return errs.New(errs.Invalid, "only organizations have settings for members")
	}
	if c.BaseRole != nil && (*c.BaseRole < 0 || *c.BaseRole > access.RepositoryAdmin) {
		return errs.New(errs.Invalid, "a base role is none, read, triage, write, maintain or admin")
	}
	if c.MembersCreate != nil && *c.MembersCreate&^access.SetAll != 0 {
		return errs.New(errs.Invalid, "members may create packages that are private, internal or public")
	}
	if c.DefaultVisibility == nil {
		return nil
	}
	switch v := *c.DefaultVisibility; {
	case v == access.Internal && k == User:
		return errs.New(errs.Invalid, "only organizations have internal packages")
	case v != access.Private && v != access.Internal && v != access.Public && v != access.AsRepository:
		return errs.New(errs.Invalid, "a default visibility is %s, %s, %s or %s", access.Private, access.Internal, access.Public, access.AsRepository)
	}
	return nil
}

// ChangeSettings changes what the account decides for the packages in its
// namespace.
func (s *Service) ChangeSettings(ctx context.Context, by audit.Actor, login string, c SettingsChange) error {
	a, err := s.Get(ctx, login)
	if err != nil {
		return err
	}
	if err := c.check(a.Kind); err != nil {
		return err
	}
	return s.Store.SetSettings(ctx, a.ID, c, s.entry(by, "account.settings", a.Login, c.detail()))
}
