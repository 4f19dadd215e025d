package token

import (
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"sync"
	"time"

	"packhouse/internal/errs"
)

const (
	// keyLife is how long a key signs. Its successor's first half of that time
	// it still verifies, far longer than any bearer token lives.
	keyLife = 30 * 24 * time.Hour
	// reloadEvery bounds how often tokens with an unknown key, which anyone
	// can send, make us ask the database.
	reloadEvery = time.Second
)

// keyring holds the signing keys: the newest signs, that one and the one before
// it verify. All nodes share them through the database; one that meets a key it
// does not know looks there. Safe for concurrent use.
type keyring struct {
	store  KeyStore
	now    func() time.Time
	random io.Reader

	mu       sync.RWMutex
	signing  signingKey
	verify   map[string]ed25519.PublicKey // by the encoded header of their tokens
	loadedAt time.Time
}

type signingKey struct {
	private   ed25519.PrivateKey
	header    string // encoded
	createdAt time.Time
}

func (k *keyring) usable(now time.Time) bool {
	return k.signing.private != nil && now.Before(k.signing.createdAt.Add(keyLife))
}

// signer returns the key to sign with, and makes one when there is none or it
// has served its time.
func (k *keyring) signer(ctx context.Context) (signingKey, error) {
	now := k.now()
	k.mu.RLock()
	key, ok := k.signing, k.usable(now)
	k.mu.RUnlock()
	if ok {
		return key, nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.load(ctx, now); err != nil {
		return signingKey{}, err
	}
	if !k.usable(now) {
		if err := k.add(ctx, now); err != nil {
			return signingKey{}, err
		}
	}
	return k.signing, nil
}

// verifier returns the key whose tokens begin with header.
func (k *keyring) verifier(ctx context.Context, header string) (ed25519.PublicKey, bool, error) {
	k.mu.RLock()
	key, ok := k.verify[header]
	k.mu.RUnlock()
	if ok {
		return key, true, nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	now := k.now()
	if age := now.Sub(k.loadedAt); age >= 0 && age < reloadEvery {
		key, ok = k.verify[header]
		return key, ok, nil
	}
	err := k.load(ctx, now)
	key, ok = k.verify[header]
	return key, ok, err
}

// load reads the keys. k.mu is held.
func (k *keyring) load(ctx context.Context, now time.Time) error {
	keys, err := k.store.SigningKeys(ctx)
	if err != nil {
		return err
	}
	k.signing, k.verify, k.loadedAt = signingKey{}, map[string]ed25519.PublicKey{}, now
	for _, key := range keys {
		if len(key.Seed) != ed25519.SeedSize {
			return errs.Wrap(errs.Internal, fmt.Errorf("signing key %s is damaged", key.ID), "the signing keys cannot be read")
		}
		private := ed25519.NewKeyFromSeed(key.Seed)
		header := encodeHeader(key.ID)
		k.verify[header] = private.Public().(ed25519.PublicKey)
		if k.signing.private == nil {
			k.signing = signingKey{private: private, header: header, createdAt: key.CreatedAt}
		}
	}
	return nil
}

// add makes a key. k.mu is held. Two nodes that do so at once leave two keys,
// of which both verify.
func (k *keyring) add(ctx context.Context, now time.Time) error {
	seed := make([]byte, ed25519.SeedSize)
	if _, err := io.ReadFull(k.random, seed); err != nil {
		return errs.Wrap(errs.Internal, err, "no randomness for a signing key")
	}
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	sum := sha256.Sum256(public)
	key := Key{ID: hex.EncodeToString(sum[:8]), Seed: seed, CreatedAt: now}
	if err := k.store.AddSigningKey(ctx, key); err != nil {
		return err
	}
	return k.load(ctx, now)
}
