package main

import (
	"github.com/spf13/cobra"

	"packhouse/internal/app"
	"packhouse/internal/config"
	"packhouse/internal/errs"
)

func teamCommands(s streams) []*cobra.Command {
	return []*cobra.Command{newTeamCreate(s), newTeamMove(s), newTeamDelete(s), newTeamAdd(s), newTeamRemove(s), newTeamList(s)}
}

func newTeamCreate(s streams) *cobra.Command {
	var parent, group string
	c := operation{
		use: "create ORGANIZATION/TEAM", short: "Create a team", args: cobra.ExactArgs(1),
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			return "created team " + args[0], app.CreateTeam(c.Context(), cfg, args[0], parent, group)
		},
	}.command(s)
	c.Flags().StringVar(&parent, "parent", "", "the `team` above it")
	c.Flags().StringVar(&group, "idp-group", "", "the `group` of the single sign-on provider that fills it; nothing else does")
	return c
}

func newTeamMove(s streams) *cobra.Command {
	var parent string
	var top bool
	c := operation{
		use: "move ORGANIZATION/TEAM --parent TEAM", short: "Put a team below another one", args: cobra.ExactArgs(1),
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			if (parent == "") != top {
				return "", errs.New(errs.Invalid, "where to? --parent TEAM, or --top")
			}
			return "moved team " + args[0], app.MoveTeam(c.Context(), cfg, args[0], parent)
		},
	}.command(s)
	c.Flags().StringVar(&parent, "parent", "", "the `team` above it")
	c.Flags().BoolVar(&top, "top", false, "below no team")
	return c
}

func newTeamDelete(s streams) *cobra.Command {
	var confirm func(what, name string) error
	c := operation{
		use: "delete ORGANIZATION/TEAM", short: "Delete a team and the roles it was given; those below it move up", args: cobra.ExactArgs(1),
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			if err := confirm("deletes the team and the roles it was given, for good", args[0]); err != nil {
				return "", err
			}
			return "deleted team " + args[0], app.DeleteTeam(c.Context(), cfg, args[0])
		},
	}.command(s)
	confirm = confirmed(c)
	return c
}

func newTeamAdd(s streams) *cobra.Command {
	return operation{
		use: "add ORGANIZATION/TEAM USER", short: "Put a member of the organization into a team", args: cobra.ExactArgs(2),
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			return "added " + args[1] + " to " + args[0], app.AddToTeam(c.Context(), cfg, args[0], args[1])
		},
	}.command(s)
}

func newTeamRemove(s streams) *cobra.Command {
	return operation{
		use: "remove ORGANIZATION/TEAM USER", short: "Take a user out of a team", args: cobra.ExactArgs(2),
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			return "removed " + args[1] + " from " + args[0], app.RemoveFromTeam(c.Context(), cfg, args[0], args[1])
		},
	}.command(s)
}

func newTeamList(s streams) *cobra.Command {
	return operation{
		use: "list ORGANIZATION", short: "List the teams of an organization and who is in them", args: cobra.ExactArgs(1),
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			return "", listed(c, func() ([][]string, error) { return app.ListTeams(c.Context(), cfg, args[0]) })
		},
	}.command(s)
}
