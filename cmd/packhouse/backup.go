package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"packhouse/internal/app"
	"packhouse/internal/errs"
)

func newBackup(s streams) *cobra.Command {
	var o app.BackupOptions
	c := &cobra.Command{
		Use:   "backup DIR",
		Short: "Copy the database and all blobs into a directory",
		Long: "Copy the database and all blobs into a directory, beside a running server or without one. A further backup into the same directory copies only what is new, " +
			"and takes the place of the one before once it is whole.",
		Args: cobra.ExactArgs(1),
	}
	c.Flags().BoolVar(&o.Verify, "verify", false, "read again what earlier backups have copied, and replace what is damaged")
	load := withSettings(c, s, whereTheDataIs)
	c.RunE = func(c *cobra.Command, args []string) error {
		cfg, _, err := load()
		if err != nil {
			return err
		}
		line := newProgress(c.ErrOrStderr())
		o.Program, o.Progress = programVersion(), line.show
		m, err := app.Backup(c.Context(), cfg, args[0], o)
		line.clear()
		if err != nil {
			return err
		}
		fmt.Fprintf(c.OutOrStdout(), "backed up the database and %d blobs of %d bytes, as they were at %s\n", m.Blobs, m.Bytes, m.Begun.Format(time.RFC3339))
		return lacking(m.Missing, "the backup is whole but for these blobs, whose stored bytes are damaged or gone")
	}
	return c
}

func newRestore(s streams) *cobra.Command {
	var o app.RestoreOptions
	c := &cobra.Command{
		Use:   "restore DIR",
		Short: "Put a backup back",
		Long: "Put a backup back where the configuration says that the data is: stop the server first. Bytes that are there, whole, are not copied again. " +
			"For seven days from then on garbage collection removes nothing for good.",
		Args: cobra.ExactArgs(1),
	}
	c.Flags().BoolVar(&o.Force, "force", false, "where there is a database, put it aside")
	load := withSettings(c, s, whereTheDataIs)
	c.RunE = func(c *cobra.Command, args []string) error {
		cfg, _, err := load()
		if err != nil {
			return err
		}
		line := newProgress(c.ErrOrStderr())
		o.Progress = line.show
		m, r, err := app.Restore(c.Context(), cfg, args[0], o)
		line.clear()
		if err != nil {
			return err
		}
		fmt.Fprintf(c.OutOrStdout(), "restored the database of %s and %d blobs, %d of them copied\n", m.Begun.Format(time.RFC3339), r.Blobs, r.Copied)
		return lacking(r.Missing, "all is restored but for these blobs, which the backup does not have; a push of each repairs it")
	}
	return c
}

// shownBlobs is how many are named in an error.
const shownBlobs = 20

func lacking(digests []string, text string) error {
	if len(digests) == 0 {
		return nil
	}
	list := ""
	for _, d := range digests[:min(len(digests), shownBlobs)] {
		list += "\n  " + d
	}
	if more := len(digests) - shownBlobs; more > 0 {
		list += fmt.Sprintf("\n  and %d more", more)
	}
	return errs.New(errs.Conflict, "%s:%s", text, list)
}
