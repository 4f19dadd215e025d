package testkit

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// issuerKeys are the keys of an issuer, by algorithm.
type issuerKeys map[jose.SignatureAlgorithm]jose.JSONWebKey

func newIssuerKeys() (issuerKeys, error) {
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, err
	}
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	keys := issuerKeys{}
	for alg, key := range map[jose.SignatureAlgorithm]any{jose.RS256: r, jose.ES256: e, jose.EdDSA: ed} {
		keys[alg] = jose.JSONWebKey{Key: key, KeyID: randomText(), Algorithm: string(alg), Use: "sig"}
	}
	return keys, nil
}

func (k issuerKeys) public() jose.JSONWebKeySet {
	var set jose.JSONWebKeySet
	for _, key := range k {
		set.Keys = append(set.Keys, key.Public())
	}
	return set
}

// sign returns the token that want describes.
func (s *issuerServer) sign(want IssuerToken) (string, error) {
	alg := jose.SignatureAlgorithm(want.Algorithm)
	if alg == "" {
		alg = jose.ES256
	}
	payload, err := json.Marshal(s.complete(want.Claims))
	if err != nil {
		return "", err
	}
	if alg == "none" {
		return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"JWT"}`)) + "." +
			base64.RawURLEncoding.EncodeToString(payload) + ".", nil
	}
	key, extra, err := s.signingKey(alg, want.Stranger)
	if err != nil {
		return "", err
	}
	options := (&jose.SignerOptions{}).WithType("JWT")
	for name, value := range extra {
		options.WithHeader(jose.HeaderKey(name), value)
	}
	for name, value := range want.Header {
		options.WithHeader(jose.HeaderKey(name), value)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: key}, options)
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	return signed.CompactSerialize()
}

// signingKey returns the key to sign with, and what goes into the header.
func (s *issuerServer) signingKey(alg jose.SignatureAlgorithm, stranger bool) (jose.JSONWebKey, map[string]any, error) {
	if alg == jose.HS256 {
		private := s.keys[jose.RS256]
		public := private.Public()
		der, err := x509.MarshalPKIXPublicKey(public.Key)
		secret := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
		return jose.JSONWebKey{Key: secret, KeyID: public.KeyID}, nil, err
	}
	key, ok := s.keys[alg]
	if !ok {
		return key, nil, fmt.Errorf("no key for %q", alg)
	}
	if !stranger {
		return key, nil, nil
	}
	others, err := newIssuerKeys()
	if err != nil {
		return key, nil, err
	}
	key.Key = others[alg].Key.(crypto.Signer)
	return key, map[string]any{"jwk": key.Public()}, nil
}

// complete adds the claims that every token has.
func (s *issuerServer) complete(claims map[string]any) map[string]any {
	now := time.Now()
	all := map[string]any{
		"iss": s.url, "sub": "job", "jti": randomText(),
		"iat": now.Unix(), "nbf": now.Unix(), "exp": now.Add(10 * time.Minute).Unix(),
	}
	for name, value := range claims {
		if all[name] = value; value == nil {
			delete(all, name)
		}
	}
	return all
}
