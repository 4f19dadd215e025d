package clients_test

import (
	"regexp"
	"strings"
	"testing"
)

// docker uses a real engine on a socket of its own. Engines take every address
// of 127.0.0.0/8 to be plain HTTP.
func docker(t *testing.T, c *client) {
	c = &client{c.Engine()}
	c.Refused([]string{"unauthorized"}, "wrong", "docker", "login", c.Addr, "-u", c.User, "--password-stdin")
	c.Feed(c.Token, "docker", "login", c.Addr, "-u", c.User, "--password-stdin")

	c.Run("docker", "load", "-i", fixtures.archive)
	digest := dockerPush(t, c, "app:v1")
	dockerPush(t, c, "app:v2")
	c.wholeImage("app:v1")
	dockerForget(c, "app:v1", "app:v2")
	for _, rest := range []string{"app:v1", "app@" + digest} {
		c.Run("docker", "pull", c.at(rest))
		if got := c.Run("docker", "image", "inspect", "--format", "{{.Id}}", c.at(rest)); got != fixtures.id {
			t.Errorf("pulled %s as image %s, want %s", rest, got, fixtures.id)
		}
		dockerForget(c, rest)
	}
	// This is how docker lists tags.
	c.Run("docker", "pull", "--all-tags", c.at("app"))
	c.tagged(strings.Fields(c.Run("docker", "images", "--format", "{{.Tag}}", c.at("app"))), "v1", "v2")

	dockerBuilds(c)
	dockerPlatforms(t, c)
	dockerSurvivesACut(t, c)

	c.Run("docker", "logout", c.Addr)
	c.Refused([]string{"denied", "unauthorized", "authentication required"}, "", "docker", "pull", c.at("app:v1"))
	c.Run("docker", "tag", c.at("app:v2"), c.at("app:v3"))
	c.Refused([]string{"denied", "unauthorized", "authentication required"}, "", "docker", "push", c.at("app:v3"))
	c.lacks("app:v3")
}

var pushedDigest = regexp.MustCompile(`digest: (sha256:[0-9a-f]{64})`)

// dockerPush pushes the image of the archive and returns the digest that docker
// prints.
func dockerPush(t *testing.T, c *client, rest string) string {
	t.Helper()
	c.Run("docker", "tag", saved, c.at(rest))
	out := c.Run("docker", "push", c.at(rest))
	found := pushedDigest.FindStringSubmatch(out)
	if found == nil {
		t.Fatalf("docker push prints no digest:\n%s", out)
	}
	c.holds(rest, found[1])
	return found[1]
}

// dockerForget removes images from the engine, so that a pull has to fetch them.
func dockerForget(c *client, names ...string) {
	c.T.Helper()
	args := []string{"rmi", "-f"}
	for _, rest := range names {
		args = append(args, c.at(rest))
	}
	c.Run("docker", args...)
	c.Exec("", "docker", []string{"rmi", "-f", saved})
}

// An image built on one that comes from the registry: its layers are there, and
// docker asks before it sends.
func dockerBuilds(c *client) {
	c.Write("build/Dockerfile", "FROM "+c.at("app:v1")+"\nCOPY note /note\n")
	c.Write("build/note", "built\n")
	c.Run("docker", "build", "--pull", "-t", c.at("built:v1"), c.Home+"/build")
	c.Run("docker", "push", c.at("built:v1"))
	c.wholeImage("built:v1")
}

func dockerPlatforms(t *testing.T, c *client) {
	c.seed("multi:v1")
	for arch := range fixtures.of {
		c.Run("docker", "pull", "--platform", "linux/"+arch, c.at("multi:v1"))
		if got := c.Run("docker", "image", "inspect", "--format", "{{.Architecture}} {{.RepoDigests}}", c.at("multi:v1")); !strings.HasPrefix(got, arch+" ") || !strings.Contains(got, c.at("multi@"+fixtures.digest)) {
			t.Errorf("asked for %s, got %s", arch, got)
		}
		c.Run("docker", "rmi", c.at("multi:v1"))
	}
	// A list that docker makes.
	list := []string{"manifest", "create", "--insecure", c.at("multi:list")}
	for _, digest := range fixtures.of {
		list = append(list, c.at("multi@"+digest))
	}
	c.Run("docker", list...)
	c.Run("docker", "manifest", "push", "--insecure", c.at("multi:list"))
	c.whole("multi:list")
}

// docker starts a cut upload over.
func dockerSurvivesACut(t *testing.T, c *client) {
	p := newProxy(t, c.Addr, 1, bigSize/2)
	via := c.through(p.addr)
	via.Feed(c.Token, "docker", "login", p.addr, "-u", c.User, "--password-stdin")
	via.Run("docker", "tag", c.at("app:v1"), via.at("cut:v1"))
	via.Run("docker", "push", via.at("cut:v1"))
	p.mustHaveCut(t)
	c.wholeImage("cut:v1")
}
