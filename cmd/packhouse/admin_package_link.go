package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"packhouse/internal/app"
	"packhouse/internal/config"
	"packhouse/internal/errs"
)

func newPackageLink(s streams) *cobra.Command {
	var inherit bool
	var confirm func(what, name string) error
	c := packageCommand(
		s, operation{
			use: "link OWNER/NAME OWNER/REPOSITORY", short: "Link a package to a repository of its owner", args: cobra.ExactArgs(2),
			long: "Link a package to a repository of its owner, whose jobs become its admins. People keep the roles that they have on the package, unless it is to inherit.",
		},
		func(c *cobra.Command, cfg *config.Config, p app.PackageAddress, args []string) (string, error) {
			if inherit {
				if err := showLoss(c, cfg, p, true, confirm); err != nil {
					return "", err
				}
			}
			return "linked " + p.Name + " to " + args[0], app.LinkPackage(c.Context(), cfg, p, args[0], inherit)
		})
	c.Flags().BoolVar(&inherit, "inherit", false, "the roles come from the repository, in the place of those on the package")
	confirm = confirmed(c)
	return c
}

func newPackageUnlink(s streams) *cobra.Command {
	var confirm func(what, name string) error
	c := packageCommand(
		s, operation{
			use: "unlink OWNER/NAME", short: "Take the link to a repository away", args: cobra.ExactArgs(1),
			long: "Take the link to a repository away, and with it the roles that came from there. Labels of images do not bring it back.",
		},
		func(c *cobra.Command, cfg *config.Config, p app.PackageAddress, _ []string) (string, error) {
			if err := showLoss(c, cfg, p, false, confirm); err != nil {
				return "", err
			}
			return "unlinked " + p.Name, app.UnlinkPackage(c.Context(), cfg, p)
		})
	confirm = confirmed(c)
	return c
}

func newPackageInherit(s streams) *cobra.Command {
	var confirm func(what, name string) error
	c := packageCommand(
		s, operation{
			use: "inherit OWNER/NAME on|off", short: "Let the roles on a package come from its repository, or be its own", args: cobra.ExactArgs(2),
			long: "Let the roles on a package come from its repository, or be its own. Either way the roles of users and teams that there are end; they are shown before. " +
				"What jobs and codespaces were given stays.",
		},
		func(c *cobra.Command, cfg *config.Config, p app.PackageAddress, args []string) (string, error) {
			on := args[0] == "on"
			if !on && args[0] != "off" {
				return "", errs.New(errs.Invalid, "inheritance is on or off, not %q", args[0])
			}
			if err := showLoss(c, cfg, p, on, confirm); err != nil {
				return "", err
			}
			if on {
				return p.Name + " inherits its roles", app.SetPackageInherits(c.Context(), cfg, p, on)
			}
			return p.Name + " has its own roles", app.SetPackageInherits(c.Context(), cfg, p, on)
		})
	confirm = confirmed(c)
	return c
}

// showLoss tells on standard error what a change of inheritance takes away, and
// asks before it goes on, unless that is nothing.
func showLoss(c *cobra.Command, cfg *config.Config, p app.PackageAddress, inherits bool, confirm func(what, name string) error) error {
	lost, err := app.PlanInheritance(c.Context(), cfg, p, inherits)
	if err != nil || len(lost) <= 1 {
		return err
	}
	fmt.Fprintln(c.ErrOrStderr(), "These lose their roles on", p.Name+":")
	if err := printTable(c.ErrOrStderr(), lost); err != nil {
		return err
	}
	return confirm("takes the roles above away", p.Name)
}
