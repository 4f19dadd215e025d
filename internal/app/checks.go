package app

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"packhouse/internal/audit"
	"packhouse/internal/blob"
	"packhouse/internal/config"
	"packhouse/internal/jobs"
	"packhouse/internal/lifecycle"
	"packhouse/internal/store"
)

// checks is the work that looks whether rows and bytes agree.
type checks struct {
	fsck  lifecycle.Fsck
	scrub *lifecycle.Scrub // nil: off
	store *store.Store
	log   *slog.Logger
	// recent is how long ago the last round of garbage collection may be.
	recent time.Duration
}

func newChecks(cfg *config.Config, s *store.Store, blobs blob.Store, log *slog.Logger) *checks {
	c := &checks{store: s, log: log, fsck: newFsck(cfg, s, blobs), recent: max(time.Hour, 2*cfg.GC.Interval)}
	pace := lifecycle.NewPace(int64(cfg.Scrub.Rate), time.Now)
	c.fsck.Pace, c.fsck.Actor, c.fsck.Found = pace, audit.Server, c.alarm
	if cfg.Scrub.Period > 0 {
		c.scrub = &lifecycle.Scrub{Rows: s, Memory: s, Store: blobs, Pace: pace, Now: time.Now, Period: cfg.Scrub.Period, Found: c.alarm}
	}
	return c
}

func newFsck(cfg *config.Config, s *store.Store, blobs blob.Store) lifecycle.Fsck {
	return lifecycle.Fsck{
		Blobs: s, Objects: s, Trashed: s, Manifests: s, Others: s, Store: blobs, Now: time.Now,
		Young: max(strayAge, 2*cfg.Registry.UploadLife), Trash: cfg.GC.TrashFor, Grace: cfg.GC.Grace,
	}
}

// alarm says in the log what is wrong.
func (c *checks) alarm(f lifecycle.Finding) {
	level := slog.LevelError
	if f.Mended {
		level = slog.LevelWarn
	}
	c.log.Log(context.Background(), level, "stored data is not as it should be", "fault", f.Fault, "digest", f.Digest,
		"location", f.Location, "package", f.Package, "detail", f.Detail, "done", f.Done)
}

// kinds are the jobs of the checks.
func (c *checks) kinds() map[string]jobs.Kind {
	kinds := map[string]jobs.Kind{"fsck": {Work: c.daily}}
	if c.scrub != nil {
		kinds["scrub"] = jobs.Kind{Work: c.read}
	}
	return kinds
}

func (c *checks) schedules() []jobs.Schedule {
	list := []jobs.Schedule{{Kind: "fsck", Every: 24 * time.Hour}}
	if c.scrub != nil {
		list = append(list, jobs.Schedule{Kind: "scrub", Every: time.Hour})
	}
	return list
}

// daily compares the sizes of all bytes with their rows, and clears away what
// crashes left.
func (c *checks) daily(ctx context.Context, _ jobs.Job) error {
	keep, err := c.keepStrays(ctx)
	if err != nil {
		return err
	}
	r, err := c.fsck.Run(ctx, lifecycle.FsckOptions{Light: true, Repair: true, Cautious: true, KeepStrays: keep})
	c.log.InfoContext(ctx, "rows and stored bytes were compared", "blobs", r.Blobs, "objects", r.Objects, "found", r.Found, "left", r.Left)
	return err
}

// keepStrays reports whether bytes that nothing leads to may be those of another
// database, or of a later state of this one: while a quarantine holds, and before
// a round of garbage collection has looked whether there has to be one.
func (c *checks) keepStrays(ctx context.Context) (bool, error) {
	notes, err := c.store.Notes(ctx)
	if err != nil {
		return false, err
	}
	var last lifecycle.Round
	if text := notes[lifecycle.LastNote]; text != "" {
		if err := json.Unmarshal([]byte(text), &last); err != nil {
			return false, err
		}
	}
	now := time.Now()
	return notes.Quarantine().After(now) || now.Sub(last.At) > c.recent, nil
}

// read goes on with the scrub.
func (c *checks) read(ctx context.Context, _ jobs.Job) error {
	_, err := c.scrub.Run(ctx)
	return err
}

// damagedBlobs is a gauge of the whole instance, which is counted when it is
// asked for.
type damagedBlobs struct {
	count func(ctx context.Context) (int64, error)
	desc  *prometheus.Desc
}

func newDamagedBlobs(count func(ctx context.Context) (int64, error)) damagedBlobs {
	return damagedBlobs{count, prometheus.NewDesc("packhouse_blobs_damaged", "Blobs whose stored bytes were found damaged and not pushed again since.", nil, nil)}
}

// Describe implements prometheus.Collector.
func (d damagedBlobs) Describe(to chan<- *prometheus.Desc) { to <- d.desc }

// Collect implements prometheus.Collector.
func (d damagedBlobs) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), countTime)
	defer cancel()
	if n, err := d.count(ctx); err == nil {
		to <- prometheus.MustNewConstMetric(d.desc, prometheus.GaugeValue, float64(n))
	}
}
