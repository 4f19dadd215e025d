package versions_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"

	"packhouse/internal/access"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
	"packhouse/internal/web/webtest"
)

// at is the address of the pages below ann/app.
const at = "/users/ann/packages/container/app"

const (
	tagged   = at + "/versions?filters%5Bversion_type%5D=tagged"
	untagged = at + "/versions?filters%5Bversion_type%5D=untagged"
	deleted  = at + "/versions?filters%5Bversion_type%5D=deleted"
)

type site struct {
	*webtest.Site
	ann, bob *webtest.Browser
	who      access.Principal
	pkg      access.Package
}

// open starts a site with the package ann/app, which has the tags one and two.
func open(t *testing.T) *site {
	t.Helper()
	s := &site{Site: webtest.New(t, nil)}
	a := s.User("ann")
	s.User("bob")
	s.Push("ann", "ann/app:one")
	s.Push("ann", "ann/app:two")
	s.ann, s.bob = s.SignedIn("ann"), s.SignedIn("bob")
	s.who = access.Principal{AccountID: a.ID, Login: "ann", Scopes: access.AllScopes}
	s.pkg = s.at("ann/app")
	return s
}

func (s *site) at(name string) access.Package {
	s.Helper()
	n, err := oci.ParseName(name)
	s.check(err)
	return access.Package{Type: access.Container, Name: n}
}

