package token_test

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"runtime"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"packhouse/internal/access"
)

// The tests here replay what went wrong in other registries and token
// libraries; each is named after its row in the reference.

// The tests below rest on this: what the forger makes without a change holds.
func TestTheForgersTokenHoldsWithoutChanges(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	forge := f.forger(t)
	who, err := f.ask(t, "Bearer "+forge.sign(forge.header(), f.payload(t, nil)))
	if err != nil || who.AccountID != f.ann.ID || len(who.Grants) != 1 {
		t.Fatalf("%+v, %v", who, err)
	}
}

// SEC-004: a token that brings its own key, under the id of a trusted one, was
// accepted.
func TestSEC004_ForeignKeysAreRefusedWhateverTheHeaderSays(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	trusted := f.forger(t)
	payload := f.payload(t, nil)
	rapid.Check(t, func(rt *rapid.T) {
		seed := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(rt, "seed")
		foreign := forger{ed25519.NewKeyFromSeed(seed), trusted.id}
		header := map[string]any{
			"alg": rapid.SampledFrom([]string{"EdDSA", "Ed25519", "none", "HS256", "RS256", "ES256", "eddsa"}).Draw(rt, "alg"),
			"typ": rapid.SampledFrom([]string{"packhouse-registry+jwt", "JWT", ""}).Draw(rt, "typ"),
			"kid": rapid.SampledFrom([]string{trusted.id, "", "0000000000000000", strings.ToUpper(trusted.id)}).Draw(rt, "kid"),
		}
		for _, extra := range rapid.SliceOf(rapid.SampledFrom([]string{"jwk", "x5c", "jku", "x5u", "x5t", "crit", "cty"})).Draw(rt, "extra") {
			header[extra] = map[string]any{"kty": "OKP", "crv": "Ed25519", "kid": trusted.id, "x": encode(string(foreign.key.Public().(ed25519.PublicKey)))}
		}
		text, err := json.Marshal(header)
		if err != nil {
			rt.Fatal(err)
		}
		for _, h := range []string{string(text), trusted.header()} {
			if who, err := f.ask(t, "Bearer "+foreign.sign(h, payload)); !unauthenticated(err) || who.AccountID != 0 {
				rt.Fatalf("header %s: %+v, %v", h, who, err)
			}
		}
	})
}

// SEC-100: audiences of odd types, several signatures, other forms than compact.
func TestSEC100_OddAudiencesAndForms(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	forge := f.forger(t)
	for what, changes := range map[string]map[string]any{
		"aud as a list":        {"aud": []string{service}},
		"aud as two":           {"aud": []string{service, "other.test"}},
		"aud as a number":      {"aud": 1},
		"aud missing":          {"aud": nil},
		"aud empty":            {"aud": ""},
		"aud in other case":    {"aud": strings.ToUpper(service)},
		"aud with a port":      {"aud": service + ":443"},
		"aud of another":       {"aud": "other.test"},
		"iss missing":          {"iss": nil},
		"iss of another":       {"iss": "https://other.test"},
		"exp missing":          {"exp": nil},
		"exp as text":          {"exp": "9999999999"},
		"exp as a fraction":    {"exp": 9999999999.5},
		"exp far ahead":        {"exp": f.now.Unix() + 301},
		"exp now":              {"exp": f.now.Unix()},
		"exp before iat":       {"exp": f.now.Unix() + 5, "iat": f.now.Unix() + 10, "nbf": f.now.Unix() + 10},
		"exp too large":        {"exp": 1e30},
		"iat missing":          {"iat": nil},
		"nbf missing":          {"nbf": nil},
		"nbf in the future":    {"nbf": f.now.Unix() + 60, "iat": f.now.Unix() + 60, "exp": f.now.Unix() + 120},
		"nbf is not iat":       {"nbf": f.now.Unix() - 1},
		"jti missing":          {"jti": nil},
		"access missing":       {"access": nil},
		"access as text":       {"access": "repository:ann/app:pull"},
		"an unknown member":    {"admin": true},
		"account without name": {"sub": ""},
		"name without account": {"packhouse_account": 0},
		"account as text":      {"packhouse_account": "1"},
		"unknown scope":        {"packhouse_scopes": "admin:everything"},
	} {
		if who, err := f.ask(t, "Bearer "+forge.sign(forge.header(), f.payload(t, changes))); !unauthenticated(err) {
			t.Errorf("%s: %+v, %v", what, who, err)
		}
	}
	good := forge.sign(forge.header(), f.payload(t, nil))
	parts := strings.Split(good, ".")
	for what, text := range map[string]string{
		"two signatures":     good + "." + parts[2],
		"empty fourth part":  good + ".",
		"no signature":       parts[0] + "." + parts[1] + ".",
		"two parts":          parts[0] + "." + parts[1],
		"padded":             good + "==",
		"line break":         parts[0] + "." + parts[1] + "\n." + parts[2],
		"leading space":      " " + good,
		"trailing space":     good + " ",
		"trailing bits":      good[:len(good)-1] + string(good[len(good)-1]+1),
		"standard alphabet":  parts[0] + "." + parts[1] + "." + strings.Repeat("+", 86),
		"JSON serialization": `{"payload":"` + parts[1] + `","signatures":[{"protected":"` + parts[0] + `","signature":"` + parts[2] + `"}]}`,
		"two documents":      forge.sign(forge.header(), f.payload(t, nil)+"{}"),
		"a list":             forge.sign(forge.header(), "["+f.payload(t, nil)+"]"),
		"null":               forge.sign(forge.header(), "null"),
		"other payload":      parts[0] + "." + encode(f.payload(t, map[string]any{"sub": "bob"})) + "." + parts[2],
		"other header":       encode(forge.header()+" ") + "." + parts[1] + "." + parts[2],
	} {
		if who, err := f.ask(t, "Bearer "+text); !unauthenticated(err) {
			t.Errorf("%s: %+v, %v", what, who, err)
		}
	}
}

