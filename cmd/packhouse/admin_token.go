package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"packhouse/internal/app"
	"packhouse/internal/config"
	"packhouse/internal/errs"
)

func tokenCommands(s streams) []*cobra.Command {
	return []*cobra.Command{
		newTokenCreate(s), newTokenCreateFineGrained(s), newTokenList(s),
		newRevoke(s, "End a token of a user at once", "revoked token", app.RevokeToken),
		newTokenAuthorize(s, "authorize", "Let a token of a member reach an organization that requires single sign-on", true),
		newTokenAuthorize(s, "deauthorize", "Take back what authorize gave", false),
	}
}

func newTokenCreate(s streams) *cobra.Command {
	var scopes []string
	var life, note string
	c := operation{
		use: "create USER --scopes read:packages,write:packages", short: "Create a personal access token and print it",
		args: cobra.ExactArgs(1),
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			lasts, err := parseLife(life)
			if err != nil {
				return "", errs.New(errs.Invalid, "%v", err)
			}
			return app.CreateToken(c.Context(), cfg, app.TokenRequest{User: args[0], Scopes: scopes, Life: lasts, Note: note})
		},
	}.command(s)
	c.Flags().StringSliceVar(&scopes, "scopes", nil, "what the token may do: read:packages, write:packages, delete:packages, repo")
	c.Flags().StringVar(&life, "expires", "90d", "how long it lasts: 90d, 12h, never")
	c.Flags().StringVar(&note, "note", "", "what it is for")
	return c
}

func newTokenCreateFineGrained(s streams) *cobra.Command {
	var packages, namespaces []string
	var life, note string
	c := operation{
		use:   "create-fine-grained USER --package OWNER/NAME:pull,push --namespace OWNER:pull",
		short: "Create a token for some packages or namespaces and print it",
		long: "Create a token that reaches what it names, and of that never more than its user may.\n" +
			"The actions are pull, push and delete. Both flags may be given several times.",
		args: cobra.ExactArgs(1),
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			lasts, err := parseLife(life)
			switch {
			case err != nil:
				return "", errs.New(errs.Invalid, "%v", err)
			case len(packages)+len(namespaces) == 0:
				return "", errs.New(errs.Invalid, "a fine-grained token needs a --package or a --namespace")
			}
			return app.CreateToken(c.Context(), cfg, app.TokenRequest{
				User: args[0], Packages: packages, Namespaces: namespaces, Life: lasts, Note: note,
			})
		},
	}.command(s)
	c.Flags().StringArrayVar(&packages, "package", nil, "a package that exists, and actions: `OWNER/NAME:pull,push`")
	c.Flags().StringArrayVar(&namespaces, "namespace", nil, "all packages of an account, also those to come, and actions: `OWNER:pull`")
	c.Flags().StringVar(&life, "expires", "90d", "how long it lasts, at most 366d: 90d, 12h")
	c.Flags().StringVar(&note, "note", "", "what it is for")
	return c
}

func newTokenList(s streams) *cobra.Command {
	return operation{
		use: "list USER", short: "List the tokens of a user", args: cobra.ExactArgs(1),
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			lines, err := app.ListTokens(c.Context(), cfg, args[0])
			if err != nil {
				return "", err
			}
			return "", printTokens(c, lines)
		},
	}.command(s)
}

// printTokens prints a table of tokens. The note is last: it may hold spaces.
func printTokens(c *cobra.Command, lines []app.TokenLine) error {
	rows := [][]string{{"ID", "KIND", "MAY", "CREATED", "EXPIRES", "LAST USED", "NOTE"}}
	for _, l := range lines {
		rows = append(rows, []string{
			strconv.FormatInt(l.ID, 10), l.Kind, l.May, minute(l.CreatedAt), minute(l.ExpiresAt), minute(l.LastUseAt), l.Note,
		})
	}
	return printTable(c.OutOrStdout(), rows)
}

// minute returns a time as lists show it.
func minute(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02T15:04Z")
}

// newRevoke returns a command that ends the token of an id.
func newRevoke(s streams, short, done string, revoke func(context.Context, *config.Config, int64) error) *cobra.Command {
	return operation{
		use: "revoke TOKEN-ID", short: short, args: cobra.ExactArgs(1),
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			id, err := parseTokenID(args[0])
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("%s %d", done, id), revoke(c.Context(), cfg, id)
		},
	}.command(s)
}

func newTokenAuthorize(s streams, verb, short string, allow bool) *cobra.Command {
	return operation{
		use: verb + " TOKEN-ID ORGANIZATION", short: short, args: cobra.ExactArgs(2),
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			id, err := parseTokenID(args[0])
			if err != nil {
				return "", err
			}
			return fmt.Sprintf("%sd token %d for %s", verb, id, args[1]), app.AuthorizeToken(c.Context(), cfg, id, args[1], allow)
		},
	}.command(s)
}

// parseTokenID reads the number that list shows.
func parseTokenID(text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 {
		return 0, errs.New(errs.Invalid, "a token's id is a number, as list shows it")
	}
	return id, nil
}
