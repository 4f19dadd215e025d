package lifecycle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"packhouse/internal/audit"
	"packhouse/internal/blob"
)

// Memory keeps texts by name, for all nodes.
type Memory interface {
	// Recall returns the text; "" when there is none.
	Recall(ctx context.Context, name string) (string, error)
	// Remember stores it. A loss of power may bring back the one before.
	Remember(ctx context.Context, name, text string) error
}

// ScrubNote is how far the scrub has come, as JSON.
const ScrubNote = "scrub.place"

// ScrubPlace is how far the scrub has come.
type ScrubPlace struct {
	// Began is when this pass over all blobs began.
	Began time.Time `json:"began"`
	// After is the last digest that was looked at; "" before the first.
	After string `json:"after"`
	// Blobs and Bytes were read in this pass, Damaged were found.
	Blobs   int64 `json:"blobs"`
	Bytes   int64 `json:"bytes"`
	Damaged int64 `json:"damaged"`
	// Finished is when the last whole pass ended; zero before the first.
	Finished time.Time `json:"finished"`
}

// Scrub reads every blob again and again and compares its hash with its digest,
// so that damage is found while a copy may still be somewhere, and not by a pull.
type Scrub struct {
	Rows   BlobRecords
	Memory Memory
	Store  blob.Store
	Pace   *Pace
	Now    func() time.Time
	// Period is how long one pass over all blobs takes, if the pace allows it.
	Period time.Duration
	// Found, which may be nil, is told of each damaged blob.
	Found func(Finding)
}

// scrubPage is how many blobs are looked at between two notes.
const scrubPage = 64

// errAhead ends a run that has come as far as it should have.
var errAhead = errors.New("the scrub is as far as it should be")

// Run reads on until the pass is as far as the time since it began demands. What
// it has read is noted, so that another run, on any node, goes on from there.
func (s *Scrub) Run(ctx context.Context) (ScrubPlace, error) {
	place, err := s.place(ctx)
	if err != nil {
		return place, err
	}
	for err == nil {
		err = s.page(ctx, &place)
	}
	if errors.Is(err, errAhead) {
		err = nil
	}
	return place, err
}

func (s *Scrub) place(ctx context.Context) (place ScrubPlace, err error) {
	text, err := s.Memory.Recall(ctx, ScrubNote)
	if err != nil {
		return place, err
	}
	if text == "" || json.Unmarshal([]byte(text), &place) != nil || place.Began.After(s.Now()) {
		place = ScrubPlace{Began: s.Now()}
	}
	return place, nil
}

func (s *Scrub) note(ctx context.Context, place ScrubPlace) error {
	text, err := json.Marshal(place)
	if err != nil {
		return err
	}
	return s.Memory.Remember(ctx, ScrubNote, string(text))
}

// due is the text of the digest that this pass should have come to by now. Hashes
// are spread evenly, so their order is a measure of how many there are.
func (s *Scrub) due(place ScrubPlace) string {
	part := float64(s.Now().Sub(place.Began)) / float64(s.Period)
	if part >= 1 {
		return "~" // after every digest
	}
	return fmt.Sprintf("sha256:%08x", uint32(part*(1<<32)))
}

// page looks at the next blobs.
func (s *Scrub) page(ctx context.Context, place *ScrubPlace) error {
	page, err := s.Rows.BlobsAfter(ctx, place.After, scrubPage)
	if err != nil {
		return err
	}
	due := s.due(*place)
	if len(page) == 0 {
		if due != "~" { // the pass is done and the next not due
			return errAhead
		}
		now := s.Now()
		*place = ScrubPlace{Began: now, Finished: now}
		return errors.Join(s.note(ctx, *place), errAhead)
	}
	whole, ahead, err := s.read(ctx, page, due, place)
	keep := context.WithoutCancel(ctx) // also what was read before a stop
	if markErr := s.Rows.MarkVerified(keep, whole, s.Now()); markErr != nil {
		return errors.Join(err, markErr)
	}
	if err = errors.Join(err, s.note(keep, *place)); err == nil && ahead {
		err = errAhead
	}
	return err
}

// read looks at the blobs up to the digest due, and returns those that are whole.
func (s *Scrub) read(ctx context.Context, page []BlobRecord, due string, place *ScrubPlace) (whole []BlobRecord, ahead bool, err error) {
	v := verifier{rows: s.Rows, blobs: s.Store, pace: s.Pace}
	for _, b := range page {
		if b.Digest.String() > due {
			return whole, true, nil
		}
		judged, found, ok, err := v.check(ctx, b, true)
		if err != nil {
			return whole, false, err
		}
		switch {
		case ok && found.fault == "":
			whole = append(whole, judged)
		case ok && !judged.Suspect:
			place.Damaged++
			if err := s.suspect(ctx, judged, found); err != nil {
				return whole, false, err
			}
		}
		place.After = b.Digest.String()
		place.Blobs++
		place.Bytes += b.Size
	}
	return whole, false, nil
}

// suspect has a damaged blob served no more.
func (s *Scrub) suspect(ctx context.Context, b BlobRecord, v verdict) error {
	f := Finding{Fault: v.fault, Digest: b.Digest.String(), Location: string(b.Location), Detail: v.detail, Done: "marked: a push of it repairs it"}
	marked, err := s.Rows.MarkSuspect(ctx, b, audit.Entry{
		At: s.Now(), Actor: audit.Server, Action: "blob.suspect", Target: f.Digest,
		Detail: map[string]any{"fault": string(v.fault), "detail": v.detail, "location": f.Location, "size": b.Size},
	})
	if marked && s.Found != nil {
		s.Found(f)
	}
	return err
}
