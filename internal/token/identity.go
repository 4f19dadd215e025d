package token

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"

	"packhouse/internal/errs"
)

const (
	// MaxIdentity is the longest identity token that is looked at, in bytes.
	MaxIdentity = MaxBearer
	// maxIdentityLife is the longest life of an identity token. Jobs get new
	// ones; one that lives longer is a password that nobody can change.
	maxIdentityLife = 24 * time.Hour
	// maxAudiences bounds for how many rules are looked up.
	maxAudiences = 10
)

// LooksLikeIdentity reports whether a password or a bearer credential is meant
// as an identity token: a JSON Web Token.
func LooksLikeIdentity(text string) bool {
	return strings.HasPrefix(text, "eyJ") && strings.Count(text, ".") == 2
}

// Identity is what an issuer says of a job.
type Identity struct {
	Issuer, Subject string
	Audience        []string
	IssuedAt        time.Time
	ExpiresAt       time.Time

	claims map[string]any
}

func errIdentity(why string) error { return errCredential("the identity token does not hold: " + why) }

// issuerOf returns the issuer that an identity token names, which nobody has
// verified.
func issuerOf(text string) (string, error) {
	if len(text) > MaxIdentity {
		return "", errIdentity("it is too long")
	}
	if !LooksLikeIdentity(text) {
		return "", errIdentity("it is not a JSON Web Token")
	}
	payload, err := segment.DecodeString(strings.Split(text, ".")[1])
	var c struct {
		Issuer string `json:"iss"`
	}
	if err != nil || json.Unmarshal(payload, &c) != nil || c.Issuer == "" {
		return "", errIdentity("it is not a JSON Web Token")
	}
	return c.Issuer, nil
}

// verify returns what the identity token says if the issuer signed it and it
// holds now. Whoever calls it has seen to it that the issuer may be contacted.
func (s *issuers) verify(ctx context.Context, issuer, text string) (Identity, error) {
	keys := s.keysOf(issuer)
	v := oidc.NewVerifier(issuer, keys, &oidc.Config{
		SupportedSigningAlgs: identityAlgorithms(),
		SkipClientIDCheck:    true, // each rule has its audience
		SkipExpiryCheck:      true, // checked below, with our clock and skew
	})
	signed, err := v.Verify(ctx, text)
	if err != nil {
		return Identity{}, verdict(ctx, keys, err)
	}
	id := Identity{
		Issuer: signed.Issuer, Subject: signed.Subject, Audience: signed.Audience,
		IssuedAt: signed.IssuedAt, ExpiresAt: signed.Expiry,
	}
	var raw json.RawMessage
	if err := signed.Claims(&raw); err != nil {
		return Identity{}, err
	}
	if id.claims, err = decodeIdentity(raw); err != nil {
		return Identity{}, errIdentity("its claims cannot be read")
	}
	return id, id.holds(s.now())
}

// verdict tells an issuer that cannot be asked from a token that does not hold.
// The library returns both as text.
func verdict(ctx context.Context, keys *issuerKeys, cause error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if out := keys.outage(); out != nil && strings.Contains(cause.Error(), out.Error()) {
		e := errs.Wrap(errs.Unavailable, out, "the issuer of the identity token cannot be asked for its keys")
		return e
	}
	return errUnsigned(keys.issuer, cause)
}

// holds returns why id is not to be taken now, or nil.
func (id Identity) holds(now time.Time) error {
	notBefore, present, err := id.time("nbf")
	switch {
	case err != nil:
		return err
	case id.IssuedAt.Unix() <= 0 || id.ExpiresAt.Unix() <= 0:
		return errIdentity("it must say when it was issued and when it expires (iat, exp)")
	case id.Subject == "":
		return errIdentity("it names no subject (sub)")
	case !now.Add(-clockSkew).Before(id.ExpiresAt):
		return errIdentity("it has expired")
	case now.Add(clockSkew).Before(id.IssuedAt), present && now.Add(clockSkew).Before(notBefore):
		return errIdentity("it does not hold yet; are the clocks right?")
	case id.ExpiresAt.Sub(id.IssuedAt) > maxIdentityLife:
		return errIdentity("it lives longer than 24 hours")
	case len(id.Audience) > maxAudiences:
		return errIdentity("it is for more than 10 audiences")
	}
	return nil
}

// time returns a claim that is a time.
func (id Identity) time(name string) (at time.Time, present bool, err error) {
	value, present := id.claims[name]
	if !present {
		return time.Time{}, false, nil
	}
	n, ok := value.(json.Number)
	if !ok {
		return time.Time{}, true, errIdentity(name + " is no time")
	}
	seconds, err := n.Float64()
	if err != nil {
		return time.Time{}, true, errIdentity(name + " is no time")
	}
	return time.Unix(int64(seconds), 0), true, nil
}

// decodeIdentity reads claims and keeps numbers as they were written.
func decodeIdentity(raw []byte) (map[string]any, error) {
	var claims map[string]any
	d := json.NewDecoder(strings.NewReader(string(raw)))
	d.UseNumber()
	if err := d.Decode(&claims); err != nil {
		return nil, err
	}
	if claims == nil {
		return nil, errors.New("the claims are no object")
	}
	return claims, nil
}
