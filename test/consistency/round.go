package consistency

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/opencontainers/go-digest"
)

const (
	clients   = 16
	roundTime = 2 * time.Second
	// checkTime is how long the search for an order of one round may take.
	checkTime = 2 * time.Minute
)

// round is what many clients do at the same time with the tags of one package.
type round struct {
	nodes []string // addresses of the processes
	who   account
	name  string // of a package that there is not yet
	seed  uint64
}

// play has the clients make requests for roundTime, and returns what they saw.
func (r round) play(ctx context.Context) (history, error) {
	began := time.Now()
	all := make([]*client, clients)
	transport := &http.Transport{MaxIdleConnsPerHost: clients}
	defer transport.CloseIdleConnections()
	for i := range all {
		all[i] = &client{
			number: i, nodes: r.nodes, who: r.who, name: r.name, tags: []string{"a", "b", "c"}, config: []byte("{}"),
			http:   &http.Client{Timeout: 30 * time.Second, Transport: transport},
			random: rand.New(rand.NewPCG(r.seed, uint64(i))),
			clock:  func() time.Duration { return time.Since(began) },
		}
	}
	if err := all[0].prepare(ctx); err != nil {
		return nil, err
	}
	var wg sync.WaitGroup
	for _, c := range all {
		wg.Go(func() {
			for end := c.clock() + roundTime; c.clock() < end && ctx.Err() == nil; {
				c.step(ctx)
			}
		})
	}
	wg.Wait()
	var seen history
	var faults []error
	for _, c := range all {
		seen = append(seen, c.history...)
		faults = append(faults, c.faults...)
	}
	return seen, errors.Join(faults...)
}

// prepare uploads what all images need, and a tag that nobody touches, so that no
// other is the last of its package.
func (c *client) prepare(ctx context.Context) error {
	status, a, err := c.do(ctx, http.MethodPost, "/blobs/uploads/?digest="+digest.FromBytes(c.config).String(), c.config)
	if err != nil || status != http.StatusCreated {
		return fmt.Errorf("uploading the config answered %d %s: %w", status, bytes.TrimSpace(a.body), err)
	}
	content, _ := c.image()
	status, a, err = c.do(ctx, http.MethodPut, "/manifests/kept", content)
	if err != nil || status != http.StatusCreated {
		return fmt.Errorf("the first image answered %d %s: %w", status, bytes.TrimSpace(a.body), err)
	}
	return nil
}

// check searches an order of the requests that explains every answer.
func check(seen history) porcupine.CheckResult {
	return porcupine.CheckOperationsTimeout(tags(), seen, checkTime)
}
