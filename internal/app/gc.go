package app

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"packhouse/internal/audit"
	"packhouse/internal/blob"
	"packhouse/internal/blob/fs"
	"packhouse/internal/config"
	"packhouse/internal/jobs"
	"packhouse/internal/lifecycle"
	"packhouse/internal/oci"
	"packhouse/internal/store"
)

// newCollector returns what frees bytes. Without blobs it can explain and count,
// and must not Run or Undelete.
func newCollector(cfg *config.Config, s *store.Store, blobs blob.Store, p *pushes, log *slog.Logger) *lifecycle.Collector {
	marker, _ := blobs.(blob.Marker)
	return lifecycle.NewCollector(lifecycle.Options{
		Garbage: s, Ledger: s, Records: s, Bytes: blobs, Open: blobs, Marker: marker,
		Times: lifecycle.Times{
			Restore: cfg.Retention.RestoreWindow, Grace: cfg.GC.Grace, Condemn: cfg.GC.CondemnFor, Trash: cfg.GC.TrashFor,
		},
		MaxShare: cfg.GC.MaxShare, Now: time.Now, Rest: p.yield, Log: log,
	})
}

// collect does one round of garbage collection.
func (a *App) collect(ctx context.Context, _ jobs.Job) error {
	r, err := a.Collector.Run(ctx)
	if r.Versions+r.Packages+r.Manifests+r.Condemned.Blobs+r.Trashed.Blobs+r.Purged.Blobs > 0 {
		a.log.InfoContext(ctx, "garbage collected", "packages", r.Packages, "versions", r.Versions, "manifests", r.Manifests,
			"condemned", r.Condemned.Blobs, "trashed", r.Trashed.Blobs, "purged", r.Purged.Blobs, "purged_bytes", r.Purged.Bytes,
			"took", r.Took.String())
	}
	return err
}

// measureGC tells what this node collected.
func measureGC(r prometheus.Registerer, c *lifecycle.Collector) {
	sum := func(name, help string, value func(f lifecycle.Figures) float64) {
		r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "packhouse_gc_" + name, Help: help},
			func() float64 { return value(c.Figures()) }))
	}
	sum("rounds_total", "Rounds of garbage collection on this node.", func(f lifecycle.Figures) float64 { return float64(f.Rounds) })
	sum("rounds_failed_total", "Rounds that an error broke off.", func(f lifecycle.Figures) float64 { return float64(f.Failed) })
	sum("manifests_removed_total", "Manifests removed for good.", func(f lifecycle.Figures) float64 { return float64(f.Manifests) })
	sum("blobs_condemned_total", "Blobs that nothing needed.", func(f lifecycle.Figures) float64 { return float64(f.Condemned) })
	sum("blobs_trashed_total", "Blobs put into the trash.", func(f lifecycle.Figures) float64 { return float64(f.Trashed) })
	sum("blobs_purged_total", "Blobs removed for good.", func(f lifecycle.Figures) float64 { return float64(f.Purged) })
	sum("bytes_purged_total", "Bytes removed for good.", func(f lifecycle.Figures) float64 { return float64(f.PurgedBytes) })
	r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "packhouse_gc_stopped", Help: "1 while a brake holds garbage collection up: see packhouse gc status."},
		func() float64 {
			if c.Figures().Stopped {
				return 1
			}
			return 0
		}))
}

// What garbage collection tells, for commands.
type (
	GCRound       = lifecycle.Round
	GCDue         = lifecycle.Due
	GCStatus      = lifecycle.Status
	GCExplanation = lifecycle.Explanation
	GCStop        = lifecycle.Stop
)

// CollectGarbage does a round now. Where a server has the blobs of this machine's
// disk, it has that one do so and returns nil.
func CollectGarbage(ctx context.Context, cfg *config.Config) (round *GCRound, err error) {
	err = administer(ctx, cfg, func(a *App) error {
		if !cfg.UsesS3() {
			lock, err := fs.Lock(cfg.BlobDir())
			if errors.Is(err, fs.ErrLocked) {
				return newCollector(cfg, a.Store, nil, a.pushes, a.log).Start(ctx)
			}
			if err == nil {
				defer func() { _ = lock.Close() }() // the end of the process frees it too
			} else if !errors.Is(err, errors.ErrUnsupported) {
				return err
			}
		}
		return a.withCollector(ctx, cfg, func(c *lifecycle.Collector) error {
			r, err := c.Run(ctx)
			round = &r
			return err
		})
	})
	return round, err
}

func (a *App) withCollector(ctx context.Context, cfg *config.Config, do func(*lifecycle.Collector) error) error {
	blobs, err := openBlobs(ctx, cfg)
	if err != nil {
		return err
	}
	return do(newCollector(cfg, a.Store, blobs, a.pushes, a.log))
}

// collector runs f on a collector that needs no blobs.
func collector(ctx context.Context, cfg *config.Config, f func(*lifecycle.Collector) error) error {
	return administer(ctx, cfg, func(a *App) error { return f(newCollector(cfg, a.Store, nil, a.pushes, a.log)) })
}

// GarbageDue counts what a round would do now.
func GarbageDue(ctx context.Context, cfg *config.Config) (due GCDue, err error) {
	err = collector(ctx, cfg, func(c *lifecycle.Collector) error {
		due, err = c.Due(ctx)
		return err
	})
	return due, err
}

// GarbageStatus tells how garbage collection stands.
func GarbageStatus(ctx context.Context, cfg *config.Config) (s GCStatus, err error) {
	err = collector(ctx, cfg, func(c *lifecycle.Collector) error {
		s, err = c.Status(ctx)
		return err
	})
	return s, err
}

// ResumeGarbage ends a stop and a quarantine, and returns what it ended.
func ResumeGarbage(ctx context.Context, cfg *config.Config) (stop *GCStop, quarantine time.Time, err error) {
	err = collector(ctx, cfg, func(c *lifecycle.Collector) error {
		stop, quarantine, err = c.Resume(ctx, audit.Operator)
		return err
	})
	return stop, quarantine, err
}

// ExplainDigest tells who keeps a digest, or since when nobody does.
func ExplainDigest(ctx context.Context, cfg *config.Config, digest string) (e GCExplanation, err error) {
	d, err := oci.ParseDigest(digest)
	if err != nil {
		return e, err
	}
	err = collector(ctx, cfg, func(c *lifecycle.Collector) error {
		e, err = c.Explain(ctx, d)
		return err
	})
	return e, err
}

// Undelete takes a blob back from the trash, and returns how many packages hold
// it by that. Safe beside a running server.
func Undelete(ctx context.Context, cfg *config.Config, digest string) (packages int, err error) {
	d, err := oci.ParseDigest(digest)
	if err != nil {
		return 0, err
	}
	err = administer(ctx, cfg, func(a *App) error {
		return a.withCollector(ctx, cfg, func(c *lifecycle.Collector) error {
			packages, err = c.Undelete(ctx, d, audit.Operator)
			return err
		})
	})
	return packages, err
}
