package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"packhouse/internal/app"
	"packhouse/internal/errs"
)

func newUserCreate(s streams) *cobra.Command {
	c := &cobra.Command{
		Use:   "create LOGIN",
		Short: "Create a user",
		Long:  "Create a user. Without --password-stdin the user has no password and signs in with tokens alone.",
		Args:  cobra.ExactArgs(1),
	}
	load := withSettings(c, s, whereTheDataIs)
	siteAdmin := c.Flags().Bool("site-admin", false, "may do everything on this server")
	fromStdin := c.Flags().Bool("password-stdin", false, "read the password from the first line of standard input")
	c.RunE = func(c *cobra.Command, args []string) error {
		cfg, _, err := load()
		if err != nil {
			return err
		}
		password := ""
		if *fromStdin {
			if password, err = readLine(c.InOrStdin()); err != nil {
				return err
			}
		}
		if err := app.CreateUser(c.Context(), cfg, args[0], password, *siteAdmin); err != nil {
			return err
		}
		fmt.Fprintln(c.OutOrStdout(), "created user", args[0])
		return nil
	}
	return c
}

func newOrgCreate(s streams) *cobra.Command {
	c := &cobra.Command{Use: "create LOGIN --owner USER", Short: "Create an organization", Args: cobra.ExactArgs(1)}
	load := withSettings(c, s, whereTheDataIs)
	owner := c.Flags().String("owner", "", "login of the `user` who owns it")
	c.RunE = func(c *cobra.Command, args []string) error {
		if *owner == "" {
			return errs.New(errs.Invalid, "an organization needs an owner: --owner USER")
		}
		cfg, _, err := load()
		if err != nil {
			return err
		}
		if err := app.CreateOrganization(c.Context(), cfg, args[0], *owner); err != nil {
			return err
		}
		fmt.Fprintln(c.OutOrStdout(), "created organization", args[0])
		return nil
	}
	return c
}

func newTokenCreate(s streams) *cobra.Command {
	c := &cobra.Command{
		Use:   "create USER --scopes read:packages,write:packages",
		Short: "Create a personal access token and print it",
		Args:  cobra.ExactArgs(1),
	}
	load := withSettings(c, s, whereTheDataIs)
	scopes := c.Flags().StringSlice("scopes", nil, "what the token may do: read:packages, write:packages, delete:packages")
	life := c.Flags().String("expires", "90d", "how long it lasts: 90d, 12h, never")
	note := c.Flags().String("note", "", "what it is for")
	c.RunE = func(c *cobra.Command, args []string) error {
		cfg, _, err := load()
		if err != nil {
			return err
		}
		lasts, err := parseLife(*life)
		if err != nil {
			return errs.New(errs.Invalid, "%v", err)
		}
		secret, err := app.CreateToken(c.Context(), cfg, app.TokenRequest{User: args[0], Scopes: *scopes, Life: lasts, Note: *note})
		if err != nil {
			return err
		}
		fmt.Fprintln(c.OutOrStdout(), secret)
		return nil
	}
	return c
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
