package account

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"net/url"

	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"

	"packhouse/internal/access"
	"packhouse/internal/errs"
)

// What a passkey is asked for.
const (
	// PasskeyAdd makes a passkey of a user.
	PasskeyAdd = "add"
	// PasskeySignIn is the only thing that is shown; it may be anybody's.
	PasskeySignIn = "sign-in"
	// PasskeySecond comes after the password of its user.
	PasskeySecond = "second-factor"
	// PasskeyConfirm is shown again by who is signed in.
	PasskeyConfirm = "confirm"
)

// maxCeremony is the longest answer of an authenticator, in bytes.
const maxCeremony = 64 << 10

func relyingParty(public *url.URL) (*webauthn.WebAuthn, error) {
	return webauthn.New(&webauthn.Config{
		RPID: public.Hostname(), RPDisplayName: public.Host, RPOrigins: []string{public.Scheme + "://" + public.Host},
		AttestationPreference: protocol.PreferNoAttestation,
		AuthenticatorSelection: protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementPreferred, UserVerification: protocol.VerificationPreferred,
		},
		ExtensionsUnsolicitedOutputPolicy: protocol.UnsolicitedOutputPolicyIgnore,
	})
}

// holder is a user as the ceremonies see it.
type holder struct {
	who      access.Principal
	passkeys []Passkey
}

// WebAuthnID is what authenticators call the account.
func (h holder) WebAuthnID() []byte {
	return binary.BigEndian.AppendUint64(nil, uint64(h.who.AccountID))
} //nolint:gosec // ids are positive

// WebAuthnName is shown by browsers.
func (h holder) WebAuthnName() string { return h.who.Login }

// WebAuthnDisplayName is shown by browsers.
func (h holder) WebAuthnDisplayName() string { return h.who.Login }

// WebAuthnCredentials are the passkeys.
func (h holder) WebAuthnCredentials() []webauthn.Credential {
	list := make([]webauthn.Credential, len(h.passkeys))
	for i, p := range h.passkeys {
		list[i] = p.credential()
	}
	return list
}

func (p Passkey) credential() webauthn.Credential {
	c := webauthn.Credential{
		ID: p.CredentialID, PublicKey: p.PublicKey, Flags: webauthn.NewCredentialFlags(protocol.AuthenticatorFlags(p.Flags)),
		Authenticator: webauthn.Authenticator{AAGUID: p.AAGUID, SignCount: p.SignCount},
	}
	for _, t := range p.Transports {
		c.Transport = append(c.Transport, protocol.AuthenticatorTransport(t))
	}
	return c
}

func (p *Passkey) seen(c *webauthn.Credential) {
	p.CredentialID, p.PublicKey, p.AAGUID = c.ID, c.PublicKey, c.Authenticator.AAGUID
	p.Flags, p.SignCount = byte(c.Flags.ProtocolValue()), c.Authenticator.SignCount
	p.Transports = nil
	for _, t := range c.Transport {
		p.Transports = append(p.Transports, string(t))
	}
}

func (f *Factors) holder(ctx context.Context, who access.Principal) (holder, error) {
	list, err := f.Store.Passkeys(ctx, who.AccountID)
	return holder{who, list}, err
}

// BeginPasskey returns what a script hands to the browser's authenticator, as
// JSON, and the secret by which this browser comes back with the answer. who is
// nobody for PasskeySignIn. Unsupported at an address without passkeys.
func (f *Factors) BeginPasskey(ctx context.Context, purpose string, who access.Principal) (options []byte, secret string, err error) {
	if f.web == nil {
		return nil, "", errs.New(errs.Unsupported, "passkeys need a server with a name, not a bare address")
	}
	h, err := f.holder(ctx, who)
	if err != nil {
		return nil, "", err
	}
	var asked any
	var session *webauthn.SessionData
	switch {
	case purpose == PasskeyAdd:
		asked, session, err = f.web.BeginRegistration(h, webauthn.WithExclusions(webauthn.Credentials(h.WebAuthnCredentials()).CredentialDescriptors()))
	case purpose == PasskeySignIn:
		asked, session, err = f.web.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	case len(h.passkeys) == 0:
		return nil, "", errs.New(errs.NotFound, "the account has no passkey")
	case purpose == PasskeyConfirm:
		asked, session, err = f.web.BeginLogin(h, webauthn.WithUserVerification(protocol.VerificationRequired))
	default:
		asked, session, err = f.web.BeginLogin(h)
	}
	if err != nil {
		return nil, "", errs.Wrap(errs.Internal, err, "no challenge for a passkey")
	}
	return f.challenge(ctx, purpose, who, asked, session)
}

