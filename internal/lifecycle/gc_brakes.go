package lifecycle

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

// The brakes. What has been removed cannot be promised back, so a collector that
// finds anything odd does nothing and says so.
const (
	// A clock may differ between nodes and be set right by this much.
	clockBack = 5 * time.Minute
	// freeShare is how much may go in one round however large a share it is.
	freeShare = 10 << 30
	// markEvery is how often the mark rises when nothing is removed.
	markEvery = time.Hour
)

// brakes looks whether anything stands in the way, and tells r.
func (c *Collector) brakes(ctx context.Context, now time.Time, r *Round) (Notes, error) {
	notes, err := c.Ledger.Notes(ctx)
	if err != nil {
		return nil, err
	}
	if notes, err = c.checkMark(ctx, now, notes); err != nil {
		return nil, err
	}
	r.Quarantine = notes.Quarantine()
	if !r.Quarantine.After(now) {
		r.Quarantine = time.Time{}
	}
	if r.Stopped, err = c.standing(ctx, now, notes); err != nil || r.Stopped != nil {
		return notes, err
	}
	if text := c.clockJump(now, notes); text != "" {
		// Leases are twice as long as needed, so a clock that is wrong by less
		// than half of one breaks no promise; after one more lease all that was
		// promised by the other clock is over.
		err = c.stop(ctx, r, Stop{ClockJumped, text, now, now.Add(c.Times.Grace)})
	}
	return notes, err
}

// standing returns the stop that holds; one whose time is over is forgotten.
func (c *Collector) standing(ctx context.Context, now time.Time, notes Notes) (*Stop, error) {
	s, err := notes.stop()
	if err != nil || s == nil || s.Until.IsZero() || s.Until.After(now) {
		return s, err
	}
	c.Log.WarnContext(ctx, "garbage collection goes on", "reason", string(s.Reason))
	return nil, c.Ledger.Note(ctx, Notes{StopNote: ""})
}

func (n Notes) stop() (*Stop, error) {
	if n[StopNote] == "" {
		return nil, nil
	}
	var s Stop
	if err := json.Unmarshal([]byte(n[StopNote]), &s); err != nil {
		return nil, fmt.Errorf("the note %s: %w", StopNote, err)
	}
	return &s, nil
}

// stop holds everything up from now on, on all nodes.
func (c *Collector) stop(ctx context.Context, r *Round, s Stop) error {
	r.Stopped = &s
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	c.Log.ErrorContext(ctx, "garbage collection stopped; packhouse gc resume lets it go on",
		"reason", string(s.Reason), "why", s.Text, "until", s.Until)
	return c.Ledger.Note(ctx, Notes{StopNote: string(text)})
}

// clockJump says how far the clock is from where it was in the last round, "" for
// what can be.
func (c *Collector) clockJump(now time.Time, notes Notes) string {
	last, err := notes.last()
	if err != nil || last.At.IsZero() {
		return ""
	}
	passed := now.Round(0).Sub(last.At)
	switch {
	case passed < -clockBack:
		return fmt.Sprintf("the clock went back by %s since the last round", (-passed).Round(time.Second))
	case passed > max(c.Times.Grace/2, time.Hour):
		return fmt.Sprintf("the last round was %s ago: the server stood still, or its clock is wrong", passed.Round(time.Second))
	}
	return ""
}

func (n Notes) last() (Round, error) {
	var r Round
	if n[LastNote] == "" {
		return r, nil
	}
	err := json.Unmarshal([]byte(n[LastNote]), &r)
	return r, err
}

func (c *Collector) noteLast(ctx context.Context, r Round) error {
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return c.Ledger.Note(ctx, Notes{LastNote: string(text)})
}

