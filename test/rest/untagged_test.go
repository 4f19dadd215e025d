package rest_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-github/v89/github"
)

// untagged does what every clean-up job does: it deletes all versions without a
// tag, by GitHub's own calls. What a tag needs is refused and stays.
func untagged(t *testing.T, w *world) {
	const pkg = "acme/untagged"
	index := w.pushIndex(t, pkg+":oci", false)
	w.pushIndex(t, pkg+":docker", true)
	digest, err := index.Digest()
	if err != nil {
		t.Fatal(err)
	}
	size, _ := index.Size()
	media, _ := index.MediaType()
	signature := w.sign(t, pkg, digest, size, media)
	w.push(t, "containers", pkg+":"+strings.Replace(digest.String(), ":", "-", 1)+".sig", "signature by tag")
	w.pushCache(t, pkg+":cache")
	w.push(t, "containers", pkg+":latest", "old")
	garbage := w.push(t, "containers", pkg+":latest", "older")
	w.push(t, "containers", pkg+":latest", "new")

	client, _ := w.gitHub(t, w.token)
	ctx, refused, gone := t.Context(), map[string]string{}, []string{}
	for _, v := range allVersions(t, client, "untagged") {
		if len(tagsOf(t, v)) > 0 {
			continue
		}
		res, err := client.Organizations.PackageDeleteVersion(ctx, "acme", "container", "untagged", v.GetID())
		switch {
		case err == nil:
			gone = append(gone, v.GetName())
		case res.StatusCode == http.StatusConflict:
			refused[v.GetName()] = messageOf(err)
		default:
			t.Errorf("%s: %v", v.GetName(), err)
		}
	}
	if len(gone) != 2 || !slices.Contains(gone, garbage) {
		t.Errorf("deleted %v, not the two images that lost their tag", gone)
	}
	if len(refused) != 4+2+1 || !strings.Contains(refused[signature], "oci") {
		t.Errorf("refused %v", refused)
	}
	tags, err := remote.List(w.reference(t, "containers", pkg).Context(), w.remote(t)...)
	if err != nil || len(tags) != 5 {
		t.Errorf("%v %v", tags, err)
	}
	for _, tag := range tags {
		w.pullable(t, w.reference(t, "containers", pkg+":"+tag))
	}
	w.pullable(t, w.reference(t, "containers", pkg+"@"+signature))
	w.offersNothing(t)
	w.forced(t, signature)
}

// allVersions follows the pages.
func allVersions(t *testing.T, client *github.Client, name string) (all []*github.PackageVersion) {
	t.Helper()
	o := &github.PackageListOptions{ListOptions: github.ListOptions{PerPage: 3}}
	for {
		page, res, err := client.Organizations.PackageGetAllVersions(t.Context(), "acme", "container", name, o)
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, page...); res.NextPage == 0 {
			return all
		}
		o.Page = res.NextPage
	}
}

// offersNothing asks for what is untagged and needed by nothing.
func (w *world) offersNothing(t *testing.T) {
	t.Helper()
	if _, body := w.ask(t, "GET", "/orgs/acme/packages/container/untagged/versions?tagged=false", w.token); body != "[]\n" {
		t.Errorf("offered as untagged: %s", body)
	}
	_, body := w.ask(t, "GET", "/orgs/acme/packages/container/untagged/versions?tagged=true", w.token)
	var list []struct{ Kind string }
	if err := json.Unmarshal([]byte(body), &list); err != nil || len(list) != 5 {
		t.Errorf("tagged: %v %s", err, body)
	}
}

// forced deletes a child, which takes the index that holds it along. Each refusal
// names what needs the version.
func (w *world) forced(t *testing.T, signature string) {
	t.Helper()
	const pkg = "/orgs/acme/packages/container/untagged"
	_, body := w.ask(t, "GET", pkg+"/versions?per_page=100", w.token)
	var list []struct {
		ID         int64
		Name, Kind string
		Size       int64
		Metadata   struct{ Container struct{ Tags []string } }
	}
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, v := range list {
		if len(v.Metadata.Container.Tags) > 0 || v.Name == signature {
			continue
		}
		at := fmt.Sprint(pkg, "/versions/", v.ID)
		res, body := w.ask(t, "DELETE", at, w.token)
		if res.StatusCode == http.StatusNoContent {
			continue // its index went before it
		}
		refused++
		var f struct {
			Errors []struct {
				Resource, Code, Message, Digest, As string
				Tags                                []string
			}
		}
		err := json.Unmarshal([]byte(body), &f)
		if err != nil || res.StatusCode != http.StatusConflict || len(f.Errors) != 1 || len(f.Errors[0].Tags) != 1 || f.Errors[0].As != "index" {
			t.Errorf("%s of %d bytes: %d %s", v.Kind, v.Size, res.StatusCode, body)
		}
		if res, body := w.ask(t, "DELETE", at+"?force=true", w.token); res.StatusCode != http.StatusNoContent {
			t.Errorf("forced: %d %s", res.StatusCode, body)
		}
	}
	if refused != 2 {
		t.Errorf("%d were refused, not one of each index", refused)
	}
	tags, err := remote.List(w.reference(t, "containers", "acme/untagged").Context(), w.remote(t)...)
	if err != nil || slices.Contains(tags, "oci") || slices.Contains(tags, "docker") || !slices.Contains(tags, "cache") {
		t.Errorf("after the force: %v %v", tags, err)
	}
}
