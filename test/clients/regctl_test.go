package clients_test

import (
	"crypto/sha512"
	"encoding/hex"
	"os"
	"strings"
	"testing"
)

func regctl(t *testing.T, c *client) {
	c.Run("regctl", "registry", "set", "--skip-check", "--tls", "disabled", c.Addr)
	c.Refused([]string{"unauthorized"}, "wrong", "regctl", "registry", "login", c.Addr, "-u", c.User, "--pass-stdin")
	c.Refused([]string{"unauthorized"}, "", "regctl", "tag", "ls", c.at("multi"))
	c.Feed(c.Token, "regctl", "registry", "login", c.Addr, "-u", c.User, "--pass-stdin")

	c.Run("regctl", "image", "copy", "ocidir://"+fixtures.layout+":v1", c.at("multi:v1"))
	c.holds("multi:v1", fixtures.digest)
	c.whole("multi:v1")
	c.Run("regctl", "image", "copy", c.at("multi@"+fixtures.digest), "ocidir://"+c.Home+"/by-digest:v1")
	c.pulled(c.Home + "/by-digest")
	c.Run("regctl", "image", "copy", c.at("multi:v1"), c.at("multi:v2"))
	c.tagged(strings.Fields(c.Run("regctl", "tag", "ls", c.at("multi"))), "v1", "v2")
	if got := c.Run("regctl", "repo", "ls", c.Addr); !strings.Contains(got, c.User+"/multi") {
		t.Errorf("the catalog %q lacks the package", got)
	}

	regctlAttaches(t, c)
	regctlOtherDigest(t, c)
	regctlResumes(t, c)

	nobody := c.as("REGCTL_CONFIG=" + c.Home + "/nobody.json")
	nobody.Run("regctl", "registry", "set", "--skip-check", "--tls", "disabled", c.Addr)
	nobody.Refused([]string{"unauthorized"}, "", "regctl", "manifest", "get", c.at("multi:v1"))

	c.Run("regctl", "tag", "delete", c.at("multi:v2"))
	c.lacks("multi:v2")
	c.holds("multi:v1", fixtures.digest)
	c.Run("regctl", "manifest", "delete", c.at("multi@"+fixtures.digest))
	c.lacks("multi@" + fixtures.digest)
	c.lacks("multi:v1")
}

// A referrer is attached, listed by its type and read back.
func regctlAttaches(t *testing.T, c *client) {
	const kind, other = "application/vnd.example.sbom", "application/vnd.example.signature"
	c.Feed("bill of materials", "regctl", "artifact", "put", "--artifact-type", kind, "--subject", c.at("multi:v1"))
	c.Feed("signature", "regctl", "artifact", "put", "--artifact-type", other, "--subject", c.at("multi:v1"))
	digests := "{{range .Descriptors}}{{.ArtifactType}} {{.Digest}}\n{{end}}"
	if all := strings.Split(c.Run("regctl", "artifact", "list", "--format", digests, c.at("multi:v1")), "\n"); len(all) != 2 {
		t.Errorf("referrers %q, want two", all)
	}
	got := strings.Fields(c.Run("regctl", "artifact", "list", "--filter-artifact-type", kind, "--format", digests, c.at("multi:v1")))
	if len(got) != 2 || got[0] != kind {
		t.Fatalf("referrers of the type %s: %q", kind, got)
	}
	if text := c.Run("regctl", "artifact", "get", c.at("multi@"+got[1])); text != "bill of materials" {
		t.Errorf("the referrer reads %q", text)
	}
}

// A blob under a sha512 digest.
func regctlOtherDigest(t *testing.T, c *client) {
	sum := sha512.Sum512([]byte("long hash"))
	digest := "sha512:" + hex.EncodeToString(sum[:])
	if got := c.Feed("long hash", "regctl", "blob", "put", "--digest", digest, c.at("multi")); got != digest {
		t.Errorf("put as %s, got %s", digest, got)
	}
	if got := c.Run("regctl", "blob", "get", c.at("multi"), digest); got != "long hash" {
		t.Errorf("the blob reads %q", got)
	}
}

// regctl sends chunks. After a cut it asks how far the upload came and goes on
// from there, so the whole blob is not sent again.
func regctlResumes(t *testing.T, c *client) {
	p := newProxy(t, c.Addr, 1, bigSize*2/3)
	via := c.through(p.addr)
	via.Run("regctl", "registry", "set", "--skip-check", "--tls", "disabled", "--blob-chunk", "1048576", "--blob-max", "1048576", p.addr)
	via.Feed(c.Token, "regctl", "registry", "login", p.addr, "-u", c.User, "--pass-stdin")
	big, err := os.ReadFile(fixtures.big)
	if err != nil {
		t.Fatal(err)
	}
	digest := via.Feed(string(big), "regctl", "blob", "put", via.at("resumed"))
	p.mustHaveCut(t)
	if sent := p.sent.Load(); sent > bigSize*4/3 {
		t.Errorf("%d bytes were sent for a blob of %d: the upload started over", sent, bigSize)
	}
	if got := c.Run("regctl", "blob", "get", c.at("resumed"), digest); got != strings.TrimSpace(string(big)) {
		t.Error("the resumed blob reads differently")
	}
}
