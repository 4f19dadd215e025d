package main

import (
	"strconv"

	"github.com/spf13/cobra"

	"packhouse/internal/app"
	"packhouse/internal/config"
	"packhouse/internal/errs"
)

func siteCommands(s streams) []*cobra.Command {
	return []*cobra.Command{newSiteRegistry(s), newSiteSignUp(s), newSitePublicToPrivate(s), newSiteDownloadGuard(s), newSiteShow(s), newSiteAudit(s)}
}

func newSiteRegistry(s streams) *cobra.Command {
	return operation{
		use: "registry container|docker enabled|read-only|disabled", short: "Switch one of the two registries", args: cobra.ExactArgs(2),
		long: "Switch one of the two registries. Servers that run obey from the next request on. Read-only: pulls work, pushes and deletions do not.",
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			return "the " + args[0] + " registry is " + args[1], app.SetRegistry(c.Context(), cfg, args[0], args[1])
		},
	}.command(s)
}

func newSiteSignUp(s streams) *cobra.Command {
	return operation{
		use: "sign-up open|closed", short: "Let people make accounts for themselves, or not", args: cobra.ExactArgs(1),
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			if args[0] != "open" && args[0] != "closed" {
				return "", errs.New(errs.Invalid, "sign-up is open or closed")
			}
			return "sign-up is " + args[0], app.SetSignUp(c.Context(), cfg, args[0] == "open")
		},
	}.command(s)
}

func newSitePublicToPrivate(s streams) *cobra.Command {
	return operation{
		use: "public-to-private allowed|forbidden", short: "Let the admins of a public package make it private again, or not", args: cobra.ExactArgs(1),
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			if args[0] != "allowed" && args[0] != "forbidden" {
				return "", errs.New(errs.Invalid, "public-to-private is allowed or forbidden")
			}
			return "public-to-private is " + args[0], app.SetPublicToPrivate(c.Context(), cfg, args[0] == "allowed")
		},
	}.command(s)
}

func newSiteDownloadGuard(s streams) *cobra.Command {
	return operation{
		use: "download-guard DOWNLOADS", short: "Protect what is public and was downloaded more often than that from deletion", args: cobra.ExactArgs(1),
		long: "Public versions that were downloaded more often than that, and packages that have one, are deleted by the administrators of the server alone. 0 protects nothing; 5000 without this command.",
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			n, err := strconv.ParseInt(args[0], 10, 64)
			if err != nil {
				return "", errs.New(errs.Invalid, "the guard of downloads is a number from 0 on")
			}
			return "download-guard is " + args[0], app.SetDownloadGuard(c.Context(), cfg, n)
		},
	}.command(s)
}

func newSiteShow(s streams) *cobra.Command {
	return operation{
		use: "show", short: "Show the switches", args: cobra.NoArgs,
		do: func(c *cobra.Command, cfg *config.Config, _ []string) (string, error) {
			return "", listed(c, func() ([][]string, error) { return app.ShowSite(c.Context(), cfg) })
		},
	}.command(s)
}

func newSiteAudit(s streams) *cobra.Command {
	var limit int
	var before int64
	c := operation{
		use: "audit", short: "List who changed what, the newest first", args: cobra.NoArgs,
		do: func(c *cobra.Command, cfg *config.Config, _ []string) (string, error) {
			return "", listed(c, func() ([][]string, error) { return app.Audit(c.Context(), cfg, before, limit) })
		},
	}.command(s)
	c.Flags().IntVar(&limit, "limit", 50, "how many, up to 1000")
	c.Flags().Int64Var(&before, "before", 0, "those before this `number` alone")
	return c
}
