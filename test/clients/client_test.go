package clients_test

import (
	"testing"

	"packhouse/test/lab"
)

// A client is a program on the user's side, which looks at what it did with
// another one.
type client struct{ *lab.Client }

func newClient(t *testing.T, r lab.Registry, login string) *client {
	t.Helper()
	return &client{r.NewClient(t, login)}
}

// at returns the full name of one of the client's packages: "app:v1" becomes
// HOST/USER/app:v1.
func (c *client) at(rest string) string { return c.Addr + "/" + c.User + "/" + rest }

// through returns the client with another address in front of the registry.
func (c *client) through(addr string) *client { return &client{c.Through(addr)} }

// as returns the client with other variables, the later ones winning.
func (c *client) as(env ...string) *client { return &client{c.As(env...)} }

// ownCache keeps skopeo, podman and buildah from remembering, as root, blobs in
// a cache outside of dir: the one that they would have as a user is in it.
func (c *client) ownCache(dir string) *client {
	return c.as("_CONTAINERS_ROOTLESS_UID=1000", "_CONTAINERS_USERNS_CONFIGURED=done", "XDG_DATA_HOME="+dir)
}
