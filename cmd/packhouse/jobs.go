package main

import (
	"context"
	"strconv"

	"github.com/spf13/cobra"

	"packhouse/internal/app"
	"packhouse/internal/config"
	"packhouse/internal/errs"
)

func newJobs(s streams) *cobra.Command {
	return group("jobs", "Work that is done beside requests: deliveries, retention, migrations", newJobsList(s), newJobsShow(s),
		orderJob(s, "retry ID", "Have a job that failed, was cancelled or waits begin at once, with all its attempts", "will be tried at once", app.RetryJob),
		orderJob(s, "cancel ID", "End a job that waits or runs; what it has done stays", "is cancelled", app.CancelJob))
}

func newJobsList(s streams) *cobra.Command {
	var f app.JobFilter
	c := operation{
		use: "list", short: "List the newest 100 jobs", args: cobra.NoArgs,
		long: "List the newest 100 jobs. Completed ones are kept for a day, others that ended for 30 days. Times are in UTC.",
		do: func(c *cobra.Command, cfg *config.Config, _ []string) (string, error) {
			return "", listed(c, func() ([][]string, error) { return app.ListJobs(c.Context(), cfg, f) })
		},
	}.command(s)
	c.Flags().StringVar(&f.State, "state", "", "only those in this `state`: available, running, completed, failed or cancelled")
	c.Flags().StringVar(&f.Kind, "kind", "", "only those of this `kind`")
	return c
}

func newJobsShow(s streams) *cobra.Command {
	return operation{
		use: "show ID", short: "Show a job: its arguments, its progress, its last error", args: cobra.ExactArgs(1),
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			id, err := jobID(args[0])
			if err != nil {
				return "", err
			}
			return "", listed(c, func() ([][]string, error) { return app.ShowJob(c.Context(), cfg, id) })
		},
	}.command(s)
}

// orderJob is a command that does something with one job.
func orderJob(s streams, use, short, done string, do func(ctx context.Context, cfg *config.Config, id int64) error) *cobra.Command {
	return operation{
		use: use, short: short, args: cobra.ExactArgs(1),
		do: func(c *cobra.Command, cfg *config.Config, args []string) (string, error) {
			id, err := jobID(args[0])
			if err != nil {
				return "", err
			}
			return "job " + args[0] + " " + done, do(c.Context(), cfg, id)
		},
	}.command(s)
}

func jobID(text string) (int64, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return 0, errs.New(errs.Invalid, "%q is no number of a job; packhouse jobs list shows them", text)
	}
	return id, nil
}
