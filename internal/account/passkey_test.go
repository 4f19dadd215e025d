package account_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"net/url"
	"strings"
	"testing"

	"github.com/descope/virtualwebauthn"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
)

// device keeps passkeys, and has a person before it.
type device struct {
	virtualwebauthn.Authenticator
	rp virtualwebauthn.RelyingParty
}

func newDevice() *device {
	return &device{virtualwebauthn.NewAuthenticator(), virtualwebauthn.RelyingParty{
		ID: "packages.test.example", Name: "packages.test.example:8443", Origin: "https://packages.test.example:8443",
	}}
}

// newKey makes a key that the software authenticator writes as it should be: it
// drops the zeros with which a coordinate may begin.
func newKey(t *testing.T) virtualwebauthn.Credential {
	t.Helper()
	for {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		point, err := key.PublicKey.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		if point[1] == 0 || point[33] == 0 {
			continue
		}
		data, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return virtualwebauthn.NewCredentialWithImportedKey(virtualwebauthn.KeyTypeEC2, data)
	}
}

// create makes a passkey as asked and returns the answer.
func (d *device) create(t *testing.T, options []byte) string {
	t.Helper()
	asked, err := virtualwebauthn.ParseAttestationOptions(string(options))
	if err != nil {
		t.Fatal(err)
	}
	key := newKey(t)
	d.Options.UserHandle = []byte(asked.UserID)
	answer := virtualwebauthn.CreateAttestationResponse(d.rp, d.Authenticator, key, *asked)
	d.AddCredential(key)
	return answer
}

// get signs as asked with the newest passkey.
func (d *device) get(t *testing.T, options []byte) string {
	t.Helper()
	asked, err := virtualwebauthn.ParseAssertionOptions(string(options))
	if err != nil {
		t.Fatal(err)
	}
	key := &d.Credentials[len(d.Credentials)-1]
	key.Counter++
	return virtualwebauthn.CreateAssertionResponse(d.rp, d.Authenticator, *key, *asked)
}

func begin(t *testing.T, s *account.Factors, purpose string, who access.Principal) (options []byte, secret string) {
	t.Helper()
	options, secret, err := s.BeginPasskey(t.Context(), purpose, who)
	if err != nil {
		t.Fatal(err)
	}
	return options, secret
}

func addPasskey(t *testing.T, s *account.Factors, d *device, who access.Principal, name string) ([]string, error) {
	t.Helper()
	options, secret := begin(t, s, account.PasskeyAdd, who)
	return s.AddPasskey(t.Context(), who, secret, name, d.create(t, options), account.Session{})
}

func TestAPasskeySignsIn(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	s, who, d := f.factors(t), f.person(t, "ann"), newDevice()
	codes, err := addPasskey(t, s, d, who, " laptop ")
	if err != nil || len(codes) != 10 {
		t.Fatal(codes, err)
	}
	if codes, err := addPasskey(t, s, newDevice(), who, "phone"); err != nil || codes != nil {
		t.Errorf("a second one: %v, %v", codes, err)
	}
	options, secret := begin(t, s, account.PasskeySignIn, access.Principal{})
	if strings.Contains(string(options), "allowCredentials") || !strings.Contains(string(options), `"userVerification":"required"`) {
		t.Errorf("asked %s", options)
	}
	answer := d.get(t, options)
	in, err := s.ByPasskey(ctx, account.PasskeySignIn, access.Principal{}, secret, answer)
	if err != nil || in.AccountID != who.AccountID || in.Login != "ann" {
		t.Fatal(in, err)
	}
	_, err = s.ByPasskey(ctx, account.PasskeySignIn, access.Principal{}, secret, answer)
	wrong(t, "the same answer again", err)
	status, err := s.Status(ctx, who.AccountID)
	if err != nil || len(status.Passkeys) != 2 || !status.On() || status.Passkeys[0].Name != "laptop" || !status.Passkeys[0].LastUsedAt.Equal(f.now) {
		t.Errorf("%+v, %v", status, err)
	}
	for _, purpose := range []string{account.PasskeySecond, account.PasskeyConfirm} {
		options, secret := begin(t, s, purpose, who)
		if in, err := s.ByPasskey(ctx, purpose, who, secret, d.get(t, options)); err != nil || in.AccountID != who.AccountID {
			t.Errorf("%s: %+v, %v", purpose, in, err)
		}
	}
}

