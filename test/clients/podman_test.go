package clients_test

import (
	"strings"
	"testing"
)

func podman(t *testing.T, c *client) {
	p := newStorage(c, "podman", "images", "--cgroup-manager=cgroupfs", "--events-backend=file", "--tmpdir", c.Home+"/tmp")
	c.Refused([]string{"unauthorized", "invalid username/password"}, "wrong",
		p.name, p.args("login", "--tls-verify=false", "-u", c.User, "--password-stdin", c.Addr)...)
	c.Feed(c.Token, p.name, p.args("login", "--tls-verify=false", "-u", c.User, "--password-stdin", c.Addr)...)

	p.run("load", "-i", fixtures.archive)
	p.run("push", "--tls-verify=false", "--digestfile", c.Home+"/digest", saved, "docker://"+c.at("app:v1"))
	p.run("push", "--tls-verify=false", saved, "docker://"+c.at("app:v2"))
	p.run("rmi", saved)
	c.wholeImage("app:v1")
	id := strings.TrimPrefix(fixtures.id, "sha256:")
	p.pulls(t, c.at("app:v1"), id)
	p.pulls(t, c.at("app@"+strings.TrimSpace(c.Read("digest"))), id)
	c.tagged(podmanTags(p, c.at("app")), "v1", "v2")

	podmanPlatforms(t, c, p)

	p.run("logout", c.Addr)
	c.Refused([]string{"unauthorized", "authentication required"}, "", p.name, p.args("pull", "--tls-verify=false", c.at("app:v1"))...)
}

// podmanTags reads a table of names and tags with a heading.
func podmanTags(p storage, name string) []string {
	p.c.T.Helper()
	var tags []string
	for line := range strings.Lines(p.run("search", "--tls-verify=false", "--list-tags", name)) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == name {
			tags = append(tags, f[1])
		}
	}
	return tags
}

// An image of two platforms, as a list that podman makes.
func podmanPlatforms(t *testing.T, c *client, p storage) {
	c.seed("multi:v1")
	for arch := range fixtures.of {
		p.run("pull", "--tls-verify=false", "--arch", arch, c.at("multi:v1"))
		if got := p.run("image", "inspect", "--format", "{{.Architecture}}", c.at("multi:v1")); got != arch {
			t.Errorf("asked for %s, got %s", arch, got)
		}
	}
	p.run("manifest", "create", "both")
	for _, digest := range fixtures.of {
		p.run("manifest", "add", "--tls-verify=false", "both", "docker://"+c.at("multi@"+digest))
	}
	p.run("manifest", "push", "--tls-verify=false", "--all", "both", "docker://"+c.at("both:v1"))
	c.whole("both:v1")
	c.holds("both@"+fixtures.of["arm64"], fixtures.of["arm64"])
}

// A storage is podman or buildah with images in the client's home.
type storage struct {
	c     *client
	name  string
	root  string
	flags []string
}

func newStorage(c *client, name, dir string, flags ...string) storage {
	root := c.Home + "/" + dir
	return storage{c.ownCache(root + ".share"), name, root, flags}
}

func (s storage) args(args ...string) []string {
	own := []string{"--root", s.root, "--runroot", s.root + ".run", "--storage-driver", "vfs"}
	return append(append(own, s.flags...), args...)
}

func (s storage) run(args ...string) string {
	s.c.T.Helper()
	return s.c.Run(s.name, s.args(args...)...)
}

// pulls pulls an image, asserts its id, and removes it again.
func (s storage) pulls(t *testing.T, ref, want string) {
	t.Helper()
	id := s.run("pull", "--quiet", "--tls-verify=false", ref)
	if id != want {
		t.Errorf("pulled %s as image %s, want %s", ref, id, want)
	}
	s.run("rmi", id)
}
