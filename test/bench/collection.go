package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// Times that make garbage of a pushed blob within seconds, and rounds that come
// each second or not at all.
const (
	garbageGrace = 5 * time.Second
	shortTimes   = "PACKHOUSE_REGISTRY_UPLOAD_LIFE=3s PACKHOUSE_REGISTRY_UPLOAD_INACTIVITY=3s PACKHOUSE_GC_GRACE=5s PACKHOUSE_GC_CONDEMN_FOR=1s PACKHOUSE_GC_TRASH_FOR=0s"
	collecting   = "PACKHOUSE_GC_INTERVAL=1s"
	atRest       = "PACKHOUSE_GC_INTERVAL=30m"
)

// garbageSizes are those of the garbage by turns: of a file and of a row.
var garbageSizes = [...]int64{64 << 10, 1 << 10}

// collect measures pushes of small images while garbage collection removes
// thousands of blobs, and while it does not.
func collect(ctx context.Context, t *trial) error {
	plain := t.instance.command
	restart := func(interval string) error {
		t.instance.command = withEnvironment(plain, shortTimes+" "+interval)
		return errors.Join(t.instance.stop(), t.instance.start(ctx))
	}
	defer func() { t.instance.command = plain }()
	if err := restart(atRest); err != nil {
		return err
	}
	garbage, err := t.litter()
	if err != nil {
		return err
	}
	select {
	case <-time.After(garbageGrace):
	case <-ctx.Done():
		return ctx.Err()
	}
	kinds := []struct{ interval, step string }{{atRest, "images, nothing collected"}, {collecting, "images, while garbage is collected"}}
	for i := range kinds {
		kind := kinds[(i+t.round)%len(kinds)] // another goes first in each round
		if err := restart(kind.interval); err != nil {
			return err
		}
		if err := t.pushManyImages(kind.step, kind.interval == collecting); err != nil {
			return err
		}
		if kind.interval != collecting {
			continue
		}
		if err := t.awaitGone(ctx, garbage); err != nil {
			return err
		}
	}
	return nil
}

func withEnvironment(command func(dir, addr string) (*exec.Cmd, error), env string) func(dir, addr string) (*exec.Cmd, error) {
	return func(dir, addr string) (*exec.Cmd, error) {
		cmd, err := command(dir, addr)
		if err == nil {
			cmd.Env = append(cmd.Env, strings.Fields(env)...)
		}
		return cmd, err
	}
}

// litter stores blobs that no manifest needs and returns some of their digests.
func (t *trial) litter() ([]string, error) {
	all, err := t.clients(t.workers, repo("litter"))
	if err != nil {
		return nil, err
	}
	defer closeAll(all)
	blobs := make([]payload, t.garbage)
	for i := range blobs {
		if blobs[i], err = t.src.blob(garbageSizes[i%len(garbageSizes)]); err != nil {
			return nil, err
		}
	}
	err = share(len(blobs), len(all), func(w, i int) error { return all[w].push(formPost, blobs[i], blobs[i].digest, 201) })
	var some []string
	for i := 0; i < len(blobs); i += max(1, len(blobs)/20) {
		some = append(some, blobs[i].digest)
	}
	return some, err
}

// pushManyImages is pushImages under another name and in packages of its own.
func (t *trial) pushManyImages(step string, second bool) error {
	imgs := make([]image, t.images)
	for i := range imgs {
		var err error
		if imgs[i], err = t.src.image(fmt.Sprintf("t%05d", i), smallLayers, smallLayerSize); err != nil {
			return err
		}
	}
	name := "quiet"
	if second {
		name = "busy"
	}
	workers, err := t.clients(t.workers, repo(name))
	if err != nil {
		return err
	}
	defer closeAll(workers)
	if _, err := t.tokens.header(repo(name)); err != nil {
		return err
	}
	return t.measure(step, func() (work, error) {
		err := share(t.images, t.workers, func(w, i int) error { return workers[w].pushImage(imgs[i]) })
		return work{ops: t.images, bytes: int64(t.images) * smallLayers * smallLayerSize}, err
	})
}

// collectLimit is how long garbage may take to go.
const collectLimit = time.Minute

// awaitGone waits until none of the blobs is there any more: else nothing was
// collected, and the measurement is of something else.
func (t *trial) awaitGone(ctx context.Context, digests []string) error {
	k, err := t.client(repo("litter"))
	if err != nil {
		return err
	}
	defer k.close()
	end := time.Now().Add(collectLimit)
	look := time.NewTicker(200 * time.Millisecond)
	defer look.Stop()
	for _, d := range digests {
		for {
			a, err := k.call(request{method: "GET", path: "blobs/" + d}, 200, 404)
			switch {
			case err != nil:
				return err
			case a.status == 200 && time.Now().After(end):
				return fmt.Errorf("%s is still there", d)
			}
			if a.status == 404 {
				break
			}
			select {
			case <-look.C:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return nil
}
