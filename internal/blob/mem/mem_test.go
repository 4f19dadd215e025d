package mem_test

import (
	"testing"

	"packhouse/internal/blob"
	"packhouse/internal/blob/blobtest"
	"packhouse/internal/blob/mem"
)

func TestStore(t *testing.T) {
	t.Parallel()
	blobtest.Run(t, func(*testing.T) blobtest.Backing {
		s := mem.New()
		return func(*testing.T) blob.Store { return s }
	})
}
