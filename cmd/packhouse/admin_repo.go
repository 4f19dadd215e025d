package main

import (
	"github.com/spf13/cobra"

	"packhouse/internal/app"
	"packhouse/internal/config"
)

func repoCommands(s streams) []*cobra.Command {
	return []*cobra.Command{
		newRepoCreate(s), newRepoVisibility(s), newRepoRename(s), newRepoTransfer(s), newRepoDelete(s),
		newRepoGrant(s), newRepoRevoke(s), newRepoGrants(s), newRepoList(s),
	}
}

func newRepoCreate(s streams) *cobra.Command {
	var visibility string
	c := operation{
		use: "create OWNER/NAME", short: "Create a repository that packages can be linked to", args: cobra.ExactArgs(1),
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			return "created repository " + args[0], app.CreateRepository(c.Context(), cfg, args[0], visibility)
		},
	}.command(s)
	c.Flags().StringVar(&visibility, "visibility", "private", "private, public, or in an organization internal")
	return c
}

func newRepoVisibility(s streams) *cobra.Command {
	return operation{
		use: "visibility OWNER/NAME VISIBILITY", short: "Make a repository and the Docker packages in it private, public or internal",
		args: cobra.ExactArgs(2),
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			return args[0] + " is " + args[1], app.SetRepositoryVisibility(c.Context(), cfg, args[0], args[1])
		},
	}.command(s)
}

func newRepoRename(s streams) *cobra.Command {
	return operation{
		use: "rename OWNER/NAME NEW-NAME", short: "Give a repository another name", args: cobra.ExactArgs(2),
		long: "Give a repository, and the Docker packages in it, another name. The old one goes on leading there.",
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			full, err := app.RenameRepository(c.Context(), cfg, args[0], args[1])
			return "renamed " + args[0] + " to " + full, err
		},
	}.command(s)
}

func newRepoTransfer(s streams) *cobra.Command {
	var confirm func(what, name string) error
	c := operation{
		use: "transfer OWNER/NAME NEW-OWNER", short: "Give a repository to another owner", args: cobra.ExactArgs(2),
		long: "Give a repository, and the Docker packages in it, to another owner. Packages of the Container registry stay with the old one and are unlinked; " +
			"roles of teams, rules of trust and tokens of jobs end.",
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			if err := confirm("unlinks the packages that stay with the old owner, and ends the roles of teams", args[0]); err != nil {
				return "", err
			}
			full, err := app.TransferRepository(c.Context(), cfg, args[0], args[1])
			return "transferred " + args[0] + " to " + full, err
		},
	}.command(s)
	confirm = confirmed(c)
	return c
}

func newRepoDelete(s streams) *cobra.Command {
	var confirm func(what, name string) error
	c := operation{
		use: "delete OWNER/NAME", short: "Delete a repository; packages linked to it stay and are unlinked", args: cobra.ExactArgs(1),
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			if err := confirm("deletes the repository for good", args[0]); err != nil {
				return "", err
			}
			return "deleted repository " + args[0], app.DeleteRepository(c.Context(), cfg, args[0])
		},
	}.command(s)
	confirm = confirmed(c)
	return c
}

func newRepoGrant(s streams) *cobra.Command {
	var user, team, role string
	c := operation{
		use: "grant OWNER/NAME --user USER|--team TEAM --role ROLE", short: "Give a user or a team of the owner a role on a repository",
		args: cobra.ExactArgs(1),
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			return "granted " + role + " on " + args[0] + " to " + user + team, app.GrantRepository(c.Context(), cfg, args[0], user, team, role)
		},
	}.command(s)
	holderFlags(c, &user, &team)
	c.Flags().StringVar(&role, "role", "", "read, triage, write, maintain or admin")
	return c
}

func newRepoRevoke(s streams) *cobra.Command {
	var user, team string
	c := operation{
		use: "revoke OWNER/NAME --user USER|--team TEAM", short: "Take away the role of a user or a team on a repository",
		args: cobra.ExactArgs(1),
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			return "revoked the role of " + user + team + " on " + args[0], app.RevokeRepository(c.Context(), cfg, args[0], user, team)
		},
	}.command(s)
	holderFlags(c, &user, &team)
	return c
}

// holderFlags gives c the flags that say whose role it is.
func holderFlags(c *cobra.Command, user, team *string) {
	c.Flags().StringVar(user, "user", "", "login of a `user`")
	c.Flags().StringVar(team, "team", "", "a `team` of the owner")
}

func newRepoGrants(s streams) *cobra.Command {
	return operation{
		use: "grants OWNER/NAME", short: "List the roles that were given on a repository", args: cobra.ExactArgs(1),
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			return "", listed(c, func() ([][]string, error) { return app.ListRepositoryGrants(c.Context(), cfg, args[0]) })
		},
	}.command(s)
}

func newRepoList(s streams) *cobra.Command {
	return operation{
		use: "list OWNER", short: "List the repositories of an owner", args: cobra.ExactArgs(1),
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			return "", listed(c, func() ([][]string, error) { return app.ListRepositories(c.Context(), cfg, args[0]) })
		},
	}.command(s)
}
