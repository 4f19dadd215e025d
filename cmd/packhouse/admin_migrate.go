package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"packhouse/internal/app"
	"packhouse/internal/config"
	"packhouse/internal/errs"
)

func newMigrateDocker(s streams) *cobra.Command {
	var all, conflicts, background bool
	c := operation{
		use: "migrate-docker OWNER…|--all", short: "Move Docker packages to the Container registry", args: cobra.ArbitraryArgs,
		long: "Move Docker packages to the Container registry. Images stay where they are, old addresses keep working for pulls and pushes, and the packages inherit from " +
			"their repository. What has a name that the Container registry already has stays; it is listed at the end. It may be interrupted and run again.",
		do: func(c *cobra.Command, cfg *config.Config, owners []string) (string, error) {
			if all == (len(owners) > 0) {
				return "", errs.New(errs.Invalid, "say whose packages: OWNER…, or --all")
			}
			if conflicts {
				return "", listed(c, func() ([][]string, error) { return app.DockerConflicts(c.Context(), cfg, owners, all) })
			}
			if background {
				return "", listed(c, func() ([][]string, error) { return app.StartDockerMigration(c.Context(), cfg, owners, all) })
			}
			p := migrationProgress{out: c.OutOrStdout(), err: c.ErrOrStderr(), line: atTerminalOut(c.ErrOrStderr())}
			if err := app.MigrateDocker(c.Context(), cfg, owners, all, p.show); err != nil {
				return "", err
			}
			return "", p.left()
		},
	}.command(s)
	c.Flags().BoolVar(&all, "all", false, "the packages of all users and organizations")
	c.Flags().BoolVar(&conflicts, "conflicts", false, "list those that cannot be moved, and move nothing")
	c.Flags().BoolVar(&background, "background", false, "have the running server do it, and print the jobs that packhouse jobs show tells of")
	return c
}

// migrationProgress tells how far a migration has come: on a terminal in one line
// that is written anew, elsewhere in a record for every hundred packages. What
// was done stands on standard output.
type migrationProgress struct {
	out, err  io.Writer
	line      bool
	seen      int64
	conflicts []string
}

// recordEvery is how many packages go by between two records.
const recordEvery = 100

func (p *migrationProgress) show(m app.DockerMigration) {
	p.seen++
	left := int64(len(m.Conflicts))
	switch {
	case m.Done && p.line:
		fmt.Fprint(p.err, "\r\x1b[K")
		fallthrough
	case m.Done:
		fmt.Fprintf(p.out, "moved %d of the %d Docker packages of %s\n", m.Moved, m.Total, m.Owner)
		p.conflicts = append(p.conflicts, m.Conflicts...)
	case p.line:
		fmt.Fprintf(p.err, "\r\x1b[K%s: moved %d of %d, %d in conflict", m.Owner, m.Moved, m.Total, left)
	case p.seen%recordEvery == 0:
		fmt.Fprintf(p.err, `{"msg":"migrating","owner":%q,"moved":%d,"total":%d,"conflicts":%d}`+"\n", m.Owner, m.Moved, m.Total, left)
	}
}

// left is the error that names what stayed; nil for nothing.
func (p *migrationProgress) left() error {
	if len(p.conflicts) == 0 {
		return nil
	}
	return errs.New(errs.Conflict, "these stay in the Docker registry, because the Container registry has another package of that name:\n  %s\n"+
		"Push the images of one of the two under another name, delete that package, and run this again.", strings.Join(p.conflicts, "\n  "))
}

func atTerminalOut(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && atTerminal(f)
}
