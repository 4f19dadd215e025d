package token

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// TrustRule says that the jobs for which an issuer vouches may do something. A
// rule is never changed: it is made and removed.
type TrustRule struct {
	ID int64
	TrustTarget
	Issuer, Audience string
	// Claims maps a claim to the pattern that it must match, and all must.
	Claims  map[string]string
	Actions access.Actions

	CreatedAt  time.Time
	CreatedBy  int64
	LastUsedAt time.Time // whole minutes; zero says never
}

// TrustTarget is what a rule is about: a repository, a package, or with neither
// everything of its owner.
type TrustTarget struct {
	OwnerID                 int64
	Owner                   string // login
	RepositoryID, PackageID int64
	Name                    oci.Name // of the repository or the package; zero for everything
}

// String returns OWNER/NAME or OWNER.
func (t TrustTarget) String() string {
	if t.Name.IsZero() {
		return t.Owner
	}
	return t.Name.String()
}

// same reports whether both mean the same thing, whatever it is called.
func (t TrustTarget) same(o TrustTarget) bool {
	return t.OwnerID == o.OwnerID && t.RepositoryID == o.RepositoryID && t.PackageID == o.PackageID
}

// Kind returns repository, package or owner.
func (t TrustTarget) Kind() string {
	switch {
	case t.RepositoryID != 0:
		return "repository"
	case t.PackageID != 0:
		return "package"
	}
	return "owner"
}

// TrustStore keeps rules of trust. A rule is live while it was not removed, its
// owner is neither suspended nor deleted, and what it is about is there and
// still its owner's.
type TrustStore interface {
	// TrustsIssuer reports whether a live rule names the issuer.
	TrustsIssuer(ctx context.Context, issuer string) (bool, error)
	// TrustRulesOf returns the first live rules that name the issuer and the
	// audience and have a greater id than after, by id.
	TrustRulesOf(ctx context.Context, issuer, audience string, after int64, limit int) ([]TrustRule, error)
	// TrustRule returns a live rule; NotFound when there is none of that id.
	TrustRule(ctx context.Context, id int64) (TrustRule, error)
	// TouchTrustRule records when a rule was used last; it may be lost by a
	// power cut.
	TouchTrustRule(ctx context.Context, id int64, at time.Time) error
	// TrustTargets returns what a name, present or old, leads to: OWNER is
	// everything of an account, OWNER/NAME a repository, a package of the
	// Container registry, one of the Docker registry, or several of them.
	TrustTargets(ctx context.Context, name oci.Name) ([]TrustTarget, error)
}

// TrustRuleStore keeps rules of trust for those who make them.
type TrustRuleStore interface {
	// AddTrustRule stores r and returns its id.
	AddTrustRule(ctx context.Context, r TrustRule, e audit.Entry) (int64, error)
	// TrustRulesIn returns an owner's rules that were not removed, by id, also
	// those that are not live.
	TrustRulesIn(ctx context.Context, ownerID int64) ([]TrustRule, error)
	// AnyTrustRule returns the rule of that id, live or not; NotFound.
	AnyTrustRule(ctx context.Context, id int64) (TrustRule, error)
	// RemoveTrustRule ends a rule and all tokens that came from it; NotFound
	// when there is none of that id. Ids are not used again.
	RemoveTrustRule(ctx context.Context, id int64, e audit.Entry) error
}

// TrustOptions is what a Trust is built from.
type TrustOptions struct {
	Store TrustStore
	Rules TrustRuleStore
	// Client fetches what issuers publish. Package admins name the addresses,
	// so it must not reach what is not theirs to reach.
	Client *http.Client
	// AllowPrivate allows issuers at http:// addresses of this machine.
	AllowPrivate bool
	// URL is the public address; Names are all that an exchange may call this
	// server by, in lower case.
	URL    string
	Names  []string
	Tokens *WorkflowTokens
	// Life is how long the tokens of an exchange last.
	Life time.Duration
	Now  func() time.Time
}

// Trust lets the jobs of outside issuers in. Safe for concurrent use.
type Trust struct {
	TrustOptions
	issuers *issuers
	page    int // how many rules are in memory at a time
}

// NewTrust returns a Trust on o.
func NewTrust(o TrustOptions) *Trust {
	return &Trust{TrustOptions: o, issuers: &issuers{client: o.Client, private: o.AllowPrivate, now: o.Now}, page: trustPage}
}

// The bounds of a rule.
const (
	maxTrustClaims  = 20
	maxTrustPattern = 500
	maxIssuerURL    = 255
	trustPage       = 200
)

