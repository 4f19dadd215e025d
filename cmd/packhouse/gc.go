package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"packhouse/internal/app"
	"packhouse/internal/config"
)

func newGC(s streams) *cobra.Command {
	var dry bool
	var explain string
	c := &cobra.Command{
		Use:   "gc",
		Short: "Free the bytes that nothing needs",
		Long: "Do a round of garbage collection now. A server does one every minute by itself: this command is for those who do not want to wait, " +
			"and has a server that runs on this directory do the round. Every wait stays as it is configured.",
		Args: cobra.NoArgs,
	}
	c.Flags().BoolVar(&dry, "dry-run", false, "count what a round would do, and do nothing")
	c.Flags().StringVar(&explain, "explain", "", "tell who keeps this `digest`, or since when nobody does")
	load := withSettings(c, s, whereTheDataIs)
	c.RunE = func(c *cobra.Command, _ []string) error {
		cfg, _, err := load()
		switch {
		case err != nil:
			return err
		case explain != "":
			return explainDigest(c, cfg, explain)
		case dry:
			return printDue(c, cfg)
		}
		r, err := app.CollectGarbage(c.Context(), cfg)
		if err != nil {
			return err
		}
		printRound(c.OutOrStdout(), r)
		return nil
	}
	c.AddCommand(newGCStatus(s), newGCResume(s), newGCQuarantine(s))
	return c
}

func newGCStatus(s streams) *cobra.Command {
	return operation{
		use: "status", short: "Tell how garbage collection stands", args: cobra.NoArgs,
		do: func(c *cobra.Command, cfg *config.Config, _ []string) (string, error) {
			st, err := app.GarbageStatus(c.Context(), cfg)
			if err != nil {
				return "", err
			}
			printStatus(c.OutOrStdout(), st)
			return "", nil
		},
	}.command(s)
}

func newGCResume(s streams) *cobra.Command {
	return operation{
		use: "resume", short: "Let garbage collection go on after it stopped", args: cobra.NoArgs,
		long: "End what holds garbage collection up: a stop after an alarm, and the quarantine after a restored backup. Look at packhouse gc status first. " +
			"After a stop because too much would go at once, the next round may take all of it.",
		do: func(c *cobra.Command, cfg *config.Config, _ []string) (string, error) {
			stop, quarantine, err := app.ResumeGarbage(c.Context(), cfg)
			if err != nil {
				return "", err
			}
			var ended []string
			if stop != nil {
				ended = append(ended, "the stop ("+stop.Text+")")
			}
			if !quarantine.IsZero() {
				ended = append(ended, "the quarantine until "+moment(quarantine))
			}
			return "ended " + strings.Join(ended, " and "), nil
		},
	}.command(s)
}

func newUndelete(s streams) *cobra.Command {
	return operation{
		use: "undelete DIGEST", short: "Take the bytes of a blob back from the trash", args: cobra.ExactArgs(1),
		long: "Take the bytes of a blob back from the trash, for as long as they lie there. The packages that held it hold it again. It stays for as long as " +
			"after a push; a manifest that names it keeps it. A deleted version or package is restored by other means.",
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			n, err := app.Undelete(c.Context(), cfg, args[0])
			return fmt.Sprintf("%s is back; %d packages hold it again", args[0], n), err
		},
	}.command(s)
}

func printRound(w io.Writer, r *app.GCRound) {
	switch {
	case r == nil:
		fmt.Fprintln(w, "the server that runs here does a round now; packhouse gc status shows what came of it")
	case r.Stopped != nil:
		fmt.Fprintf(w, "stopped: %s; packhouse gc resume lets it go on\n", r.Stopped.Text)
	default:
		fmt.Fprintf(w, "removed %d packages, %d versions, %d manifests; condemned %d blobs (%d bytes), put %d (%d bytes) into the trash, removed %d (%d bytes) for good\n",
			r.Packages, r.Versions, r.Manifests, r.Condemned.Blobs, r.Condemned.Bytes, r.Trashed.Blobs, r.Trashed.Bytes, r.Purged.Blobs, r.Purged.Bytes)
	}
}

