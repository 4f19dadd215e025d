package store_test

import (
	"bytes"
	"testing"

	"packhouse/internal/store"
)

// The first key stays, for all who ask later.
func TestAKeyIsMadeOnce(t *testing.T) {
	onBoth(t, func(t *testing.T, s *store.Store) {
		for _, fresh := range [][]byte{{1, 2}, {3, 4}} {
			key, err := s.Key(t.Context(), "a.key", fresh)
			if err != nil || !bytes.Equal(key, []byte{1, 2}) {
				t.Errorf("%x, %v", key, err)
			}
		}
		if other, err := s.Key(t.Context(), "another.key", []byte{5}); err != nil || !bytes.Equal(other, []byte{5}) {
			t.Errorf("%x, %v", other, err)
		}
	})
}
