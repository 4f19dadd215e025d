package webtest

import (
	"context"

	"packhouse/internal/app"
)

// RunJobs works the jobs of the site until the test ends: hooks are told of
// events only while it does.
func (s *Site) RunJobs() {
	s.Helper()
	ctx, stop := context.WithCancel(context.WithoutCancel(s.Context()))
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.App.RunJobs(ctx, app.NewMetrics("test"))
	}()
	s.Cleanup(func() { stop(); <-done })
}