func printDue(c *cobra.Command, cfg *config.Config) error {
	d, err := app.GarbageDue(c.Context(), cfg)
	if err != nil {
		return err
	}
	printDueLine(c.OutOrStdout(), d)
	return nil
}

func printDueLine(w io.Writer, d app.GCDue) {
	fmt.Fprintf(w, "due: %d deleted packages, %d deleted versions, %d blobs (%d bytes) to condemn, %d (%d bytes) for the trash, %d (%d bytes) to be removed for good\n",
		d.Packages, d.Versions, d.Condemn.Blobs, d.Condemn.Bytes, d.Trash.Blobs, d.Trash.Bytes, d.Purge.Blobs, d.Purge.Bytes)
}

func printStatus(w io.Writer, s app.GCStatus) {
	switch {
	case s.Stopped != nil:
		fmt.Fprintf(w, "stopped since %s: %s", moment(s.Stopped.At), s.Stopped.Text)
		if !s.Stopped.Until.IsZero() {
			fmt.Fprintf(w, "; it goes on by itself on %s", moment(s.Stopped.Until))
		}
		fmt.Fprintln(w)
	case !s.Quarantine.IsZero():
		fmt.Fprintf(w, "in quarantine until %s: nothing is removed for good\n", moment(s.Quarantine))
	default:
		fmt.Fprintln(w, "running")
	}
	if s.Last.At.IsZero() {
		fmt.Fprintln(w, "no round yet")
	} else {
		fmt.Fprintf(w, "last round on %s: ", moment(s.Last.At))
		if s.Last.Error != "" {
			fmt.Fprintf(w, "broken off by an error (%s); ", s.Last.Error)
		}
		printRound(w, &s.Last)
	}
	fmt.Fprintf(w, "waiting: %d blobs (%d bytes) condemned, %d (%d bytes) in the trash\n",
		s.Condemned.Blobs, s.Condemned.Bytes, s.Trash.Blobs, s.Trash.Bytes)
	printDueLine(w, s.Due)
}

func explainDigest(c *cobra.Command, cfg *config.Config, digest string) error {
	e, err := app.ExplainDigest(c.Context(), cfg, digest)
	if err != nil {
		return err
	}
	w := c.OutOrStdout()
	fmt.Fprintln(w, e.Verdict)
	for _, v := range e.Needs.Versions {
		fmt.Fprintf(w, "  a version of %s%s%s\n", v.Package, tagged(v.Tags), deleted(v.DeletedAt))
	}
	for _, p := range e.Needs.Parents {
		fmt.Fprintf(w, "  needed by %s@%s%s%s\n", p.Package, p.Digest, tagged(p.Tags), deleted(p.DeletedAt))
	}
	if b := e.Needs.Blob; b != nil {
		fmt.Fprintf(w, "  blob of %d bytes, %s, pushed on %s, promised until %s\n", b.Size, b.State, moment(b.CreatedAt), moment(b.LeaseUntil))
		fmt.Fprintf(w, "  held by %s\n", orNone(e.Needs.Holders))
	}
	if e.Needs.More {
		fmt.Fprintln(w, "  and more")
	}
	for _, t := range e.Trash {
		fmt.Fprintf(w, "  in the trash since %s, %d bytes, removed after %s\n", moment(t.TrashedAt), t.Size, moment(t.PurgeAt))
	}
	for _, r := range e.Receipts {
		fmt.Fprintf(w, "  receipt %d: %s of %d bytes removed on %s: %s\n", r.ID, r.Kind, r.Size, moment(r.PurgedAt), r.Reason)
	}
	return nil
}

func tagged(tags []string) string {
	if len(tags) == 0 {
		return ""
	}
	return " tagged " + strings.Join(tags, ", ")
}

func deleted(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return ", deleted on " + moment(at)
}

func orNone(list []string) string {
	if len(list) == 0 {
		return "no package"
	}
	return strings.Join(list, ", ")
}

func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }
