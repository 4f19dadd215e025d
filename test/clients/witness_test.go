package clients_test

import (
	"errors"
	"net/http"
	"slices"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/validate"
)

// What follows looks at the registry with another client than the one under
// test, and prepares what that one cannot make.

func (c *client) reference(rest string) name.Reference {
	c.T.Helper()
	ref, err := name.ParseReference(c.at(rest))
	if err != nil {
		c.T.Fatal(err)
	}
	return ref
}

func (c *client) options() []remote.Option {
	return []remote.Option{
		remote.WithContext(c.T.Context()),
		remote.WithAuth(&authn.Basic{Username: c.User, Password: c.Token}),
	}
}

// seed pushes the index of two platforms.
func (c *client) seed(rest string) {
	c.T.Helper()
	if err := remote.WriteIndex(c.reference(rest), fixtures.index, c.options()...); err != nil {
		c.T.Fatalf("push the fixture to %s: %v", rest, err)
	}
}

// holds asserts that a tag or digest is there with this digest.
func (c *client) holds(rest, digest string) {
	c.T.Helper()
	got, err := remote.Head(c.reference(rest), c.options()...)
	if err != nil {
		c.T.Fatalf("look for %s: %v", rest, err)
	}
	if got.Digest.String() != digest {
		c.T.Errorf("%s is %s, want %s", rest, got.Digest, digest)
	}
}

// lacks asserts that a tag or digest is not there.
func (c *client) lacks(rest string) {
	c.T.Helper()
	_, err := remote.Head(c.reference(rest), c.options()...)
	var answer *transport.Error
	if !errors.As(err, &answer) || answer.StatusCode != http.StatusNotFound {
		c.T.Errorf("look for %s: got %v, want 404", rest, err)
	}
}

// whole reads everything below an index from the registry and compares each
// part with its digest.
func (c *client) whole(rest string) {
	c.T.Helper()
	index, err := remote.Index(c.reference(rest), c.options()...)
	if err == nil {
		err = validate.Index(index)
	}
	if err != nil {
		c.T.Errorf("read %s back: %v", rest, err)
	}
}

// wholeImage is whole for one image.
func (c *client) wholeImage(rest string) {
	c.T.Helper()
	img, err := remote.Image(c.reference(rest), c.options()...)
	if err == nil {
		err = validate.Image(img)
	}
	if err != nil {
		c.T.Errorf("read %s back: %v", rest, err)
	}
}

// pulled asserts that an OCI layout that a client wrote holds the fixture's
// index and that each of its parts has its digest.
func (c *client) pulled(dir string) {
	c.T.Helper()
	index, err := layout.ImageIndexFromPath(dir)
	if err == nil {
		err = validate.Index(index)
	}
	if err != nil {
		c.T.Errorf("what was pulled: %v", err)
		return
	}
	m, err := index.IndexManifest()
	if err != nil || len(m.Manifests) == 0 || m.Manifests[0].Digest.String() != fixtures.digest {
		c.T.Errorf("pulled %v, %v; want the index %s", m, err, fixtures.digest)
	}
}

// tagged asserts what tags a list holds, in any order.
func (c *client) tagged(got []string, want ...string) {
	c.T.Helper()
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		c.T.Errorf("tags %q, want %q", got, want)
	}
}
