package clients_test

import (
	"crypto/sha512"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

func regctl(t *testing.T, c *client) {
	c.run("regctl", "registry", "set", "--skip-check", "--tls", "disabled", c.addr)
	c.refused([]string{"unauthorized"}, "wrong", "regctl", "registry", "login", c.addr, "-u", c.user, "--pass-stdin")
	c.refused([]string{"unauthorized"}, "", "regctl", "tag", "ls", c.at("multi"))
	c.feed(c.token, "regctl", "registry", "login", c.addr, "-u", c.user, "--pass-stdin")

	c.run("regctl", "image", "copy", "ocidir://"+fixtures.layout+":v1", c.at("multi:v1"))
	c.holds("multi:v1", fixtures.digest)
	c.whole("multi:v1")
	c.run("regctl", "image", "copy", c.at("multi@"+fixtures.digest), "ocidir://"+c.home+"/by-digest:v1")
	c.pulled(c.home + "/by-digest")
	c.run("regctl", "image", "copy", c.at("multi:v1"), c.at("multi:v2"))
	c.tagged(strings.Fields(c.run("regctl", "tag", "ls", c.at("multi"))), "v1", "v2")
	if got := c.run("regctl", "repo", "ls", c.addr); !strings.Contains(got, c.user+"/multi") {
		t.Errorf("the catalog %q lacks the package", got)
	}

	regctlAttaches(t, c)
	regctlOtherDigest(t, c)
	regctlResumes(t, c)

	nobody := c.as("REGCTL_CONFIG=" + c.home + "/nobody.json")
	nobody.run("regctl", "registry", "set", "--skip-check", "--tls", "disabled", c.addr)
	nobody.refused([]string{"unauthorized"}, "", "regctl", "manifest", "get", c.at("multi:v1"))

	c.run("regctl", "tag", "delete", c.at("multi:v2"))
	c.lacks("multi:v2")
	c.holds("multi:v1", fixtures.digest)
	c.run("regctl", "manifest", "delete", c.at("multi@"+fixtures.digest))
	c.lacks("multi@" + fixtures.digest)
	c.lacks("multi:v1")
}

// A referrer is attached, listed by its type and read back.
func regctlAttaches(t *testing.T, c *client) {
	const kind, other = "application/vnd.example.sbom", "application/vnd.example.signature"
	c.feed("bill of materials", "regctl", "artifact", "put", "--artifact-type", kind, "--subject", c.at("multi:v1"))
	c.feed("signature", "regctl", "artifact", "put", "--artifact-type", other, "--subject", c.at("multi:v1"))
	digests := "{{range .Descriptors}}{{.ArtifactType}} {{.Digest}}\n{{end}}"
	if all := strings.Split(c.run("regctl", "artifact", "list", "--format", digests, c.at("multi:v1")), "\n"); len(all) != 2 {
		t.Errorf("referrers %q, want two", all)
	}
	got := strings.Fields(c.run("regctl", "artifact", "list", "--filter-artifact-type", kind, "--format", digests, c.at("multi:v1")))
	if len(got) != 2 || got[0] != kind {
		t.Fatalf("referrers of the type %s: %q", kind, got)
	}
	if text := c.run("regctl", "artifact", "get", c.at("multi@"+got[1])); text != "bill of materials" {
		t.Errorf("the referrer reads %q", text)
	}
}

// A blob under a sha512 digest.
func regctlOtherDigest(t *testing.T, c *client) {
	sum := sha512.Sum512([]byte("long hash"))
	digest := "sha512:" + hex.EncodeToString(sum[:])
	if got := c.feed("long hash", "regctl", "blob", "put", "--digest", digest, c.at("multi")); got != digest {
		t.Errorf("put as %s, got %s", digest, got)
	}
	if got := c.run("regctl", "blob", "get", c.at("multi"), digest); got != "long hash" {
		t.Errorf("the blob reads %q", got)
	}
}

// regctl sends chunks. After a cut it asks how far the upload came and goes on
// from there, so the whole blob is not sent again.
func regctlResumes(t *testing.T, c *client) {
	p := newProxy(t, c.addr, 1, bigSize*2/3)
	via := c.through(p.addr)
	via.run("regctl", "registry", "set", "--skip-check", "--tls", "disabled", "--blob-chunk", "1048576", "--blob-max", "1048576", p.addr)
	via.feed(c.token, "regctl", "registry", "login", p.addr, "-u", c.user, "--pass-stdin")
	big, err := os.ReadFile(fixtures.big)
	if err != nil {
		t.Fatal(err)
	}
	digest := via.feed(string(big), "regctl", "blob", "put", via.at("resumed"))
	p.mustHaveCut(t)
	if sent := p.sent.Load(); sent > bigSize*4/3 {
		t.Errorf("%d bytes were sent for a blob of %d: the upload started over", sent, bigSize)
	}
	if got := c.run("regctl", "blob", "get", c.at("resumed"), digest); got != strings.TrimSpace(string(big)) {
		t.Error("the resumed blob reads differently")
	}
}
