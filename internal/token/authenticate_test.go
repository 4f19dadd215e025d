package token_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/token"
)

func TestCredentialsThatHold(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	pat, tok := f.personal(t, f.ann, access.ReadPackages)
	byToken := access.Principal{AccountID: f.ann.ID, Login: "ann", Scopes: access.ReadPackages, TokenID: tok.ID}
	byPassword := access.Principal{AccountID: f.ann.ID, Login: "ann", Scopes: access.AllScopes}
	b64 := base64.StdEncoding.EncodeToString

	for what, c := range map[string]struct {
		header []string
		want   access.Principal
	}{
		"no header":                {nil, access.Principal{}},
		"empty user and password":  {[]string{"Basic Og=="}, access.Principal{}},
		"basic with a token":       {[]string{basic("ann", pat)}, byToken},
		"basic, other case":        {[]string{basic("ANN", pat)}, byToken},
		"basic with a password":    {[]string{basic("ann", password)}, byPassword},
		"scheme in lower case":     {[]string{"basic " + b64([]byte("ann:"+pat))}, byToken},
		"two spaces":               {[]string{"Basic  " + b64([]byte("ann:"+pat))}, byToken},
		"bearer with the token":    {[]string{"Bearer " + pat}, byToken},
		"bearer, base64":           {[]string{"Bearer " + b64([]byte(pat))}, byToken},
		"bearer, unpadded base64":  {[]string{"bearer " + strings.TrimRight(b64([]byte(pat)), "=")}, byToken},
		"bearer, base64 of a pair": {[]string{"Bearer " + b64([]byte("ann:"+pat))}, byToken},
		"bearer, base64, case":     {[]string{"Bearer " + b64([]byte("Ann:"+pat))}, byToken},
		"a password that has colons": {[]string{basic("carl", "a:b:c:d:e")}, access.Principal{
			AccountID: f.user(t, "carl", "a:b:c:d:e", false).ID, Login: "carl", Scopes: access.AllScopes,
		}},
	} {
		who, err := f.ask(t, c.header...)
		if err != nil || who.AccountID != c.want.AccountID || who.Login != c.want.Login || who.Scopes != c.want.Scopes ||
			who.TokenID != c.want.TokenID || who.Restricted || who.SiteAdmin {
			t.Errorf("%s: %+v, %v; want %+v", what, who, err, c.want)
		}
	}
}

func TestCredentialsThatDoNotHold(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	pat, _ := f.personal(t, f.ann, access.AllScopes)
	b64 := base64.StdEncoding.EncodeToString
	other := "0"
	if pat[10] == '0' {
		other = "1"
	}
	forged := pat[:10] + other + pat[11:]
	unknown, err := token.Generate(strings.NewReader(strings.Repeat("abcdefgh", 10)))
	if err != nil {
		t.Fatal(err)
	}

	for what, header := range map[string][]string{
		"another user's name":         {basic("bob", pat)},
		"no name":                     {basic("", pat)},
		"a token as the name":         {basic(pat, "")},
		"a token as the name and x":   {basic(pat, "x-oauth-basic")},
		"wrong password":              {basic("ann", "wrong")},
		"no password":                 {basic("ann", "")},
		"unknown user":                {basic("nobody", password)},
		"changed token":               {basic("ann", forged)},
		"token that was never made":   {basic("ann", unknown.Reveal())},
		"a token's first half":        {basic("ann", pat[:20])},
		"prefix alone":                {basic("ann", "php_")},
		"basic without colon":         {"Basic " + b64([]byte("ann"))},
		"basic that is no base64":     {"Basic ann:" + pat},
		"basic in url base64":         {"Basic " + base64.URLEncoding.EncodeToString([]byte("ann:\xff\xfe\xff"))},
		"basic of nothing":            {"Basic "},
		"basic alone":                 {"Basic"},
		"basic beyond all bounds":     {basic("ann", strings.Repeat("x", 10_000))},
		"bearer of nothing":           {"Bearer "},
		"bearer alone":                {"Bearer"},
		"bearer with a changed token": {"Bearer " + forged},
		"bearer of another's pair":    {"Bearer " + b64([]byte("bob:"+pat))},
		"bearer with a password":      {"Bearer " + b64([]byte("ann:"+password))},
		"bearer with empty pair":      {"Bearer " + b64([]byte(":"))},
		"bearer, twice base64":        {"Bearer " + b64([]byte(b64([]byte(pat))))},
		"bearer beyond all bounds":    {"Bearer " + strings.Repeat("x", 100_000)},
		"token scheme":                {"token " + pat},
		"digest":                      {`Digest username="ann"`},
		"an empty header":             {""},
		"two headers":                 {basic("ann", pat), basic("ann", pat)},
		"a good one after a bad one":  {"Basic x", basic("ann", pat)},
	} {
		who, err := f.ask(t, header...)
		if !unauthenticated(err) || who.AccountID != 0 || who.Scopes != 0 || who.TokenID != 0 {
			t.Errorf("%s: %+v, %v", what, who, err)
		}
	}
}

