package app

import (
	"context"
	"strconv"
	"strings"
	"time"
	"unicode"

	"packhouse/internal/config"
	"packhouse/internal/jobs"
)

// JobFilter chooses jobs by their state and their kind; what is empty chooses all.
type JobFilter struct{ State, Kind string }

// shownJobs is how many jobs a list has at most.
const shownJobs = 100

// ListJobs returns a heading and a row for each of the newest jobs.
func ListJobs(ctx context.Context, cfg *config.Config, f JobFilter) ([][]string, error) {
	rows := [][]string{{"ID", "KIND", "STATE", "ATTEMPTS", "RUNS", "ERROR"}}
	err := administer(ctx, cfg, func(a *App) error {
		list, err := a.Jobs.List(ctx, operator(), jobs.Filter{State: jobs.State(f.State), Kind: f.Kind}, shownJobs)
		for _, j := range list {
			first, _, _ := strings.Cut(printable(j.Error), "\n")
			rows = append(rows, []string{strconv.FormatInt(j.ID, 10), j.Kind, string(j.State), attempts(j), shownRun(j), first})
		}
		return err
	})
	return rows, err
}

// shownRun is when a job runs, ran or ended.
func shownRun(j jobs.Job) string {
	switch j.State {
	case jobs.Available:
		return "from " + j.RunAt.Format(shownTime)
	case jobs.Running:
		return "since " + j.StartedAt.Format(shownTime)
	}
	return "until " + j.EndedAt.Format(shownTime)
}

func attempts(j jobs.Job) string {
	return strconv.Itoa(j.Tries()) + " of " + strconv.Itoa(j.MaxAttempts)
}

// ShowJob returns rows of what there is to know of a job.
func ShowJob(ctx context.Context, cfg *config.Config, id int64) ([][]string, error) {
	var rows [][]string
	err := administer(ctx, cfg, func(a *App) error {
		j, err := a.Jobs.Get(ctx, operator(), id)
		if err != nil {
			return err
		}
		for _, row := range [][]string{
			{"id", strconv.FormatInt(j.ID, 10)}, {"kind", j.Kind}, {"state", string(j.State)}, {"attempts", attempts(j)},
			{"key", j.Key}, {"arguments", string(j.Args)}, {"progress", string(j.Progress)},
			{"made", shownWhen(j.CreatedAt)}, {"runs from", shownWhen(j.RunAt)}, {"started", shownWhen(j.StartedAt)},
			{"ended", shownWhen(j.EndedAt)}, {"node", j.Node}, {"lease until", shownWhen(j.LeaseUntil)},
			{"error", strings.ReplaceAll(strings.TrimSpace(printable(j.Error)), "\n", "\n\t")},
		} {
			if row[1] != "" {
				rows = append(rows, row)
			}
		}
		return nil
	})
	return rows, err
}

// printable is a text that may come from anywhere, without what moves a terminal
// or a table.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
}

// shownWhen is a time as lists show it; "" for never.
func shownWhen(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(shownTime)
}

// RetryJob has a job begin at once, with all its attempts.
func RetryJob(ctx context.Context, cfg *config.Config, id int64) error {
	return administer(ctx, cfg, func(a *App) error { return a.Jobs.Retry(ctx, operator(), id) })
}

// CancelJob ends a job that waits or runs.
func CancelJob(ctx context.Context, cfg *config.Config, id int64) error {
	return administer(ctx, cfg, func(a *App) error { return a.Jobs.Cancel(ctx, operator(), id) })
}
