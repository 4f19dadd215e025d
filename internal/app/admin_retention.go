package app

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/config"
	"packhouse/internal/lifecycle"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
)

// place reads OWNER, for all its packages, or OWNER/NAME.
func (a PackageAddress) place() (lifecycle.Place, error) {
	if !strings.Contains(a.Name, "/") {
		return lifecycle.Place{Owner: a.Name}, nil
	}
	p, err := a.parse()
	return lifecycle.Place{Package: p}, err
}

// retain runs do as the operator.
func retain(ctx context.Context, cfg *config.Config, a PackageAddress, do func(r *lifecycle.Retention, who access.Principal, at lifecycle.Place) error) error {
	at, err := a.place()
	if err != nil {
		return err
	}
	return administer(ctx, cfg, func(app *App) error { return do(app.Retention, operator(), at) })
}

// SetRetention gives the place a policy: rules in JSON.
func SetRetention(ctx context.Context, cfg *config.Config, a PackageAddress, rules []byte, automatic bool) error {
	parsed, err := lifecycle.ParseRules(rules)
	if err != nil {
		return err
	}
	return retain(ctx, cfg, a, func(r *lifecycle.Retention, who access.Principal, at lifecycle.Place) error {
		return r.SetPolicy(ctx, who, at, parsed, automatic)
	})
}

// ShowRetention returns the policy of the place as JSON.
func ShowRetention(ctx context.Context, cfg *config.Config, a PackageAddress) (text string, err error) {
	err = retain(ctx, cfg, a, func(r *lifecycle.Retention, who access.Principal, at lifecycle.Place) error {
		p, err := r.Policy(ctx, who, at)
		if err != nil {
			return err
		}
		content, err := json.MarshalIndent(map[string]any{"rules": p.Rules, "automatic": p.Automatic}, "", "  ")
		text = string(content)
		return err
	})
	return text, err
}

// RemoveRetention ends the policy of the place.
func RemoveRetention(ctx context.Context, cfg *config.Config, a PackageAddress) error {
	return retain(ctx, cfg, a, func(r *lifecycle.Retention, who access.Principal, at lifecycle.Place) error {
		return r.RemovePolicy(ctx, who, at)
	})
}

// RetentionPlan is a plan as commands show it.
type RetentionPlan struct {
	ID       int64
	Versions int
	Bytes    int64
	More     bool
}

// PlanRetention stores what the rules delete of the place; rules nil are those of
// its policy.
func PlanRetention(ctx context.Context, cfg *config.Config, a PackageAddress, rules []byte) (made RetentionPlan, err error) {
	var parsed *lifecycle.Rules
	if rules != nil {
		r, err := lifecycle.ParseRules(rules)
		if err != nil {
			return made, err
		}
		parsed = &r
	}
	err = retain(ctx, cfg, a, func(r *lifecycle.Retention, who access.Principal, at lifecycle.Place) error {
		p, err := r.MakePlan(ctx, who, at, parsed)
		made = RetentionPlan{ID: p.ID, Versions: p.Versions, Bytes: p.Bytes, More: p.More}
		return err
	})
	return made, err
}

// RetentionItems returns a heading and a row for each version of a plan.
func RetentionItems(ctx context.Context, cfg *config.Config, a PackageAddress, id int64) (rows [][]string, err error) {
	rows = [][]string{{"PACKAGE", "DIGEST", "TAGS", "BYTES", "REASON"}}
	err = retain(ctx, cfg, a, func(r *lifecycle.Retention, who access.Principal, at lifecycle.Place) error {
		for after := int64(0); ; {
			items, err := r.Items(ctx, who, at, id, after, 100)
			if err != nil || len(items) == 0 {
				return err
			}
			for _, item := range items {
				rows = append(rows, []string{item.Package, item.Digest, strings.Join(item.Tags, ","), strconv.FormatInt(item.Bytes, 10), item.Reason})
				after = item.VersionID
			}
		}
	})
	return rows, err
}

// ListRetentionPlans returns a heading and a row for each of the newest plans.
func ListRetentionPlans(ctx context.Context, cfg *config.Config, a PackageAddress) (rows [][]string, err error) {
	rows = [][]string{{"PLAN", "STATE", "MADE", "VERSIONS", "BYTES"}}
	err = retain(ctx, cfg, a, func(r *lifecycle.Retention, who access.Principal, at lifecycle.Place) error {
		plans, err := r.ListPlans(ctx, who, at, 0, 100)
		for _, p := range plans {
			rows = append(rows, []string{
				strconv.FormatInt(p.ID, 10), string(p.State), p.CreatedAt.Format(time.RFC3339), strconv.Itoa(p.Versions), strconv.FormatInt(p.Bytes, 10),
			})
		}
		return err
	})
	return rows, err
}

// ApplyRetention deletes what a plan says, and returns how many versions.
func ApplyRetention(ctx context.Context, cfg *config.Config, a PackageAddress, id int64) (versions int, err error) {
	err = retain(ctx, cfg, a, func(r *lifecycle.Retention, who access.Principal, at lifecycle.Place) error {
		p, err := r.Apply(ctx, who, at, id)
		versions = p.Versions
		return err
	})
	return versions, err
}

// UndoRetention brings back what a plan deleted, and returns what became of it in
// words.
func UndoRetention(ctx context.Context, cfg *config.Config, a PackageAddress, id int64) (line string, err error) {
	err = retain(ctx, cfg, a, func(r *lifecycle.Retention, who access.Principal, at lifecycle.Place) error {
		u, err := r.UndoPlan(ctx, who, at, id)
		line = fmt.Sprintf("restored %d versions and %d tags", u.Versions, u.Tags)
		if len(u.Taken) > 0 {
			line += "; these tags lead elsewhere by now and were left: " + strings.Join(u.Taken, ", ")
		}
		return err
	})
	return line, err
}

// ImmutableTags returns the patterns of the package, or of all packages of an
// owner without a slash.
func ImmutableTags(ctx context.Context, cfg *config.Config, a PackageAddress) (rows [][]string, err error) {
	rows = [][]string{{"PATTERN", "OF"}}
	add := func(list []oci.TagPattern, of string) {
		for _, p := range list {
			rows = append(rows, []string{p.String(), of})
		}
	}
	at, err := a.place()
	if err != nil {
		return nil, err
	}
	err = administer(ctx, cfg, func(app *App) error {
		if at.Owner != "" {
			list, err := app.Packages.OwnerImmutableTags(ctx, operator(), at.Owner)
			add(list, at.Owner)
			return err
		}
		own, owners, err := app.Packages.ImmutableTags(ctx, operator(), at.Package)
		add(own, at.Package.Name.String())
		add(owners, at.Package.Name.Owner())
		return err
	})
	return rows, err
}

// SetImmutableTags replaces those patterns.
func SetImmutableTags(ctx context.Context, cfg *config.Config, a PackageAddress, patterns []string) error {
	list, err := packages.ParseTagPatterns(patterns)
	if err != nil {
		return err
	}
	at, err := a.place()
	if err != nil {
		return err
	}
	return administer(ctx, cfg, func(app *App) error {
		if at.Owner != "" {
			return app.Packages.SetOwnerImmutableTags(ctx, operator(), at.Owner, list)
		}
		return app.Packages.SetImmutableTags(ctx, operator(), at.Package, list)
	})
}
