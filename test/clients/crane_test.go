package clients_test

import (
	"slices"
	"strings"
	"testing"
)

func crane(t *testing.T, c *client) {
	c.Feed(c.Token, "crane", "auth", "login", c.Addr, "-u", c.User, "--password-stdin")
	c.Run("crane", "push", fixtures.layout, c.at("multi:v1"))
	c.holds("multi:v1", fixtures.digest)
	c.Run("crane", "validate", "--remote", c.at("multi:v1"))
	c.Run("crane", "validate", "--remote", c.at("multi@"+fixtures.of["arm64"]))
	c.Run("crane", "pull", "--format", "oci", c.at("multi@"+fixtures.digest), c.Home+"/by-digest")
	c.pulled(c.Home + "/by-digest")

	c.Run("crane", "tag", c.at("multi:v1"), "v2")
	c.tagged(strings.Fields(c.Run("crane", "ls", c.at("multi"))), "v1", "v2")
	if got := strings.Fields(c.Run("crane", "catalog", c.Addr)); !slices.Contains(got, c.User+"/multi") {
		t.Errorf("the catalog %q lacks the package", got)
	}
	c.Run("crane", "delete", c.at("multi:v2"))
	c.lacks("multi:v2")
	c.holds("multi:v1", fixtures.digest)

	craneMounts(t, c)
	craneIsRefused(t, c)
	craneDockerList(c)
	craneSurvivesACut(t, c)

	c.Run("crane", "delete", c.at("copy@"+fixtures.digest))
	c.lacks("copy@" + fixtures.digest)
	c.lacks("copy:v1")
}

// A copy from package to package mounts the layers: their bytes do not travel.
func craneMounts(t *testing.T, c *client) {
	p := newProxy(t, c.Addr, 0, 0)
	via := c.through(p.addr)
	via.Feed(c.Token, "crane", "auth", "login", p.addr, "-u", c.User, "--password-stdin")
	via.Run("crane", "cp", via.at("multi:v1"), via.at("copy:v1"))
	c.holds("copy:v1", fixtures.digest)
	c.whole("copy:v1")
	if sent := p.sent.Load(); sent > bigSize/6 {
		t.Errorf("%d bytes were sent for a copy within the registry", sent)
	}
}

func craneIsRefused(t *testing.T, c *client) {
	nobody := c.as("DOCKER_CONFIG=" + c.Home + "/nobody")
	nobody.Refused([]string{"unauthorized", "authentication required"}, "", "crane", "pull", c.at("multi:v1"), c.Home+"/stolen")

	stranger := c.as("DOCKER_CONFIG=" + c.Home + "/stranger")
	stranger.Feed(c.Account(t, "crane-stranger"), "crane", "auth", "login", c.Addr, "-u", "crane-stranger", "--password-stdin")
	// A stranger is told the same of what is private as of what is not there.
	stranger.Refused([]string{"there is no package"}, "", "crane", "pull", c.at("multi:v1"), c.Home+"/stolen")
	stranger.Refused([]string{"there is no package"}, "", "crane", "pull", c.at("absent:v1"), c.Home+"/stolen")
	stranger.Refused([]string{"unauthorized", "denied"}, "", "crane", "push", fixtures.layout, c.at("multi:v9"))
	c.lacks("multi:v9")

	wrong := c.as("DOCKER_CONFIG=" + c.Home + "/wrong")
	wrong.Feed("wrong", "crane", "auth", "login", c.Addr, "-u", c.User, "--password-stdin")
	wrong.Refused([]string{"unauthorized"}, "", "crane", "ls", c.at("multi"))
}

// A Docker manifest list, made from what is in the registry.
func craneDockerList(c *client) {
	c.Run("crane", "index", "append", "--docker-empty-base", "-m", c.at("multi@"+fixtures.of["amd64"]), "-t", c.at("multi:list"))
	c.Run("crane", "validate", "--remote", c.at("multi:list"))
}

func craneSurvivesACut(t *testing.T, c *client) {
	p := newProxy(t, c.Addr, 1, bigSize/2)
	via := c.through(p.addr)
	via.Feed(c.Token, "crane", "auth", "login", p.addr, "-u", c.User, "--password-stdin")
	via.Run("crane", "push", fixtures.layout, via.at("cut:v1"))
	p.mustHaveCut(t)
	c.holds("cut:v1", fixtures.digest)
	c.whole("cut:v1")
}
