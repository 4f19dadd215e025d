package token

import (
	"context"
	"errors"
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

var _ Identities = (*Trust)(nil)

// Identify implements Identities.
func (t *Trust) Identify(ctx context.Context, login, text string) (access.Principal, error) {
	target := ""
	if strings.Contains(login, "/") {
		target = login
	}
	rule, _, err := t.recognize(ctx, text, target, login)
	if err != nil {
		return access.Principal{}, err
	}
	return rule.principal(), nil
}

// Trusted implements Identities.
func (t *Trust) Trusted(ctx context.Context, who access.Principal) error {
	rule, err := t.Store.TrustRule(ctx, who.Workflow.TrustID)
	if errs.Is(err, errs.NotFound) {
		return errBearer()
	}
	if err != nil {
		return err
	}
	if rule.RepositoryID != who.Workflow.RepositoryID || rule.OwnerID != who.Workflow.OwnerID {
		return errBearer()
	}
	return nil
}

// recognize returns the rule that lets the job of an identity token in. target
// names what it wants to get into, and hint may: it counts only in doubt.
func (t *Trust) recognize(ctx context.Context, text, target, hint string) (TrustRule, Identity, error) {
	issuer, err := issuerOf(text)
	if err != nil {
		return TrustRule{}, Identity{}, err
	}
	known, err := t.Store.TrustsIssuer(ctx, issuer)
	if err != nil {
		return TrustRule{}, Identity{}, err
	}
	if !known { // nobody else is ever asked for keys
		return TrustRule{}, Identity{}, errUnsigned(issuer, errors.New("trust: no live rule names the issuer"))
	}
	id, err := t.issuers.verify(ctx, issuer, text)
	if err != nil {
		return TrustRule{}, id, err
	}
	matching, failed, err := t.matching(ctx, id)
	if err != nil {
		return TrustRule{}, id, err
	}
	if len(matching) == 0 {
		return TrustRule{}, id, errNoRule(id, strings.Join(failed, "; "))
	}
	rule, err := t.choose(ctx, matching, target, hint)
	if err != nil {
		return TrustRule{}, id, err
	}
	t.noteUse(ctx, rule)
	return rule, id, nil
}

// matching returns the rules that the identity meets, and of some others what is
// amiss. What a stranger makes us read is the rules for the token's audiences
// alone, and of these a page at a time.
func (t *Trust) matching(ctx context.Context, id Identity) (matching []TrustRule, failed []string, err error) {
	for _, audience := range slices.Compact(slices.Sorted(slices.Values(id.Audience))) {
		for after := int64(0); ; {
			rules, err := t.Store.TrustRulesOf(ctx, id.Issuer, audience, after, t.page)
			if err != nil {
				return nil, nil, err
			}
			for _, r := range rules {
				if why := r.mismatch(id); why == "" {
					matching = append(matching, r)
				} else if len(failed) < 10 {
					failed = append(failed, fmt.Sprintf("rule %d: %s", r.ID, why))
				}
			}
			if len(rules) < t.page {
				break
			}
			after = rules[len(rules)-1].ID
		}
	}
	return matching, failed, nil
}

// errNoRule tells the job what its own token says, and the log what the rules do.
func errNoRule(id Identity, why string) error {
	return errs.Wrap(errs.Unauthenticated, fmt.Errorf("trust: %s", why),
		"no rule of trust lets this identity token in; its issuer is %q, its subject %q, its audience %q",
		cut(id.Issuer), cut(id.Subject), cut(strings.Join(id.Audience, " ")))
}

// errUnsigned says the same of an issuer that no rule names and of a signature
// that is not the issuer's: who has no token of it does not learn whom we trust.
func errUnsigned(issuer string, cause error) error {
	return errs.Wrap(errs.Unauthenticated, cause,
		"the identity token does not hold: no rule of trust names its issuer %q, or it is malformed or not signed by the issuer with a key and an algorithm that are taken", cut(issuer))
}

// cut shortens what a stranger wrote.
func cut(s string) string {
	if len(s) > 200 {
		return s[:200] + "…"
	}
	return s
}

// choose returns the rule that counts: of those about what is wanted the one
// with the most actions. Rights of several are not added up, so that a job is
// bound to one rule and ends with it.
func (t *Trust) choose(ctx context.Context, matching []TrustRule, target, hint string) (TrustRule, error) {
	if target != "" {
		wanted, err := t.targets(ctx, target)
		if err != nil {
			return TrustRule{}, err
		}
		for _, w := range wanted { // a repository before a package of that name
			if about := rulesAbout(matching, w); len(about) > 0 {
				return strongest(about), nil
			}
		}
		return TrustRule{}, errTarget("no rule of trust about %q lets this identity token in", cut(target))
	}
	if about := rulesAbout(matching, matching[0].TrustTarget); len(about) == len(matching) {
		return strongest(about), nil
	}
	for _, r := range matching { // an owner's login as the user name means all of the owner's
		if r.Kind() == "owner" && strings.EqualFold(r.Owner, hint) {
			return strongest(rulesAbout(matching, r.TrustTarget)), nil
		}
	}
	var names []string
	for _, r := range matching {
		if name := r.TrustTarget.String(); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return TrustRule{}, errTarget("rules of trust let this identity token into %s: name one of them as the user name, or as the resource of an exchange",
		strings.Join(names, ", "))
}

func errTarget(format string, args ...any) error {
	return errs.Wrap(errs.Unauthenticated, ErrTarget, format, args...)
}

// targets returns what a name leads to; nothing for one that leads nowhere.
func (t *Trust) targets(ctx context.Context, text string) ([]TrustTarget, error) {
	name, err := oci.ParseName(strings.ToLower(text))
	if err != nil {
		return nil, nil
	}
	return t.Store.TrustTargets(ctx, name)
}

func rulesAbout(rules []TrustRule, target TrustTarget) []TrustRule {
	var about []TrustRule
	for _, r := range rules {
		if r.same(target) {
			about = append(about, r)
		}
	}
	return about
}

// strongest returns the rule with the most actions, the oldest of those.
func strongest(rules []TrustRule) TrustRule {
	return slices.MaxFunc(rules, func(a, b TrustRule) int {
		if n := bits.OnesCount8(uint8(a.Actions)) - bits.OnesCount8(uint8(b.Actions)); n != 0 {
			return n
		}
		return int(b.ID - a.ID)
	})
}

// noteUse records that the rule let somebody in, once a minute. A use that cannot
// be recorded is no reason to keep a job out.
func (t *Trust) noteUse(ctx context.Context, r TrustRule) {
	if minute := t.Now().Truncate(time.Minute); minute.After(r.LastUsedAt) {
		_ = t.Store.TouchTrustRule(ctx, r.ID, minute)
	}
}

// principal returns the job that the rule lets in.
func (r TrustRule) principal() access.Principal {
	who := access.Principal{
		Scopes:   r.scopes(),
		Workflow: &access.Workflow{OwnerID: r.OwnerID, TrustID: r.ID},
	}
	if r.RepositoryID != 0 {
		who.Login = r.Name.String()
		who.Workflow.RepositoryID, who.Workflow.Repository = r.RepositoryID, r.Name
		return who
	}
	who.Login = fmt.Sprintf("%s (trust rule %d)", r.Owner, r.ID)
	who.Limited, who.Limits = true, r.limits()
	return who
}

// limits returns all that the rule allows when no repository does.
func (r TrustRule) limits() []access.Limit {
	return []access.Limit{{OwnerID: r.OwnerID, PackageID: r.PackageID, Actions: r.Actions}}
}

func (r TrustRule) scopes() access.Scopes { return LimitScopes(r.limits()) }
