package app

import (
	"context"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/config"
	"packhouse/internal/errs"
)

// CreateOrganization makes an organization that the user owner owns.
func CreateOrganization(ctx context.Context, cfg *config.Config, login, owner string) error {
	return directory(ctx, cfg, func(s *account.Service) error {
		_, err := s.CreateOrganization(ctx, audit.Operator, login, owner)
		return err
	})
}

// DeleteOrganization deletes the organization and all that it has.
func DeleteOrganization(ctx context.Context, cfg *config.Config, login string) error {
	return directory(ctx, cfg, func(s *account.Service) error {
		return s.Delete(ctx, audit.Operator, login, account.Organization)
	})
}

// ListOrganizations returns a heading and a row for each organization.
func ListOrganizations(ctx context.Context, cfg *config.Config) ([][]string, error) {
	rows := [][]string{{"LOGIN", "BASE ROLE", "MEMBERS CREATE", "INHERIT", "DEFAULT VISIBILITY", "SINGLE SIGN-ON"}}
	err := eachAccount(ctx, cfg, account.Organization, func(a account.Account) {
		o := a.Settings
		rows = append(rows, []string{
			a.DisplayLogin, o.BaseRole.String(), visibilities(o.MembersCreate), yesNo(o.InheritDefault),
			string(o.DefaultVisibility), yesNo(o.RequireSSO),
		})
	})
	return rows, err
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func visibilities(set access.VisibilitySet) string {
	var names []string
	for _, v := range []access.Visibility{access.Private, access.Internal, access.Public} {
		if set.Has(v) {
			names = append(names, string(v))
		}
	}
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ",")
}

// OrganizationSettings are settings as they are typed; nil ones stay as they are.
type OrganizationSettings struct {
	BaseRole          *string
	MembersCreate     *[]string // visibilities, or the one word none
	InheritDefault    *bool
	DefaultVisibility *string
	RequireSSO        *bool
}

func (o OrganizationSettings) parse() (c account.SettingsChange, err error) {
	c = account.SettingsChange{InheritDefault: o.InheritDefault, RequireSSO: o.RequireSSO}
	if o.BaseRole != nil {
		role, ok := access.RepositoryRoleNamed(*o.BaseRole)
		if !ok {
			return c, errs.New(errs.Invalid, "a base role is none, read, triage, write, maintain or admin")
		}
		c.BaseRole = &role
	}
	if o.DefaultVisibility != nil {
		v := access.Visibility(*o.DefaultVisibility)
		c.DefaultVisibility = &v
	}
	if o.MembersCreate != nil {
		set, err := parseVisibilities(*o.MembersCreate)
		if err != nil {
			return c, err
		}
		c.MembersCreate = &set
	}
	return c, nil
}

func parseVisibilities(names []string) (set access.VisibilitySet, err error) {
	for _, name := range names {
		switch access.Visibility(name) {
		case access.Private:
			set |= access.SetPrivate
		case access.Internal:
			set |= access.SetInternal
		case access.Public:
			set |= access.SetPublic
		case "none":
		default:
			return 0, errs.New(errs.Invalid, "no visibility %q: private, internal, public, or none alone", name)
		}
	}
	return set, nil
}

// SetOrganization changes the settings of an account, most of which only
// organizations have.
func SetOrganization(ctx context.Context, cfg *config.Config, login string, o OrganizationSettings) error {
	c, err := o.parse()
	if err != nil {
		return err
	}
	if c == (account.SettingsChange{}) {
		return errs.New(errs.Invalid, "nothing to change was named")
	}
	return directory(ctx, cfg, func(s *account.Service) error {
		return s.ChangeSettings(ctx, audit.Operator, login, c)
	})
}

// SetMember makes the user a member or an owner of the organization.
func SetMember(ctx context.Context, cfg *config.Config, organization, user, role string) error {
	return directory(ctx, cfg, func(s *account.Service) error {
		return s.SetMember(ctx, audit.Operator, organization, user, access.Membership(role))
	})
}

// RemoveMember ends a membership.
func RemoveMember(ctx context.Context, cfg *config.Config, organization, user string) error {
	return directory(ctx, cfg, func(s *account.Service) error {
		return s.RemoveMember(ctx, audit.Operator, organization, user)
	})
}

// ListMembers returns a heading and a row for each member.
func ListMembers(ctx context.Context, cfg *config.Config, organization string) ([][]string, error) {
	rows := [][]string{{"LOGIN", "ROLE"}}
	err := directory(ctx, cfg, func(s *account.Service) error {
		list, err := s.ListMembers(ctx, organization)
		for _, m := range list {
			rows = append(rows, []string{m.Login, string(m.Role)})
		}
		return err
	})
	return rows, err
}
