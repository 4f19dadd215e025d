package lifecycle

import (
	"context"
	"errors"
	"fmt"

	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

// Daily is what one run of the automatic policies did.
type Daily struct {
	Policies int   `json:"policies"`
	Versions int   `json:"versions"`
	Bytes    int64 `json:"bytes"`
	Failed   int   `json:"failed"`
}

// RunDaily plans and applies every automatic policy, and forgets old plans. A
// policy that fails does not stop the others; the errors are joined. To run it
// twice is harmless: what is gone is not planned again.
func (r *Retention) RunDaily(ctx context.Context) (Daily, error) {
	var d Daily
	var failed error
	for after := int64(0); ; {
		list, last, err := r.Policies.AutomaticPolicies(ctx, after, batch)
		if err != nil {
			return d, errors.Join(failed, err)
		}
		if len(list) == 0 {
			return d, errors.Join(failed, r.sweep(ctx))
		}
		after = last
		for _, p := range list {
			err := r.runPolicy(ctx, p, &d)
			if ctx.Err() != nil {
				return d, ctx.Err()
			}
			if err != nil {
				d.Failed++
				failed = errors.Join(failed, fmt.Errorf("policy of account %d, package %d: %w", p.OwnerID, p.PackageID, err))
			}
		}
	}
}

// maxRounds bounds the plans of one policy in one run.
const maxRounds = 100

// runPolicy plans and applies until nothing is left. A plan that a push made
// unfit is made again, once.
func (r *Retention) runPolicy(ctx context.Context, policy Policy, d *Daily) error {
	d.Policies++
	at := site{ownerID: policy.OwnerID, packageID: policy.PackageID}
	for unfit, round := false, 0; round < maxRounds; round++ {
		p, err := r.plan(ctx, 0, at, policy.Rules)
		if err != nil || p.Versions == 0 {
			return err
		}
		_, err = r.apply(ctx, p, Change{Entry: audit.Entry{At: r.Now(), Actor: audit.Server, Action: "retention.apply"}})
		if errs.Is(err, errs.Conflict) && !unfit {
			unfit = true
			continue
		}
		if err != nil {
			return err
		}
		d.Versions += p.Versions
		d.Bytes += p.Bytes
		if !p.More {
			return nil
		}
	}
	return nil
}

func (r *Retention) sweep(ctx context.Context) error {
	now := r.Now()
	for {
		n, err := r.Ends.SweepPlans(ctx, now.Add(-PlanLife), now.Add(-planRecord-r.RestoreWindow), batch)
		if err != nil || n < batch {
			return err
		}
	}
}
