package mem

import (
	"context"

	"packhouse/internal/blob"
)

var _ blob.Marker = (*Store)(nil)

// Mark implements blob.Marker.
func (s *Store) Mark(context.Context) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mark, nil
}

// SetMark implements blob.Marker.
func (s *Store) SetMark(_ context.Context, text string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mark = text
	return nil
}
