package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// group is scenarios that share one freshly started server.
type group struct {
	name  string
	needs ability
	once  bool // run in the first round only: the group repeats by itself
	run   func(context.Context, *trial) error
}

func groups() []group {
	return []group{
		{name: "blob", needs: canPush, run: pushBlobs},
		{name: "images", needs: canPush, run: pushImages},
		{name: "pull", needs: canPull, run: pullBlob},
		{name: "reads", needs: canPush, run: readSmall},
		{name: "tags", needs: canPush, run: manyTags},
		{name: "referrers", needs: canList, run: manyReferrers},
		{name: "decisions", needs: canSeed, run: decisions},
		{name: "strangers", needs: canSeed, run: strangers},
		{name: "versions", needs: canSeed, once: true, run: listVersions},
		{name: "pages", needs: canSeed, once: true, run: readPages},
		{name: "collection", needs: canSeed, run: collect},
		{name: "memory", needs: canPush, run: pushTogether},
		{name: "idle", needs: canPush, run: idle},
		{name: "start", needs: canSeed, once: true, run: startFull},
	}
}

func groupNames() []string {
	var names []string
	for _, g := range groups() {
		names = append(names, g.name)
	}
	return names
}

// runner carries one run of the benchmark.
type runner struct {
	options
	contenders []contender
	src        *source
	logs       string
	out        results
}

// run measures every group in every round, one server after the other.
func (r *runner) run(ctx context.Context) error {
	wanted := map[string]bool{}
	for _, name := range r.groups() {
		wanted[name] = true
	}
	for round := range r.rounds {
		for _, g := range groups() {
			if !wanted[g.name] || g.once && round > 0 {
				continue
			}
			for i := range r.contenders {
				// Another server goes first in each round.
				c := r.contenders[(i+round)%len(r.contenders)]
				if c.can&g.needs == 0 {
					continue
				}
				begun := time.Now()
				if err := r.trial(ctx, g, c, round); err != nil {
					return fmt.Errorf("%s, %s: %w", g.name, c.name, err)
				}
				fmt.Fprintf(os.Stderr, "bench: round %d, %s, %s: %s\n", round+1, g.name, c.name, time.Since(begun).Round(time.Millisecond))
			}
		}
	}
	return nil
}

// trial starts one server, runs one group on it and removes it.
func (r *runner) trial(ctx context.Context, g group, c contender, round int) (err error) {
	inst, err := launch(ctx, c, r.dir, r.logs)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, inst.discard()) }()
	// An interrupt ends the server, so that the load on it fails at once.
	quiet := context.AfterFunc(ctx, func() { _ = inst.cmd.Process.Signal(syscall.SIGTERM) })
	defer quiet()
	t := &trial{options: r.options, instance: inst, src: r.src, round: round, out: r.out}
	if round == 0 && c.can&canPush != 0 {
		if err := t.checkHonest(); err != nil {
			return err
		}
	}
	if err := g.run(ctx, t); err != nil {
		return fmt.Errorf("%w\nlog of %s:\n%s", err, c.name, inst.lastLog())
	}
	return nil
}

// checkHonest refuses to measure a server that stores content under a digest
// that is not its own, or that was given credentials and does not ask for them.
func (t *trial) checkHonest() error {
	k, err := t.client(repo("honest"))
	if err != nil {
		return err
	}
	defer k.close()
	sent, err := t.src.blob(64 << 10)
	if err != nil {
		return err
	}
	claimed, err := t.src.blob(64 << 10)
	if err != nil {
		return err
	}
	if err := k.push(formPut, sent, claimed.digest, 400); err != nil {
		return fmt.Errorf("a wrong digest was not refused: %w", err)
	}
	for _, p := range []payload{sent, claimed} {
		if _, err := k.call(request{method: "HEAD", path: "blobs/" + p.digest}, 404); err != nil {
			return fmt.Errorf("after a wrong digest: %w", err)
		}
	}
	if err := k.push(formPut, sent, sent.digest, 201); err != nil {
		return err
	}
	if err := k.verify(sent); err != nil {
		return err
	}
	if t.tokens.creds == (credentials{}) {
		return nil
	}
	a, err := k.do(request{method: "GET", path: "/v2/" + k.repo + "/blobs/" + sent.digest})
	if err == nil && a.status != 401 {
		err = fmt.Errorf("a private blob was answered %d without a token", a.status)
	}
	return err
}
