package app

import (
	"context"
	"maps"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"github.com/google/uuid"

	"packhouse/internal/errs"
	"packhouse/internal/jobs"
	"packhouse/internal/lifecycle"
	"packhouse/internal/packages"
)

// workers says who works the jobs of each kind, on any node. A job may run more
// than once, so each worker is harmless to repeat.
func (a *App) workers() map[string]jobs.Kind {
	kinds := a.hookWork.kinds()
	maps.Copy(kinds, a.retentionKinds())
	maps.Copy(kinds, map[string]jobs.Kind{
		"uploads.expire":     {Work: a.expireUploads},
		"tokens.sweep":       {Work: a.sweepTokens},
		"sessions.sweep":     {Work: a.sweepSessions},
		"jobs.sweep":         {Work: a.Jobs.Sweep},
		packages.JobMigrate:  {Work: a.migrateDocker},
		lifecycle.JobCollect: {Work: a.collect},
	})
	maps.Copy(kinds, a.checks.kinds())
	return kinds
}

// schedules says which jobs come back, once for all nodes.
func (a *App) schedules() []jobs.Schedule {
	return append(a.checks.schedules(), []jobs.Schedule{
		{Kind: "uploads.expire", Every: time.Minute},
		{Kind: lifecycle.JobCollect, Every: a.collectEvery},
		{Kind: "tokens.sweep", Every: time.Hour},
		{Kind: "sessions.sweep", Every: time.Hour},
		{Kind: "jobs.sweep", Every: time.Hour},
		{Kind: "hooks.sweep", Every: time.Hour},
		{Kind: "versions.classify", Every: time.Hour},
		{Kind: "retention", Every: 24 * time.Hour},
	}...)
}

// migrateDocker moves the Docker packages of one owner.
func (a *App) migrateDocker(ctx context.Context, j jobs.Job) error {
	err := a.Packages.WorkMigration(ctx, j.Args, j.Report)
	if errs.Is(err, errs.NotFound) { // the owner is gone
		return jobs.Cancel(err)
	}
	return err
}

// expireUploads ends abandoned uploads.
func (a *App) expireUploads(ctx context.Context, _ jobs.Job) error {
	n, err := a.Registry.SweepUploads(ctx)
	if n > 0 {
		a.log.InfoContext(ctx, "abandoned uploads ended", "count", n)
	}
	return err
}

// sweepTokens forgets workflow tokens that ended.
func (a *App) sweepTokens(ctx context.Context, _ jobs.Job) error {
	_, err := a.workflowTokens().Sweep(ctx)
	return err
}

// sweepSessions forgets sessions, and ways to one, that ended.
func (a *App) sweepSessions(ctx context.Context, _ jobs.Job) error {
	if _, err := a.sessions().Sweep(ctx); err != nil {
		return err
	}
	_, err := a.Store.SweepFactors(ctx, time.Now())
	return err
}

// jobPatience is how long running jobs have when the server stops; what is not
// done then begins again, on another node or after the start.
const jobPatience = 10 * time.Second

// newRunner returns what works the jobs on this node.
func (a *App) newRunner(m *Metrics) *jobs.Runner {
	host, _ := os.Hostname() // for people alone
	return jobs.New(jobs.Options{
		Store: a.Store, Calendar: a.Store, Kinds: a.workers(), Schedules: a.schedules(),
		Now: time.Now, Random: rand.Float64, Node: host + "/" + uuid.Must(uuid.NewRandom()).String(),
		Log: a.log, Observe: m.observeJob, Patience: jobPatience,
	})
}

// RunJobs works jobs and does what this node does for itself until ctx ends. It
// returns when the last piece is done and what was left to note is noted.
func (a *App) RunJobs(ctx context.Context, m *Metrics) {
	var wg sync.WaitGroup
	wg.Go(func() { a.newRunner(m).Run(ctx) })
	for _, p := range a.periodic() {
		wg.Go(func() { p.loop(ctx, a.log) })
	}
	wg.Wait()
	if err := a.Tokens.FlushUses(context.WithoutCancel(ctx)); err != nil {
		a.log.Error("the last use of some tokens was not noted", "error", err)
	}
	if err := a.Downloads.Flush(context.WithoutCancel(ctx)); err != nil {
		a.log.Error("some downloads were not counted", "error", err)
	}
}
