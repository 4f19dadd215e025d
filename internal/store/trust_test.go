package store_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/store"
	"packhouse/internal/token"
)

const testIssuer = "https://issuer.example.com"

func trustRule(target token.TrustTarget) token.TrustRule {
	return token.TrustRule{
		TrustTarget: target, Issuer: testIssuer, Audience: "us", Claims: map[string]string{"sub": "job", "/a/b": "*x"},
		Actions: access.Pull | access.Push, CreatedAt: noon, CreatedBy: 7,
	}
}

func addRule(t *testing.T, s *store.Store, r token.TrustRule) int64 {
	t.Helper()
	id, err := s.AddTrustRule(t.Context(), r, entry("trust.add"))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func targets(t *testing.T, s *store.Store, text string) []token.TrustTarget {
	t.Helper()
	name, err := oci.ParseName(text)
	if err != nil {
		t.Fatal(err)
	}
	list, err := s.TrustTargets(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestTrustRulesComeBackAsTheyWereStored(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		ann := addUser(t, s, "ann")
		addUser(t, s, "bob")
		repository := targets(t, s, "ann")
		if len(repository) != 1 || repository[0] != (token.TrustTarget{OwnerID: ann, Owner: "ann"}) {
			t.Fatalf("%+v", repository)
		}
		want := trustRule(repository[0])
		want.ID = addRule(t, s, want)
		if known, err := s.TrustsIssuer(ctx, testIssuer); err != nil || !known {
			t.Error(known, err)
		}
		if known, err := s.TrustsIssuer(ctx, testIssuer+"/"); err != nil || known {
			t.Error(known, err)
		}
		same := cmp.Comparer(func(a, b oci.Name) bool { return a == b })
		for what, get := range map[string]func() ([]token.TrustRule, error){
			"of the issuer": func() ([]token.TrustRule, error) { return s.TrustRulesOf(ctx, testIssuer, "us", 0, 10) },
			"of the owner":  func() ([]token.TrustRule, error) { return s.TrustRulesIn(ctx, ann) },
			"by id": func() ([]token.TrustRule, error) {
				r, err := s.TrustRule(ctx, want.ID)
				return []token.TrustRule{r}, err
			},
		} {
			if got, err := get(); err != nil || !cmp.Equal(got, []token.TrustRule{want}, same) {
				t.Errorf("%s: %v\n%s", what, err, cmp.Diff([]token.TrustRule{want}, got, same))
			}
		}
		for _, at := range []time.Time{noon.Add(time.Minute), noon} { // the later one stays
			if err := s.TouchTrustRule(ctx, want.ID, at); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := s.TrustRule(ctx, want.ID); err != nil || !got.LastUsedAt.Equal(noon.Add(time.Minute)) {
			t.Errorf("used at %s, %v", got.LastUsedAt, err)
		}
	})
}

// An id is in bearer tokens of jobs: it must not come to mean another rule.
func TestIdsOfTrustRulesAreNotUsedAgain(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		ann := addUser(t, s, "ann")
		rule := trustRule(token.TrustTarget{OwnerID: ann, Owner: "ann"})
		first := addRule(t, s, rule)
		tok, err := s.CreateToken(ctx, token.Token{
			AccountID: ann, Kind: token.Workflow, SecretHash: "hash", Scopes: access.ReadPackages, CreatedAt: noon,
			ExpiresAt: noon.Add(time.Hour), Limited: true, TrustID: first,
		}, []access.Limit{{OwnerID: ann, Actions: access.Pull}}, entry("workflow_token.create"))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.RemoveTrustRule(ctx, first, entry("trust.remove")); err != nil {
			t.Fatal(err)
		}
		if second := addRule(t, s, rule); second <= first {
			t.Errorf("rule %d after rule %d", second, first)
		}
		if got, _, err := s.TokenByID(ctx, tok); err != nil || !got.RevokedAt.Equal(noon) {
			t.Errorf("the rule's token was revoked at %s, %v", got.RevokedAt, err)
		}
		for _, err := range []error{
			s.RemoveTrustRule(ctx, first, entry("trust.remove")),
			func() error { _, err := s.TrustRule(ctx, first); return err }(),
			func() error { _, err := s.AnyTrustRule(ctx, first); return err }(),
		} {
			if !errs.Is(err, errs.NotFound) {
				t.Errorf("a rule that was removed: %v", err)
			}
		}
		recorded, err := s.AuditEntries(ctx, audit.Query{Limit: 100})
		if err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(recorded)
		counts := map[string]int{}
		for _, e := range recorded {
			counts[e.Action]++
		}
		if err != nil || counts["trust.add"] != 2 || counts["trust.remove"] != 1 {
			t.Errorf("the record: %s, %v", text, err)
		}
	})
}

