package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"time"
)

const pageSize = 100

// pair is a stored configuration and layer that many manifests share.
type pair struct{ config, layer payload }

// pushPair stores the parts in the client's package.
func (k *client) pushPair(src *source) (pair, error) {
	layer, err := src.blob(64 << 10)
	if err != nil {
		return pair{}, err
	}
	p := pair{config: bytesPayload([]byte(`{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":[]}}`)), layer: layer}
	err = errors.Join(k.push(formPut, p.config, p.config.digest, 201), k.push(formPut, p.layer, p.layer.digest, 201))
	return p, err
}

// manifest returns a manifest of its own that names the pair's parts.
func (p pair) manifest(note string) manifest {
	return manifestOf(p.config, []payload{p.layer}, note)
}

// manyTags measures how one package behaves while it grows, and when it is large.
func manyTags(_ context.Context, t *trial) error {
	all, err := t.clients(t.workers, repo("tags"))
	if err != nil {
		return err
	}
	defer closeAll(all)
	parts, err := all[0].pushPair(t.src)
	if err != nil {
		return err
	}
	if err := t.warmPuts(); err != nil {
		return err
	}
	put := func(from, to int) (work, error) {
		err := share(to-from, t.workers, func(w, i int) error {
			tag := tagName(from + i)
			return all[w].putManifest(tag, parts.manifest(tag))
		})
		return work{ops: to - from}, err
	}
	if err := t.measure("puts, first", func() (work, error) { return put(0, t.edge) }); err != nil {
		return err
	}
	if _, err := put(t.edge, t.tags-t.edge); err != nil {
		return err
	}
	if err := t.measure("puts, last", func() (work, error) { return put(t.tags-t.edge, t.tags) }); err != nil {
		return err
	}
	if err := all[0].verifyManifest(tagName(t.tags-1), parts.manifest(tagName(t.tags-1))); err != nil {
		return err
	}
	err = t.repeat("manifest GET by tag of many", "GET", all, t.tags, func(i int) (string, int64) {
		tag := tagName((i * 7919) % t.tags)
		return "manifests/" + tag, int64(len(parts.manifest(tag).content))
	})
	if err != nil || t.can&canList == 0 {
		return err
	}
	return t.listTags(all[0])
}

// warmPuts measures puts one after the other in another package, which also
// lets the server grow its pools before the first tags are measured.
func (t *trial) warmPuts() error {
	k, err := t.client(repo("warm"))
	if err != nil {
		return err
	}
	defer k.close()
	parts, err := k.pushPair(t.src)
	if err != nil {
		return err
	}
	n := min(t.edge, 500)
	return t.measure("puts, one writer", func() (work, error) {
		for i := range n {
			tag := tagName(i)
			if err := k.putManifest(tag, parts.manifest(tag)); err != nil {
				return work{}, err
			}
		}
		return work{ops: n}, nil
	})
}

func tagName(i int) string { return fmt.Sprintf("t%05d", i) }

// listTags measures pages of the tag list, and checks that the list is whole.
func (t *trial) listTags(k *client) error {
	var names []string
	path := fmt.Sprintf("tags/list?n=%d", pageSize)
	for path != "" {
		a, err := k.call(request{method: "GET", path: path}, 200)
		if err != nil {
			return err
		}
		var page struct{ Tags []string }
		if err := json.Unmarshal(a.body, &page); err != nil {
			return err
		}
		names = append(names, page.Tags...)
		path = nextPage(a.link)
	}
	if len(names) != t.tags || !slices.IsSorted(names) || len(slices.Compact(names)) != t.tags {
		return fmt.Errorf("%s: the pages hold %d tags in another order than expected, of %d", t.name, len(names), t.tags)
	}
	return t.measure("page of tags", func() (work, error) {
		return timed(200, t.span, func() error {
			after := tagName(rand.IntN(t.tags - pageSize - 1))
			_, err := k.call(request{method: "GET", path: fmt.Sprintf("tags/list?n=%d&last=%s", pageSize, after)}, 200)
			return err
		})
	})
}

var nextPattern = regexp.MustCompile(`<([^>]+)>\s*;\s*rel="?next"?`)

// nextPage returns the path a Link header names, or nothing.
func nextPage(link string) string {
	m := nextPattern.FindStringSubmatch(link)
	if m == nil {
		return ""
	}
	return pathOf(m[1])
}

// timed repeats op at least n times and at least for span, each lap on its own.
func timed(n int, span time.Duration, op func() error) (work, error) {
	var w work
	for end := time.Now().Add(span); w.ops < n || time.Now().Before(end); w.ops++ {
		begin := time.Now()
		if err := op(); err != nil {
			return w, err
		}
		w.laps = append(w.laps, time.Since(begin))
	}
	return w, nil
}

// manyReferrers measures one manifest that many others refer to.
func manyReferrers(_ context.Context, t *trial) error {
	all, err := t.clients(t.workers, repo("referrers"))
	if err != nil {
		return err
	}
	defer closeAll(all)
	parts, err := all[0].pushPair(t.src)
	if err != nil {
		return err
	}
	subject := parts.manifest("subject")
	empty := bytesPayload([]byte("{}"))
	err = errors.Join(all[0].putManifest("subject", subject), all[0].push(formPut, empty, empty.digest, 201))
	if err != nil {
		return err
	}
	list := "referrers/" + subject.digest
	if a, err := all[0].call(request{method: "GET", path: list}, 200, 404); err != nil || a.status == 404 {
		return err // a server without the endpoint has nothing to measure
	}
	err = t.measure("referrer puts", func() (work, error) {
		err := share(t.referrers, t.workers, func(w, i int) error {
			m := attachment(subject, empty, tagName(i))
			return all[w].putManifest(m.digest, m)
		})
		return work{ops: t.referrers}, err
	})
	if err != nil {
		return err
	}
	if err := all[0].countReferrers(list, t.referrers); err != nil {
		return err
	}
	return t.measure("referrers", func() (work, error) {
		return timed(100, t.span, func() error {
			_, err := all[0].call(request{method: "GET", path: list}, 200)
			return err
		})
	})
}

// countReferrers walks all pages of the list.
func (k *client) countReferrers(path string, want int) error {
	seen := map[string]bool{}
	for path != "" {
		a, err := k.call(request{method: "GET", path: path}, 200)
		if err != nil {
			return err
		}
		var page struct{ Manifests []struct{ Digest string } }
		if err := json.Unmarshal(a.body, &page); err != nil {
			return err
		}
		for _, m := range page.Manifests {
			seen[m.Digest] = true
		}
		path = nextPage(a.link)
	}
	if len(seen) != want {
		return fmt.Errorf("%s: %d referrers listed of %d", k.inst.name, len(seen), want)
	}
	return nil
}
