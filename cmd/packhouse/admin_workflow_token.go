package main

import (
	"github.com/spf13/cobra"

	"packhouse/internal/app"
	"packhouse/internal/config"
	"packhouse/internal/errs"
)

func workflowTokenCommands(s streams) []*cobra.Command {
	return []*cobra.Command{
		newWorkflowTokenCreate(s), newWorkflowTokenList(s),
		newRevoke(s, "End a workflow token at once", "revoked workflow token", app.RevokeWorkflowToken),
	}
}

func newWorkflowTokenCreate(s streams) *cobra.Command {
	var permissions []string
	var life string
	var codespace bool
	c := operation{
		use: "create OWNER/REPO", short: "Create a token for a job of a repository and print it", args: cobra.ExactArgs(1),
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			lasts, err := parseLife(life)
			if err != nil {
				return "", errs.New(errs.Invalid, "%v", err)
			}
			return app.CreateWorkflowToken(c.Context(), cfg, app.WorkflowTokenRequest{
				Repository: args[0], Permissions: permissions, Life: lasts, Codespace: codespace,
			})
		},
	}.command(s)
	c.Flags().StringSliceVar(&permissions, "permissions", []string{"packages=write"}, "what the job may do: packages=none, read or write")
	c.Flags().StringVar(&life, "expires", "1h", "how long it lasts, at most 6h")
	c.Flags().BoolVar(&codespace, "codespace", false, "make it the token of a codespace, which only pulls")
	return c
}

func newWorkflowTokenList(s streams) *cobra.Command {
	return operation{
		use: "list OWNER/REPO", short: "List the workflow tokens of a repository that hold", args: cobra.ExactArgs(1),
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			lines, err := app.ListWorkflowTokens(c.Context(), cfg, args[0])
			if err != nil {
				return "", err
			}
			return "", printTokens(c, lines)
		},
	}.command(s)
}
