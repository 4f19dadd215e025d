package clients_test

import (
	"encoding/json"
	"slices"
	"testing"
)

func skopeo(t *testing.T, c *client) {
	c = c.ownCache(c.Home + "/share")
	oci := "oci:" + fixtures.layout + ":v1"
	c.Refused([]string{"unauthorized", "invalid username/password"}, "",
		"skopeo", "login", "--tls-verify=false", "-u", c.User, "-p", "wrong", c.Addr)
	skopeoCopy(c, "--all", oci, "docker://"+c.at("multi:v1")).mustFail("unauthorized", "authentication required")
	c.Run("skopeo", "login", "--tls-verify=false", "-u", c.User, "-p", c.Token, c.Addr)

	skopeoCopy(c, "--all", oci, "docker://"+c.at("multi:v1")).mustSucceed()
	c.holds("multi:v1", fixtures.digest)
	c.whole("multi:v1")
	skopeoCopy(c, "--all", "docker://"+c.at("multi:v1"), "docker://"+c.at("multi:v2")).mustSucceed()
	for name, source := range map[string]string{"by-tag": "multi:v2", "by-digest": "multi@" + fixtures.digest} {
		skopeoCopy(c, "--all", "docker://"+c.at(source), "oci:"+c.Home+"/"+name+":v1").mustSucceed()
		c.pulled(c.Home + "/" + name)
	}
	skopeoCopy(c, "--format", "v2s2", oci, "docker://"+c.at("schema2:v1")).mustSucceed()
	c.wholeImage("schema2:v1")
	skopeoReads(t, c)

	nobody := c.as("REGISTRY_AUTH_FILE=" + c.Home + "/nobody.json")
	skopeoCopy(nobody, "docker://"+c.at("multi:v1"), "dir:"+c.Home+"/stolen").mustFail("unauthorized", "authentication required")

	skopeoSurvivesACut(t, c, oci)

	// skopeo resolves a tag and deletes the manifest, and with it every tag.
	c.Run("skopeo", "delete", "--tls-verify=false", "docker://"+c.at("multi:v2"))
	c.lacks("multi:v2")
	c.lacks("multi:v1")
}

// skopeo gives up when it is cut in an upload; run again, it starts over and
// what the first run left behind is not in its way.
func skopeoSurvivesACut(t *testing.T, c *client, oci string) {
	p := newProxy(t, c.Addr, 1, bigSize/2)
	via := c.through(p.addr)
	via.Run("skopeo", "login", "--tls-verify=false", "-u", c.User, "-p", c.Token, p.addr)
	skopeoCopy(via, "--all", oci, "docker://"+via.at("cut:v1")).mustFail("writing blob")
	p.mustHaveCut(t)
	c.lacks("cut:v1")
	skopeoCopy(via, "--all", oci, "docker://"+via.at("cut:v1")).mustSucceed()
	c.holds("cut:v1", fixtures.digest)
	c.whole("cut:v1")
}

func skopeoReads(t *testing.T, c *client) {
	var listed struct{ Tags []string }
	decode(t, c.Run("skopeo", "list-tags", "--tls-verify=false", "docker://"+c.at("multi")), &listed)
	c.tagged(listed.Tags, "v1", "v2")
	var seen struct {
		Digest   string
		RepoTags []string
	}
	decode(t, c.Run("skopeo", "inspect", "--tls-verify=false", "docker://"+c.at("multi:v1")), &seen)
	if seen.Digest != fixtures.digest || !slices.Contains(seen.RepoTags, "v2") {
		t.Errorf("skopeo inspect sees %+v", seen)
	}
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
}

// A copying is a skopeo copy with the flags that plain HTTP needs.
type copying struct {
	c    *client
	args []string
}

func skopeoCopy(c *client, args ...string) copying {
	return copying{c, append([]string{"--insecure-policy", "copy", "--src-tls-verify=false", "--dest-tls-verify=false"}, args...)}
}

func (k copying) mustSucceed() {
	k.c.T.Helper()
	k.c.Run("skopeo", k.args...)
}

func (k copying) mustFail(want ...string) {
	k.c.T.Helper()
	k.c.Refused(want, "", "skopeo", k.args...)
}