func (f *Factors) challenge(ctx context.Context, purpose string, who access.Principal, asked, session any) (options []byte, secret string, err error) {
	if options, err = json.Marshal(asked); err != nil {
		return nil, "", err
	}
	data, err := json.Marshal(session)
	if err != nil {
		return nil, "", err
	}
	if secret, err = f.secret(); err != nil {
		return nil, "", err
	}
	return options, secret, f.Store.AddChallenge(ctx, Challenge{
		Hash: hashOfSecret(secret), Purpose: purpose, AccountID: who.AccountID, Data: data, ExpiresAt: f.Now().Add(ChallengeLife),
	})
}

// taken returns the challenge of a browser that comes back.
func (f *Factors) taken(ctx context.Context, purpose string, accountID int64, secret string) (s webauthn.SessionData, err error) {
	c, err := f.Store.TakeChallenge(ctx, hashOfSecret(secret), f.Now())
	if errs.Is(err, errs.NotFound) || err == nil && (c.Purpose != purpose || c.AccountID != accountID || f.web == nil) {
		return s, errPasskey(nil)
	}
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(c.Data, &s)
}

// errPasskey is the one answer to every passkey that does not hold.
func errPasskey(cause error) error {
	return errs.Wrap(errs.Unauthenticated, cause, "the passkey was not accepted; try again")
}

// AddPasskey stores the passkey that an authenticator made for who under a name.
// When it is the first second factor, recovery codes are returned, to be shown
// once, and all sessions end but keep.
func (f *Factors) AddPasskey(ctx context.Context, who access.Principal, secret, name, answer string, keep Session) (codes []string, err error) {
	if name, err = passkeyName(name); err != nil {
		return nil, err
	}
	session, err := f.taken(ctx, PasskeyAdd, who.AccountID, secret)
	if err != nil {
		return nil, err
	}
	if len(answer) > maxCeremony {
		return nil, errPasskey(nil)
	}
	parsed, err := protocol.ParseCredentialCreationResponseBytes([]byte(answer))
	if err != nil {
		return nil, errPasskey(err)
	}
	made, err := f.web.CreateCredential(holder{who: who}, session, parsed)
	if err != nil {
		return nil, errPasskey(err)
	}
	p := Passkey{AccountID: who.AccountID, Name: name, CreatedAt: f.Now()}
	p.seen(made)
	n, codes, err := f.enabling(who, FactorPasskey, keep)
	if err != nil {
		return nil, err
	}
	first, err := f.Store.AddPasskey(ctx, p, maxPasskeys, n, f.entry(who, "user.passkey-add", map[string]any{"name": name}))
	if err != nil || !first {
		return nil, err
	}
	return codes, nil
}

// ByPasskey returns whose passkey answered the challenge that the browser with
// that secret got for the purpose. who is nobody for PasskeySignIn; otherwise it
// has to be a passkey of who. Unauthenticated for everything that does not hold.
func (f *Factors) ByPasskey(ctx context.Context, purpose string, who access.Principal, secret, answer string) (access.Principal, error) {
	session, err := f.taken(ctx, purpose, who.AccountID, secret)
	if err != nil {
		return access.Principal{}, err
	}
	if len(answer) > maxCeremony {
		return access.Principal{}, errPasskey(nil)
	}
	parsed, err := protocol.ParseCredentialRequestResponseBytes([]byte(answer))
	if err != nil {
		return access.Principal{}, errPasskey(err)
	}
	h, p, err := f.claimed(ctx, purpose, who, parsed.RawID)
	if err != nil {
		return access.Principal{}, err
	}
	used, err := f.validate(h, purpose, session, parsed)
	if err != nil {
		return access.Principal{}, errPasskey(err)
	}
	p.seen(used)
	p.LastUsedAt = f.Now()
	return h.who, f.Store.UsePasskey(ctx, p)
}

// claimed returns the passkey with that id, and whose it has to be.
func (f *Factors) claimed(ctx context.Context, purpose string, who access.Principal, id []byte) (holder, Passkey, error) {
	if purpose == PasskeySignIn {
		p, a, err := f.Store.PasskeyByCredential(ctx, id)
		if errs.Is(err, errs.NotFound) {
			err = errPasskey(nil)
		}
		return holder{principal(a), []Passkey{p}}, p, err
	}
	h, err := f.holder(ctx, who)
	for _, p := range h.passkeys {
		if bytes.Equal(p.CredentialID, id) {
			return h, p, err
		}
	}
	if err == nil {
		err = errPasskey(nil)
	}
	return h, Passkey{}, err
}

func (f *Factors) validate(h holder, purpose string, session webauthn.SessionData, answer *protocol.ParsedCredentialAssertionData) (*webauthn.Credential, error) {
	if purpose != PasskeySignIn {
		return f.web.ValidateLogin(h, session, answer)
	}
	_, c, err := f.web.ValidatePasskeyLogin(func(_, _ []byte) (webauthn.User, error) { return h, nil }, session, answer)
	return c, err
}
