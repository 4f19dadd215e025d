package main

import (
	"context"
	"fmt"
	"time"
)

const (
	// hiddenPackages is how many private packages the strangers ask for, and
	// how many names of the same length at which there is nothing.
	hiddenPackages = 50
	strangerPairs  = 2000
)

// strangersAsk lists the questions of strangers.
func strangersAsk() []string {
	return []string{"manifest GET", "blob HEAD", "upload POST", "anonymous GET", "token for pull"}
}

// strangerQuestions are what one who may not know of a package asks.
func strangerQuestions(t *trial) map[string]func(name string) request {
	header := "Authorization: Bearer " + t.tokens.creds.stranger + "\r\n"
	ask := func(method, path string) func(string) request {
		return func(name string) request {
			return request{method: method, path: "/v2/" + name + path, header: header}
		}
	}
	own := &tokens{
		creds: credentials{user: strangerUser, secret: t.tokens.creds.stranger}, realm: t.tokens.realm, service: t.tokens.service,
	}
	return map[string]func(name string) request{
		"manifest GET":   ask("GET", "/manifests/v1"),
		"blob HEAD":      ask("HEAD", "/blobs/"+hiddenDigest),
		"upload POST":    ask("POST", "/blobs/uploads/"),
		"anonymous GET":  func(name string) request { return request{method: "GET", path: "/v2/" + name + "/manifests/v1"} },
		"token for pull": own.request,
	}
}

// hiddenDigest is no blob's.
const hiddenDigest = "sha256:ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"

// strangers measures how long it takes to be told that a private package is not
// there, and that nothing is: pairs of both, by turns first, so that a slow
// moment of the machine falls on either.
func strangers(_ context.Context, t *trial) error {
	if err := t.hide(); err != nil {
		return err
	}
	k, err := t.client(repo("hidden000"))
	if err != nil {
		return err
	}
	defer k.close()
	if err := t.tokens.discover(k.conn); err != nil {
		return err
	}
	pairs := strangerPairs
	if t.quick {
		pairs = hiddenPackages
	}
	questions := strangerQuestions(t)
	for _, what := range strangersAsk() {
		private, absent, err := t.ask(k, pairs, questions[what])
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		t.out.add("private, "+what, t.name, private)
		t.out.add("absent, "+what, t.name, absent)
	}
	return nil
}

// hide pushes the private packages.
func (t *trial) hide() error {
	img, err := t.src.image("v1", 1, 1<<10)
	if err != nil {
		return err
	}
	for i := range hiddenPackages {
		k, err := t.client(hidden(i))
		if err != nil {
			return err
		}
		err = k.pushImage(img)
		k.close()
		if err != nil {
			return err
		}
	}
	return nil
}

// hidden names a package; those from hiddenPackages on are not there.
func hidden(i int) string { return repo(fmt.Sprintf("hidden%03d", i)) }

// ask puts the question about both kinds of names, after a round to warm up.
func (t *trial) ask(k *client, pairs int, question func(name string) request) (private, absent sample, err error) {
	samples := [2]*sample{&private, &absent}
	status := 0
	for i := range hiddenPackages + pairs {
		for turn := range 2 {
			kind := (i + turn) % 2
			begin := time.Now()
			a, err := k.do(question(hidden(i%hiddenPackages + kind*hiddenPackages)))
			lap := time.Since(begin)
			switch {
			case err != nil:
				return private, absent, err
			case status == 0:
				status = a.status
			case a.status != status:
				return private, absent, fmt.Errorf("answered %d and %d", status, a.status)
			}
			if s := samples[kind]; i >= hiddenPackages {
				s.ops++
				s.laps = append(s.laps, lap)
				s.wall += lap
			}
		}
	}
	return private, absent, nil
}
