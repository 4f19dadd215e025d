package clients_test

import (
	"fmt"
	"strings"
	"testing"
)

const containerdConfig = `version = 2
root = %[1]q
state = %[2]q
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs", "io.containerd.internal.v1.opt"]
[grpc]
  address = %[3]q
[ttrpc]
  address = %[4]q
`

func containerd(t *testing.T, c *client) {
	socket := c.Home + "/containerd.sock"
	config := c.Write("containerd.toml", fmt.Sprintf(containerdConfig, c.Home+"/root", c.Home+"/state", socket, socket+".ttrpc"))
	c.Daemon("containerd", "--config", config)
	c.Await("containerd", "ctr", "-a", socket, "version")
	images := func(verb string, args ...string) []string {
		return append([]string{"-a", socket, "images", verb}, args...)
	}
	plain := func(verb, credential string, args ...string) []string {
		return images(verb, append([]string{"--plain-http", "-u", c.User + ":" + credential}, args...)...)
	}

	c.Run("tar", "-C", fixtures.layout, "-cf", c.Home+"/layout.tar", ".")
	c.Run("ctr", images("import", "--all-platforms", "--base-name", "imported", c.Home+"/layout.tar")...)
	c.Refused([]string{"unauthorized"}, "", "ctr", plain("push", "wrong", c.at("multi:v1"), "imported:v1")...)
	c.Run("ctr", plain("push", c.Token, c.at("multi:v1"), "imported:v1")...)
	c.holds("multi:v1", fixtures.digest)
	c.whole("multi:v1")
	c.Run("ctr", images("rm", "--sync", "imported:v1")...)

	for _, rest := range []string{"multi:v1", "multi@" + fixtures.digest} {
		c.Run("ctr", plain("pull", c.Token, "--platform", "linux/amd64", c.at(rest))...)
		c.Run("ctr", plain("pull", c.Token, "--platform", "linux/arm64", c.at(rest))...)
		if got := c.Run("ctr", images("ls", "name=="+c.at(rest))...); !strings.Contains(got, fixtures.digest) {
			t.Errorf("pulled %s, and have\n%s", rest, got)
		}
		if got := c.Run("ctr", images("check", "name=="+c.at(rest))...); !strings.Contains(got, "complete") {
			t.Errorf("what was pulled of %s is not whole:\n%s", rest, got)
		}
		c.Run("ctr", images("rm", "--sync", c.at(rest))...)
	}
	c.Refused([]string{"unauthorized", "authorization failed"}, "", "ctr", images("pull", "--plain-http", c.at("multi:v1"))...)
}
