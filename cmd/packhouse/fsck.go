package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"packhouse/internal/app"
	"packhouse/internal/config"
	"packhouse/internal/errs"
)

func newFsck(s streams) *cobra.Command {
	var o app.FsckOptions
	var readData, rate string
	var asJSON bool
	c := &cobra.Command{
		Use:   "fsck",
		Short: "Check that rows and stored bytes agree",
		Long: "Check, beside a running server or without one, that every blob on record has its bytes and all stored bytes are on record, and that manifests, tags and sums are " +
			"what they should be. Exit code 1 when something is wrong. --repair mends what can be mended without deleting anything.",
		Args: cobra.NoArgs,
	}
	c.Flags().StringVar(&readData, "read-data", "0", "also read and hash this `percentage` of all blobs; without a value, all")
	c.Flags().Lookup("read-data").NoOptDefVal = "100"
	c.Flags().BoolVar(&o.Repair, "repair", false, "take in stray bytes that are needed, mark damaged blobs so that the next push replaces them, put strays into the trash, rewrite edges and sums")
	c.Flags().StringVar(&rate, "rate", "100MiB", "read so many bytes a second at most; 0 for any number")
	c.Flags().BoolVar(&asJSON, "json", false, "print a JSON object for each finding, and one for the report")
	load := withSettings(c, s, whereTheDataIs)
	c.RunE = func(c *cobra.Command, _ []string) error {
		cfg, _, err := load()
		if err != nil {
			return err
		}
		if o.ReadData, err = percent(readData); err != nil {
			return err
		}
		perSecond, err := config.ParseByteSize(rate)
		if err != nil {
			return errs.New(errs.Invalid, "--rate must be a size such as 20MiB, or 0")
		}
		o.Rate = int64(perSecond)
		return fsck(c, cfg, o, asJSON)
	}
	return c
}

func percent(s string) (int, error) {
	n, err := strconv.Atoi(strings.TrimSuffix(s, "%"))
	if err != nil || n < 0 || n > 100 {
		return 0, errs.New(errs.Invalid, "--read-data must be a percentage from 0 to 100")
	}
	return n, nil
}

// fsck runs the check. That something is wrong is its error.
func fsck(c *cobra.Command, cfg *config.Config, o app.FsckOptions, asJSON bool) error {
	out, line := c.OutOrStdout(), newProgress(c.ErrOrStderr())
	o.Progress = func(p app.FsckProgress) { line.show(p.Phase, p.Done) }
	o.Found = func(f app.Finding) {
		line.clear()
		if asJSON {
			printJSON(out, f)
			return
		}
		printFinding(out, f)
	}
	r, err := app.Fsck(c.Context(), cfg, o)
	line.clear()
	if err != nil {
		return err
	}
	if asJSON {
		printJSON(out, map[string]app.FsckReport{"report": r})
	} else {
		fmt.Fprintf(out, "checked %d blobs (%d bytes read), %d stored objects, %d manifests: %d findings, %d still to mend\n",
			r.Blobs, r.Bytes, r.Objects, r.Manifests, r.Found, r.Left)
	}
	if r.Left > 0 {
		return errs.New(errs.Conflict, "%d things are wrong", r.Left)
	}
	return nil
}

func printFinding(w io.Writer, f app.Finding) {
	fields := []string{string(f.Fault)}
	for _, field := range []string{f.Digest, f.Package, f.Location} {
		if field != "" {
			fields = append(fields, field)
		}
	}
	text := strings.Join(fields, " ") + ": " + f.Detail
	if f.Done != "" {
		text += " — " + f.Done
	}
	fmt.Fprintln(w, text)
}

func printJSON(w io.Writer, v any) {
	b, err := json.Marshal(v)
	if err == nil {
		fmt.Fprintln(w, string(b))
	}
}
