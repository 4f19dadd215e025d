package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"packhouse/internal/app"
	"packhouse/internal/errs"
)

func tokenCommands(s streams) []*cobra.Command {
	return []*cobra.Command{newTokenCreate(s)}
}

func workflowTokenCommands(streams) []*cobra.Command { return nil }

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
