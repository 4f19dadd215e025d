package main

import (
	"github.com/spf13/cobra"

	"packhouse/internal/app"
	"packhouse/internal/config"
)

func newStorage(s streams) *cobra.Command {
	return operation{
		use: "storage [OWNER]", short: "Show what is stored, and who or what takes the most", args: cobra.MaximumNArgs(1),
		long: "Show what the server holds, in bytes, and the 100 owners whose packages hold the most; or the packages of one owner, the largest first. " +
			"What several packages hold is counted in each, and once in the sum of their owner. What was deleted and can be restored counts, too.",
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			return "", listed(c, func() ([][]string, error) {
				if len(args) == 1 {
					return app.OwnerStorage(c.Context(), cfg, args[0])
				}
				return app.SiteStorage(c.Context(), cfg)
			})
		},
	}.command(s)
}
