package lifecycle

import (
	"context"
	"errors"
	"hash/fnv"
	"time"

	"packhouse/internal/audit"
	"packhouse/internal/blob"
	"packhouse/internal/errs"
)

// FsckOptions says what is checked and what is done about it.
type FsckOptions struct {
	// Light leaves out what only hashing or reading many rows shows: it looks at
	// sizes, at what versions need, and at strays.
	Light bool
	// ReadData is how many of a hundred blobs are read and hashed; the same ones
	// each time.
	ReadData int
	// Repair mends what can be mended without deleting anything: bytes that are
	// needed are adopted, damaged blobs are marked so that a push replaces them,
	// strays go to the trash, edges, links, sums and reviews are made right.
	Repair bool
	// Cautious stops when so much seems lost that the store itself must be the
	// wrong one, before a push would have to bring everything again.
	Cautious bool
	// KeepStrays leaves them where they are.
	KeepStrays bool
}

// FsckReport is what a check came to.
type FsckReport struct {
	Blobs     int64 `json:"blobs"`
	Bytes     int64 `json:"bytes"` // that were read
	Objects   int64 `json:"objects"`
	Manifests int64 `json:"manifests"`
	Versions  int64 `json:"versions"`
	Tags      int64 `json:"tags"`
	// Fresh are bytes that nothing leads to and that an upload may be about to
	// put on record.
	Fresh int64 `json:"fresh"`
	// Found counts findings, Left those that are still wrong.
	Found int64 `json:"found"`
	Left  int64 `json:"left"`
}

// FsckProgress is how far a check has come.
type FsckProgress struct {
	// Phase is what is looked at: manifests, blobs, versions, objects, tags,
	// sums or reviews.
	Phase string
	// Done is how many of them were.
	Done int64
}

// Fsck compares rows with bytes, both ways, and rows with rows. Everything may go
// on meanwhile: what changes while it is looked at is looked at again.
type Fsck struct {
	Blobs     BlobRecords
	Objects   ObjectRecords
	Trashed   TrashRecords
	Manifests ManifestRecords
	Others    OtherRecords
	Store     blob.Store
	Pace      *Pace // nil: as fast as it goes
	Now       func() time.Time
	// Young is how old a stray must be: longer than any upload lives.
	Young time.Duration
	// Trash is how long strays stay in the trash.
	Trash time.Duration
	// Grace is how long an adopted blob is promised.
	Grace time.Duration
	// Actor is who the record of changes names.
	Actor audit.Actor
	// Found, which may be nil, is told of each finding; Progress too, of pages.
	Found    func(Finding)
	Progress func(FsckProgress)
}

// maxWanted bounds the blobs whose bytes are looked for among the strays in one
// run; what is more is found in the next.
const maxWanted = 100_000

// fsckRun is one run.
type fsckRun struct {
	*Fsck
	o      FsckOptions
	v      verifier
	report FsckReport
	// wanted are blobs that are needed and have no whole bytes, with what was
	// found about them, which is told once it is known whether they were found.
	wanted map[string]*want
	parsed parsedManifest
}

// want is one of them.
type want struct {
	size     int64
	broken   blob.Location // where its bytes should be
	findings []Finding
	adopted  bool
}

// Run checks. An error says that the check did not come to its end; the report
// counts what it saw.
func (f *Fsck) Run(ctx context.Context, o FsckOptions) (FsckReport, error) {
	r := &fsckRun{Fsck: f, o: o, wanted: map[string]*want{}, v: verifier{rows: f.Blobs, blobs: f.Store, pace: f.Pace}}
	phases := []func(context.Context) error{r.manifests, r.blobs, r.versions, r.objects, r.settle, r.tags, r.sums, r.reviews}
	if o.Light {
		phases = []func(context.Context) error{r.blobs, r.versions, r.objects, r.settle}
	}
	for _, phase := range phases {
		if err := phase(ctx); err != nil {
			return r.report, errors.Join(err, r.tellWanted())
		}
	}
	return r.report, nil
}

// tell counts a finding and passes it on.
func (r *fsckRun) tell(f Finding) {
	r.report.Found++
	if !f.Mended {
		r.report.Left++
	}
	if r.Found != nil {
		r.Found(f)
	}
}