func TestAWrongChecksumAsksNoDatabase(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, secret := range []string{"php_", "php_000000000000000000000000000000000000", "php_" + strings.Repeat("x", 3000)} {
		for _, header := range []string{basic("ann", secret), "Bearer " + secret} {
			if _, err := f.ask(t, header); !unauthenticated(err) {
				t.Errorf("%.30s: %v", secret, err)
			}
		}
	}
	if n := f.store.lookups.Load(); n != 0 {
		t.Errorf("%d look-ups", n)
	}
}

func TestATokenEndsAtOnce(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	for what, end := range map[string]func(tok token.Token) error{
		"revoked":   func(tok token.Token) error { return f.Revoke(ctx, audit.Operator, f.ann.ID, tok.ID) },
		"suspended": func(token.Token) error { return f.accounts.Suspend(ctx, audit.Operator, "ann", true) },
	} {
		pat, tok := f.personal(t, f.ann, access.ReadPackages)
		if _, err := f.ask(t, basic("ann", pat)); err != nil {
			t.Fatal(err)
		}
		if err := end(tok); err != nil {
			t.Fatal(err)
		}
		for _, header := range []string{basic("ann", pat), "Bearer " + pat} {
			if _, err := f.ask(t, header); !unauthenticated(err) {
				t.Errorf("%s: %v", what, err)
			}
		}
		if err := f.accounts.Suspend(ctx, audit.Operator, "ann", false); err != nil {
			t.Fatal(err)
		}
	}
}

func TestATokenExpires(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	secret, _, err := f.Create(t.Context(), audit.Operator, token.NewToken{AccountID: f.ann.ID, Target: "ann", Scopes: access.ReadPackages, ExpiresAt: f.now.Add(time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	f.now = f.now.Add(time.Hour - time.Microsecond)
	if _, err := f.ask(t, basic("ann", secret.Reveal())); err != nil {
		t.Errorf("before: %v", err)
	}
	f.now = f.now.Add(time.Microsecond)
	_, err = f.ask(t, basic("ann", secret.Reveal()))
	if !unauthenticated(err) || !strings.Contains(err.Error(), "expired") {
		t.Errorf("after: %v", err)
	}
}

func TestTokensThatAreNotMade(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for what, n := range map[string]token.NewToken{
		"no scope":        {AccountID: f.ann.ID},
		"unknown scope":   {AccountID: f.ann.ID, Scopes: 1 << 15},
		"already expired": {AccountID: f.ann.ID, Scopes: access.ReadPackages, ExpiresAt: f.now},
		"an endless note": {AccountID: f.ann.ID, Scopes: access.ReadPackages, Note: strings.Repeat("x", 201)},
	} {
		if _, _, err := f.Create(t.Context(), audit.Operator, n); !errs.Is(err, errs.Invalid) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if list, err := f.List(t.Context(), f.ann.ID); len(list) != 0 || err != nil {
		t.Errorf("there are %v, %v", list, err)
	}
}

func TestTheSecretIsNotStored(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	pat, tok := f.personal(t, f.ann, access.ReadPackages)
	list, err := f.List(t.Context(), f.ann.ID)
	if err != nil || len(list) != 1 || list[0].ID != tok.ID || list[0].Note != "test" {
		t.Fatalf("%+v, %v", list, err)
	}
	if len(tok.SecretHash) != 64 || strings.Contains(tok.SecretHash, pat) {
		t.Errorf("stored is %q", tok.SecretHash)
	}
	if _, err := f.ask(t, basic("ann", tok.SecretHash)); !unauthenticated(err) {
		t.Errorf("the stored hash signs in: %v", err)
	}
}

func TestLastUseIsKeptToTheMinute(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	pat, _ := f.personal(t, f.ann, access.ReadPackages)
	use := func(want time.Time) {
		t.Helper()
		if _, err := f.ask(t, basic("ann", pat)); err != nil {
			t.Fatal(err)
		}
		if err := f.FlushUses(ctx); err != nil {
			t.Fatal(err)
		}
		if list, _ := f.List(ctx, f.ann.ID); !list[0].LastUsedAt.Equal(want) {
			t.Errorf("last used at %v, want %v", list[0].LastUsedAt, want)
		}
	}
	minute := f.now.Truncate(time.Minute)
	use(minute)
	f.now = f.now.Add(20 * time.Second)
	use(minute)
	f.now = f.now.Add(20 * time.Second)
	use(minute.Add(time.Minute))
	if n := f.store.touches.Load(); n != 2 {
		t.Errorf("%d writes for two minutes", n)
	}
	if _, err := f.ask(t, basic("bob", pat)); !unauthenticated(err) {
		t.Error(err)
	}
	if err := f.FlushUses(ctx); err != nil {
		t.Error(err)
	}
}

func FuzzAuthorization(f *testing.F) {
	x := newFixture(f)
	pat, _ := x.personal(f, x.ann, access.ReadPackages)
	for _, s := range []string{"", "Basic Og==", basic("ann", "php_"), "Bearer a.b.c", "Bearer " + pat, "Basic \x00", "bearer QQ==", "Basic  ===="} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		x.now = x.now.Add(time.Hour) // so that no throttle hides an answer
		who, err := x.ask(t, header)
		switch {
		case err == nil && who.AccountID != 0 && !strings.Contains(header, pat):
			t.Errorf("%q signs in as %+v", header, who)
		case err != nil && !unauthenticated(err):
			t.Errorf("%q: %v", header, err)
		}
	})
}
