package soak

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// Sizes of the play.
const (
	clients     = 64
	packages    = 8
	layerCount  = 200
	smallLayers = 20   // of them, which lie in the database
	maxStored   = 1500 // versions that are remembered
)

// world is what the clients share: the layers that they build images of, and
// what must be there.
type world struct {
	nodes        []string
	login, token string
	grace        time.Duration
	layers       [][]byte

	mu     sync.Mutex
	stored []*version
	counts map[string]int
	faults []error
}

// version is something that was pushed under one root: an image, or an index and
// its children, with all that is needed to push it again.
type version struct {
	mu     sync.RWMutex // held while it is deleted; shared while it is pulled
	gone   bool
	pkg    string
	tag    string // "" for none
	root   manifest
	images []image // of an index its children, else the root alone
}

// image is a manifest and its bytes.
type image struct {
	manifest
	blobs [][]byte
}

func newWorld(seed uint64) *world {
	w := &world{counts: map[string]int{}, layers: make([][]byte, layerCount)}
	random := rand.New(rand.NewPCG(seed, 0))
	for i := range w.layers {
		size := 17<<10 + random.IntN(20<<10)
		if i < smallLayers {
			size = 1 + random.IntN(10<<10)
		}
		w.layers[i] = bytes.Repeat(fmt.Appendf(nil, "layer %d of %d\n", i, seed), size/10)[:size]
	}
	return w
}

func (w *world) anyPackage(random *rand.Rand) string {
	return fmt.Sprintf("%s/p%d", w.login, random.IntN(packages))
}

func (w *world) count(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts[what]++
}

// fault notes what the registry must not do. Only the first few are of use.
func (w *world) fault(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.faults) < 20 {
		w.faults = append(w.faults, err)
	}
	w.counts["faults"]++
}

// keep remembers v. When there are too many it forgets another, which it returns.
func (w *world) keep(v *version, random *rand.Rand) (forgotten *version) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.stored) < maxStored {
		w.stored = append(w.stored, v)
		return nil
	}
	i := random.IntN(len(w.stored))
	forgotten, w.stored[i] = w.stored[i], v
	return forgotten
}

// any returns a version that was stored, nil while there is none.
func (w *world) any(random *rand.Rand) *version {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.stored) == 0 {
		return nil
	}
	return w.stored[random.IntN(len(w.stored))]
}

// step does one thing, chosen at random.
func (c *client) step(ctx context.Context) error {
	switch n := c.random.IntN(20); {
	case n < 8:
		return c.pushNew(ctx, 1, nil)
	case n < 10:
		return c.pushNew(ctx, 2, nil)
	case n < 11:
		return c.pushReferrer(ctx)
	case n < 15:
		return c.withAny(ctx, (*client).pullVersion)
	case n < 18:
		return c.withAny(ctx, (*client).remove)
	case n < 19:
		return c.withAny(ctx, (*client).untag)
	default:
		return c.withAny(ctx, (*client).pushAgain)
	}
}

func (c *client) withAny(ctx context.Context, do func(*client, context.Context, *version) error) error {
	if v := c.world.any(c.random); v != nil {
		return do(c, ctx, v)
	}
	return nil
}

// newImage chooses layers; its config makes it one of a kind.
func (c *client) newImage(subject *manifest) image {
	c.made++
	config := fmt.Appendf(nil, `{"architecture":"amd64","os":"linux","made":"%d/%d"}`, c.number, c.made)
	var layers [][]byte
	for _, i := range c.random.Perm(layerCount)[:1+c.random.IntN(4)] {
		layers = append(layers, c.world.layers[i])
	}
	return image{imageOf(config, layers, subject), append(layers, config)}
}

func (c *client) pushNew(ctx context.Context, n int, subject *manifest) error {
	v := &version{pkg: c.world.anyPackage(c.random)}
	for range n {
		v.images = append(v.images, c.newImage(subject))
	}
	v.root = v.images[0].manifest
	if n > 1 {
		var children []manifest
		for _, i := range v.images {
			children = append(children, i.manifest)
		}
		v.root = indexOf(children)
	}
	if c.random.IntN(2) == 0 {
		v.tag = fmt.Sprintf("t%d-%d", c.number, c.made)
	}
	stored, err := c.store(ctx, v)
	if stored {
		if old := c.world.keep(v, c.random); old != nil {
			return c.remove(ctx, old)
		}
	}
	return err
}

// store pushes all of a version. Without an error it is false when the client was
// too slow for what it had been promised.
func (c *client) store(ctx context.Context, v *version) (bool, error) {
	for _, i := range v.images {
		var promised []promise
		for _, content := range i.blobs {
			p, err := c.send(ctx, v.pkg, content)
			if err != nil {
				return false, err
			}
			c.world.count(p.how)
			promised = append(promised, p)
		}
		ref := i.digest().String()
		if len(v.images) == 1 && v.tag != "" {
			ref = v.tag
		}
		if ok, err := c.put(ctx, v.pkg, ref, i.manifest, promised); !ok {
			return false, err
		}
	}
	c.world.count("manifests")
	if len(v.images) == 1 {
		return true, nil
	}
	ref := v.root.digest().String()
	if v.tag != "" {
		ref = v.tag
	}
	return c.put(ctx, v.pkg, ref, v.root, nil)
}

// pushReferrer pushes something about a version that there is.
func (c *client) pushReferrer(ctx context.Context) error {
	subject := c.world.any(c.random)
	if subject == nil {
		return nil
	}
	return c.pushNew(ctx, 1, &subject.root)
}

func (c *client) pullVersion(ctx context.Context, v *version) error {
	v.mu.RLock()
	defer v.mu.RUnlock()
	if v.gone {
		return nil
	}
	c.world.count("pulls")
	return c.pull(ctx, v.pkg, v.root.digest())
}

// remove deletes a version with its children, by digest.
func (c *client) remove(ctx context.Context, v *version) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.gone {
		return nil
	}
	v.gone = true
	doomed := []manifest{v.root}
	if len(v.images) > 1 {
		for _, i := range v.images {
			doomed = append(doomed, i.manifest)
		}
	}
	for _, m := range doomed {
		a, err := c.do(ctx, http.MethodDelete, "/v2/"+v.pkg+"/manifests/"+m.digest().String(), "", nil)
		if err != nil {
			return err
		}
		if a.status != http.StatusAccepted {
			return fmt.Errorf("DELETE of %s answered %d: %s", m.digest(), a.status, a.body)
		}
	}
	c.world.count("deletes")
	return nil
}

// untag deletes the tag alone: the version stays.
func (c *client) untag(ctx context.Context, v *version) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.gone || v.tag == "" {
		return nil
	}
	a, err := c.do(ctx, http.MethodDelete, "/v2/"+v.pkg+"/manifests/"+v.tag, "", nil)
	if err == nil && a.status != http.StatusAccepted {
		err = fmt.Errorf("DELETE of the tag %s answered %d: %s", v.tag, a.status, a.body)
	}
	v.tag = ""
	return err
}

// pushAgain brings back a version that was deleted, the same bytes, while it is
// on its way out.
func (c *client) pushAgain(ctx context.Context, v *version) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.gone {
		return nil
	}
	c.world.count("pushed again")
	stored, err := c.store(ctx, v)
	v.gone = !stored
	return err
}
