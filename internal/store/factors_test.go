package store_test

import (
	"sync"
	"testing"
	"time"

	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/store"
)

// once does the same from several at once, and returns how many succeeded.
func once(n int, do func() error) (ok int) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			if do() == nil {
				mu.Lock()
				ok++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return ok
}

// What is taken once is taken once, whoever else tries at that moment.
func TestFactorsAreUsedOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		ctx := t.Context()
		ann := addUser(t, s, "ann")
		now := noon
		e := audit.Entry{At: now, Actor: "ann", Action: "user.test", Target: "ann"}
		n := account.Enabling{Codes: []string{"one", "two"}, Entry: e}
		if err := s.BeginApp(ctx, ann, []byte("secret"), now); err != nil {
			t.Fatal(err)
		}
		first := 0
		var mu sync.Mutex
		confirmed := once(4, func() error {
			turned, err := s.ConfirmApp(ctx, ann, []byte("secret"), 10, n, e)
			if turned && err == nil {
				mu.Lock()
				first++
				mu.Unlock()
			}
			return err
		})
		if confirmed != 1 || first != 1 {
			t.Errorf("confirmed %d times, turned on %d times", confirmed, first)
		}
		pending := account.Pending{Hash: "p", AccountID: ann, ReturnTo: "/", ExpiresAt: now.Add(time.Hour)}
		if err := s.AddPending(ctx, pending); err != nil {
			t.Fatal(err)
		}
		if err := s.AddChallenge(ctx, account.Challenge{Hash: "c", Purpose: "add", Data: []byte("{}"), ExpiresAt: now.Add(time.Hour)}); err != nil {
			t.Fatal(err)
		}
		key := account.Passkey{AccountID: ann, CredentialID: []byte("k"), PublicKey: []byte("p"), AAGUID: []byte{}, Name: "key", CreatedAt: now, SignCount: 1}
		if turned, err := s.AddPasskey(ctx, key, 20, n, e); turned || err != nil {
			t.Fatal(turned, err)
		}
		if _, err := s.AddPasskey(ctx, key, 20, n, e); !errs.Is(err, errs.Exists) {
			t.Errorf("the same passkey: %v", err)
		}
		list, err := s.Passkeys(ctx, ann)
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		used := list[0]
		used.SignCount, used.LastUsedAt = 2, now
		for what, try := range map[string]struct {
			do   func() error
			want int
		}{
			"a code":          {func() error { return s.UseStep(ctx, ann, 11) }, 1},
			"a recovery code": {func() error { return s.UseRecoveryCode(ctx, ann, "one", e) }, 1},
			"tries":           {func() error { return s.TryPending(ctx, "p", now, 3) }, 3},
			"a challenge":     {func() error { _, err := s.TakeChallenge(ctx, "c", now); return err }, 1},
			"a passkey":       {func() error { return s.UsePasskey(ctx, used) }, 1},
		} {
			if got := once(6, try.do); got != try.want {
				t.Errorf("%s: %d of 6 succeeded, want %d", what, got, try.want)
			}
		}
		if err := s.RemoveApp(ctx, ann, e, e); err != nil {
			t.Fatal(err)
		}
		if since, left, err := s.RecoveryCodes(ctx, ann); err != nil || since.IsZero() || left != 1 {
			t.Errorf("with a passkey: since %v, %d codes, %v", since, left, err)
		}
		if err := s.RemovePasskey(ctx, ann, used.ID, e, e); err != nil {
			t.Fatal(err)
		}
		if since, left, err := s.RecoveryCodes(ctx, ann); err != nil || !since.IsZero() || left != 0 {
			t.Errorf("with nothing: since %v, %d codes, %v", since, left, err)
		}
	})
}