func (r *fsckRun) progress(phase string, done int64) {
	if r.Progress != nil {
		r.Progress(FsckProgress{phase, done})
	}
}

func (r *fsckRun) entry(action, target string, detail map[string]any) audit.Entry {
	return audit.Entry{At: r.Now(), Actor: r.Actor, Action: action, Target: target, Detail: detail}
}

// want keeps a finding about a blob back until the strays were looked at.
func (r *fsckRun) want(f Finding, size int64, broken blob.Location) {
	w := r.wanted[f.Digest]
	if w == nil {
		if len(r.wanted) >= maxWanted {
			r.tell(f)
			return
		}
		w = &want{size: size, broken: broken}
		r.wanted[f.Digest] = w
	}
	w.findings = append(w.findings, f)
}

const blobPage = 200

// blobs looks at the bytes of every blob that is on record.
func (r *fsckRun) blobs(ctx context.Context) error {
	var outside, broken int64
	for after := ""; ; {
		page, err := r.Blobs.BlobsAfter(ctx, after, blobPage)
		if err != nil || len(page) == 0 {
			return err
		}
		after = page[len(page)-1].Digest.String()
		var faulty []BlobRecord
		var found []verdict
		for _, b := range page {
			if b.Location != "" {
				outside++
			}
			judged, v, ok, err := r.checkBlob(ctx, b)
			if err != nil {
				return err
			}
			if !ok || v.fault == "" {
				continue
			}
			faulty, found = append(faulty, judged), append(found, v)
			if judged.Location != "" && !judged.Suspect {
				broken++
			}
		}
		if r.o.Cautious && broken >= 100 && broken*5 > outside {
			return errs.New(errs.Unavailable, "the bytes of %d of %d blobs are missing or damaged: this may not be the store that they are in. "+
				"Nothing more was marked; see to the store, or run packhouse fsck --repair", broken, outside)
		}
		for i, b := range faulty {
			if err := r.faulty(ctx, b, found[i]); err != nil {
				return err
			}
		}
		r.report.Blobs += int64(len(page))
		r.progress("blobs", r.report.Blobs)
	}
}

// checkBlob looks at one blob. One that was suspect is read: it may be whole.
func (r *fsckRun) checkBlob(ctx context.Context, b BlobRecord) (BlobRecord, verdict, bool, error) {
	read := r.o.ReadData > 0 && share(b.Digest.String()) < r.o.ReadData || b.Suspect && r.o.Repair
	judged, v, ok, err := r.v.check(ctx, b, read)
	if read {
		r.report.Bytes += b.Size
	}
	switch {
	case err != nil || !ok:
		return judged, v, ok, err
	case v.fault != "":
		return judged, v, true, nil
	case judged.Suspect && !read:
		return judged, verdict{BlobDamaged, "its bytes were found damaged before"}, true, nil
	case judged.Suspect:
		if r.o.Repair {
			err = r.Blobs.MarkVerified(ctx, []BlobRecord{judged}, r.Now())
		}
		r.tell(Finding{Fault: BlobDamaged, Digest: judged.Digest.String(), Location: string(judged.Location),
			Detail: "it is marked as damaged, and its bytes are whole", Done: done(r.o.Repair, "served again"), Mended: r.o.Repair})
	}
	return judged, v, true, err
}

// share puts a text into one of a hundred classes.
func share(s string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(s)) // never fails
	return int(h.Sum32() % 100)
}

// faulty marks a blob that is damaged or gone.
func (r *fsckRun) faulty(ctx context.Context, b BlobRecord, v verdict) error {
	f := Finding{Fault: v.fault, Digest: b.Digest.String(), Location: string(b.Location), Detail: v.detail}
	if r.o.Repair {
		_, err := r.Blobs.MarkSuspect(ctx, b, r.entry("blob.suspect", b.Digest.String(), map[string]any{
			"fault": string(v.fault), "detail": v.detail, "location": string(b.Location), "size": b.Size,
		}))
		if err != nil {
			return err
		}
		f.Done = "marked: a push of it repairs it"
	}
	r.want(f, b.Size, b.Location)
	return nil
}

func done(did bool, what string) string {
	if did {
		return what
	}
	return ""
}
