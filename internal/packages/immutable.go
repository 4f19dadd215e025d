package packages

import (
	"context"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// maxPatterns is how many patterns of immutable tags one place may have.
const maxPatterns = 100

// ImmutableTags keeps the patterns of tags that never move once they are set.
// Its changes are made as those of Settings.
type ImmutableTags interface {
	// PackageImmutableTags returns the package's patterns and its owner's.
	PackageImmutableTags(ctx context.Context, id int64) (own, owners []oci.TagPattern, err error)
	SetPackageImmutableTags(ctx context.Context, id int64, list []oci.TagPattern, e audit.Entry) error
	// OwnerImmutableTags returns the patterns for all packages of an account.
	OwnerImmutableTags(ctx context.Context, ownerID int64) ([]oci.TagPattern, error)
	SetOwnerImmutableTags(ctx context.Context, ownerID int64, list []oci.TagPattern, e audit.Entry) error
}

// ParseTagPatterns reads up to 100 patterns, each kept once.
func ParseTagPatterns(texts []string) ([]oci.TagPattern, error) {
	if len(texts) > maxPatterns {
		return nil, errs.New(errs.Invalid, "there may be %d patterns at most", maxPatterns)
	}
	var list []oci.TagPattern
	seen := map[string]bool{}
	for _, text := range texts {
		p, err := oci.ParseTagPattern(text)
		if err != nil {
			return nil, err
		}
		if !seen[text] {
			seen[text] = true
			list = append(list, p)
		}
	}
	return list, nil
}

// ImmutableTags returns the patterns of the package and those of its owner, of
// which both hold, to those who may read the package.
func (s *Service) ImmutableTags(ctx context.Context, who access.Principal, p access.Package) (own, owners []oci.TagPattern, err error) {
	f, err := s.decide(ctx, who, p, access.Effects{Action: access.Read})
	if err != nil {
		return nil, nil, err
	}
	return s.Immutable.PackageImmutableTags(ctx, f.PackageID)
}

// SetImmutableTags replaces the package's patterns; none lets its tags move.
// Tags that a pattern matches can be set once. While it is there they cannot be
// moved or deleted, nor can what they lead to.
func (s *Service) SetImmutableTags(ctx context.Context, who access.Principal, p access.Package, list []oci.TagPattern) error {
	f, err := s.administer(ctx, who, p, "")
	if err != nil {
		return err
	}
	return s.Immutable.SetPackageImmutableTags(ctx, f.PackageID, list, s.entry(who, f, "package.immutable-tags", patternDetail(list)))
}

// OwnerImmutableTags returns the patterns that hold for all packages of the
// account, to those who rule its namespace.
func (s *Service) OwnerImmutableTags(ctx context.Context, who access.Principal, owner string) ([]oci.TagPattern, error) {
	f, err := s.Rule(ctx, who, owner, "to see its rules for tags")
	if err != nil {
		return nil, err
	}
	return s.Immutable.OwnerImmutableTags(ctx, f.OwnerID)
}

// SetOwnerImmutableTags is SetImmutableTags for all packages of an account, those
// to come too.
func (s *Service) SetOwnerImmutableTags(ctx context.Context, who access.Principal, owner string, list []oci.TagPattern) error {
	f, err := s.Rule(ctx, who, owner, "to change its rules for tags")
	if err != nil {
		return err
	}
	e := audit.Entry{At: s.Now(), Actor: audit.By(who), Action: "account.immutable-tags", Target: f.Owner, Detail: patternDetail(list)}
	return s.Immutable.SetOwnerImmutableTags(ctx, f.OwnerID, list, e)
}

func patternDetail(list []oci.TagPattern) map[string]any {
	names := make([]string, len(list))
	for i, p := range list {
		names[i] = p.String()
	}
	return map[string]any{"patterns": names}
}
