package token

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"time"
)

const (
	// MaxBearer is the longest bearer token that is looked at, in bytes.
	MaxBearer = 8 << 10
	// BearerLife is how long a bearer token holds.
	BearerLife = 5 * time.Minute
	// clockSkew is how far the clocks of two nodes may be apart.
	clockSkew = 30 * time.Second
)

var segment = base64.RawURLEncoding.Strict()

// encodeHeader returns the first segment of every token that the key signs. It
// is compared as a whole and never parsed, so a token cannot choose its
// algorithm, its type or its key: all three are this text or another one.
func encodeHeader(keyID string) string {
	return segment.EncodeToString([]byte(`{"alg":"EdDSA","typ":"` + typ + `","kid":"` + keyID + `"}`))
}

// typ is the type of our tokens in their header.
const typ = "packhouse-registry+jwt"

// claims is the payload of a bearer token.
type claims struct {
	Issuer    string        `json:"iss"`
	Subject   string        `json:"sub"` // what the principal is called; empty for nobody
	Audience  string        `json:"aud"`
	ExpiresAt int64         `json:"exp"`
	NotBefore int64         `json:"nbf"`
	IssuedAt  int64         `json:"iat"`
	ID        string        `json:"jti"`
	Access    []claimAccess `json:"access"`
	Account   int64         `json:"packhouse_account"`
	Token     int64         `json:"packhouse_token"`
	SiteAdmin bool          `json:"packhouse_site_admin"`
	Scopes    string        `json:"packhouse_scopes"`
	// Generation is that of the password, if it came from one.
	Generation int64 `json:"packhouse_generation,omitempty"`
	// Limited is set when the token holds for Limits alone: owner, package and
	// actions of each.
	Limited  bool           `json:"packhouse_limited,omitempty"`
	Limits   [][3]int64     `json:"packhouse_limits,omitempty"`
	Workflow *claimWorkflow `json:"packhouse_workflow,omitempty"`
}

type claimWorkflow struct {
	RepositoryID int64  `json:"repository_id"`
	Repository   string `json:"repository"`
	OwnerID      int64  `json:"owner_id"`
	TrustID      int64  `json:"trust_id"`
	Codespace    bool   `json:"codespace"`
}

type claimAccess struct {
	Type    string   `json:"type"`
	Name    string   `json:"name"`
	Actions []string `json:"actions"`
}

// errBearer is the one answer to a bearer token that does not hold.
func errBearer() error { return errCredential("the bearer token is not valid, or no longer") }

// sign returns the compact form of c.
func (k signingKey) sign(c claims) (string, error) {
	payload, err := json.Marshal(c)
	if err != nil {
		return "", err
	}
	text := k.header + "." + segment.EncodeToString(payload)
	return text + "." + segment.EncodeToString(ed25519.Sign(k.private, []byte(text))), nil
}

// parseBearer checks the form, signature and claims, in this order, of a token of
// at most MaxBearer bytes.
func (k *keyring) parseBearer(ctx context.Context, token, issuer, service string) (claims, error) {
	header, rest, _ := strings.Cut(token, ".")
	payload, signature, found := strings.Cut(rest, ".")
	if !found {
		return claims{}, errBearer()
	}
	sig, err := segment.DecodeString(signature) // refuses a further dot
	if err != nil {
		return claims{}, errBearer()
	}
	key, known, err := k.verifier(ctx, header)
	if err != nil {
		return claims{}, err
	}
	if !known || !ed25519.Verify(key, []byte(token[:len(header)+1+len(payload)]), sig) {
		return claims{}, errBearer()
	}
	c, err := decodeClaims(payload)
	if err != nil || !c.hold(k.now(), issuer, service) {
		return claims{}, errBearer()
	}
	return c, nil
}

func decodeClaims(payload string) (claims, error) {
	var c claims
	raw, err := segment.DecodeString(payload)
	if err != nil {
		return c, err
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return c, err
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return c, errors.New("more than one document")
	}
	return c, nil
}

// hold reports whether c is meant for this service and this moment.
func (c claims) hold(now time.Time, issuer, service string) bool {
	lived := c.ExpiresAt - c.IssuedAt
	return c.Issuer == issuer && c.Audience == service && c.ID != "" && c.Access != nil &&
		c.NotBefore == c.IssuedAt && lived > 0 && lived <= int64(BearerLife/time.Second) &&
		now.Unix() < c.ExpiresAt && now.Add(clockSkew).Unix() >= c.NotBefore &&
		(c.Account != 0 || c.Workflow != nil) == (c.Subject != "") && (c.Account == 0 || c.Workflow == nil)
}

// ours reports whether text names itself a bearer token of a registry like this.
func ours(text string) bool {
	header, _, _ := strings.Cut(text, ".")
	raw, err := segment.DecodeString(header)
	return err == nil && bytes.Contains(raw, []byte(typ))
}