// Everything that a passkey may be wrong about is refused with one answer.
func TestAPasskeyThatDoesNotHold(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	s, ann, bob := f.factors(t), f.person(t, "ann"), f.person(t, "bob")
	anns, bobs := newDevice(), newDevice()
	for who, d := range map[*access.Principal]*device{&ann: anns, &bob: bobs} {
		if _, err := addPasskey(t, s, d, *who, "key"); err != nil {
			t.Fatal(err)
		}
	}
	nobody := access.Principal{}
	sign := func(d *device, change func(d *device)) func() error {
		return func() error {
			own := *d
			own.Credentials = append([]virtualwebauthn.Credential(nil), d.Credentials...)
			change(&own)
			options, secret := begin(t, s, account.PasskeySignIn, nobody)
			_, err := s.ByPasskey(ctx, account.PasskeySignIn, nobody, secret, own.get(t, options))
			return err
		}
	}
	for what, try := range map[string]func() error{
		"another site":        sign(anns, func(d *device) { d.rp.Origin = "https://elsewhere.test" }),
		"another party":       sign(anns, func(d *device) { d.rp.ID = "elsewhere.test" }),
		"nobody was there":    sign(anns, func(d *device) { d.Options.UserNotPresent = true }),
		"nobody was verified": sign(anns, func(d *device) { d.Options.UserNotVerified = true }),
		"another's handle":    sign(anns, func(d *device) { d.Options.UserHandle = bobs.Options.UserHandle }),
		"no handle":           sign(anns, func(d *device) { d.Options.UserHandle = nil }),
		"an unknown key":      sign(anns, func(d *device) { d.AddCredential(newKey(t)) }),
		"a key of that name": sign(anns, func(d *device) {
			forged := newKey(t)
			forged.ID = d.Credentials[0].ID
			d.AddCredential(forged)
		}),
		"without a challenge": func() error {
			options, _ := begin(t, s, account.PasskeySignIn, nobody)
			_, err := s.ByPasskey(ctx, account.PasskeySignIn, nobody, "", anns.get(t, options))
			return err
		},
		"another challenge": func() error {
			options, _ := begin(t, s, account.PasskeySignIn, nobody)
			_, secret := begin(t, s, account.PasskeySignIn, nobody)
			_, err := s.ByPasskey(ctx, account.PasskeySignIn, nobody, secret, anns.get(t, options))
			return err
		},
		"for another purpose": func() error {
			options, secret := begin(t, s, account.PasskeySignIn, nobody)
			_, err := s.ByPasskey(ctx, account.PasskeyConfirm, ann, secret, anns.get(t, options))
			return err
		},
		"of somebody else": func() error {
			options, secret := begin(t, s, account.PasskeySecond, ann)
			_, err := s.ByPasskey(ctx, account.PasskeySecond, ann, secret, bobs.get(t, options))
			return err
		},
		"for somebody else": func() error {
			options, secret := begin(t, s, account.PasskeySecond, bob)
			_, err := s.ByPasskey(ctx, account.PasskeySecond, ann, secret, anns.get(t, options))
			return err
		},
		"no JSON": func() error {
			_, secret := begin(t, s, account.PasskeySignIn, nobody)
			_, err := s.ByPasskey(ctx, account.PasskeySignIn, nobody, secret, "x")
			return err
		},
		"too much": func() error {
			_, secret := begin(t, s, account.PasskeySignIn, nobody)
			_, err := s.ByPasskey(ctx, account.PasskeySignIn, nobody, secret, strings.Repeat(" ", 100_000))
			return err
		},
		"too late": func() error {
			options, secret := begin(t, s, account.PasskeySignIn, nobody)
			f.now = f.now.Add(account.ChallengeLife)
			_, err := s.ByPasskey(ctx, account.PasskeySignIn, nobody, secret, anns.get(t, options))
			return err
		},
	} {
		err := try()
		wrong(t, what, err)
		if err != nil && !strings.HasPrefix(err.Error(), "the passkey was not accepted") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if err := sign(anns, func(*device) {})(); err != nil {
		t.Errorf("nothing wrong: %v", err)
	}
	wrong(t, "a copy that counts behind", sign(anns, func(d *device) { d.Credentials[0].Counter = 0 })())
	if err := f.Suspend(ctx, audit.Operator, "ann", true); err != nil {
		t.Fatal(err)
	}
	anns.Credentials[0].Counter = 1000
	wrong(t, "suspended", sign(anns, func(*device) {})())
}

func TestPasskeysAreNamedAndRemoved(t *testing.T) {
	t.Parallel()
	f, ctx := newFixture(t), t.Context()
	s, ann, bob, d := f.factors(t), f.person(t, "ann"), f.person(t, "bob"), newDevice()
	for _, name := range []string{"", " ", strings.Repeat("a", 101), "a\nb"} {
		if _, err := addPasskey(t, s, d, ann, name); !errs.Is(err, errs.Invalid) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := addPasskey(t, s, d, ann, "laptop"); err != nil {
		t.Fatal(err)
	}
	options, _ := begin(t, s, account.PasskeyAdd, ann)
	if !strings.Contains(string(options), `"excludeCredentials":[{`) {
		t.Errorf("a passkey may be made twice: %s", options)
	}
	status, err := s.Status(ctx, ann.AccountID)
	if err != nil || len(status.Passkeys) != 1 {
		t.Fatal(status, err)
	}
	id := status.Passkeys[0].ID
	if err := s.RenamePasskey(ctx, bob, id, "mine"); !errs.Is(err, errs.NotFound) {
		t.Errorf("somebody else's name: %v", err)
	}
	if err := s.RemovePasskey(ctx, bob, id); !errs.Is(err, errs.NotFound) {
		t.Errorf("somebody else's: %v", err)
	}
	if err := s.RenamePasskey(ctx, ann, id, "old laptop"); err != nil {
		t.Error(err)
	}
	f.withApp(t, s, ann)
	if err := s.RemovePasskey(ctx, ann, id); err != nil {
		t.Fatal(err)
	}
	if status, _ := s.Status(ctx, ann.AccountID); !status.On() || len(status.Passkeys) != 0 {
		t.Errorf("with an app left: %+v", status)
	}
	if err := s.RemoveApp(ctx, ann); err != nil {
		t.Fatal(err)
	}
	if status, _ := s.Status(ctx, ann.AccountID); status.On() {
		t.Errorf("with nothing left: %+v", status)
	}
	if _, _, err := s.BeginPasskey(ctx, account.PasskeyConfirm, ann); !errs.Is(err, errs.NotFound) {
		t.Errorf("without a passkey: %v", err)
	}
}

// Browsers know no passkeys for a bare address.
func TestNoPasskeysAtABareAddress(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"http://192.0.2.1:8080", "http://[2001:db8::1]"} {
		public, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		s, err := account.NewFactors(account.FactorOptions{URL: public})
		if err != nil || s.HasPasskeys() {
			t.Errorf("%s: %v", address, err)
		}
	}
}
