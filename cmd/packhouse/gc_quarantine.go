package main

import (
	"time"

	"github.com/spf13/cobra"

	"packhouse/internal/app"
	"packhouse/internal/config"
	"packhouse/internal/errs"
)

func newGCQuarantine(s streams) *cobra.Command {
	return operation{
		use: "quarantine DURATION", short: "Remove nothing for good for a while", args: cobra.ExactArgs(1),
		long: "Remove nothing for good for a while, such as 7d or 12h: after the database was restored by other means than packhouse restore, so that bytes which are newer than " +
			"its rows stay. packhouse gc resume ends it.",
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			d, err := parseLife(args[0])
			if err != nil || d == 0 {
				return "", errs.New(errs.Invalid, "the duration must be like 7d or 12h")
			}
			until, err := app.QuarantineGarbage(c.Context(), cfg, d)
			if err != nil {
				return "", err
			}
			return "nothing is removed for good until " + until.UTC().Format(time.RFC3339), nil
		},
	}.command(s)
}
