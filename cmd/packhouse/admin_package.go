package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"packhouse/internal/app"
	"packhouse/internal/config"
)

func packageCommands(s streams) []*cobra.Command {
	return append([]*cobra.Command{
		newPackageShow(s), newPackageList(s), newPackageVisibility(s), newPackageLink(s), newPackageUnlink(s),
		newPackageInherit(s), newPackageGrant(s), newPackageRevoke(s), newPackageGrants(s), newPackageRename(s), newPackageTransfer(s), newImmutableTags(s, "OWNER/NAME"),
	}, contentCommands(s)...)
}

// handler runs a command about a package; args are the arguments besides it.
type handler func(c *cobra.Command, cfg *config.Config, p app.PackageAddress, args []string) (string, error)

// packageCommand makes a command whose first argument is a package.
func packageCommand(s streams, o operation, do handler) *cobra.Command {
	return packageOf(s, o, 0, do)
}

// packageOf makes a command whose argument at that place is a package, with
// --type to say in which registry.
func packageOf(s streams, o operation, place int, do handler) *cobra.Command {
	var kind string
	o.do = func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
		rest := slices.Concat(args[:place], args[place+1:])
		return do(c, cfg, app.PackageAddress{Name: args[place], Type: kind}, rest)
	}
	c := o.command(s)
	c.Flags().StringVar(&kind, "type", "", "container or docker, where both registries have a package of that name")
	return c
}

func newPackageShow(s streams) *cobra.Command {
	var asJSON bool
	c := packageCommand(
		s, operation{use: "show OWNER/NAME", short: "Show everything about a package", args: cobra.ExactArgs(1)},
		func(c *cobra.Command, cfg *config.Config, p app.PackageAddress, _ []string) (string, error) {
			shown, err := app.ShowPackage(c.Context(), cfg, p)
			if err != nil || !asJSON {
				return "", listed(c, func() ([][]string, error) { return shown.Rows(), err })
			}
			text, err := json.MarshalIndent(shown, "", "  ")
			return string(text), err
		})
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON, for scripts")
	return c
}

func newPackageList(s streams) *cobra.Command {
	return operation{
		use: "list OWNER", short: "List the packages of a user or an organization", args: cobra.ExactArgs(1),
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			return "", listed(c, func() ([][]string, error) { return app.ListPackages(c.Context(), cfg, args[0]) })
		},
	}.command(s)
}

func newPackageVisibility(s streams) *cobra.Command {
	var confirm func(what, name string) error
	c := packageCommand(
		s, operation{
			use: "visibility OWNER/NAME VISIBILITY", short: "Make a package public, private or internal", args: cobra.ExactArgs(2),
			long: "Make a package public, private or, in an organization, internal: for everyone who has an account. Docker packages have the visibility of their repository.",
		},
		func(c *cobra.Command, cfg *config.Config, p app.PackageAddress, args []string) (string, error) {
			if args[0] == "public" {
				if err := confirm("lets everyone pull "+p.Name+", and what was pulled stays out", p.Name); err != nil {
					return "", err
				}
			}
			return p.Name + " is " + args[0], app.SetPackageVisibility(c.Context(), cfg, p, args[0])
		})
	confirm = confirmed(c)
	return c
}

func newPackageRename(s streams) *cobra.Command {
	return packageCommand(
		s, operation{
			use: "rename OWNER/NAME NEW-NAME", short: "Give a package another name", args: cobra.ExactArgs(2),
			long: "Give a package another name with the same owner. The old one goes on leading there, for pulls and pushes.",
		},
		func(c *cobra.Command, cfg *config.Config, p app.PackageAddress, args []string) (string, error) {
			owner, _, _ := strings.Cut(p.Name, "/")
			to := owner + "/" + strings.TrimPrefix(args[0], owner+"/")
			return "renamed " + p.Name + " to " + to, app.RenamePackage(c.Context(), cfg, p, args[0])
		})
}

func newPackageTransfer(s streams) *cobra.Command {
	var confirm func(what, name string) error
	c := packageCommand(
		s, operation{
			use: "transfer OWNER/NAME NEW-OWNER", short: "Give a package to another owner", args: cobra.ExactArgs(2),
			long: "Give a package to another owner. The old address goes on leading there, for pulls and pushes. The link to a repository ends, and so does " +
				"what teams, jobs and codespaces were given; with a user, what was internal is private.",
		},
		func(c *cobra.Command, cfg *config.Config, p app.PackageAddress, args []string) (string, error) {
			if err := confirm("ends the link of "+p.Name+" and the roles of teams and jobs", p.Name); err != nil {
				return "", err
			}
			return "transferred " + p.Name + " to " + args[0], app.TransferPackage(c.Context(), cfg, p, args[0])
		})
	confirm = confirmed(c)
	return c
}

func newPackageGrant(s streams) *cobra.Command {
	var to app.PackageGrantee
	var role string
	var codespaces bool
	c := packageCommand(
		s, operation{
			use: "grant OWNER/NAME --user LOGIN|--team TEAM|--repository OWNER/NAME --role ROLE", short: "Give a role on a package", args: cobra.ExactArgs(1),
			long: "Give a user, a team of the owning organization, or the jobs of a repository a role on a package. With --codespaces the codespaces of the repository may pull.",
		},
		func(c *cobra.Command, cfg *config.Config, p app.PackageAddress, _ []string) (string, error) {
			what := role
			if role == "" {
				what = "its codespaces"
			}
			return fmt.Sprintf("gave %s %s on %s", granteeName(to), what, p.Name), app.GrantPackage(c.Context(), cfg, p, to, role, codespaces)
		})
	grantees(c, &to)
	c.Flags().StringVar(&role, "role", "", "read, write or admin")
	c.Flags().BoolVar(&codespaces, "codespaces", false, "let the codespaces of the repository pull")
	return c
}

func newPackageRevoke(s streams) *cobra.Command {
	var from app.PackageGrantee
	c := packageCommand(
		s, operation{
			use: "revoke OWNER/NAME --user LOGIN|--team TEAM|--repository OWNER/NAME", short: "Take away what was given on a package", args: cobra.ExactArgs(1),
		},
		func(c *cobra.Command, cfg *config.Config, p app.PackageAddress, _ []string) (string, error) {
			return "revoked what " + granteeName(from) + " had on " + p.Name, app.RevokePackage(c.Context(), cfg, p, from)
		})
	grantees(c, &from)
	return c
}

func newPackageGrants(s streams) *cobra.Command {
	return packageCommand(
		s, operation{use: "grants OWNER/NAME", short: "List what was given on a package itself", args: cobra.ExactArgs(1)},
		func(c *cobra.Command, cfg *config.Config, p app.PackageAddress, _ []string) (string, error) {
			return "", listed(c, func() ([][]string, error) { return app.ListPackageGrants(c.Context(), cfg, p) })
		})
}

func grantees(c *cobra.Command, g *app.PackageGrantee) {
	c.Flags().StringVar(&g.User, "user", "", "`login` of a user")
	c.Flags().StringVar(&g.Team, "team", "", "a `team` of the organization that owns the package")
	c.Flags().StringVar(&g.Repository, "repository", "", "the jobs of a repository, `OWNER/NAME`")
}

func granteeName(g app.PackageGrantee) string { return g.User + g.Team + g.Repository }
