package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"packhouse/internal/app"
	"packhouse/internal/config"
	"packhouse/internal/errs"
)

func retentionCommands(s streams) []*cobra.Command {
	return []*cobra.Command{
		newRetentionSet(s), newRetentionShow(s), newRetentionRemove(s), newRetentionPlan(s), newRetentionApply(s), newRetentionUndo(s), newRetentionList(s),
	}
}

// maxRulesFile is the longest file of rules.
const maxRulesFile = 64 << 10

// readRules reads a file, or with - the standard input.
func readRules(c *cobra.Command, name string) ([]byte, error) {
	in := c.InOrStdin()
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, errs.Wrap(errs.Invalid, err, "the rules cannot be read: %v", err)
		}
		defer f.Close()
		in = f
	}
	return io.ReadAll(io.LimitReader(in, maxRulesFile+1))
}

const retentionPlaces = "OWNER stands for all packages of an account that have no policy of their own."

func newRetentionSet(s streams) *cobra.Command {
	var automatic bool
	c := packageCommand(
		s, operation{
			use: "set OWNER[/NAME] FILE", short: "Give a package, or all packages of an account, rules by which versions are deleted", args: cobra.ExactArgs(2),
			long: "Give a package, or all packages of an account, rules by which versions are deleted, as JSON in a file, or - for standard input. " + retentionPlaces +
				"\n\n" + `  {"delete": [{"untagged": true, "older_than": "7d"}, {"tags": ["pr-*"], "not_pulled_for": "30d"}], "keep": [{"tags": ["pr-*"], "last": 5}]}`,
		},
		func(c *cobra.Command, cfg *config.Config, p app.PackageAddress, args []string) (string, error) {
			rules, err := readRules(c, args[0])
			if err != nil {
				return "", err
			}
			line := "set the retention of " + p.Name
			if automatic {
				line += ", applied every day"
			}
			return line, app.SetRetention(c.Context(), cfg, p, rules, automatic)
		})
	c.Flags().BoolVar(&automatic, "automatic", false, "apply the rules every day, without being asked")
	return c
}

func newRetentionShow(s streams) *cobra.Command {
	return packageCommand(
		s, operation{
			use: "show OWNER[/NAME] [PLAN]", short: "Show the rules, as JSON, or what a plan deletes and why", args: cobra.RangeArgs(1, 2),
		},
		func(c *cobra.Command, cfg *config.Config, p app.PackageAddress, args []string) (string, error) {
			if len(args) == 0 {
				return app.ShowRetention(c.Context(), cfg, p)
			}
			id, err := planNumber(args[0])
			if err != nil {
				return "", err
			}
			return "", listed(c, func() ([][]string, error) { return app.RetentionItems(c.Context(), cfg, p, id) })
		})
}

func newRetentionRemove(s streams) *cobra.Command {
	return packageCommand(
		s, operation{use: "remove OWNER[/NAME]", short: "Take the rules away", args: cobra.ExactArgs(1)},
		func(c *cobra.Command, cfg *config.Config, p app.PackageAddress, _ []string) (string, error) {
			return "removed the retention of " + p.Name, app.RemoveRetention(c.Context(), cfg, p)
		})
}

func newRetentionPlan(s streams) *cobra.Command {
	var file string
	c := packageCommand(
		s, operation{
			use: "plan OWNER[/NAME]", short: "Work out what the rules delete, and delete nothing", args: cobra.ExactArgs(1),
			long: "Work out what the rules delete, and delete nothing. The plan can be looked at and, for a week, applied. " + retentionPlaces,
		},
		func(c *cobra.Command, cfg *config.Config, p app.PackageAddress, _ []string) (string, error) {
			var rules []byte
			var err error
			if file != "" {
				if rules, err = readRules(c, file); err != nil {
					return "", err
				}
			}
			plan, err := app.PlanRetention(c.Context(), cfg, p, rules)
			if err != nil {
				return "", err
			}
			line := fmt.Sprintf("plan %d deletes %d versions and frees %d bytes", plan.ID, plan.Versions, plan.Bytes)
			if plan.More {
				line += "; there are more than one plan takes"
			}
			return line, nil
		})
	c.Flags().StringVar(&file, "rules", "", "rules in this `file`, in the place of the policy's")
	return c
}

