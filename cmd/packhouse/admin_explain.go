package main

import (
	"github.com/spf13/cobra"

	"packhouse/internal/app"
	"packhouse/internal/config"
)

func newExplain(s streams) *cobra.Command {
	return packageOf(s, operation{
		use: "explain USER|TOKEN-ID ACTION OWNER/NAME", short: "Tell why somebody may do something to a package, or may not", args: cobra.ExactArgs(3),
		long: "Tell whether a user, or who acts by the token of that number, may pull, push, delete from or administer a package, and which rule decides. " +
			"A user is asked about with all scopes; a token has its own.",
	}, 2, func(c *cobra.Command, cfg *config.Config, p app.PackageAddress, args []string) (string, error) {
		return "", listed(c, func() ([][]string, error) { return app.Explain(c.Context(), cfg, args[0], args[1], p) })
	})
}
