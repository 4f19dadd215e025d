package clients_test

import (
	"io"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/remote"
)

func buildah(t *testing.T, c *client) {
	b := newStorage(c, "buildah", "images")
	c.Refused([]string{"unauthorized", "invalid username/password"}, "wrong",
		"buildah", b.args("login", "--tls-verify=false", "-u", c.User, "--password-stdin", c.Addr)...)
	c.Feed(c.Token, "buildah", b.args("login", "--tls-verify=false", "-u", c.User, "--password-stdin", c.Addr)...)

	id := buildImage(b)
	b.run("push", "--tls-verify=false", "--digestfile", c.Home+"/digest", "built", "docker://"+c.at("app:v1"))
	b.run("rmi", id)
	c.wholeImage("app:v1")
	b.pulls(t, c.at("app:v1"), id)
	b.pulls(t, c.at("app@"+strings.TrimSpace(c.Read("digest"))), id)
	buildahZstd(t, c)

	c.seed("multi:v1")
	b.run("manifest", "create", "both")
	b.run("manifest", "add", "--tls-verify=false", "--all", "both", "docker://"+c.at("multi:v1"))
	b.run("manifest", "push", "--tls-verify=false", "--all", "both", "docker://"+c.at("both:v1"))
	c.whole("both:v1")

	b.run("logout", c.Addr)
	c.Refused([]string{"unauthorized", "authentication required"}, "", "buildah", b.args("pull", "--tls-verify=false", c.at("app:v1"))...)
}

// buildImage makes an image called built from nothing and returns its id.
func buildImage(b storage) string {
	b.c.T.Helper()
	working := b.run("from", "scratch")
	b.run("copy", working, fixtures.big, "/big")
	b.run("config", "--cmd", "/big", working)
	id := b.run("commit", "--quiet", working, "built")
	b.run("rm", working)
	return id
}

// The storage and its cache are others, because buildah takes a gzip layer that
// it knows to be in the registry rather than compress again.
func buildahZstd(t *testing.T, c *client) {
	b := newStorage(c, "buildah", "zstd")
	id := buildImage(b)
	b.run("push", "--tls-verify=false", "--compression-format", "zstd", "built", "docker://"+c.at("zstd:v1"))
	b.run("rmi", id)
	b.pulls(t, c.at("zstd:v1"), id)
	img, err := remote.Image(c.reference("zstd:v1"), c.options()...)
	if err != nil {
		t.Fatal(err)
	}
	m, err := img.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	if media := string(m.Layers[0].MediaType); !strings.HasSuffix(media, "+zstd") {
		t.Errorf("the layer is %s, want zstd", media)
	}
	layer, err := img.LayerByDigest(m.Layers[0].Digest)
	if err != nil {
		t.Fatal(err)
	}
	bytes, err := layer.Compressed()
	if err != nil {
		t.Fatal(err)
	}
	defer bytes.Close()
	if _, err := io.Copy(io.Discard, bytes); err != nil { // this reader compares the digest
		t.Errorf("read the layer back: %v", err)
	}
}
