package fs

import (
	"context"
	"io"

	"packhouse/internal/blob"
)

var _ blob.Marker = (*Store)(nil)

// markFile holds the text of SetMark.
const markFile = "mark"

// Mark implements blob.Marker.
func (s *Store) Mark(context.Context) (string, error) {
	f, err := s.fs.OpenFile(markFile, readOnly)
	if isAbsent(err) {
		return "", nil
	}
	if err != nil {
		return "", translate(err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, blob.MaxMark))
	return string(text), translate(err)
}

// SetMark implements blob.Marker.
func (s *Store) SetMark(_ context.Context, text string) error {
	if err := s.writable(); err != nil {
		return err
	}
	staged, f, err := createUnique(s.fs, markFile)
	if err != nil {
		return translate(err)
	}
	if _, err = f.Write([]byte(text)); err == nil {
		err = s.judge(s.fs.Sync(f))
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = s.fs.Rename(staged, markFile)
	}
	if err == nil {
		err = s.judge(s.fs.SyncDir("."))
	}
	return translate(err)
}
