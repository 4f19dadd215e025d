package main

import (
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"packhouse/internal/app"
	"packhouse/internal/config"
	"packhouse/internal/errs"
)

func hookCommands(s streams) []*cobra.Command {
	return []*cobra.Command{
		newHookCreate(s), newHookList(s), newHookDelete(s), newHookSwitch(s, true), newHookSwitch(s, false),
		newHookPing(s), newHookDeliveries(s), newHookRedeliver(s),
	}
}

// hookCommand makes a command whose first argument is what a hook is of.
func hookCommand(s streams, o operation, do func(c *cobra.Command, cfg *config.Config, t app.HookTarget, args []string) (string, error)) *cobra.Command {
	var t app.HookTarget
	o.do = func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
		t.Name = args[0]
		return do(c, cfg, t, args[1:])
	}
	c := o.command(s)
	c.Flags().BoolVar(&t.Repository, "repository", false, "TARGET is a repository, OWNER/NAME, and not a package")
	c.Flags().StringVar(&t.Type, "type", "", "container or docker, where both registries have a package of that name")
	return c
}

// numbered makes one whose other arguments are the number of a hook and, with
// a delivery, that of one.
func numbered(s streams, use, short string, delivery bool, do func(c *cobra.Command, cfg *config.Config, t app.HookTarget, ids []int64) (string, error)) *cobra.Command {
	o := operation{use: use, short: short, args: cobra.ExactArgs(2)}
	if delivery {
		o.args = cobra.ExactArgs(3)
	}
	return hookCommand(s, o, func(c *cobra.Command, cfg *config.Config, t app.HookTarget, args []string) (string, error) {
		var ids []int64
		for _, text := range args {
			id, err := strconv.ParseInt(text, 10, 64)
			if err != nil {
				return "", errs.New(errs.Invalid, "%q is no number of a hook or a delivery; hook list and hook deliveries show them", text)
			}
			ids = append(ids, id)
		}
		return do(c, cfg, t, ids)
	})
}

func newHookCreate(s streams) *cobra.Command {
	n := app.NewHook{}
	var fromStdin bool
	c := hookCommand(
		s, operation{
			use: "create TARGET URL", short: "Tell a program what happens to packages", args: cobra.ExactArgs(2),
			long: "Tell the program at URL what happens to packages: of a user or an organization (OWNER), of a repository (OWNER/NAME with --repository), " +
				"or to one package (OWNER/NAME). Requests are those of GitHub's webhooks. A ping is sent at once.",
		},
		func(c *cobra.Command, cfg *config.Config, t app.HookTarget, args []string) (string, error) {
			n.URL = args[0]
			if fromStdin {
				var err error
				if n.Secret, err = readLine(c.InOrStdin()); err != nil {
					return "", err
				}
			}
			id, err := app.CreateHook(c.Context(), cfg, t, n)
			return fmt.Sprintf("created hook %d of %s", id, t.Name), err
		})
	c.Flags().StringVar(&n.ContentType, "content-type", "json", "json or form")
	c.Flags().StringSliceVar(&n.Events, "event", []string{"package"}, "package, registry_package, or * for both; may be repeated")
	c.Flags().BoolVar(&n.InsecureSSL, "insecure-ssl", false, "do not check the certificate of the program")
	c.Flags().BoolVar(&fromStdin, "secret-stdin", false, "read the secret that signs requests from the first line of standard input")
	return c
}

func newHookList(s streams) *cobra.Command {
	return hookCommand(
		s, operation{use: "list TARGET", short: "List the hooks of a user, an organization, a package or a repository", args: cobra.ExactArgs(1)},
		func(c *cobra.Command, cfg *config.Config, t app.HookTarget, _ []string) (string, error) {
			return "", listed(c, func() ([][]string, error) { return app.ListHooks(c.Context(), cfg, t) })
		})
}

func newHookDelete(s streams) *cobra.Command {
	return numbered(
		s, "delete TARGET ID", "Delete a hook, with the log of its deliveries", false,
		func(c *cobra.Command, cfg *config.Config, t app.HookTarget, ids []int64) (string, error) {
			return fmt.Sprintf("deleted hook %d of %s", ids[0], t.Name), app.DeleteHook(c.Context(), cfg, t, ids[0])
		})
}

func newHookSwitch(s streams, on bool) *cobra.Command {
	use, short, done := "enable TARGET ID", "Switch a hook on", "enabled"
	if !on {
		use, short, done = "disable TARGET ID", "Switch a hook off", "disabled"
	}
	return numbered(s, use, short, false, func(c *cobra.Command, cfg *config.Config, t app.HookTarget, ids []int64) (string, error) {
		return fmt.Sprintf("%s hook %d of %s", done, ids[0], t.Name), app.SwitchHook(c.Context(), cfg, t, ids[0], on)
	})
}

func newHookPing(s streams) *cobra.Command {
	return numbered(
		s, "ping TARGET ID", "Have the server send a ping", false,
		func(c *cobra.Command, cfg *config.Config, t app.HookTarget, ids []int64) (string, error) {
			return fmt.Sprintf("a ping of hook %d is on its way", ids[0]), app.PingHook(c.Context(), cfg, t, ids[0])
		})
}

func newHookDeliveries(s streams) *cobra.Command {
	limit := 30
	c := numbered(
		s, "deliveries TARGET ID", "List what was sent, the newest first", false,
		func(c *cobra.Command, cfg *config.Config, t app.HookTarget, ids []int64) (string, error) {
			return "", listed(c, func() ([][]string, error) { return app.ListDeliveries(c.Context(), cfg, t, ids[0], limit) })
		})
	c.Flags().IntVar(&limit, "limit", limit, "how many, up to 100")
	return c
}

func newHookRedeliver(s streams) *cobra.Command {
	return numbered(
		s, "redeliver TARGET ID DELIVERY", "Have the server send a delivery once more", true,
		func(c *cobra.Command, cfg *config.Config, t app.HookTarget, ids []int64) (string, error) {
			return fmt.Sprintf("delivery %d is on its way again", ids[1]), app.Redeliver(c.Context(), cfg, t, ids[0], ids[1])
		})
}