// Add makes a rule and returns its id. Whoever calls it has seen to it that the
// target is theirs to open.
func (t *Trust) Add(ctx context.Context, by audit.Actor, who access.Principal, r TrustRule) (int64, error) {
	if err := t.check(r); err != nil {
		return 0, err
	}
	r.CreatedAt, r.CreatedBy = t.Now(), who.ID()
	r.Actions |= access.Pull // comes with the others
	return t.Rules.AddTrustRule(ctx, r, r.entry(r.CreatedAt, by, "trust.add"))
}

// entry is how a change of r is recorded.
func (r TrustRule) entry(at time.Time, by audit.Actor, action string) audit.Entry {
	return audit.Entry{At: at, Actor: by, Action: action, Target: r.TrustTarget.String(), Detail: map[string]any{
		"kind": r.Kind(), "issuer": r.Issuer, "audience": r.Audience, "claims": r.Claims, "actions": FormatActions(r.Actions),
	}}
}

// List returns an owner's rules.
func (t *Trust) List(ctx context.Context, ownerID int64) ([]TrustRule, error) {
	return t.Rules.TrustRulesIn(ctx, ownerID)
}

// Remove ends a rule. Whoever it let in is refused at once, except reads by
// bearer tokens, which end within their five minutes.
func (t *Trust) Remove(ctx context.Context, by audit.Actor, id int64) error {
	r, err := t.Rules.AnyTrustRule(ctx, id)
	if err != nil {
		return err
	}
	return t.Rules.RemoveTrustRule(ctx, id, r.entry(t.Now(), by, "trust.remove"))
}

// Target returns what text names: OWNER/NAME as a repository or as a package, as
// kind says, or an account for the kind owner.
func (t *Trust) Target(ctx context.Context, kind, text string) (TrustTarget, error) {
	name, err := oci.ParseName(strings.ToLower(text))
	if err != nil || (name.Package() == "") != (kind == "owner") {
		return TrustTarget{}, errs.New(errs.Invalid, "%q is no name of a %s", text, kind)
	}
	targets, err := t.Store.TrustTargets(ctx, name)
	if err != nil {
		return TrustTarget{}, err
	}
	for _, found := range targets {
		if found.Kind() == kind {
			return found, nil
		}
	}
	return TrustTarget{}, errs.New(errs.NotFound, "no %s %q", kind, name)
}

// check returns why r must not be made, or nil.
func (t *Trust) check(r TrustRule) error {
	u, err := url.Parse(r.Issuer)
	switch {
	case err != nil || len(r.Issuer) > maxIssuerURL || !secureURL(u, t.AllowPrivate) || u.RawQuery != "" || u.ForceQuery ||
		u.String() != r.Issuer || u.Host != strings.ToLower(u.Host):
		return errs.New(errs.Invalid, "an issuer is an https:// address, written as its tokens have it, without query")
	case r.Audience == "" || len(r.Audience) > maxTrustPattern:
		return errs.New(errs.Invalid, "a rule of trust names the audience of the identity tokens, such as %s", t.URL)
	case r.Actions == 0 || r.Actions&^(access.Pull|access.Push|access.Remove) != 0:
		return errs.New(errs.Invalid, "a rule of trust allows at least one of pull, push, delete")
	case len(r.Claims) > maxTrustClaims:
		return errs.New(errs.Invalid, "a rule of trust has at most %d claims", maxTrustClaims)
	}
	return checkPins(r.Issuer, r.Claims)
}

// secureURL reports whether u may be asked for keys: over TLS, or on this machine
// where that is allowed.
func secureURL(u *url.URL, private bool) bool {
	if u.Host == "" || u.User != nil || u.Fragment != "" {
		return false
	}
	return u.Scheme == "https" || u.Scheme == "http" && private && loopbackHost(u.Hostname())
}

func loopbackHost(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// actionSets are the actions that a limit can name, as they are written.
func actionSets() map[string]access.Actions {
	return map[string]access.Actions{"pull": access.Pull, "push": access.Push, "delete": access.Remove}
}

// ParseActionSet reads actions separated by commas or spaces: pull, push, delete.
func ParseActionSet(list string) (access.Actions, error) {
	var all access.Actions
	for name := range strings.FieldsFuncSeq(list, func(r rune) bool { return r == ',' || r == ' ' }) {
		one, ok := actionSets()[name]
		if !ok {
			return 0, errs.New(errs.Invalid, "no such action %q; there are pull, push, delete", name)
		}
		all |= one
	}
	if all == 0 {
		return 0, errs.New(errs.Invalid, "name at least one action: pull, push, delete")
	}
	return all, nil
}

// FormatActions is the reverse of ParseActionSet.
func FormatActions(set access.Actions) string {
	var names []string
	for _, name := range []string{"pull", "push", "delete"} {
		if set&actionSets()[name] != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, ",")
}
