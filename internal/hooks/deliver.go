package hooks

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

// Sender sends requests to addresses that users named. It reaches what it may
// alone, whatever a name leads to, gives up after a while, and follows no redirect.
type Sender interface {
	// Send sends r; insecure does not check the certificate of the receiver. An
	// *errs.Error says publicly why there was no answer; of any other error
	// nothing is told.
	Send(r *http.Request, insecure bool) (*http.Response, error)
}

// Deliverer sends deliveries. Safe for concurrent use; there is one in a process.
type Deliverer struct {
	Queue     Queue
	Directory Directory
	Sender    Sender
	Now       func() time.Time
	// Agent is the User-Agent.
	Agent string

	turns turns
}

// What a delivery may take.
const (
	// claim is how long an attempt keeps others away; it is over long before.
	claim = time.Minute
	// inARow is how many deliveries of one hook are sent before others have their turn.
	inARow = 20
	// lifetime is how long a delivery is tried, and patience how long a hook may
	// fail.
	lifetime = 24 * time.Hour
	patience = 7 * 24 * time.Hour
	// maxAnswer is how much of an answer is kept.
	maxAnswer = 4 << 10
)

// backoff is how long a delivery waits after each failed attempt; after the last
// one as long again.
func backoff() []time.Duration {
	return []time.Duration{
		10 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 6 * time.Hour,
	}
}

// Deliver sends a delivery, after those of the same hook that are due and came
// before it. It returns zero when the delivery is done with, sent or not, else how
// long to wait before it is called again. An error is no failure of the receiver:
// to be called again then is right.
func (d *Deliverer) Deliver(ctx context.Context, id int64) (time.Duration, error) {
	hook, next, err := d.Queue.PendingDelivery(ctx, id)
	if errs.Is(err, errs.NotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	if wait := next.Sub(d.Now()); wait > 0 {
		return wait, nil
	}
	if wait := d.turns.take(hook, d.Now()); wait > 0 {
		return wait, nil
	}
	silent := false
	defer func() { d.turns.give(hook, silent, d.Now()) }()
	for range inARow {
		first, err := d.Queue.DueDelivery(ctx, hook, d.Now())
		if err != nil || first == 0 {
			return busyWait, err
		}
		var wait time.Duration
		wait, silent, err = d.attempt(ctx, first)
		if err != nil || first == id {
			return wait, err
		}
		if silent {
			return firstRest, nil
		}
	}
	return busyWait, nil
}

// attempt sends one delivery and records what became of it. It returns how long
// until the next attempt, zero for none, and whether there was no answer.
func (d *Deliverer) attempt(ctx context.Context, id int64) (wait time.Duration, silent bool, err error) {
	now := d.Now()
	a, err := d.Queue.BeginAttempt(ctx, id, now, now.Add(claim))
	if errs.Is(err, errs.NotFound) {
		return busyWait, false, nil // another node was quicker
	}
	if err != nil {
		return 0, false, err
	}
	r := Result{ID: id, HookID: a.HookID, Attempt: a.Attempts, At: now}
	refused, err := d.refused(ctx, a)
	switch {
	case err != nil:
		return 0, false, err
	case refused != "":
		r.State, r.Error = Failed, refused
	default:
		d.send(ctx, a, &r)
		silent = r.StatusCode == 0
	}
	if ctx.Err() != nil && silent {
		return 0, false, ctx.Err() // this node stops: the claim ends by itself
	}
	r.settle(a)
	ctx = context.WithoutCancel(ctx)
	if err := d.Queue.EndAttempt(ctx, r); err != nil {
		return 0, false, err
	}
	if r.State == Delivered || refused != "" {
		return 0, false, nil
	}
	if r.State == Pending {
		wait = r.NextAt.Sub(now)
	}
	return wait, silent, d.giveUp(ctx, a.Hook, now)
}

// settle decides what follows of an answer.
func (r *Result) settle(a Attempt) {
	if r.State != "" {
		return
	}
	if r.StatusCode >= 200 && r.StatusCode < 300 {
		r.State = Delivered
		return
	}
	if r.Error == "" {
		r.Error = "the receiver answered " + strconv.Itoa(r.StatusCode)
	}
	steps := backoff()
	r.NextAt = r.At.Add(steps[min(max(a.Attempts, 1), len(steps))-1])
	r.State = Pending
	if r.NextAt.Sub(a.CreatedAt) > lifetime || r.StatusCode == http.StatusGone {
		r.State = Failed
	}
}

// refused says why a delivery is not sent at all. What was asked for by hand is
// sent to a hook that is not active, too.
func (d *Deliverer) refused(ctx context.Context, a Attempt) (string, error) {
	if !a.Hook.Active && a.Event != EventPing && !a.Redelivery {
		return "the hook is not active", nil
	}
	ok, err := stands(ctx, d.Directory, a.Hook)
	if err == nil && ok {
		ok, err = answererHears(ctx, d.Directory, a.Hook, packageIn(a.Payload))
		if err == nil && !ok {
			return "who made the hook, or changed it last, may not read the package", nil
		}
	}
	if err != nil || ok {
		return "", err
	}
	const why = "who made the hook, or changed it last, may not rule it any more; it is active again when somebody who may switches it on"
	return why, d.stop(ctx, a.Hook, StoppedAnswerer, "who answers for it lost the right")
}

// giveUp stops a hook that failed for days.
func (d *Deliverer) giveUp(ctx context.Context, h Hook, now time.Time) error {
	if h.FailingSince.IsZero() || now.Sub(h.FailingSince) < patience {
		return nil
	}
	return d.stop(ctx, h, StoppedFailing, "every delivery failed for 7 days")
}

func (d *Deliverer) stop(ctx context.Context, h Hook, reason StopReason, why string) error {
	detail := h.detail()
	detail["active"], detail["reason"] = false, why
	return d.Queue.StopHook(ctx, h.ID, reason, audit.Entry{
		At: d.Now(), Actor: audit.Server, Action: "hook.stop", Target: h.Target.String(), Detail: detail,
	})
}

// send sends the attempt and notes what came back.
func (d *Deliverer) send(ctx context.Context, a Attempt, r *Result) {
	req, err := request(ctx, a, d.Agent)
	if err != nil {
		r.Error = "the address cannot be used"
		return
	}
	r.RequestHeaders = headers(req.Header)
	started := d.Now()
	res, err := d.Sender.Send(req, a.Hook.InsecureSSL)
	if err == nil {
		var beginning []byte
		beginning, _ = io.ReadAll(io.LimitReader(res.Body, maxAnswer)) // what comes of it is enough
		_ = res.Body.Close()
		r.StatusCode, r.ResponseHeaders, r.ResponseBody = res.StatusCode, headers(res.Header), plain(string(beginning))
	} else {
		r.Error = "the receiver did not answer"
		if public, ok := errors.AsType[*errs.Error](err); ok {
			r.Error = public.Public
		}
	}
	r.Duration = d.Now().Sub(started)
}

// maxHeaders is how many headers of an answer are kept.
const maxHeaders = 64

func headers(h http.Header) map[string]string {
	kept := map[string]string{}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		if value := strings.Join(h[name], ", "); len(kept) < maxHeaders && len(value) <= maxAnswer {
			kept[name] = plain(value)
		}
	}
	return kept
}

// plain makes text what every database takes.
func plain(text string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(text, "\uFFFD"), "\x00", "\uFFFD")
}
