package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// forms are the ways to upload, with the name of the step that measures each.
var forms = []struct {
	form form
	step string
}{
	{formPost, "push POST"},
	{formPut, "push POST+PUT"},
	{formStream, "push POST+PATCH+PUT"},
	{formChunked, "push chunked"},
}

// pushBlobs measures one large blob in each form.
func pushBlobs(_ context.Context, t *trial) error {
	k, err := t.client(repo("large"))
	if err != nil {
		return err
	}
	defer k.close()
	takesPost, err := k.takesPost(t.src)
	if err != nil {
		return err
	}
	for _, f := range forms {
		if f.form == formPost && !takesPost {
			continue
		}
		p, err := t.src.blob(t.size)
		if err != nil {
			return err
		}
		if err := touchMemory(t.dir, 2*t.size); err != nil {
			return err
		}
		err = t.measure(f.step, func() (work, error) {
			return work{ops: 1, bytes: p.size}, k.push(f.form, p, p.digest, 201)
		})
		if err != nil {
			return err
		}
		if t.round == 0 {
			if err := k.verify(p); err != nil {
				return err
			}
		}
	}
	return nil
}

// verify pulls a blob and compares every byte by digest.
func (k *client) verify(p payload) error {
	return k.verifyAt("blobs/"+p.digest, p)
}

func (k *client) verifyAt(path string, p payload) error {
	h := sha256.New()
	a, err := k.call(request{method: "GET", path: path, sink: h}, 200)
	if err != nil {
		return err
	}
	if got := "sha256:" + hex.EncodeToString(h.Sum(nil)); got != p.digest || a.length != p.size {
		return fmt.Errorf("%s: %s holds %d bytes of digest %s", k.inst.name, path, a.length, got)
	}
	return nil
}

// pullBlob measures the download of one large blob that is in the page cache.
func pullBlob(_ context.Context, t *trial) error {
	p, err := t.src.blob(t.size)
	if err != nil {
		return err
	}
	if err := touchMemory(t.dir, 2*t.size); err != nil {
		return err
	}
	all, err := t.clients(t.pullers, repo("large"))
	if err != nil {
		return err
	}
	defer closeAll(all)
	path := "blobs/" + p.digest
	if t.can&canPush != 0 {
		err = all[0].push(formPut, p, p.digest, 201)
	} else {
		path = "/blob"
		err = writeFile(filepath.Join(t.data, "files", "blob"), p)
	}
	if err != nil {
		return err
	}
	if err := all[0].verifyAt(path, p); err != nil {
		return err
	}
	const turns = 2
	err = t.measure("pull 1", func() (work, error) {
		for range turns {
			if err := all[0].swallow(path, p.size); err != nil {
				return work{}, err
			}
		}
		return work{ops: turns, bytes: turns * p.size}, nil
	})
	if err != nil {
		return err
	}
	return t.measure("pull 8", func() (work, error) {
		err := parallel(len(all), func(i int) error { return all[i].swallow(path, p.size) })
		return work{ops: len(all), bytes: int64(len(all)) * p.size}, err
	})
}

// swallow pulls a body and checks only its length.
func (k *client) swallow(path string, size int64) error {
	a, err := k.call(request{method: "GET", path: path, sink: io.Discard}, 200)
	if err == nil && a.length != size {
		err = fmt.Errorf("%s: %s has %d bytes, not %d", k.inst.name, path, a.length, size)
	}
	return err
}

func writeFile(path string, p payload) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	for off := int64(0); off < p.size && err == nil; {
		piece := p.at(off, p.size)
		_, err = f.Write(piece)
		off += int64(len(piece))
	}
	return errors.Join(err, f.Close())
}

// pushTogether measures several large blobs pushed at once, as docker does it.
func pushTogether(_ context.Context, t *trial) error {
	if err := touchMemory(t.dir, int64(t.pullers)*t.size); err != nil {
		return err
	}
	all, err := t.clients(t.pullers, repo("together"))
	if err != nil {
		return err
	}
	defer closeAll(all)
	blobs := make([]payload, len(all))
	for i := range blobs {
		if blobs[i], err = t.src.blob(t.size); err != nil {
			return err
		}
	}
	return t.measure("push 8 at once", func() (work, error) {
		err := parallel(len(all), func(i int) error {
			return all[i].push(formStream, blobs[i], blobs[i].digest, 201)
		})
		return work{ops: len(all), bytes: int64(len(all)) * t.size}, err
	})
}
