package lifecycle_test

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"

	"packhouse/internal/audit"
	"packhouse/internal/lifecycle"
	"packhouse/internal/oci"
	"packhouse/internal/registry"
)

// pushAndDelete pushes images, moves a tag over them and deletes some.
func (y *yard) pushAndDelete(who, images int) error {
	ctx := y.t.Context()
	for n := range images {
		text := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"application/vnd.oci.image.config.v1+json",`, oci.MediaTypeImageManifest)
		for i, size := range []int{300, 20_000} {
			b, d := randomBytes(size)
			err := y.PushBlob(ctx, y.alice, y.app, d, registry.Body{Reader: bytes.NewReader(b), Length: int64(size), Start: -1, RangeLength: -1})
			if err != nil {
				return err
			}
			if i == 0 {
				text += fmt.Sprintf(`"digest":%q,"size":%d},"layers":[`, d, size)
			} else {
				text += fmt.Sprintf(`{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":%q,"size":%d}]}`, d, size)
			}
		}
		tag, err := oci.ParseReference(fmt.Sprintf("t%d", who))
		if err != nil {
			return err
		}
		pushed, err := y.PushManifest(ctx, y.alice, y.app, registry.Push{Reference: tag, Content: []byte(text)})
		if err != nil {
			return err
		}
		if n%3 == 2 {
			if err := y.DeleteManifest(ctx, y.alice, y.app, tag); err != nil {
				return err
			}
			if err := y.DeleteManifest(ctx, y.alice, y.app, oci.Reference{Digest: pushed.Digest}); err != nil {
				return err
			}
		}
	}
	return nil
}

// Nothing that is done at the moment of a check looks wrong to it, and no repair
// gets in the way.
func TestFsckBesidePushes(t *testing.T) {
	onYards(t, func(y *yard) {
		var pushers sync.WaitGroup
		done := make(chan struct{})
		for who := range 4 {
			pushers.Go(func() {
				if err := y.pushAndDelete(who, 15); err != nil {
					y.t.Errorf("pusher %d: %v", who, err)
				}
			})
		}
		go func() { pushers.Wait(); close(done) }()
		for going := true; going; {
			select {
			case <-done:
				going = false
			default:
			}
			f := &lifecycle.Fsck{
				Blobs: y.store, Objects: y.store, Trashed: y.store, Manifests: y.store, Others: y.store, Store: y.blobs, Now: time.Now,
				Young: 48 * time.Hour, Trash: time.Hour, Grace: time.Hour, Actor: audit.Operator,
				Found: func(f lifecycle.Finding) { y.t.Errorf("beside pushes: %+v", f) },
			}
			if _, err := f.Run(y.t.Context(), lifecycle.FsckOptions{ReadData: 100, Repair: true}); err != nil {
				y.t.Fatal(err)
			}
		}
		y.clean("afterwards")
	})
}
