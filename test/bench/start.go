package main

import (
	"context"
	"fmt"
	"time"
)

// idle records memory and start time of a server that has stored nothing.
func idle(ctx context.Context, t *trial) error {
	return t.atRest(ctx, "empty")
}

// atRest stops the server, starts it again, and records how long that took
// and what it holds in memory when nobody asks it anything.
func (t *trial) atRest(ctx context.Context, state string) error {
	if err := t.instance.stop(); err != nil {
		return err
	}
	if err := t.instance.start(ctx); err != nil {
		return err
	}
	select {
	case <-time.After(t.settle):
	case <-ctx.Done():
		return ctx.Err()
	}
	m, err := held(tree(t.cmd.Process.Pid))
	t.out.add("rest, "+state, t.name, sample{wall: t.ready, memory: m})
	return err
}

// manifestsPerPackage spreads the seeds over packages, as an instance with
// many users has them.
const manifestsPerPackage = 1000

// startFull stores many manifests over HTTP and measures starts with them.
func startFull(ctx context.Context, t *trial) error {
	for first := 0; first < t.seeds; first += manifestsPerPackage {
		n := min(manifestsPerPackage, t.seeds-first)
		if err := t.seed(fmt.Sprintf("seed%04d", first/manifestsPerPackage), n); err != nil {
			return err
		}
	}
	for range max(3, t.rounds) {
		if err := t.atRest(ctx, "full"); err != nil {
			return err
		}
	}
	k, err := t.client(repo("seed0000"))
	if err != nil {
		return err
	}
	defer k.close()
	_, err = k.call(request{method: "HEAD", path: "manifests/" + tagName(0), header: "Accept: " + manifestType + "\r\n"}, 200)
	return err
}

// seed puts n tagged manifests into one package.
func (t *trial) seed(name string, n int) error {
	all, err := t.clients(t.conns, repo(name))
	if err != nil {
		return err
	}
	defer closeAll(all)
	parts, err := all[0].pushPair(t.src)
	if err != nil {
		return err
	}
	return share(n, len(all), func(w, i int) error {
		return all[w].putManifest(tagName(i), parts.manifest(name+tagName(i)))
	})
}
