package lifecycle

import (
	"context"
	"slices"
	"time"

	"packhouse/internal/blob"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// objectPage is how many locations are looked up at once.
const objectPage = 64

// objects looks for bytes that nothing on record leads to.
func (r *fsckRun) objects(ctx context.Context) error {
	walker, ok := r.Store.(blob.Walker)
	if !ok {
		return errs.New(errs.Unsupported, "the store cannot tell what it holds")
	}
	var page []blob.Published
	err := walker.Walk(ctx, func(p blob.Published) error {
		if page = append(page, p); len(page) < objectPage {
			return nil
		}
		defer func() { page = page[:0] }()
		return r.objectsPage(ctx, page)
	})
	if err != nil {
		return err
	}
	return r.objectsPage(ctx, page)
}

func (r *fsckRun) objectsPage(ctx context.Context, page []blob.Published) error {
	if len(page) == 0 {
		return nil
	}
	locations := make([]blob.Location, len(page))
	for i, p := range page {
		locations[i] = p.Location
	}
	known, err := r.Objects.RecordedLocations(ctx, locations)
	if err != nil {
		return err
	}
	for _, p := range page {
		if known[p.Location] {
			continue
		}
		if err := r.unrecorded(ctx, p); err != nil {
			return err
		}
	}
	r.report.Objects += int64(len(page))
	r.progress("objects", r.report.Objects)
	return nil
}

// unrecorded decides about bytes that nothing leads to: they are taken in where
// they are needed, else they are a stray once they are old enough.
func (r *fsckRun) unrecorded(ctx context.Context, p blob.Published) error {
	if r.Now().Sub(p.ModifiedAt) < r.Young {
		r.report.Fresh++
		return nil
	}
	f := Finding{Fault: Stray, Location: string(p.Location), Detail: "nothing on record leads to these bytes"}
	if !p.Digest.IsZero() {
		f.Digest = p.Digest.String()
	}
	if r.o.Repair {
		adopted, err := r.adopt(ctx, p)
		if err != nil {
			return err
		}
		if adopted != "" {
			f.Digest, f.Done, f.Mended = adopted, "taken in: versions need them", true
			r.tell(f)
			return nil
		}
	}
	if r.o.Repair && !r.o.KeepStrays {
		now := r.Now()
		trashed, err := r.Objects.TrashStray(ctx, p, now, now.Add(r.Trash))
		if err != nil {
			return err
		}
		if !trashed { // something leads to it by now
			return nil
		}
		f.Done, f.Mended = "put into the trash until "+now.Add(r.Trash).Format(time.RFC3339), true
	}
	r.tell(f)
	return nil
}

// adopt makes the bytes those of a blob that is wanted, and returns its digest;
// "" when they are no such bytes.
func (r *fsckRun) adopt(ctx context.Context, p blob.Published) (string, error) {
	for _, alg := range r.candidates(p) {
		d, err := r.hashOf(ctx, p, alg)
		if err != nil || d.IsZero() {
			return "", err
		}
		w := r.wanted[d.String()]
		if w == nil || w.adopted || w.size != p.Size {
			continue
		}
		now := r.Now()
		w.adopted, err = r.Objects.Adopt(ctx, Adoption{
			Digest: d, Size: p.Size, Location: p.Location, Broken: w.broken, Now: now, LeaseUntil: now.Add(r.Grace),
			Entry: r.entry("blob.adopt", d.String(), map[string]any{"location": string(p.Location), "size": p.Size}),
		})
		if err != nil || w.adopted {
			return d.String(), err
		}
	}
	return "", nil
}

// candidates are the algorithms by which the bytes may be wanted: none when no
// wanted blob has their size, or the digest that the store tells.
func (r *fsckRun) candidates(p blob.Published) []oci.Algorithm {
	if !p.Digest.IsZero() {
		if w := r.wanted[p.Digest.String()]; w == nil || w.size != p.Size {
			return nil
		}
		return []oci.Algorithm{p.Digest.Algorithm()}
	}
	var list []oci.Algorithm
	for text, w := range r.wanted {
		d, err := oci.ParseDigest(text)
		if err == nil && w.size == p.Size && !w.adopted && !slices.Contains(list, d.Algorithm()) {
			list = append(list, d.Algorithm())
		}
	}
	return list
}

// hashOf reads the bytes; a zero digest says that they are gone or cannot be read.
func (r *fsckRun) hashOf(ctx context.Context, p blob.Published, alg oci.Algorithm) (oci.Digest, error) {
	o, err := r.Store.Open(ctx, p.Location, p.Size)
	if err != nil {
		if errs.Is(err, errs.NotFound) || errs.Is(err, errs.Internal) {
			err = nil
		}
		return oci.Digest{}, err
	}
	defer o.Close()
	d, err := r.v.hash(ctx, o, alg)
	r.report.Bytes += p.Size
	if err != nil && ctx.Err() == nil && !errs.Is(err, errs.Unavailable) {
		return oci.Digest{}, nil
	}
	return d, err
}

// settle links what was taken in to the packages that need it, and tells what
// was kept back.
func (r *fsckRun) settle(ctx context.Context) error {
	for text, w := range r.wanted {
		if !w.adopted {
			continue
		}
		for i := range w.findings {
			f := &w.findings[i]
			if f.packageID != 0 {
				d, err := oci.ParseDigest(text)
				if err == nil {
					err = r.Manifests.LinkPart(ctx, f.packageID, d)
				}
				if err != nil {
					return err
				}
			}
			f.Done, f.Mended = "bytes of it were found in the store and taken in", true
		}
	}
	return r.tellWanted()
}

// tellWanted tells what was found about wanted blobs.
func (r *fsckRun) tellWanted() error {
	for _, text := range sortedKeys(r.wanted) {
		for _, f := range r.wanted[text].findings {
			r.tell(f)
		}
	}
	r.wanted = map[string]*want{}
	return nil
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