// SEC-101: splitting on dots took memory without a limit; errors were half
// ignored.
func TestSEC101_HugeTokensAreRefusedBeforeTheyAreParsed(t *testing.T) {
	f := newFixture(t)
	forge := f.forger(t)
	long := forge.sign(forge.header(), f.payload(t, map[string]any{"sub": strings.Repeat("a", 8<<10)}))
	if _, err := f.ask(t, "Bearer "+long); !unauthenticated(err) {
		t.Errorf("%d bytes: %v", len(long), err)
	}
	r := request("Bearer " + strings.Repeat(".", 1_000_000))
	ctx := t.Context()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := f.Authenticate(ctx, r); !unauthenticated(err) {
		t.Errorf("a million dots: %v", err)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<10 {
		t.Errorf("a million dots took %d bytes", grown)
	}
}

// SEC-102: encrypted tokens made libraries derive keys at will or unpack bombs.
func TestSEC102_EncryptedTokensAreRefused(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, header := range []string{
		`{"alg":"PBES2-HS256+A128KW","enc":"A128GCM","p2c":2147483647,"p2s":"AAAA"}`,
		`{"alg":"dir","enc":"A256GCM","zip":"DEF"}`,
		`{"alg":"RSA-OAEP","enc":"A256GCM"}`,
	} {
		text := encode(header) + "." + encode("key") + "." + encode("iv") + "." + encode("text") + "." + encode("tag")
		if _, err := f.ask(t, "Bearer "+text); !unauthenticated(err) {
			t.Errorf("%s: %v", header, err)
		}
	}
}

// SEC-103: the public key was taken for an HMAC secret; "none" was believed.
func TestSEC103_TheHeaderDoesNotChooseTheAlgorithm(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	forge := f.forger(t)
	public := forge.key.Public().(ed25519.PublicKey)
	payload := encode(f.payload(t, nil))
	for _, alg := range []string{"none", "None", "", "HS256", "hs256", "HS512", "RS256", "ES256", "PS256", "EdDSA", "eddsa", "EDDSA", "Ed25519"} {
		header := encode(`{"alg":"` + alg + `","typ":"packhouse-registry+jwt","kid":"` + forge.id + `"}`)
		mac := hmac.New(sha256.New, public)
		mac.Write([]byte(header + "." + payload))
		texts := []string{header + "." + payload + ".", header + "." + payload + "." + encode(string(mac.Sum(nil)))}
		if alg != "EdDSA" { // even with the right key
			texts = append(texts, forge.sign(`{"alg":"`+alg+`","typ":"packhouse-registry+jwt","kid":"`+forge.id+`"}`, f.payload(t, nil)))
		}
		for _, text := range texts {
			if who, err := f.ask(t, "Bearer "+text); !unauthenticated(err) {
				t.Errorf("alg %q: %+v, %v", alg, who, err)
			}
		}
	}
	for _, header := range []string{
		`{"alg":"EdDSA","typ":"JWT","kid":"` + forge.id + `"}`,
		`{"alg":"EdDSA","kid":"` + forge.id + `"}`,
		`{"typ":"packhouse-registry+jwt","alg":"EdDSA","kid":"` + forge.id + `"}`,
		`{"alg":"EdDSA","typ":"packhouse-registry+jwt","kid":"` + forge.id + `","crit":["exp"]}`,
		`{"alg":"none","alg":"EdDSA","typ":"packhouse-registry+jwt","kid":"` + forge.id + `"}`,
	} {
		if who, err := f.ask(t, "Bearer "+forge.sign(header, f.payload(t, nil))); !unauthenticated(err) {
			t.Errorf("header %s: %+v, %v", header, who, err)
		}
	}
}

// A13: a token for one service must not hold at another, nor be taken where
// only personal tokens are.
func TestA13_ATokenHoldsAtItsServiceAlone(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	who := access.Principal{AccountID: f.ann.ID, Login: "ann", Scopes: access.AllScopes}
	text := f.bearer(t, who, access.Read)
	if _, err := f.node(t, "other.test").Authenticate(t.Context(), request("Bearer "+text)); !unauthenticated(err) {
		t.Errorf("at another service: %v", err)
	}
	for what, header := range map[string]string{
		"as a password":       basic("ann", text),
		"as a user name":      basic(text, ""),
		"in base64":           "Bearer " + encode(text),
		"as a pair in base64": "Bearer " + encode("ann:"+text),
	} {
		if _, err := f.ask(t, header); !unauthenticated(err) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Any bit that changes makes the token another one.
func TestEveryChangedByteOfABearerTokenIsNoticed(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	good := f.bearer(t, access.Principal{AccountID: f.ann.ID, Login: "ann", Scopes: access.AllScopes}, access.Read)
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for i := range good {
		next := alphabet[(strings.IndexByte(alphabet, good[i])+1)%len(alphabet)]
		bad := good[:i] + string(next) + good[i+1:]
		if who, err := f.ask(t, "Bearer "+bad); !unauthenticated(err) {
			t.Errorf("byte %d: %+v, %v", i, who, err)
		}
	}
}

func FuzzBearer(f *testing.F) {
	x := newFixture(f)
	forge := x.forger(f)
	f.Add(x.bearer(f, access.Principal{}), "", "")
	f.Add("", forge.header(), x.payload(f, nil))
	f.Add("", `{"alg":"none"}`, `{"access":[{"name":"a"}]}`)
	f.Fuzz(func(t *testing.T, text, header, payload string) {
		for _, token := range []string{text, forge.sign(header, payload), forge.sign(forge.header(), payload)} {
			who, err := x.ask(t, "Bearer "+token)
			if err != nil && !unauthenticated(err) {
				t.Errorf("%q: %v", token, err)
			}
			if err == nil && strings.Contains(token, ".") && !who.Restricted {
				t.Errorf("%q is not restricted: %+v", token, who)
			}
		}
	})
}

// A key that was made elsewhere never verifies, even under a known header.
func TestATokenOfAnotherInstallationIsRefused(t *testing.T) {
	t.Parallel()
	f, other := newFixture(t), newFixture(t)
	text := other.bearer(t, access.Principal{AccountID: f.ann.ID, Login: "ann", Scopes: access.AllScopes}, access.Read)
	if _, err := f.ask(t, "Bearer "+text); !unauthenticated(err) {
		t.Errorf("%v", err)
	}
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.ask(t, "Bearer "+forger{private, f.forger(t).id}.sign(f.forger(t).header(), f.payload(t, nil))); !unauthenticated(err) {
		t.Errorf("%v", err)
	}
}
