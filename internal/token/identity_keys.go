package token

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
)

const (
	// issuerKeysLife is how long an issuer's keys are taken without asking again.
	issuerKeysLife = time.Hour
	// issuerAskEvery bounds how often tokens with unknown keys, which anyone can
	// send, make us ask an issuer.
	issuerAskEvery = 10 * time.Second
	// maxIssuers bounds the memory; over it one issuer is asked again.
	maxIssuers = 256
	// maxIssuerKeys is how many keys of an issuer are looked at.
	maxIssuerKeys = 100
)

// identityAlgorithms are those with a public key alone.
func identityAlgorithms() []string {
	return []string{
		oidc.RS256, oidc.RS384, oidc.RS512, oidc.ES256, oidc.ES384, oidc.ES512, oidc.PS256, oidc.PS384, oidc.PS512, oidc.EdDSA,
	}
}

func signatureAlgorithms() []jose.SignatureAlgorithm {
	var list []jose.SignatureAlgorithm
	for _, name := range identityAlgorithms() {
		list = append(list, jose.SignatureAlgorithm(name))
	}
	return list
}

// issuers remembers the keys of issuers. Safe for concurrent use.
type issuers struct {
	client *http.Client
	// private allows http:// at this machine.
	private bool
	now     func() time.Time

	mu   sync.Mutex
	keys map[string]*issuerKeys
}

func (s *issuers) keysOf(issuer string) *issuerKeys {
	s.mu.Lock()
	defer s.mu.Unlock()
	if k := s.keys[issuer]; k != nil {
		return k
	}
	for other := range s.keys {
		if len(s.keys) < maxIssuers {
			break
		}
		delete(s.keys, other)
	}
	if s.keys == nil {
		s.keys = map[string]*issuerKeys{}
	}
	k := &issuerKeys{issuer: issuer, from: s}
	s.keys[issuer] = k
	return k
}

// issuerKeys is the keys of one issuer. It takes a key from there alone: what a
// token brings along in its header is not looked at.
type issuerKeys struct {
	issuer string
	from   *issuers

	current atomic.Pointer[publishedKeys]

	asking  sync.Mutex // held while the issuer is asked
	askedAt time.Time
	failed  atomic.Pointer[keyOutage]
}

type publishedKeys struct {
	keys []jose.JSONWebKey
	at   time.Time
}

// keyOutage is the error that outage returns.
type keyOutage struct{ cause error }

func (o *keyOutage) Error() string { return "its issuer was not reached: " + o.cause.Error() }

func (o *keyOutage) Unwrap() error { return o.cause }

// outage returns why the issuer could not be asked last, and nil when it could.
func (k *issuerKeys) outage() error {
	if o := k.failed.Load(); o != nil {
		return o
	}
	return nil
}

// VerifySignature implements oidc.KeySet.
func (k *issuerKeys) VerifySignature(ctx context.Context, text string) ([]byte, error) {
	signed, err := jose.ParseSignedCompact(text, signatureAlgorithms())
	if err != nil {
		return nil, err
	}
	header := signed.Signatures[0].Header
	for fresh := false; ; fresh = true {
		keys, asked, err := k.published(ctx, fresh)
		if err != nil {
			return nil, err
		}
		known := false
		for _, key := range keys {
			if !fits(key, header) {
				continue
			}
			known = true
			if payload, err := signed.Verify(key); err == nil {
				return payload, nil
			}
		}
		if known || asked || fresh {
			return nil, errors.New("no key of the issuer's made this signature")
		}
	}
}

// fits reports whether a token with this header may be signed with key.
func fits(key jose.JSONWebKey, header jose.Header) bool {
	return (header.KeyID == "" || key.KeyID == header.KeyID) && (key.Use == "" || key.Use == "sig") &&
		(key.Algorithm == "" || key.Algorithm == header.Algorithm)
}

// published returns the issuer's keys, and whether it was asked for them just
// now. With fresh it is asked if it was not lately.
func (k *issuerKeys) published(ctx context.Context, fresh bool) (keys []jose.JSONWebKey, asked bool, err error) {
	now := k.from.now()
	if p := k.current.Load(); p != nil && !fresh && now.Sub(p.at) < issuerKeysLife {
		return p.keys, false, nil
	}
	k.asking.Lock()
	defer k.asking.Unlock()
	p := k.current.Load()
	if age := now.Sub(k.askedAt); !k.askedAt.IsZero() && age >= 0 && age < issuerAskEvery {
		switch out := k.outage(); {
		case out != nil:
			return nil, true, out
		case p != nil:
			return p.keys, true, nil
		}
	}
	k.askedAt = now
	// One request that ends must not fail the others that wait for the keys.
	keys, err = k.from.fetch(context.WithoutCancel(ctx), k.issuer)
	if err != nil {
		out := &keyOutage{err}
		k.failed.Store(out)
		return nil, true, out
	}
	k.failed.Store(nil)
	k.current.Store(&publishedKeys{keys, now})
	return keys, true, nil
}

// fetch asks an issuer where its keys are, and for them.
func (s *issuers) fetch(ctx context.Context, issuer string) ([]jose.JSONWebKey, error) {
	provider, err := oidc.NewProvider(oidc.ClientContext(ctx, s.client), issuer)
	if err != nil {
		return nil, err
	}
	var found struct {
		Keys string `json:"jwks_uri"`
	}
	if err := provider.Claims(&found); err != nil {
		return nil, err
	}
	if u, err := url.Parse(found.Keys); err != nil || !secureURL(u, s.private) {
		return nil, errors.New("the issuer's jwks_uri is no https:// address")
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, found.Keys, nil)
	if err != nil {
		return nil, err
	}
	res, err := s.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the issuer's keys: %s", res.Status)
	}
	return readKeys(res.Body)
}

// readKeys reads a set of keys, without those of a kind that is not known.
func readKeys(from io.Reader) ([]jose.JSONWebKey, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.NewDecoder(from).Decode(&set); err != nil {
		return nil, fmt.Errorf("the issuer's keys: %w", err)
	}
	var keys []jose.JSONWebKey
	for _, raw := range set.Keys[:min(len(set.Keys), maxIssuerKeys)] {
		var key jose.JSONWebKey
		if key.UnmarshalJSON(raw) == nil && key.IsPublic() {
			keys = append(keys, key)
		}
	}
	return keys, nil
}
