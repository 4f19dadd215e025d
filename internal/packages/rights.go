package packages

import (
	"context"

	"packhouse/internal/access"
)

// Administer returns the facts about a package whose settings who may change.
// It is what other parts of the server decide by; the error is as of any method
// that changes a package.
func (s *Service) Administer(ctx context.Context, who access.Principal, p access.Package) (access.Facts, error) {
	return s.administer(ctx, who, p, "")
}

// Rule returns the facts about an account all of whose packages are who's to
// administer; Denied, with the words of what that is needed for, when they are
// not, and NotFound for no such account.
func (s *Service) Rule(ctx context.Context, who access.Principal, owner, what string) (access.Facts, error) {
	f, err := s.namespace(ctx, who, owner)
	if err != nil {
		return f, err
	}
	return f, mayRule(who, f, what)
}

// Remove returns the facts about a package that who may delete versions of.
func (s *Service) Remove(ctx context.Context, who access.Principal, p access.Package) (access.Facts, error) {
	return s.decide(ctx, who, p, access.Effects{Action: access.Delete})
}

// MayMake reports whether who may push new packages of that type into the
// namespace of owner; a Docker package needs a repository there, too. NotFound
// for no such account.
func (s *Service) MayMake(ctx context.Context, who access.Principal, owner string, t access.PackageType) (bool, error) {
	f, err := s.space(ctx, who, owner, t)
	f.Type, f.AskedType = access.Container, access.Container // those who may make repositories there make packages
	return err == nil && access.Decide(who, f.Name, f, access.Effects{Action: access.Write}).Allowed, err
}