// A rule about what is not the owner's any more has no effect, and comes back
// with it.
func TestTrustRulesEndWithTheirOwners(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		ann := addUser(t, s, "ann")
		id := addRule(t, s, trustRule(token.TrustTarget{OwnerID: ann, Owner: "ann"}))
		live := func(what string, want bool) {
			t.Helper()
			known, err := s.TrustsIssuer(ctx, testIssuer)
			list, err2 := s.TrustRulesOf(ctx, testIssuer, "us", 0, 10)
			_, err3 := s.TrustRule(ctx, id)
			if err != nil || err2 != nil || known != want || (len(list) == 1) != want || (err3 == nil) != want {
				t.Errorf("%s: %t, %v, %v, %v, %v", what, known, list, err, err2, err3)
			}
			if listed, err := s.TrustRulesIn(ctx, ann); err != nil || len(listed) != 1 {
				t.Errorf("%s: not listed: %v, %v", what, listed, err)
			}
		}
		live("at first", true)
		for _, suspended := range []bool{true, false} {
			if err := s.SetSuspended(ctx, ann, suspended, entry("user.suspend")); err != nil {
				t.Fatal(err)
			}
			live("suspended", !suspended)
		}
	})
}

// Whoever has a token of an issuer makes us read rules: those for the token's
// audience, a page at a time.
func TestTrustRulesAreReadByIssuerAndAudience(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ann := addUser(t, s, "ann")
		var ids []int64
		for _, c := range [][2]string{{testIssuer, "us"}, {testIssuer, "them"}, {testIssuer, "us"}, {testIssuer + "/x", "us"}, {testIssuer, "us"}} {
			r := trustRule(token.TrustTarget{OwnerID: ann, Owner: "ann"})
			r.Issuer, r.Audience = c[0], c[1]
			ids = append(ids, addRule(t, s, r))
		}
		if known, err := s.TrustsIssuer(t.Context(), testIssuer+"\x00"); err != nil || known {
			t.Errorf("an issuer that PostgreSQL cannot store: %t, %v", known, err)
		}
		for _, login := range []string{"ann\x00", "ann\xff"} {
			if has, err := s.HasLogin(t.Context(), ann, login); err != nil || has {
				t.Errorf("the login %q: %t, %v", login, has, err)
			}
		}
		for _, c := range []struct {
			audience string
			after    int64
			limit    int
			want     []int64
		}{
			{"us", 0, 10, []int64{ids[0], ids[2], ids[4]}}, {"us", 0, 2, []int64{ids[0], ids[2]}}, {"us", ids[2], 2, []int64{ids[4]}},
			{"us", ids[4], 2, nil}, {"them", 0, 2, []int64{ids[1]}}, {"US", 0, 2, nil}, {"us\x00", 0, 2, nil},
		} {
			list, err := s.TrustRulesOf(t.Context(), testIssuer, c.audience, c.after, c.limit)
			var got []int64
			for _, r := range list {
				got = append(got, r.ID)
			}
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("for %s after %d: %v, %v, want %v", c.audience, c.after, got, err, c.want)
			}
		}
	})
}
