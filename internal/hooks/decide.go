package hooks

import (
	"cmp"
	"context"
	"encoding/json"

	"packhouse/internal/access"
	"packhouse/internal/errs"
)

// target returns what an address names if its hooks are who's to rule.
func (s *Service) target(ctx context.Context, who access.Principal, a Address) (Target, error) {
	if a.Kind == OfPackage {
		return s.packageTarget(ctx, who, access.Package{Type: a.Type, Also: a.Also, Name: a.Name})
	}
	none := errs.New(errs.NotFound, "no %s %q whose hooks are yours", a.Kind, a.Name)
	t, err := s.Directory.HookTarget(ctx, a.Name)
	if errs.Is(err, errs.NotFound) || err == nil && t.Kind() != a.Kind {
		return Target{}, none
	}
	if err != nil {
		return Target{}, err
	}
	f, err := s.Directory.HookFacts(ctx, who, t)
	if err != nil {
		return Target{}, err
	}
	repository := a.Kind == OfRepository
	scope := access.HookScope(f, repository)
	switch {
	case who.Anonymous():
		return Target{}, errs.New(errs.Unauthenticated, "authentication required")
	case !access.RulesHooks(who, f, repository):
		return Target{}, none
	case !who.Operator && !who.Scopes.Has(scope):
		return Target{}, errs.New(errs.Denied, "the token lacks the scope that hooks of a %s need: %s", a.Kind, scope)
	}
	return t, nil
}

func (s *Service) packageTarget(ctx context.Context, who access.Principal, p access.Package) (Target, error) {
	f, err := s.Directory.Facts(ctx, who, p)
	if err != nil {
		return Target{}, err
	}
	e := access.Effects{Action: access.Administer}
	d := access.Decide(who, p.Name, f, e)
	switch {
	case d.Allowed && f.Exists && who.Workflow != nil:
		return Target{}, errs.New(errs.Denied, "hooks are made by people, not by jobs: nobody would answer for them")
	case d.Allowed && f.Exists:
		return Target{
			OwnerID: f.OwnerID, Owner: f.Owner, OwnerIsOrganization: f.OwnerIsOrganization, PackageID: f.PackageID, Name: f.Name, Type: f.Type,
		}, nil
	}
	text := access.Explain(who, p.Name, f, e, d)
	switch {
	case d.SignIn():
		return Target{}, errs.New(errs.Unauthenticated, "authentication required")
	case d.Absent():
		return Target{}, errs.New(errs.NotFound, "%s", text)
	}
	return Target{}, errs.New(errs.Denied, "%s", text)
}

// answerer is who answers for the hook; NotFound when that is nobody any more.
func answerer(ctx context.Context, d Directory, h Hook) (access.Principal, error) {
	if h.UpdatedBy == 0 {
		return access.Principal{Operator: true}, nil
	}
	who, err := d.HookPerson(ctx, h.UpdatedBy)
	who.Scopes = access.EveryScope
	return who, err
}

// factsOf returns what is known of the target for who, whatever the credential.
func factsOf(ctx context.Context, d Directory, who access.Principal, t Target) (access.Facts, error) {
	f, err := d.HookFacts(ctx, who, t)
	f.SSOAuthorized = true
	f.Mode, f.AskedMode = access.Enabled, access.Enabled // a registry that takes a break ends no hook
	return f, err
}

// tellsAll reports whether all who rule the hook may be told of the package: of a
// repository's that is not sure, since its admins may be nothing to a package that
// is linked to it. Zero is no package, as in a ping.
func (h Hook) tellsAll(packageID int64) bool { return h.Kind() != OfRepository || packageID == 0 }

// hears reports whether who may be told by the hook of the package.
func hears(ctx context.Context, d Directory, who access.Principal, h Hook, packageID int64) (bool, error) {
	if h.tellsAll(packageID) {
		return true, nil
	}
	who.Scopes = access.EveryScope
	f, err := factsOf(ctx, d, who, Target{OwnerID: h.OwnerID, PackageID: packageID})
	if errs.Is(err, errs.NotFound) {
		return false, nil
	}
	return err == nil && access.Decide(who, f.Name, f, access.Effects{Action: access.Read}).Allowed, err
}

// answererHears is hears for who answers for the hook.
func answererHears(ctx context.Context, d Directory, h Hook, packageID int64) (bool, error) {
	if h.tellsAll(packageID) {
		return true, nil
	}
	who, err := answerer(ctx, d, h)
	if errs.Is(err, errs.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return hears(ctx, d, who, h, packageID)
}

// packageIn returns the id of the package that a payload tells of; zero for none.
func packageIn(payload json.RawMessage) int64 {
	type one struct{ ID int64 }
	var p struct {
		Package         one
		RegistryPackage one `json:"registry_package"`
	}
	if json.Unmarshal(payload, &p) != nil {
		return 0
	}
	return cmp.Or(p.Package.ID, p.RegistryPackage.ID)
}

// stands reports whether the hook is still told of events: whether who answers
// for it could make it now. A single sign-on that was asked for when it was made
// is not asked for again.
func stands(ctx context.Context, d Directory, h Hook) (bool, error) {
	var f access.Facts
	who, err := answerer(ctx, d, h)
	if err == nil {
		f, err = factsOf(ctx, d, who, h.Target)
	}
	if errs.Is(err, errs.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if f.OwnerSuspended {
		return false, nil
	}
	switch h.Kind() {
	case OfPackage:
		return access.Decide(who, f.Name, f, access.Effects{Action: access.Administer}).Allowed, nil
	default:
		return access.RulesHooks(who, f, h.Kind() == OfRepository), nil
	}
}
