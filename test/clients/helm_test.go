package clients_test

import (
	"os"
	"testing"
)

func helm(t *testing.T, c *client) {
	c.write("chart/Chart.yaml", "apiVersion: v2\nname: chart\nversion: 1.2.3+build.5\ndescription: a test\n")
	c.write("chart/templates/note.yaml", "kind: ConfigMap\napiVersion: v1\nmetadata:\n  name: note\n")
	c.run("helm", "package", c.home+"/chart", "-d", c.home)
	chart := c.home + "/chart-1.2.3+build.5.tgz"

	login := []string{"registry", "login", c.addr, "-u", c.user, "--password-stdin", "--plain-http"}
	c.refused([]string{"unauthorized"}, "wrong", "helm", login...)
	c.refused([]string{"unauthorized", "authentication required", "401"}, "", "helm", "push", chart, "oci://"+c.at("charts"), "--plain-http")
	c.feed(c.token, "helm", login...)
	c.run("helm", "push", chart, "oci://"+c.at("charts"), "--plain-http")
	// A tag cannot hold a plus, so helm writes an underscore.
	c.wholeImage("charts/chart:1.2.3_build.5")

	// Without a version helm lists the tags and takes the latest.
	for name, version := range map[string][]string{"asked": {"--version", "1.2.3+build.5"}, "latest": nil} {
		dir := c.home + "/" + name
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		c.run("helm", append([]string{"pull", "oci://" + c.at("charts/chart"), "--plain-http", "-d", dir}, version...)...)
		if c.read(name+"/chart-1.2.3+build.5.tgz") != c.read("chart-1.2.3+build.5.tgz") {
			t.Errorf("the chart pulled as %s differs from what was pushed", name)
		}
	}
	c.run("helm", "registry", "logout", c.addr)
	c.refused([]string{"unauthorized", "authentication required", "401"}, "",
		"helm", "pull", "oci://"+c.at("charts/chart"), "--version", "1.2.3+build.5", "--plain-http", "-d", c.home)
}
