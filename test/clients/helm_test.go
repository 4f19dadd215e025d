package clients_test

import (
	"os"
	"testing"
)

func helm(t *testing.T, c *client) {
	c.Write("chart/Chart.yaml", "apiVersion: v2\nname: chart\nversion: 1.2.3+build.5\ndescription: a test\n")
	c.Write("chart/templates/note.yaml", "kind: ConfigMap\napiVersion: v1\nmetadata:\n  name: note\n")
	c.Run("helm", "package", c.Home+"/chart", "-d", c.Home)
	chart := c.Home + "/chart-1.2.3+build.5.tgz"

	login := []string{"registry", "login", c.Addr, "-u", c.User, "--password-stdin", "--plain-http"}
	c.Refused([]string{"unauthorized"}, "wrong", "helm", login...)
	c.Refused([]string{"unauthorized", "authentication required", "401"}, "", "helm", "push", chart, "oci://"+c.at("charts"), "--plain-http")
	c.Feed(c.Token, "helm", login...)
	c.Run("helm", "push", chart, "oci://"+c.at("charts"), "--plain-http")
	// A tag cannot hold a plus, so helm writes an underscore.
	c.wholeImage("charts/chart:1.2.3_build.5")

	// Without a version helm lists the tags and takes the latest.
	for name, version := range map[string][]string{"asked": {"--version", "1.2.3+build.5"}, "latest": nil} {
		dir := c.Home + "/" + name
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		c.Run("helm", append([]string{"pull", "oci://" + c.at("charts/chart"), "--plain-http", "-d", dir}, version...)...)
		if c.Read(name+"/chart-1.2.3+build.5.tgz") != c.Read("chart-1.2.3+build.5.tgz") {
			t.Errorf("the chart pulled as %s differs from what was pushed", name)
		}
	}
	c.Run("helm", "registry", "logout", c.Addr)
	c.Refused([]string{"unauthorized", "authentication required", "401"}, "",
		"helm", "pull", "oci://"+c.at("charts/chart"), "--version", "1.2.3+build.5", "--plain-http", "-d", c.Home)
}
