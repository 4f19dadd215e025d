package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"packhouse/internal/app"
	"packhouse/internal/errs"
)

func orgCommands(s streams) []*cobra.Command {
	return []*cobra.Command{newOrgCreate(s)}
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
