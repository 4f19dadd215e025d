package token_test

import (
	"testing"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/token"
)

// SEC-054: no credential makes one that may do more than itself, or that lasts
// longer.
func TestSEC054NoTokenMakesAGreaterOne(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	end := f.now.Add(time.Hour)
	const scopes = access.WritePackages | access.User
	_, mother, err := f.Create(ctx, audit.Operator, token.NewToken{AccountID: f.ann.ID, Target: "ann", Scopes: scopes, ExpiresAt: end})
	if err != nil {
		t.Fatal(err)
	}
	_, eternal, err := f.Create(ctx, audit.Operator, token.NewToken{AccountID: f.ann.ID, Target: "ann", Scopes: scopes})
	if err != nil {
		t.Fatal(err)
	}
	byToken := access.Principal{AccountID: f.ann.ID, Login: "ann", TokenID: mother.ID, Scopes: scopes}
	byEternal, byPassword := byToken, byToken
	byEternal.TokenID = eternal.ID
	byPassword.TokenID, byPassword.Scopes = 0, access.EveryScope
	pull := []access.Limit{{OwnerID: f.ann.ID, Actions: access.Pull}}
	for what, c := range map[string]struct {
		who  access.Principal
		n    token.NewToken
		kind errs.Kind // zero when it is made
		end  time.Time
	}{
		"the same scopes":           {byToken, token.NewToken{Scopes: scopes}, 0, end},
		"a scope that comes along":  {byToken, token.NewToken{Scopes: access.ReadPackages | access.ReadUser}, 0, end},
		"a scope more":              {byToken, token.NewToken{Scopes: scopes | access.Repo}, errs.Denied, end},
		"to delete":                 {byToken, token.NewToken{Scopes: access.DeletePackages}, errs.Denied, end},
		"a shorter life":            {byToken, token.NewToken{Scopes: scopes, ExpiresAt: end.Add(-time.Minute)}, 0, end.Add(-time.Minute)},
		"a longer life":             {byToken, token.NewToken{Scopes: scopes, ExpiresAt: end.Add(time.Minute)}, errs.Invalid, end},
		"limits within":             {byToken, token.NewToken{Limits: pull}, 0, end},
		"limits beyond":             {byToken, token.NewToken{Limits: []access.Limit{{OwnerID: f.ann.ID, Actions: access.Remove}}}, errs.Denied, end},
		"without an end, by such":   {byEternal, token.NewToken{Scopes: scopes}, 0, time.Time{}},
		"any scope, by a password":  {byPassword, token.NewToken{Scopes: access.EveryScope}, 0, time.Time{}},
		"no scope at all":           {byToken, token.NewToken{}, errs.Invalid, end},
		"an end, by one without it": {byEternal, token.NewToken{Scopes: scopes, ExpiresAt: end}, 0, end},
	} {
		c.n.AccountID, c.n.Target = f.ann.ID, "ann"
		_, made, err := f.PersonalTokens.CreateBelow(ctx, "ann", c.who, c.n)
		if c.kind != 0 {
			if !errs.Is(err, c.kind) {
				t.Errorf("%s: %v, want %s", what, err, c.kind)
			}
			continue
		}
		if err != nil || !made.ExpiresAt.Equal(c.end) {
			t.Errorf("%s: until %s, %v; want %s", what, made.ExpiresAt, err, c.end)
		}
	}
}
