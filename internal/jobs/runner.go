package jobs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Kind is how the jobs of one kind are worked.
type Kind struct {
	Work Worker
	// Parallel is how many run at the same time on one node; zero is 1.
	Parallel int
	// Retry returns how long a job waits after a failure; random is in [0,1).
	// Nil is Backoff.
	Retry func(j Job, random float64) time.Duration
}

// Options is what a Runner is built from. Store, Now and Node must be set.
type Options struct {
	Store    Store
	Calendar Calendar // may be nil without Schedules
	Kinds    map[string]Kind
	// Schedules are those of all nodes.
	Schedules []Schedule
	Now       func() time.Time
	// Random spreads retries: numbers in [0,1), called from several goroutines.
	// Nil does not spread.
	Random func() float64
	// Node names this process, and no other that ever ran.
	Node string
	// Log hears of failures; nil discards.
	Log *slog.Logger
	// Observe, which may be nil, hears of every attempt that ended.
	Observe func(kind string, e End, took time.Duration)
	// Poll is how often due jobs are looked for; zero is a second.
	Poll time.Duration
	// Lease is how long a job is a node's without a sign of life; zero is a
	// minute. The clocks of the nodes may differ by a third of it.
	Lease time.Duration
	// Patience is how long running jobs have after a stop; zero is none.
	Patience time.Duration
}

// Runner works the jobs of a queue, as one of any number of nodes. It takes only
// the kinds that it knows.
type Runner struct {
	Options
	wake    chan struct{}
	running sync.WaitGroup
	// planned and failing are the loop's own.
	planned, failing bool

	mu       sync.Mutex
	attempts map[Held]*attempt
	busy     map[string]int // attempts by kind
}

// attempt is one job that is being worked.
type attempt struct {
	job    Job
	cancel context.CancelCauseFunc
	until  time.Time // of the lease
}

// The causes for which the context of a worker ends.
var (
	errLost     = errors.New("the job is another's now, or was cancelled")
	errStopping = errors.New("this node stops")
)

// New returns a Runner that does nothing before Run.
func New(o Options) *Runner {
	if o.Poll == 0 {
		o.Poll = time.Second
	}
	if o.Lease == 0 {
		o.Lease = time.Minute
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Random == nil {
		o.Random = func() float64 { return 0.5 }
	}
	return &Runner{Options: o, wake: make(chan struct{}, 1), attempts: map[Held]*attempt{}, busy: map[string]int{}}
}

// Wake has the Runner look for due jobs at once. It never waits.
func (r *Runner) Wake() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// Run works jobs until ctx ends. Then it takes no more, gives those that run
// Patience to end, ends their contexts, and gives back what was not finished.
// Run is called once.
func (r *Runner) Run(ctx context.Context) {
	working, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	beating, calm := context.WithCancel(context.WithoutCancel(ctx))
	var heart sync.WaitGroup
	heart.Go(func() { r.heartbeat(beating) })
	defer func() { calm(); heart.Wait() }()
	look := time.NewTicker(r.Poll)
	defer look.Stop()
	for ctx.Err() == nil {
		r.look(ctx, working)
		select {
		case <-ctx.Done():
		case <-look.C:
		case <-r.wake:
		}
	}
	r.stop(cancel)
}

// look is poll that logs where failures begin and end.
func (r *Runner) look(ctx, working context.Context) {
	err := r.poll(ctx, working)
	switch {
	case ctx.Err() != nil:
	case err != nil && !r.failing:
		r.Log.ErrorContext(ctx, "looking for jobs failed; it will be tried every "+r.Poll.String(), "error", err)
	case err == nil && r.failing:
		r.Log.InfoContext(ctx, "looking for jobs works again")
	}
	r.failing = err != nil
}

// lastWords is how long workers that were told to stop may go on. What they hold
// after that is free when its lease is over.
const lastWords = 5 * time.Second

func (r *Runner) stop(cancel context.CancelCauseFunc) {
	idle := make(chan struct{})
	go func() { defer close(idle); r.running.Wait() }()
	if wait(idle, r.Patience) {
		return
	}
	cancel(errStopping)
	if !wait(idle, lastWords) {
		r.Log.Warn("some jobs did not stop; other nodes take them when their lease is over")
	}
}

// wait reports whether done was closed within d.
func wait(done <-chan struct{}, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-done:
		return true
	case <-t.C:
		return false
	}
}

// poll looks for what is due and starts what there is room for, whose contexts
// are below working.
func (r *Runner) poll(ctx, working context.Context) error {
	if err := r.plan(ctx); err != nil {
		return err
	}
	due, err := r.Store.DueJobs(ctx, r.Now())
	if err != nil {
		return err
	}
	if due.Expired {
		n, err := r.Store.RecoverJobs(ctx, r.Now())
		if err != nil {
			return err
		}
		r.Log.WarnContext(ctx, "jobs are taken from nodes that gave no sign of life", "count", n)
		r.Wake()
	}
	if err := r.insertDue(ctx, due.Work); err != nil {
		return err
	}
	for _, line := range due.Lines {
		if err := r.start(ctx, working, line); err != nil {
			return err
		}
	}
	return nil
}

// start takes as many jobs of a line as there is room for.
func (r *Runner) start(ctx, working context.Context, l Line) error {
	kind, known := r.Kinds[l.Kind]
	room := max(kind.Parallel, 1) - r.at(l.Kind)
	if !known || room <= 0 {
		return nil
	}
	now := r.Now()
	until := now.Add(r.Lease)
	list, err := r.take(ctx, l, room, now, until)
	if err != nil {
		return fmt.Errorf("starting jobs: %w", err)
	}
	for _, j := range list {
		ctx, cancel := context.WithCancelCause(working)
		a := &attempt{job: j, cancel: cancel, until: until}
		r.mu.Lock()
		r.attempts[j.held()] = a
		r.busy[j.Kind]++
		r.mu.Unlock()
		r.running.Go(func() {
			defer cancel(nil)
			r.work(ctx, kind, a)
		})
	}
	return nil
}

// take is not cut short by a stop, which would leave jobs to nobody until their
// lease is over.
func (r *Runner) take(ctx context.Context, l Line, n int, now, until time.Time) ([]Job, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastWords)
	defer cancel()
	return r.Store.StartJobs(ctx, l, n, r.Node, now, until)
}

// at returns how many jobs of a kind are being worked.
func (r *Runner) at(kind string) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.busy[kind]
}

// leave makes room for another job.
func (r *Runner) leave(a *attempt) {
	r.mu.Lock()
	delete(r.attempts, a.job.held())
	r.busy[a.job.Kind]--
	r.mu.Unlock()
	r.Wake()
}
