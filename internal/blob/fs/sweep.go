package fs

import (
	"context"
	"errors"
	"io"
	"time"
)

// SweepStaged removes what lies in uploads, was last written before olderThan
// and is no upload that keep knows. It asks keep once for each old file and
// returns how many files it removed.
func (s *Store) SweepStaged(ctx context.Context, keep func(id string) bool, olderThan time.Time) (int, error) {
	dir, err := s.fs.OpenFile(uploadsDir, readOnly)
	if err != nil {
		return 0, translate(err)
	}
	defer dir.Close()
	removed := 0
	for {
		entries, err := dir.ReadDir(256)
		if errors.Is(err, io.EOF) {
			return removed, nil
		}
		if err != nil {
			return removed, translate(err)
		}
		for _, entry := range entries {
			if err := ctx.Err(); err != nil {
				return removed, err
			}
			info, err := entry.Info()
			if isAbsent(err) { // published or discarded meanwhile
				continue
			}
			if err != nil {
				return removed, translate(err)
			}
			if !info.ModTime().Before(olderThan) || isID(entry.Name()) && keep(entry.Name()) {
				continue
			}
			if err := s.remove(uploadsDir + "/" + entry.Name()); err != nil {
				return removed, err
			}
			removed++
		}
	}
}
