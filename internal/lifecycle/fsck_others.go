package lifecycle

import "context"

// tagPage is how many ids are looked at in one query.
const tagPage = 1000

// tags checks that every open tag leads to a present version.
func (r *fsckRun) tags(ctx context.Context) error {
	last, err := r.Manifests.LastTag(ctx)
	if err != nil {
		return err
	}
	for from := int64(0); from < last; from += tagPage {
		if err := r.Pace.Spend(ctx, lookCost); err != nil {
			return err
		}
		list, err := r.Others.DanglingTags(ctx, from, from+tagPage)
		if err != nil {
			return err
		}
		for _, f := range list {
			r.tell(f)
		}
		r.report.Tags = min(from+tagPage, last)
		r.progress("tags", r.report.Tags)
	}
	return nil
}

// sums compares counters with what they count.
func (r *fsckRun) sums(ctx context.Context) error {
	for from := int64(0); ; {
		if err := r.Pace.Spend(ctx, lookCost); err != nil {
			return err
		}
		list, last, err := r.Others.WrongSums(ctx, from, 100)
		if err != nil {
			return err
		}
		for _, f := range list {
			if r.o.Repair {
				if err := r.Others.MendSums(ctx, f.packageID); err != nil {
					return err
				}
				f.Done, f.Mended = "counted anew", true
			}
			r.tell(f)
		}
		if last == 0 {
			return nil
		}
		from = last
		r.progress("sums", from)
	}
}

// reviews finds what garbage collection would never look at.
func (r *fsckRun) reviews(ctx context.Context) error {
	seen := int64(0)
	for after := ""; ; {
		if err := r.Pace.Spend(ctx, lookCost); err != nil {
			return err
		}
		page, err := r.Blobs.BlobsAfter(ctx, after, blobPage)
		if err != nil || len(page) == 0 {
			return err
		}
		to := page[len(page)-1].Digest.String()
		missing, err := r.Others.MissingReviews(ctx, after, to)
		if err != nil {
			return err
		}
		if len(missing) > 0 && r.o.Repair {
			if err := r.Others.SetReview(ctx, missing, r.Now()); err != nil {
				return err
			}
		}
		for _, d := range missing {
			r.tell(Finding{Fault: ReviewMissing, Digest: d, Detail: "nothing needs it, and garbage collection would never see it",
				Done: done(r.o.Repair, "it will be looked at"), Mended: r.o.Repair})
		}
		after = to
		seen += int64(len(page))
		r.progress("reviews", seen)
	}
}

// FindingOf returns a finding about a package.
func FindingOf(fault Fault, packageID int64, name, digest, detail string) Finding {
	return Finding{Fault: fault, Digest: digest, Package: name, Detail: detail, packageID: packageID}
}
