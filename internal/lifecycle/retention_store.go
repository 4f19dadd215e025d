package lifecycle

import (
	"context"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
)

// Policy is rules that belong to a package, or to an account for all its packages
// that have none of their own.
type Policy struct {
	OwnerID   int64
	PackageID int64 // zero for one of an account
	Rules     Rules
	// Automatic has the rules applied every day.
	Automatic            bool
	CreatedAt, UpdatedAt time.Time
}

// PlanState is where a plan stands.
type PlanState string

// The states.
const (
	Planned PlanState = "planned"
	Applied PlanState = "applied"
	Undone  PlanState = "undone"
	Refused PlanState = "refused" // it no longer fitted what was there
)

// Plan is what rules delete, as it was when the plan was made.
type Plan struct {
	ID        int64
	OwnerID   int64
	PackageID int64 // zero for one of an account
	Rules     Rules
	State     PlanState
	Versions  int
	// Bytes are those that come back once the time for undoing is over.
	Bytes int64
	// More is set when the rules choose more than one plan takes.
	More      bool
	CreatedAt time.Time
	CreatedBy int64     // Principal.ID
	AppliedAt time.Time // zero before
	AppliedBy int64     // Principal.ID; zero before, and for the daily run
	UndoneAt  time.Time // zero before
	// Kept is what stays although a rule of Delete chooses it.
	Kept []Kept
}

// Change is who changes something, when, and the entry of the record for it.
// The target of the entry is filled in where it is that of each package.
type Change struct {
	By    int64 // Principal.ID
	Entry audit.Entry
}

// Undo is what came of undoing a plan.
type Undo struct {
	Versions, Tags int
	// Taken are tags that lead elsewhere by now and were left as they are.
	Taken []string
}

// Policies keeps policies.
type Policies interface {
	// RetentionPolicy returns the policy of the package, or with packageID zero
	// of the account; NotFound when it has none.
	RetentionPolicy(ctx context.Context, ownerID, packageID int64) (Policy, error)
	SetRetentionPolicy(ctx context.Context, p Policy, c Change) error
	RemoveRetentionPolicy(ctx context.Context, ownerID, packageID int64, c Change) error
	// AutomaticPolicies returns up to n policies after an id that are applied
	// every day, with that of the last one; of packages and accounts that are
	// there.
	AutomaticPolicies(ctx context.Context, after int64, n int) (list []Policy, last int64, err error)
}

// Stocks reads what packages hold.
type Stocks interface {
	// Stock returns all present versions of a package, in one state of the
	// database; NotFound for a package that is gone.
	Stock(ctx context.Context, packageID int64) (Stock, error)
	// StocksOf returns the ids of the account's packages that have no policy of
	// their own, up to n after an id.
	StocksOf(ctx context.Context, ownerID, after int64, n int) ([]int64, error)
	// Classify works out what kinds the versions of before are; see
	// ClassifyVersions.
	ClassifyVersions(ctx context.Context, n int) (int, error)
}

// Plans keeps plans. Where it says so its errors are Conflict, with a text that
// says what in the plan is not so any more; then nothing has changed.
type Plans interface {
	// CreatePlan stores the plan and its items, and sets p.ID, p.Bytes and the
	// bytes of each item.
	CreatePlan(ctx context.Context, p *Plan, items []Item) error
	// Plan returns the plan of that place, NotFound without it.
	Plan(ctx context.Context, ownerID, packageID, id int64) (Plan, error)
	// Plans returns up to n plans of that place before an id, the newest first.
	Plans(ctx context.Context, ownerID, packageID, before int64, n int) ([]Plan, error)
	// PlanItems returns up to n items after a version's id.
	PlanItems(ctx context.Context, id, after int64, n int) ([]Item, error)
	// ApplyPlan deletes all versions of a planned plan, in one transaction with
	// their events and entries. Conflict unless all are there, have the tags that
	// they had and no others, were not pulled since the plan was made, and are
	// needed by nothing else.
	ApplyPlan(ctx context.Context, p Plan, c Change) error
	// UndoPlan restores in one transaction what ApplyPlan deleted since then.
	// Conflict when something of it is gone for good.
	UndoPlan(ctx context.Context, p Plan, since time.Time, c Change) (Undo, error)
}

// PlanEnds is how plans end that are not applied.
type PlanEnds interface {
	// RefusePlan marks a planned plan as one that no longer fits.
	RefusePlan(ctx context.Context, id int64) error
	// SweepPlans removes up to n plans: those never applied from before
	// planned, and all from before all.
	SweepPlans(ctx context.Context, planned, all time.Time, n int) (int, error)
}

// Rights decides who may do what.
type Rights interface {
	// Administer returns the facts about a package whose settings who may
	// change, and Remove those about one that who may delete versions of.
	Administer(ctx context.Context, who access.Principal, p access.Package) (access.Facts, error)
	Remove(ctx context.Context, who access.Principal, p access.Package) (access.Facts, error)
	// Rule returns the facts about an account all of whose packages are who's to
	// administer.
	Rule(ctx context.Context, who access.Principal, owner, what string) (access.Facts, error)
}
