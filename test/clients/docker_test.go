package clients_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// docker uses a real engine on a socket of its own. Engines take every address
// of 127.0.0.0/8 to be plain HTTP.
func docker(t *testing.T, c *client) {
	c = startEngine(t, c)
	c.refused([]string{"unauthorized"}, "wrong", "docker", "login", c.addr, "-u", c.user, "--password-stdin")
	c.feed(c.token, "docker", "login", c.addr, "-u", c.user, "--password-stdin")

	c.run("docker", "load", "-i", fixtures.archive)
	digest := dockerPush(t, c, "app:v1")
	dockerPush(t, c, "app:v2")
	c.wholeImage("app:v1")
	dockerForget(c, "app:v1", "app:v2")
	for _, rest := range []string{"app:v1", "app@" + digest} {
		c.run("docker", "pull", c.at(rest))
		if got := c.run("docker", "image", "inspect", "--format", "{{.Id}}", c.at(rest)); got != fixtures.id {
			t.Errorf("pulled %s as image %s, want %s", rest, got, fixtures.id)
		}
		dockerForget(c, rest)
	}
	// This is how docker lists tags.
	c.run("docker", "pull", "--all-tags", c.at("app"))
	c.tagged(strings.Fields(c.run("docker", "images", "--format", "{{.Tag}}", c.at("app"))), "v1", "v2")

	dockerBuilds(c)
	dockerPlatforms(t, c)
	dockerSurvivesACut(t, c)

	c.run("docker", "logout", c.addr)
	c.refused([]string{"denied", "unauthorized", "authentication required"}, "", "docker", "pull", c.at("app:v1"))
	c.run("docker", "tag", c.at("app:v2"), c.at("app:v3"))
	c.refused([]string{"denied", "unauthorized", "authentication required"}, "", "docker", "push", c.at("app:v3"))
	c.lacks("app:v3")
}

func startEngine(t *testing.T, c *client) *client {
	t.Helper()
	socket := "unix://" + c.home + "/docker.sock"
	text, err := json.Marshal(map[string]any{
		"iptables": false, "ip6tables": false, "bridge": "none", "storage-driver": "overlay2",
		"data-root": c.home + "/data", "exec-root": c.home + "/exec", "pidfile": c.home + "/docker.pid",
		"hosts": []string{socket},
	})
	if err != nil {
		t.Fatal(err)
	}
	c.daemon("dockerd", "--config-file", c.write("daemon.json", string(text)))
	c = c.as("DOCKER_HOST="+socket, "DOCKER_BUILDKIT=0")
	c.await("the docker engine", "docker", "version")
	return c
}

var pushedDigest = regexp.MustCompile(`digest: (sha256:[0-9a-f]{64})`)

// dockerPush pushes the image of the archive and returns the digest that docker
// prints.
func dockerPush(t *testing.T, c *client, rest string) string {
	t.Helper()
	c.run("docker", "tag", saved, c.at(rest))
	out := c.run("docker", "push", c.at(rest))
	found := pushedDigest.FindStringSubmatch(out)
	if found == nil {
		t.Fatalf("docker push prints no digest:\n%s", out)
	}
	c.holds(rest, found[1])
	return found[1]
}

// dockerForget removes images from the engine, so that a pull has to fetch them.
func dockerForget(c *client, names ...string) {
	c.t.Helper()
	args := []string{"rmi", "-f"}
	for _, rest := range names {
		args = append(args, c.at(rest))
	}
	c.run("docker", args...)
	c.exec("", "docker", []string{"rmi", "-f", saved})
}

// An image built on one that comes from the registry: its layers are there, and
// docker asks before it sends.
func dockerBuilds(c *client) {
	c.write("build/Dockerfile", "FROM "+c.at("app:v1")+"\nCOPY note /note\n")
	c.write("build/note", "built\n")
	c.run("docker", "build", "--pull", "-t", c.at("built:v1"), c.home+"/build")
	c.run("docker", "push", c.at("built:v1"))
	c.wholeImage("built:v1")
}

func dockerPlatforms(t *testing.T, c *client) {
	c.seed("multi:v1")
	for arch := range fixtures.of {
		c.run("docker", "pull", "--platform", "linux/"+arch, c.at("multi:v1"))
		if got := c.run("docker", "image", "inspect", "--format", "{{.Architecture}} {{.RepoDigests}}", c.at("multi:v1")); !strings.HasPrefix(got, arch+" ") || !strings.Contains(got, c.at("multi@"+fixtures.digest)) {
			t.Errorf("asked for %s, got %s", arch, got)
		}
		c.run("docker", "rmi", c.at("multi:v1"))
	}
	// A list that docker makes.
	list := []string{"manifest", "create", "--insecure", c.at("multi:list")}
	for _, digest := range fixtures.of {
		list = append(list, c.at("multi@"+digest))
	}
	c.run("docker", list...)
	c.run("docker", "manifest", "push", "--insecure", c.at("multi:list"))
	c.whole("multi:list")
}

// docker starts a cut upload over.
func dockerSurvivesACut(t *testing.T, c *client) {
	p := newProxy(t, c.addr, 1, bigSize/2)
	via := c.through(p.addr)
	via.feed(c.token, "docker", "login", p.addr, "-u", c.user, "--password-stdin")
	via.run("docker", "tag", c.at("app:v1"), via.at("cut:v1"))
	via.run("docker", "push", via.at("cut:v1"))
	p.mustHaveCut(t)
	c.wholeImage("cut:v1")
}