// checkShare stops a round that would condemn more than it seems right.
func (c *Collector) checkShare(ctx context.Context, now time.Time, notes Notes, r *Round) error {
	if notes[AcceptNote] != "" {
		return c.Ledger.Note(ctx, Notes{AcceptNote: ""})
	}
	due, err := c.Garbage.Due(ctx, now, c.Times)
	if err != nil || due.Condemn.Bytes <= freeShare {
		return err
	}
	all, err := c.Ledger.Stored(ctx)
	if err != nil || float64(due.Condemn.Bytes) <= c.MaxShare*float64(all.Bytes) {
		return err
	}
	return c.stop(ctx, r, Stop{Reason: TooMuch, At: now, Text: fmt.Sprintf("%d blobs with %d of all %d bytes would go in one round",
		due.Condemn.Blobs, due.Condemn.Bytes, all.Bytes)})
}

// checkMark compares the mark in the database with the one beside the bytes. The
// blob store's is read first: the database's is raised before it, so one that is behind was restored from a backup,
// and rows may be missing whose bytes are there.
func (c *Collector) checkMark(ctx context.Context, now time.Time, notes Notes) (Notes, error) {
	if c.Marker == nil {
		return notes, nil
	}
	text, err := c.Marker.Mark(ctx)
	if err != nil {
		return nil, err
	}
	if notes, err = c.Ledger.Notes(ctx); err != nil {
		return nil, err
	}
	instance, beside := cutMark(text)
	own, _ := strconv.ParseInt(notes[MarkNote], 10, 64)
	if text == "" || instance == notes[InstanceNote] && beside <= own {
		if c.marked.After(now) || now.Sub(c.marked) >= markEvery {
			err = c.raiseMark(ctx, now, 0)
		}
		return notes, err
	}
	until := now.Add(max(c.Times.Trash, c.Times.Grace))
	if held := notes.Quarantine(); held.After(until) {
		until = held
	}
	c.Log.ErrorContext(ctx, "the database is older than the stored blobs: it was restored from a backup, or is another one; nothing is removed for good for a while",
		"mark", own, "mark of the blobs", beside, "until", until)
	// The quarantine comes first: the marks agree once they are raised.
	if err := c.Ledger.Note(ctx, QuarantineUntil(until)); err != nil {
		return nil, err
	}
	if err := c.raiseMark(ctx, now, beside+1); err != nil {
		return nil, err
	}
	return c.Ledger.Notes(ctx)
}

// raiseMark raises both marks, to least at least, the database's first.
func (c *Collector) raiseMark(ctx context.Context, now time.Time, least int64) error {
	if c.Marker == nil {
		return nil
	}
	instance, mark, err := c.Ledger.RaiseMark(ctx, rand.Text(), least)
	if err != nil {
		return err
	}
	if err := c.Marker.SetMark(ctx, instance+" "+strconv.FormatInt(mark, 10)); err != nil {
		return err
	}
	c.marked = now
	return nil
}

func cutMark(text string) (instance string, mark int64) {
	instance, number, _ := strings.Cut(strings.TrimSpace(text), " ")
	mark, _ = strconv.ParseInt(number, 10, 64)
	return instance, mark
}

// Resume ends a stop and a quarantine, and lets the next round condemn any
// amount. It records that by did so, and returns what it ended; nothing to end is NotFound.
func (c *Collector) Resume(ctx context.Context, by audit.Actor) (*Stop, time.Time, error) {
	notes, err := c.Ledger.Notes(ctx)
	if err != nil {
		return nil, time.Time{}, err
	}
	stop, err := notes.stop()
	if err != nil {
		return nil, time.Time{}, err
	}
	quarantine := notes.Quarantine()
	if !quarantine.After(c.Now()) {
		quarantine = time.Time{}
	}
	if stop == nil && quarantine.IsZero() {
		return nil, time.Time{}, errs.New(errs.NotFound, "nothing holds up garbage collection")
	}
	change := Notes{StopNote: "", QuarantineNote: ""}
	did := audit.Entry{At: c.Now(), Actor: by, Action: "gc.resume", Target: "site", Detail: map[string]any{"quarantine": !quarantine.IsZero()}}
	if stop != nil {
		did.Detail["stop"] = stop.Text
		if stop.Reason == TooMuch {
			change[AcceptNote] = "1"
		}
	}
	return stop, quarantine, c.Ledger.Note(ctx, change, did)
}
