package main

import (
	"bufio"
	"errors"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"packhouse/internal/app"
	"packhouse/internal/config"
	"packhouse/internal/errs"
)

func userCommands(s streams) []*cobra.Command {
	return []*cobra.Command{
		newUserCreate(s), newUserPassword(s), newRename(s, "user"), newUserSuspend(s), newUserUnsuspend(s),
		newUserDelete(s), newUserSiteAdmin(s), newUserUnlink(s), newUserResetFactor(s), newUserList(s), newImmutableTags(s, "LOGIN"),
	}
}

func newUserCreate(s streams) *cobra.Command {
	var siteAdmin, fromStdin bool
	c := operation{
		use: "create LOGIN", short: "Create a user", args: cobra.ExactArgs(1),
		long: "Create a user. Without --password-stdin the user has no password and signs in with tokens alone.",
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			password := ""
			if fromStdin {
				var err error
				if password, err = readLine(c.InOrStdin()); err != nil {
					return "", err
				}
			}
			return "created user " + args[0], app.CreateUser(c.Context(), cfg, args[0], password, siteAdmin)
		},
	}.command(s)
	c.Flags().BoolVar(&siteAdmin, "site-admin", false, "may do everything on this server")
	c.Flags().BoolVar(&fromStdin, "password-stdin", false, "read the password from the first line of standard input")
	return c
}

func newUserPassword(s streams) *cobra.Command {
	return operation{
		use: "password LOGIN", short: "Set a user's password, read from the first line of standard input", args: cobra.ExactArgs(1),
		long: "Set a user's password, read from the first line of standard input. Sign-ins with the old one end; tokens stay.",
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			password, err := readLine(c.InOrStdin())
			if err != nil {
				return "", err
			}
			return "set the password of " + args[0], app.SetPassword(c.Context(), cfg, args[0], password)
		},
	}.command(s)
}

// newRename is the same for users and organizations.
func newRename(s streams, kind string) *cobra.Command {
	return operation{
		use: "rename LOGIN NEW-LOGIN", short: "Give the " + kind + " another login", args: cobra.ExactArgs(2),
		long: "Give the " + kind + " another login. The old one goes on leading to it, and nobody else can take it.",
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			return "renamed " + args[0] + " to " + args[1], app.RenameAccount(c.Context(), cfg, args[0], args[1])
		},
	}.command(s)
}

func newUserSuspend(s streams) *cobra.Command {
	return operation{
		use: "suspend LOGIN", short: "Shut an account out", args: cobra.ExactArgs(1),
		long: "Shut an account out. Pushes stop at once, pulls within five minutes; nothing is deleted.",
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			return "suspended " + args[0], app.SuspendAccount(c.Context(), cfg, args[0], true)
		},
	}.command(s)
}

func newUserUnsuspend(s streams) *cobra.Command {
	return operation{
		use: "unsuspend LOGIN", short: "Let a suspended account in again", args: cobra.ExactArgs(1),
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			return "unsuspended " + args[0], app.SuspendAccount(c.Context(), cfg, args[0], false)
		},
	}.command(s)
}

func newUserDelete(s streams) *cobra.Command {
	var confirm func(what, name string) error
	c := operation{
		use: "delete LOGIN", short: "Delete a user, with all packages in its namespace", args: cobra.ExactArgs(1),
		long: "Delete a user: tokens, sessions and roles end, and the packages in its namespace are deleted. Nobody can take the login again.",
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			if err := confirm("deletes the user and all its packages for good", args[0]); err != nil {
				return "", err
			}
			return "deleted user " + args[0], app.DeleteUser(c.Context(), cfg, args[0])
		},
	}.command(s)
	confirm = confirmed(c)
	return c
}

func newUserSiteAdmin(s streams) *cobra.Command {
	var remove bool
	c := operation{
		use: "site-admin LOGIN", short: "Make a user a site administrator", args: cobra.ExactArgs(1),
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			line := args[0] + " is a site administrator"
			if remove {
				line = args[0] + " is no site administrator any more"
			}
			return line, app.SetSiteAdmin(c.Context(), cfg, args[0], !remove)
		},
	}.command(s)
	c.Flags().BoolVar(&remove, "remove", false, "make it one no longer")
	return c
}

func newUserUnlink(s streams) *cobra.Command {
	return operation{
		use: "unlink LOGIN", short: "Unlink a user from the sign-in provider", args: cobra.ExactArgs(1),
		long: "Unlink a user from the sign-in provider: sessions and memberships that came from there end. The user can link another identity.",
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			return "unlinked " + args[0], app.UnlinkIdentities(c.Context(), cfg, args[0])
		},
	}.command(s)
}

func newUserResetFactor(s streams) *cobra.Command {
	return operation{
		use: "reset-second-factor LOGIN", short: "Turn the second factor of a user off", args: cobra.ExactArgs(1),
		long: "Turn the second factor of a user off who has lost it: authenticator app, passkeys and recovery codes are forgotten, and " +
			"sessions end. The password alone signs in then.",
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			return "turned the second factor of " + args[0] + " off", app.ResetSecondFactor(c.Context(), cfg, args[0])
		},
	}.command(s)
}

func newUserList(s streams) *cobra.Command {
	return operation{
		use: "list", short: "List the users", args: cobra.NoArgs,
		do: func(c *cobra.Command, cfg *config.Config, _ []string) (string, error) {
			return "", listed(c, func() ([][]string, error) { return app.ListUsers(c.Context(), cfg) })
		},
	}.command(s)
}

// listed prints the rows that list returns.
func listed(c *cobra.Command, list func() ([][]string, error)) error {
	rows, err := list()
	if err != nil {
		return err
	}
	return printTable(c.OutOrStdout(), rows)
}

// readLine reads one line, without its end.
func readLine(r io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(r, 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", err
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", errs.New(errs.Invalid, "no password on standard input")
	}
	return line, nil
}
