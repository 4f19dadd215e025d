package app

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"packhouse/internal/jobs"
)

// jobMeasures counts what the node did of the queue.
type jobMeasures struct {
	ended   *prometheus.CounterVec
	seconds *prometheus.HistogramVec
}

func newJobMeasures(r prometheus.Registerer) jobMeasures {
	m := jobMeasures{
		ended: counter("packhouse_jobs_attempts_total", "Attempts at jobs that ended on this node.", "kind", "outcome"),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "packhouse_jobs_attempt_duration_seconds", Help: "Time that attempts at jobs took.", Buckets: durations,
		}, []string{"kind"}),
	}
	r.MustRegister(m.ended, m.seconds)
	return m
}

// observeJob counts an attempt at a job: completed, put off, to be tried again, or
// failed for good.
func (m *Metrics) observeJob(kind string, e jobs.End, took time.Duration) {
	outcome := string(e.State)
	switch {
	case e.Uncounted:
		outcome = "later"
	case e.State == jobs.Available:
		outcome = "retried"
	}
	m.jobs.ended.WithLabelValues(kind, outcome).Inc()
	m.jobs.seconds.WithLabelValues(kind).Observe(took.Seconds())
}

// waitingJobs is a gauge of the whole queue, which is counted when it is asked for.
type waitingJobs struct {
	count func(ctx context.Context) (map[string]int64, error)
	desc  *prometheus.Desc
}

// countTime is how long a count may take before the gauge is left out.
const countTime = 5 * time.Second

func newWaitingJobs(count func(ctx context.Context) (map[string]int64, error)) waitingJobs {
	return waitingJobs{count, prometheus.NewDesc("packhouse_jobs_waiting", "Jobs that wait in the queue, of all nodes.", []string{"kind"}, nil)}
}

// Describe implements prometheus.Collector.
func (w waitingJobs) Describe(to chan<- *prometheus.Desc) { to <- w.desc }

// Collect implements prometheus.Collector.
func (w waitingJobs) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), countTime)
	defer cancel()
	counts, err := w.count(ctx)
	if err != nil {
		return // the database's own health is seen elsewhere
	}
	for kind, n := range counts {
		to <- prometheus.MustNewConstMetric(w.desc, prometheus.GaugeValue, float64(n), kind)
	}
}
