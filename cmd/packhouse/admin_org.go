package main

import (
	"github.com/spf13/cobra"

	"packhouse/internal/app"
	"packhouse/internal/config"
	"packhouse/internal/errs"
)

func orgCommands(s streams) []*cobra.Command {
	return []*cobra.Command{
		newOrgCreate(s), newRename(s, "organization"), newOrgSet(s), newOrgDelete(s), newOrgList(s), newImmutableTags(s, "LOGIN"),
		group("member", "Members of an organization", newMemberAdd(s), newMemberRemove(s), newMemberList(s)),
	}
}

func newOrgCreate(s streams) *cobra.Command {
	var owner string
	c := operation{
		use: "create LOGIN --owner USER", short: "Create an organization", args: cobra.ExactArgs(1),
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			if owner == "" {
				return "", errs.New(errs.Invalid, "an organization needs an owner: --owner USER")
			}
			return "created organization " + args[0], app.CreateOrganization(c.Context(), cfg, args[0], owner)
		},
	}.command(s)
	c.Flags().StringVar(&owner, "owner", "", "login of the `user` who owns it")
	return c
}

func newOrgSet(s streams) *cobra.Command {
	var baseRole, visibility string
	var create []string
	var inherit, sso bool
	c := operation{
		use: "set LOGIN", short: "Change what an organization decides for its packages for good", args: cobra.ExactArgs(1),
		long: "Change what an organization decides for its packages. What is not named stays. For a user, --inherit and --default-visibility alone.",
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			return "changed " + args[0], app.SetOrganization(c.Context(), cfg, args[0], app.OrganizationSettings{
				BaseRole: given(c, "base-role", &baseRole), MembersCreate: given(c, "members-create", &create),
				InheritDefault: given(c, "inherit", &inherit), DefaultVisibility: given(c, "default-visibility", &visibility),
				RequireSSO: given(c, "require-sso", &sso),
			})
		},
	}.command(s)
	c.Flags().StringVar(&baseRole, "base-role", "", "`role` of every member on all repositories: none, read, triage, write, maintain, admin")
	c.Flags().StringSliceVar(&create, "members-create", nil, "visibilities of packages that members may create: private,internal,public or none")
	c.Flags().BoolVar(&inherit, "inherit", false, "new packages inherit access from their repository: true or false")
	c.Flags().StringVar(&visibility, "default-visibility", "", "`visibility` of new packages: private, internal, public, repository")
	c.Flags().BoolVar(&sso, "require-sso", false, "tokens must be authorized for single sign-on: true or false")
	return c
}

// given returns the flag's value if it was set on the command line.
func given[T any](c *cobra.Command, flag string, value *T) *T {
	if c.Flags().Changed(flag) {
		return value
	}
	return nil
}

func newOrgDelete(s streams) *cobra.Command {
	var confirm func(what, name string) error
	c := operation{
		use: "delete LOGIN", short: "Delete an organization, with all packages in its namespace", args: cobra.ExactArgs(1),
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			if err := confirm("deletes the organization and all its packages", args[0]); err != nil {
				return "", err
			}
			return "deleted organization " + args[0], app.DeleteOrganization(c.Context(), cfg, args[0])
		},
	}.command(s)
	confirm = confirmed(c)
	return c
}

func newOrgList(s streams) *cobra.Command {
	return operation{
		use: "list", short: "List the organizations and their settings", args: cobra.NoArgs,
		do: func(c *cobra.Command, cfg *config.Config, _ []string) (string, error) {
			return "", listed(c, func() ([][]string, error) { return app.ListOrganizations(c.Context(), cfg) })
		},
	}.command(s)
}

func newMemberAdd(s streams) *cobra.Command {
	var role string
	c := operation{
		use: "add ORGANIZATION USER", short: "Make a user a member, or give a member another role", args: cobra.ExactArgs(2),
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			return args[1] + " is " + role + " of " + args[0], app.SetMember(c.Context(), cfg, args[0], args[1], role)
		},
	}.command(s)
	c.Flags().StringVar(&role, "role", "member", "member or owner")
	return c
}

func newMemberRemove(s streams) *cobra.Command {
	return operation{
		use: "remove ORGANIZATION USER", short: "End a membership", args: cobra.ExactArgs(2),
		long: "End a membership, and with it the places in the organization's teams and the roles on its repositories and packages.",
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			return "removed " + args[1] + " from " + args[0], app.RemoveMember(c.Context(), cfg, args[0], args[1])
		},
	}.command(s)
}

func newMemberList(s streams) *cobra.Command {
	return operation{
		use: "list ORGANIZATION", short: "List the members", args: cobra.ExactArgs(1),
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			return "", listed(c, func() ([][]string, error) { return app.ListMembers(c.Context(), cfg, args[0]) })
		},
	}.command(s)
}
