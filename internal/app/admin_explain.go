package app

import (
	"context"
	"fmt"
	"strconv"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/config"
	"packhouse/internal/errs"
)

// Explain tells whether a user with all scopes, or who acts by the token of an
// id, may do action to the package: rows of what was decided, by which rule and
// on what.
func Explain(ctx context.Context, cfg *config.Config, whom, action string, a PackageAddress) ([][]string, error) {
	do, ok := map[string]access.Action{
		"pull": access.Read, "push": access.Write, "delete": access.Delete, "administer": access.Administer,
	}[action]
	if !ok {
		return nil, errs.New(errs.Invalid, "an action is pull, push, delete or administer, not %q", action)
	}
	p, err := a.parse()
	if err != nil {
		return nil, err
	}
	var rows [][]string
	err = administer(ctx, cfg, func(app *App) error {
		who, err := app.principal(ctx, whom)
		if err != nil {
			return err
		}
		pkg, err := app.Store.Package(ctx, who, p)
		if err != nil {
			return err
		}
		e := access.Effects{Action: do}
		d := access.Decide(who, p.Name, pkg.Facts, e)
		d.Told = true // the operator is
		rows = explained(who, pkg.Facts, d, access.Explain(who, p.Name, pkg.Facts, e, d))
		return nil
	})
	return rows, err
}

// principal is who acts by the token of that id, or the user of that login by a
// credential with all scopes. The error says why a credential does not hold.
func (a *App) principal(ctx context.Context, whom string) (access.Principal, error) {
	if id, err := strconv.ParseInt(whom, 10, 64); err == nil && id > 0 {
		return a.Tokens.Principal(ctx, id)
	}
	user, err := a.Accounts.Get(ctx, whom)
	switch {
	case err != nil:
		return access.Principal{}, err
	case user.Kind != account.User:
		return access.Principal{}, errs.New(errs.NotFound, "no user %q: an organization has no credentials", whom)
	case user.Suspended:
		return access.Principal{}, errs.New(errs.Denied, "%s is suspended: packhouse admin user unsuspend %s", user.Login, user.Login)
	}
	return access.Principal{AccountID: user.ID, Login: user.Login, SiteAdmin: user.SiteAdmin, Scopes: access.AllScopes}, nil
}

// explained lays out a decision. Rows without a value are left out.
func explained(who access.Principal, f access.Facts, d access.Decision, text string) [][]string {
	outcome := "refused"
	if d.Allowed {
		outcome = "allowed"
	}
	rows := [][]string{
		{"decision", outcome}, {"rule", d.Reason.Code}, {"because", text},
		{"who", whoIs(who)}, {"scopes", who.Scopes.String()},
		{"package", packageState(f)}, {"role", roleState(who, f)}, {"repository", repositoryState(f)},
		{"in " + f.Owner, string(f.Membership)},
	}
	if f.Mode != "" && f.Mode != access.Enabled {
		rows = append(rows, []string{"registry", string(f.Mode)})
	}
	if f.SSORequired {
		rows = append(rows, []string{"single sign-on", fmt.Sprintf("required, authorized: %v", f.SSOAuthorized)})
	}
	told := rows[:0]
	for _, row := range rows {
		if row[1] != "" {
			told = append(told, row)
		}
	}
	return told
}

func whoIs(p access.Principal) string {
	switch {
	case p.Workflow != nil && p.Workflow.Codespace:
		return "a codespace of " + p.Workflow.Repository.String()
	case p.RepositoryID() != 0:
		return "a job of " + p.Workflow.Repository.String()
	case p.Workflow != nil:
		return fmt.Sprintf("a job that rule of trust %d let in", p.Workflow.TrustID)
	case p.Limited:
		return p.Login + ", by a fine-grained token"
	case p.SiteAdmin:
		return p.Login + ", an administrator of the site"
	}
	return p.Login
}

func packageState(f access.Facts) string {
	switch {
	case !f.OwnerExists:
		return "none, nor an account of that name"
	case f.Exists:
		return fmt.Sprintf("%s (%s, %s)", f.Name, f.Type, f.Visibility)
	case f.Retired:
		return "none, and the name is retired"
	}
	return "none"
}

// roleState names the role on the package and where it comes from.
func roleState(p access.Principal, f access.Facts) string {
	role := access.RoleOf(p, f)
	owns := f.Membership == access.Owner || !f.OwnerIsOrganization && p.User() && p.AccountID == f.OwnerID
	switch {
	case role == "":
		return "none"
	case p.Workflow != nil && p.RepositoryID() == 0:
		return string(role) + ", by the rule of trust"
	case p.Workflow != nil && f.RepositoryID == p.RepositoryID():
		return string(role) + ", as the package is linked to the repository"
	case p.Workflow != nil:
		return string(role) + ", which the package gives to the repository"
	case p.SiteAdmin:
		return string(role) + ", as an administrator of the site"
	case owns:
		return string(role) + ", as an owner of " + f.Owner
	case f.Inherits:
		return fmt.Sprintf("%s, from the role %s on %s", role, f.RepositoryRole, f.Repository)
	}
	return string(role) + ", which was given on the package, to the account or a team"
}

func repositoryState(f access.Facts) string {
	if f.RepositoryID == 0 {
		return ""
	}
	how := "linked"
	if f.Inherits {
		how = "roles come from it"
	}
	return fmt.Sprintf("%s (%s, %s)", f.Repository, f.RepositoryVisibility, how)
}
