package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// checker compares what a server shows with what the oracle allows.
type checker struct {
	*shared
	newClient func() (*client, error)

	mu     sync.Mutex
	seen   map[key]string
	losses []string
}

const checkers = 4

// check looks at every key there ever was. It returns what the server shows and
// what it lost: what was acknowledged and is not there, is other bytes, or is
// there again although its deletion was acknowledged.
func (c *checker) check(ctx context.Context) (map[key]string, []string, error) {
	c.seen = map[key]string{}
	pending := make(chan key)
	failures := make(chan error, checkers)
	var all sync.WaitGroup
	for range checkers {
		all.Go(func() {
			if err := c.work(ctx, pending); err != nil {
				failures <- err
			}
		})
	}
	for _, k := range c.oracle.keys() {
		pending <- k
	}
	close(pending)
	all.Wait()
	select {
	case err := <-failures:
		return nil, nil, err
	default:
	}
	c.losses = append(c.losses, c.oracle.wrongs(c.seen)...)
	if err := c.checkListings(ctx); err != nil {
		return nil, nil, err
	}
	slices.Sort(c.losses)
	return c.seen, c.losses, nil
}

// work takes all it is given, also after an error.
func (c *checker) work(ctx context.Context, pending <-chan key) error {
	cl, err := c.newClient()
	for k := range pending {
		if err == nil {
			err = c.checkKey(ctx, cl, k)
		}
	}
	if cl != nil {
		cl.close()
	}
	return err
}

func (c *checker) checkKey(ctx context.Context, cl *client, k key) error {
	value, complaint, err := c.look(ctx, cl, k)
	if err != nil {
		return fmt.Errorf("look at %s: %w", k, err)
	}
	allowed := c.oracle.possible(k)
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case complaint != "":
		c.losses = append(c.losses, fmt.Sprintf("%s: %s (%s)", k, complaint, c.oracle.history(k)))
		value = allowed[0] // so that it is missed again the next time
	case !slices.Contains(allowed, value):
		c.losses = append(c.losses, fmt.Sprintf("%s is %q, may be %q (%s)", k, value, allowed, c.oracle.history(k)))
	}
	c.seen[k] = value
	return nil
}

// look returns the value of k, or a complaint about how it is served.
func (c *checker) look(ctx context.Context, cl *client, k key) (value, complaint string, err error) {
	path := blobPath(k.pkg, k.content)
	if k.kind != blobKind {
		path = manifestPath(k.pkg, k.content)
	}
	a, err := cl.do(ctx, request{method: http.MethodGet, path: path, header: map[string]string{"Accept": imageType + ", " + indexType}})
	if err != nil {
		return "", "", err
	}
	if a.status == http.StatusNotFound {
		return absent, "", nil
	}
	if a.status != http.StatusOK {
		return "", "GET answered " + a.String(), nil
	}
	named, got := a.header.Get("Docker-Content-Digest"), digestOf(a.body)
	if got != named || k.kind != tagKind && got != k.content {
		return "", fmt.Sprintf("GET sent %d bytes that hash to %s under the name %s", len(a.body), got, named), nil
	}
	if k.kind == blobKind {
		return present, "", nil
	}
	if m := c.library.get(got); m == nil || m.mediaType != a.header.Get("Content-Type") {
		return "", "GET gave it the type " + a.header.Get("Content-Type"), nil
	}
	if k.kind == tagKind {
		return got, "", nil
	}
	return present, "", nil
}

// checkListings compares the lists of tags and of referrers with what was seen
// one by one.
func (c *checker) checkListings(ctx context.Context) error {
	tags, referrers := map[string][]string{}, map[string][]string{}
	for k, value := range c.seen {
		switch m := c.library.get(k.content); {
		case k.kind == tagKind && value != absent:
			tags["/v2/"+k.pkg+"/tags/list"] = append(tags["/v2/"+k.pkg+"/tags/list"], k.content)
		case k.kind == manifestKind && value != absent && m.subject != "":
			path := "/v2/" + k.pkg + "/referrers/" + m.subject
			referrers[path] = append(referrers[path], k.content)
		}
	}
	cl, err := c.newClient()
	if err != nil {
		return err
	}
	defer cl.close()
	for path, want := range tags {
		if err := c.checkListing(ctx, cl, path, want); err != nil {
			return err
		}
	}
	for path, want := range referrers {
		if err := c.checkListing(ctx, cl, path, want); err != nil {
			return err
		}
	}
	return nil
}

func (c *checker) checkListing(ctx context.Context, cl *client, path string, want []string) error {
	var got []string
	for next := path; next != ""; {
		a, err := cl.do(ctx, request{method: http.MethodGet, path: next})
		if err != nil {
			return fmt.Errorf("GET %s: %w", next, err)
		}
		var page struct {
			Tags      []string
			Manifests []descriptor
		}
		if err := json.Unmarshal(a.body, &page); err != nil || a.status != http.StatusOK {
			c.losses = append(c.losses, fmt.Sprintf("GET %s answered %s", next, a))
			return nil
		}
		got = append(got, page.Tags...)
		for _, d := range page.Manifests {
			got = append(got, d.Digest)
		}
		next = a.next()
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		c.losses = append(c.losses, fmt.Sprintf("GET %s lists %s, there are %s", path, strings.Join(got, " "), strings.Join(want, " ")))
	}
	return nil
}