func newRetentionApply(s streams) *cobra.Command {
	return planCommand(
		s, "apply OWNER[/NAME] PLAN", "Delete what a plan says, if nothing of it has changed",
		func(c *cobra.Command, cfg *config.Config, p app.PackageAddress, id int64) (string, error) {
			n, err := app.ApplyRetention(c.Context(), cfg, p, id)
			return fmt.Sprintf("deleted %d versions; packhouse admin retention undo %s %d brings them back", n, p.Name, id), err
		})
}

func newRetentionUndo(s streams) *cobra.Command {
	return planCommand(
		s, "undo OWNER[/NAME] PLAN", "Bring back what a plan deleted",
		func(c *cobra.Command, cfg *config.Config, p app.PackageAddress, id int64) (string, error) {
			return app.UndoRetention(c.Context(), cfg, p, id)
		})
}

func newRetentionList(s streams) *cobra.Command {
	return packageCommand(
		s, operation{use: "list OWNER[/NAME]", short: "List the newest plans", args: cobra.ExactArgs(1)},
		func(c *cobra.Command, cfg *config.Config, p app.PackageAddress, _ []string) (string, error) {
			return "", listed(c, func() ([][]string, error) { return app.ListRetentionPlans(c.Context(), cfg, p) })
		})
}

// planCommand makes a command about one plan of a place.
func planCommand(s streams, use, short string, do func(c *cobra.Command, cfg *config.Config, p app.PackageAddress, id int64) (string, error)) *cobra.Command {
	return packageCommand(s, operation{use: use, short: short, args: cobra.ExactArgs(2)},
		func(c *cobra.Command, cfg *config.Config, p app.PackageAddress, args []string) (string, error) {
			id, err := planNumber(args[0])
			if err != nil {
				return "", err
			}
			return do(c, cfg, p, id)
		})
}

func planNumber(text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, errs.New(errs.Invalid, "a plan is a number, not %q", text)
	}
	return id, nil
}

// newImmutableTags makes the command for a package or, with an account's word for
// it, for all its packages.
func newImmutableTags(s streams, name string) *cobra.Command {
	var none bool
	c := packageCommand(
		s, operation{
			use: "immutable-tags " + name + " [PATTERN…]", short: "Show or set the patterns of tags that never move", args: cobra.MinimumNArgs(1),
			long: "Show or set the patterns of tags that never move. A tag that a pattern such as v* matches can be set once; then it cannot be moved or deleted, " +
				"nor can its version. The patterns of a package and of its owner both hold. Those given replace those that there are.",
		},
		func(c *cobra.Command, cfg *config.Config, p app.PackageAddress, args []string) (string, error) {
			switch slash := strings.Contains(p.Name, "/"); {
			case slash != strings.Contains(name, "/"):
				return "", errs.New(errs.Invalid, "name one as %s, not %q", name, p.Name)
			case none && len(args) > 0:
				return "", errs.New(errs.Invalid, "--none goes without patterns")
			case !none && len(args) == 0:
				return "", listed(c, func() ([][]string, error) { return app.ImmutableTags(c.Context(), cfg, p) })
			case none:
				return "the tags of " + p.Name + " may move", app.SetImmutableTags(c.Context(), cfg, p, nil)
			}
			return "the tags " + strings.Join(args, ", ") + " of " + p.Name + " never move", app.SetImmutableTags(c.Context(), cfg, p, args)
		})
	c.Flags().BoolVar(&none, "none", false, "take all patterns away")
	return c
}
