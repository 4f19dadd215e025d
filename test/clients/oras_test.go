package clients_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"testing"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/content/oci"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"
)

// orasLibrary drives the library that the oras command is made of.
func orasLibrary(t *testing.T, c *client) {
	ctx := t.Context()
	_, err := oras.Resolve(ctx, orasRepository(t, c, "multi", "wrong"), "v1", oras.DefaultResolveOptions)
	mustAnswer(t, err, http.StatusUnauthorized)

	repo := orasRepository(t, c, "multi", c.Token)
	source, err := oci.New(fixtures.layout)
	if err != nil {
		t.Fatal(err)
	}
	index, err := oras.Copy(ctx, source, "v1", repo, "v1", oras.DefaultCopyOptions)
	if err != nil {
		t.Fatalf("push: %v", err)
	}
	c.holds("multi:v1", fixtures.digest)
	c.whole("multi:v1")
	for name, reference := range map[string]string{"by-tag": "v1", "by-digest": fixtures.digest} {
		target, err := oci.New(c.Home + "/" + name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := oras.Copy(ctx, repo, reference, target, "v1", oras.DefaultCopyOptions); err != nil {
			t.Fatalf("pull %s: %v", reference, err)
		}
		c.pulled(c.Home + "/" + name)
	}
	if err := repo.Tag(ctx, index, "v2"); err != nil {
		t.Fatal(err)
	}
	var tags []string
	if err := repo.Tags(ctx, "", func(page []string) error { tags = append(tags, page...); return nil }); err != nil {
		t.Fatal(err)
	}
	c.tagged(tags, "v1", "v2")

	orasAttaches(t, repo, index)
	orasMounts(t, c, repo)
	_, err = oras.Resolve(ctx, orasRepository(t, c, "multi", ""), "v1", oras.DefaultResolveOptions)
	mustAnswer(t, err, http.StatusUnauthorized)

	if err := repo.Delete(ctx, index); err != nil {
		t.Fatal(err)
	}
	c.lacks("multi:v1")
	if _, err := repo.Resolve(ctx, "v1"); !errors.Is(err, errdef.ErrNotFound) {
		t.Errorf("resolve what was deleted: %v", err)
	}
}

// A repository of the client's, with a password or, when it is empty, as nobody.
func orasRepository(t *testing.T, c *client, name, password string) *remote.Repository {
	t.Helper()
	repo, err := remote.NewRepository(c.at(name))
	if err != nil {
		t.Fatal(err)
	}
	repo.PlainHTTP = true
	client := &auth.Client{Client: http.DefaultClient, Cache: auth.NewCache()}
	if password != "" {
		client.Credential = auth.StaticCredential(c.Addr, auth.Credential{Username: c.User, Password: password})
	}
	repo.Client = client
	return repo
}

// Artifacts are attached to the index; the listing has them, whole and by type.
func orasAttaches(t *testing.T, repo *remote.Repository, subject ocispec.Descriptor) {
	ctx := t.Context()
	want := map[string]string{}
	for _, kind := range []string{"application/vnd.example.sbom", "application/vnd.example.signature"} {
		layer, err := oras.PushBytes(ctx, repo, "text/plain", []byte("of type "+kind))
		if err != nil {
			t.Fatal(err)
		}
		m, err := oras.PackManifest(ctx, repo, oras.PackManifestVersion1_1, kind, oras.PackManifestOptions{
			Subject: &subject, Layers: []ocispec.Descriptor{layer},
		})
		if err != nil {
			t.Fatal(err)
		}
		want[kind] = m.Digest.String()
	}
	listed := func(kind string) map[string]string {
		got := map[string]string{}
		err := repo.Referrers(ctx, subject, kind, func(page []ocispec.Descriptor) error {
			for _, d := range page {
				got[d.ArtifactType] = d.Digest.String()
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := listed(""); len(got) != 2 || got["application/vnd.example.sbom"] != want["application/vnd.example.sbom"] {
		t.Errorf("referrers %v, want %v", got, want)
	}
	const kind = "application/vnd.example.signature"
	if got := listed(kind); len(got) != 1 || got[kind] != want[kind] {
		t.Errorf("referrers of type %s: %v, want %s", kind, got, want[kind])
	}
}

// A blob of one package is mounted into another without being sent.
func orasMounts(t *testing.T, c *client, from *remote.Repository) {
	ctx := context.Background()
	blob := content.NewDescriptorFromBytes("text/plain", []byte("mounted"))
	if err := from.Push(ctx, blob, bytes.NewReader([]byte("mounted"))); err != nil {
		t.Fatal(err)
	}
	to := orasRepository(t, c, "mounted", c.Token)
	sent := func() (io.ReadCloser, error) { return nil, errors.New("the registry asked for the bytes") }
	if err := to.Mount(ctx, blob, c.User+"/multi", sent); err != nil {
		t.Fatalf("mount: %v", err)
	}
	text, err := content.FetchAll(ctx, to, blob)
	if err != nil || string(text) != "mounted" {
		t.Errorf("the mounted blob reads %q, %v", text, err)
	}
}

func mustAnswer(t *testing.T, err error, status int) {
	t.Helper()
	var answer *errcode.ErrorResponse
	if !errors.As(err, &answer) || answer.StatusCode != status {
		t.Errorf("got %v, want status %d", err, status)
	}
}
