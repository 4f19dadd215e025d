package main

import (
	"bytes"
	"context"
	"fmt"
	"time"
)

const (
	smallLayers    = 4
	smallLayerSize = 1 << 20
)

// pushImages measures many small images, each worker with a package of its own.
func pushImages(_ context.Context, t *trial) error {
	imgs := make([]image, t.images)
	for i := range imgs {
		var err error
		if imgs[i], err = t.src.image(fmt.Sprintf("t%05d", i), smallLayers, smallLayerSize); err != nil {
			return err
		}
	}
	total := int64(t.images) * smallLayers * smallLayerSize
	if err := touchMemory(t.dir, 2*total); err != nil {
		return err
	}
	workers := make([]*client, t.workers)
	for w := range workers {
		k, err := t.client(repo(fmt.Sprintf("small%d", w)))
		if err != nil {
			return err
		}
		defer k.close()
		if _, err := t.tokens.header(k.repo); err != nil {
			return err
		}
		workers[w] = k
	}
	err := t.measure("images", func() (work, error) {
		err := share(t.images, t.workers, func(w, i int) error { return workers[w].pushImage(imgs[i]) })
		return work{ops: t.images, bytes: total}, err
	})
	if err != nil {
		return err
	}
	for w, k := range workers {
		if err := k.verifyImage(imgs[w]); err != nil {
			return err
		}
	}
	return nil
}

// verifyImage compares every byte of a pushed image.
func (k *client) verifyImage(img image) error {
	if err := k.verifyManifest(img.tag, img.manifest); err != nil {
		return err
	}
	for _, p := range append(img.layers, img.config) {
		if err := k.verify(p); err != nil {
			return err
		}
	}
	return nil
}

func (k *client) verifyManifest(ref string, m manifest) error {
	a, err := k.call(request{method: "GET", path: "manifests/" + ref, header: "Accept: " + m.mediaType + "\r\n"}, 200)
	if err == nil && !bytes.Equal(a.body, m.content) {
		err = fmt.Errorf("%s: manifest %s is not what was pushed", k.inst.name, ref)
	}
	return err
}

const (
	readImages    = 64
	readLayerSize = 64 << 10
)

// readSmall measures the small reads that every pull begins with.
func readSmall(_ context.Context, t *trial) error {
	all, err := t.clients(t.conns, repo("reads"))
	if err != nil {
		return err
	}
	defer closeAll(all)
	imgs := make([]image, readImages)
	for i := range imgs {
		if imgs[i], err = t.src.image(fmt.Sprintf("t%05d", i), smallLayers, readLayerSize); err != nil {
			return err
		}
		if err := all[0].pushImage(imgs[i]); err != nil {
			return err
		}
		if err := all[0].verifyImage(imgs[i]); err != nil {
			return err
		}
	}
	byTag := func(i int) (string, int64) { return "manifests/" + imgs[i].tag, int64(len(imgs[i].manifest.content)) }
	byDigest := func(i int) (string, int64) {
		return "manifests/" + imgs[i].manifest.digest, int64(len(imgs[i].manifest.content))
	}
	layer := func(i int) (string, int64) { return "blobs/" + imgs[i].layers[0].digest, readLayerSize }
	for _, s := range []struct {
		step, method string
		target       func(int) (string, int64)
	}{
		{"manifest GET by tag", "GET", byTag},
		{"manifest HEAD by tag", "HEAD", byTag},
		{"manifest GET by digest", "GET", byDigest},
		{"manifest HEAD by digest", "HEAD", byDigest},
		{"blob HEAD", "HEAD", layer},
	} {
		if err := t.repeat(s.step, s.method, all, readImages, s.target); err != nil {
			return err
		}
	}
	return t.askTokens(all)
}

// repeat sends one kind of read over all connections for t.span, the targets by turns.
func (t *trial) repeat(step, method string, all []*client, targets int, target func(int) (path string, size int64)) error {
	return t.measure(step, func() (work, error) {
		return t.forSpan(all, func(k *client, i int) error {
			path, size := target(i % targets)
			a, err := k.call(request{method: method, path: path, header: "Accept: " + manifestType + "\r\n"}, 200)
			if err == nil && a.length != size {
				err = fmt.Errorf("%s: %s announced %d bytes, not %d", k.inst.name, path, a.length, size)
			}
			return err
		})
	})
}

// forSpan has every connection do one thing after the other until t.span is
// over; they count from different numbers.
func (t *trial) forSpan(all []*client, do func(k *client, i int) error) (work, error) {
	laps := make([][]time.Duration, len(all))
	end := time.Now().Add(t.span)
	err := parallel(len(all), func(w int) error {
		for i, begin := w, time.Now(); begin.Before(end); i++ {
			if err := do(all[w], i); err != nil {
				return err
			}
			now := time.Now()
			laps[w] = append(laps[w], now.Sub(begin))
			begin = now
		}
		return nil
	})
	w := work{}
	for _, l := range laps {
		w.laps = append(w.laps, l...)
	}
	w.ops = len(w.laps)
	return w, err
}

// askTokens measures the token endpoint of a server that has one.
func (t *trial) askTokens(all []*client) error {
	if t.tokens.creds == (credentials{}) {
		return nil
	}
	if _, err := t.tokens.header(all[0].repo); err != nil {
		return err
	}
	ask := t.tokens.request(all[0].repo)
	return t.measure("token", func() (work, error) {
		counts := make([]int, len(all))
		end := time.Now().Add(t.span)
		err := parallel(len(all), func(w int) error {
			for ; time.Now().Before(end); counts[w]++ {
				a, err := all[w].do(ask)
				if err == nil && a.status != 200 {
					err = fmt.Errorf("token request answered %d", a.status)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		w := work{}
		for _, n := range counts {
			w.ops += n
		}
		return w, err
	})
}
