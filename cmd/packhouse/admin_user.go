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

func userCommands(s streams) []*cobra.Command {
	return []*cobra.Command{newUserCreate(s)}
}

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
