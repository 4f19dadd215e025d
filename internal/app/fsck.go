package app

import (
	"context"
	"time"

	"packhouse/internal/audit"
	"packhouse/internal/config"
	"packhouse/internal/lifecycle"
)

// What a check tells, for commands.
type (
	Finding      = lifecycle.Finding
	FsckReport   = lifecycle.FsckReport
	FsckProgress = lifecycle.FsckProgress
)

// FsckOptions says what Fsck does.
type FsckOptions struct {
	// ReadData is how many of a hundred blobs are read and hashed.
	ReadData int
	Repair   bool
	// Rate is how many bytes a second are read at most; 0 is any number.
	Rate int64
	// Found is told of each finding, Progress of how far it has come.
	Found    func(Finding)
	Progress func(FsckProgress)
}

// Fsck compares rows with bytes, both ways, and rows with rows, beside a running
// server or without one.
func Fsck(ctx context.Context, cfg *config.Config, o FsckOptions) (report FsckReport, err error) {
	err = administer(ctx, cfg, func(a *App) error {
		blobs, err := openBlobs(ctx, cfg)
		if err != nil {
			return err
		}
		f := newFsck(cfg, a.Store, blobs)
		f.Pace, f.Actor = lifecycle.NewPace(o.Rate, time.Now), audit.Operator
		f.Found, f.Progress = o.Found, o.Progress
		report, err = f.Run(ctx, lifecycle.FsckOptions{ReadData: o.ReadData, Repair: o.Repair})
		return err
	})
	return report, err
}
