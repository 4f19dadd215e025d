package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"packhouse/internal/config"
	"packhouse/internal/errs"
)

// printTable writes a list with aligned columns. The first row is the heading.
func printTable(w io.Writer, rows [][]string) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(table, strings.Join(row, "\t"))
	}
	return table.Flush()
}

// confirmed gives c the flag --yes and returns what asks, once the flags are
// parsed, whether to go on with what is not undone easily: the name must be typed,
// which only a person at a terminal can do.
func confirmed(c *cobra.Command) func(what, name string) error {
	yes := c.Flags().Bool("yes", false, "do not ask")
	return func(what, name string) error {
		if *yes {
			return nil
		}
		if !atTerminal(c.InOrStdin()) {
			return errs.New(errs.Invalid, "this %s: say --yes", what)
		}
		fmt.Fprintf(c.ErrOrStderr(), "This %s. Type %s to go on: ", what, name)
		if !typed(c.InOrStdin(), name) {
			return errs.New(errs.Invalid, "nothing was changed")
		}
		return nil
	}
}

// typed reports whether the next line is name.
func typed(r io.Reader, name string) bool {
	line, _ := bufio.NewReader(io.LimitReader(r, 4096)).ReadString('\n') // what came before an error is what was typed
	return strings.TrimSpace(line) == name
}

func atTerminal(r io.Reader) bool {
	f, ok := r.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// operation is a command that needs the data and says one line when it is done.
// do returns that line; an empty one prints nothing.
type operation struct {
	use, short, long string
	args             cobra.PositionalArgs
	do               func(c *cobra.Command, cfg *config.Config, args []string) (string, error)
}

// command makes the command; flags may be added to it.
func (o operation) command(s streams) *cobra.Command {
	c := &cobra.Command{Use: o.use, Short: o.short, Long: o.long, Args: o.args}
	load := withSettings(c, s, whereTheDataIs)
	c.RunE = func(c *cobra.Command, args []string) error {
		cfg, _, err := load()
		if err != nil {
			return err
		}
		line, err := o.do(c, cfg, args)
		if err == nil && line != "" {
			fmt.Fprintln(c.OutOrStdout(), line)
		}
		return err
	}
	return c
}