func (s *site) check(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

// version returns the version that a tag or a digest names.
func (s *site) version(ref string) packages.Version {
	s.Helper()
	r, err := oci.ParseReference(ref)
	s.check(err)
	v, err := s.App.Packages.VersionByReference(s.Context(), s.who, s.pkg, r)
	s.check(err)
	return v
}

// public lets everybody read ann/app.
func (s *site) public() {
	s.Helper()
	s.check(s.App.Packages.SetVisibility(s.Context(), s.who, s.pkg, access.Public))
}

func (s *site) path(ref, page string) string {
	return fmt.Sprint(at, "/versions/", s.version(ref).ID, "/", page)
}

// gone returns the deleted version of that digest.
func (s *site) gone(digest string) packages.BrowsedVersion {
	s.Helper()
	page, err := s.App.Packages.Browse(s.Context(), s.who, s.pkg, packages.Browse{Show: packages.ShowDeleted})
	s.check(err)
	for _, v := range page.Versions {
		if v.Digest.String() == digest {
			return v
		}
	}
	s.Fatalf("%s is not deleted", digest)
	return packages.BrowsedVersion{}
}

func (s *site) tag(name string) oci.Tag {
	s.Helper()
	tag, err := oci.ParseTag(name)
	s.check(err)
	return tag
}

func TestListOfVersions(t *testing.T) {
	t.Parallel()
	s := open(t)
	p := s.ann.Get(at+"/versions").Want(200, `.version-row .branch-name`)
	if got := p.Text(".version-row .branch-name"); got != "twoone" && got != "two one" {
		t.Errorf("the tags in the list are %q", got)
	}
	p.Want(200, `.version-row input[type=checkbox]`).Want(200, `.version-buttons a`).Want(200, `a[aria-current=page][href="`+tagged+`"]`)
	s.ann.Get(untagged).Want(200, ".blankslate").Without(".version-row")
	s.ann.Get(deleted).Want(200, ".blankslate")
	s.ann.Get(at+"/versions?filters[version_type]=untagged").Want(200, ".blankslate") // as links elsewhere are written
	for name, b := range map[string]*webtest.Browser{"a stranger": s.bob, "nobody": s.Browser()} {
		absent := strings.Replace(at, "/app", "/none", 1)
		if got, want := b.Get(at+"/versions"), b.Get(absent+"/versions"); got.Status != want.Status || got.Status == 200 {
			t.Errorf("the list of a private package is %d to %s, and of none %d", got.Status, name, want.Status)
		}
	}
	s.public()
	for name, b := range map[string]*webtest.Browser{"a reader": s.bob, "nobody": s.Browser()} {
		b.Get(at+"/versions").Want(200, ".version-row").Without(".version-buttons").Without(`button[value=delete]`).Without(`a[href="` + deleted + `"]`)
		for _, path := range []string{deleted, s.path("one", "delete")} {
			if got := b.Get(path); got.Status == 200 && strings.Contains(got.Path, "/versions") {
				t.Errorf("%s is shown to %s", path, name)
			}
		}
		if got := b.Post(s.path("one", "delete"), "confirm", "app"); got.Find(".version-row").Length() > 0 {
			t.Errorf("%s may delete", name)
		}
	}
	s.version("one")
}

func TestPagesOfVersions(t *testing.T) {
	t.Parallel()
	s := open(t)
	for i := range 35 {
		s.Push("ann", fmt.Sprintf("ann/app:v%d", i))
	}
	first := s.ann.Get(at+"/versions").Want(200, `a[rel=next]`)
	seen := first.Find(".version-row").Length()
	older, _ := first.Find(`a[rel=next]`).Attr("href")
	second := s.ann.Get(older).Want(200, `a[rel=first]`).Without(`a[rel=next]`)
	if seen += second.Find(".version-row").Length(); seen != 37 {
		t.Errorf("%d versions on two pages", seen)
	}
	s.ann.Get(at+"/tags?q=V3").Want(200, "table .branch-name").Without(`a[rel=next]`)
	found := s.ann.Get(at + "/tags?q=V3")
	if got := found.Find("tbody tr").Length(); got != 6 { // v3 and v30 to v34
		t.Errorf("%d tags found", got)
	}
	s.ann.Get(at+"/tags?q=nothing").Want(200, ".blankslate")
	all := s.ann.Get(at+"/tags").Want(200, `a[rel=next]`)
	older, _ = all.Find(`a[rel=next]`).Attr("href")
	s.ann.Get(older).Want(200, "tbody tr").Want(200, `a[rel=first]`)
	if got := s.bob.Get(at + "/tags"); got.Status != 404 {
		t.Errorf("tags of a private package are %d to a stranger", got.Status)
	}
}

// Complaint 9: what is an attestation is called one, and what an index holds is
// no version without a tag.
func TestComplaint9AttestationsAndPartsAreNamed(t *testing.T) {
	t.Parallel()
	s := open(t)
	index, err := random.Index(256, 1, 2)
	s.check(err)
	s.PushIndex("ann", "ann/app:multi", index)
	image, err := random.Image(256, 1)
	s.check(err)
	s.PushImage("ann", "ann/app:sha256-0000000000000000000000000000000000000000000000000000000000000000.att", mutate.MediaType(image, "application/vnd.oci.image.manifest.v1+json"))
	all := s.ann.Get(at + "/versions?show=all")
	if got := all.Find(`.version-row a.Label`).Length(); got != 2 {
		t.Errorf("%d parts of an index are marked, want 2", got)
	}
	if text := all.Text(".version-row"); !strings.Contains(text, "Attestation") || !strings.Contains(text, "Index of several platforms") {
		t.Errorf("the list says %q", text)
	}
	s.ann.Get(untagged).Without(".version-row")
}

func TestDeleteAndRestore(t *testing.T) {
	t.Parallel()
	s := open(t)
	id := s.version("one").ID
	path := s.path("one", "delete")
	s.ann.Get(path).Want(200, `form[action="`+path+`"] input[name=confirm]`)
	if p := s.ann.Post(path, "confirm", "wrong").Want(400, ".flash-error"); p.Status == 200 {
		t.Error("deleted without the name")
	}
	s.version("one")
	p := s.ann.Post(path, "confirm", "app").Want(200, ".flash-success")
	if !strings.HasPrefix(p.Path, deleted) {
		t.Errorf("led to %s", p.Path)
	}
	p.Want(200, ".version-row .branch-name").Want(200, ".version-buttons button[formmethod=post]")
	s.ann.Get(tagged).Want(200, ".version-row")
	if got := s.ann.Get(tagged).Find(".version-row").Length(); got != 1 {
		t.Errorf("%d versions left", got)
	}
	if got := s.ann.Get(path); got.Status != 404 {
		t.Errorf("deleting it again is %d", got.Status)
	}
	restore := fmt.Sprint(at, "/versions/", id, "/restore")
	if got := s.bob.Post(restore); got.Status != 404 {
		t.Errorf("restoring is %d to a stranger", got.Status)
	}
	s.ann.Post(restore)
	if s.version("one").ID != id {
		t.Error("another version came back")
	}
	if got := s.ann.Post(restore); got.Status != 409 {
		t.Errorf("restoring what is there is %d", got.Status)
	}
}

func TestRefusedDeletionsNameWhatIsInTheWay(t *testing.T) {
	t.Parallel()
	s := open(t)
	index, err := random.Index(256, 1, 2)
	s.check(err)
	multi := s.PushIndex("ann", "ann/app:multi", index)
	m, err := index.IndexManifest()
	s.check(err)
	part, other := s.version(m.Manifests[0].Digest.String()), s.version(m.Manifests[1].Digest.String())
	path := fmt.Sprint(at, "/versions/", part.ID, "/delete")
	link := fmt.Sprintf(`.flash-warn a[href="%s/%d"]`, at, s.version("multi").ID)
	s.ann.Get(path).Want(200, link).Want(200, "input[name=force]")
	s.ann.Post(path, "confirm", "app").Want(409, link).Want(409, ".flash-error")

	chosen := fmt.Sprintf("%s/versions/chosen?version=%d&version=%d&version=%d&do=delete", at, part.ID, other.ID, s.version("multi").ID)
	ask := s.ann.Get(chosen).Want(200, `input[name=version]`).Without("input[name=force]")
	fields := []string{"confirm", "app"}
	ask.Find(`input[name=version]`).Each(func(_ int, i *goquery.Selection) {
		id, _ := i.Attr("value")
		fields = append(fields, "version", id)
	})
	if got := s.ann.Post(at+"/versions/delete", fields...).Want(200, ".flash-success").Find(".version-row").Length(); got != 3 {
		t.Errorf("%d of 3 deleted", got)
	}
	s.ann.Post(fmt.Sprint(at, "/versions/", s.gone(multi).ID, "/restore"))
	s.ann.Post(path, "confirm", "app", "force", "1").Want(200, ".flash-success")
	if _, err := s.App.Packages.VersionByReference(s.Context(), s.who, s.pkg, oci.Reference{Tag: s.tag("multi")}); err == nil {
		t.Error("the index stayed")
	}
}

// Complaint 16: the last tagged version goes with its package.
func TestComplaint16TheLastVersionGoesWithThePackage(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.ann.Post(s.path("one", "delete"), "confirm", "app").Want(200, ".flash-success")
	path := s.path("two", "delete")
	s.ann.Get(path).Want(200, "input[name=with_package]")
	s.ann.Post(path, "confirm", "app").Want(400, "input[name=with_package]")
	s.ann.Post(path, "confirm", "app", "with_package", "1")
	if got := s.ann.Get(at + "/versions"); got.Status != 404 {
		t.Errorf("the package is still there: %d", got.Status)
	}
	s.check(s.App.Packages.RestorePackage(s.Context(), s.who, s.pkg))
	s.ann.Get(at+"/versions").Want(200, ".version-row")
}

// Complaint 10: a tag can be deleted by itself, and put back.
func TestComplaint10DeleteOneTag(t *testing.T) {
	t.Parallel()
	s := open(t)
	one, two := s.version("one"), s.version("two")
	page := at + "/tags/one"
	s.ann.Get(page).Want(200, `form[action="`+page+`/delete"]`)
	s.public()
	s.bob.Get(page).Want(200, "table").Without(`form[action^="` + page + `"]`)
	if got := s.bob.Post(page + "/delete"); got.Status != 404 {
		t.Errorf("a reader's deletion is %d", got.Status)
	}
	p := s.ann.Post(page+"/delete").Want(200, ".flash-success")
	if s.version(one.Digest.String()).ID != one.ID {
		t.Error("the version went with the tag")
	}
	p.Without(`form[action="`+page+`/delete"]`).Want(200, `form[action="`+page+`/restore"] input[name=digest][value="`+one.Digest.String()+`"]`)
	s.ann.Post(page+"/restore", "digest", one.Digest.String()).Want(200, ".flash-success")
	if s.version("one").ID != one.ID {
		t.Error("the tag leads elsewhere")
	}

	s.ann.Post(page, "to", "two").Want(200, ".flash-success")
	if s.version("one").ID != two.ID {
		t.Error("the tag was not moved")
	}
	s.ann.Post(page, "to", "none").Want(400, ".flash-error")
	s.ann.Post(page, "to", "not a tag").Want(400, ".flash-error")
	if got := s.ann.Get(page).Find("tbody tr").Length(); got != 3 {
		t.Errorf("the history has %d lines", got)
	}
	s.ann.Post(at+"/tags", "tag", "new", "to", one.Digest.String()).Want(200, ".flash-success")
	if s.version("new").ID != one.ID {
		t.Error("the new tag leads elsewhere")
	}
	s.ann.Post(at+"/tags", "tag", "-", "to", "one").Want(400, `input[name=tag][value="-"]`)
	s.ann.Post(at+"/tags", "tag", "more", "to", "none").Want(400, `input[name=to][value=none]`)
	if got := s.ann.Get(at + "/tags/never"); got.Status != 404 {
		t.Errorf("a tag that never was is %d", got.Status)
	}
}

func TestImmutableTagsAreMarked(t *testing.T) {
	t.Parallel()
	s := open(t)
	patterns, err := packages.ParseTagPatterns([]string{"o*"})
	s.check(err)
	s.check(s.App.Packages.SetImmutableTags(s.Context(), s.who, s.pkg, patterns))
	if got := s.ann.Get(tagged).Find(".Label--attention").Length(); got != 1 {
		t.Errorf("%d tags are marked, want one of two", got)
	}
	page := at + "/tags/one"
	s.ann.Get(page).Want(200, ".Label--attention").Without(`form[action="` + page + `/delete"]`)
	s.ann.Post(page+"/delete").Want(409, ".flash-error")
	s.ann.Post(s.path("one", "delete"), "confirm", "app").Want(409, ".flash-error")
	s.version("one")
}

func TestChooseTwoToCompare(t *testing.T) {
	t.Parallel()
	s := open(t)
	one, two := s.version("one").ID, s.version("two").ID
	got := s.ann.Get(fmt.Sprintf("%s/versions/chosen?version=%d&version=%d&do=compare", at, two, one))
	if want := fmt.Sprintf("%s/compare?from=%d&to=%d", at, one, two); got.Path != want {
		t.Errorf("led to %s, want %s", got.Path, want)
	}
	s.ann.Get(fmt.Sprintf("%s/versions/chosen?version=%d&do=compare", at, two)).Want(200, ".flash-success")
	s.ann.Get(at+"/versions/chosen?do=delete").Want(200, ".flash-success")
}

func TestVersionsInAllLanguages(t *testing.T) {
	t.Parallel()
	s := open(t)
	s.ann.Post(s.path("one", "delete"), "confirm", "app")
	for language, want := range map[string]string{"de": "Mit Tag", "fr": "Avec tag", "zh-CN": "有标签"} {
		s.ann.Language = language
		if text := s.ann.Get(tagged).Text(".subnav-links"); !strings.Contains(text, want) {
			t.Errorf("%s: %q", language, text)
		}
		for _, path := range []string{deleted, s.path("two", "delete"), at + "/tags?q=" + url.QueryEscape("<i>"), at + "/tags/two"} {
			s.ann.Get(path).Want(200, "h2, .version-row")
		}
	}
}
