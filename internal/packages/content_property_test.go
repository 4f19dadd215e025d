package packages_test

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
	"packhouse/internal/registry"
	"packhouse/internal/testkit"
)

// The model of what is in one package, from what was done alone.
type (
	modelVersion struct {
		digest   oci.Digest
		content  string
		children []*modelVersion
		subject  *modelVersion
		present  bool
		had      []string // the tags that ended with it
	}
	contentModel struct {
		f        *fixture
		t        *rapid.T
		pkg      access.Package
		versions []*modelVersion
		tags     map[string]*modelVersion
		led      map[string][]*modelVersion // what a tag led to at any time
	}
)

// Whatever is pushed, tagged, deleted and brought back, in any order: the package
// holds what the model says, and what is refused is refused for its reason.
func TestPropertyContentsFollowTheModel(t *testing.T) {
	t.Parallel()
	f := newFixture(t, testkit.SQLite(t))
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		m := &contentModel{f: f, t: t, pkg: at(fmt.Sprintf("ann/p%d", round)), tags: map[string]*modelVersion{}, led: map[string][]*modelVersion{}}
		f.blob(f.ann, m.pkg, "x", "{}")
		m.push(m.version("{}", nil, nil), "a")
		t.Repeat(map[string]func(*rapid.T){
			"": m.check, "push": m.pushAny, "index": m.pushIndex, "sign": m.sign, "delete": m.delete, "restore": m.restore,
			"tag": m.setTag, "untag": m.untag, "restore tag": m.restoreTag, "package": m.deletePackage,
		})
	})
}

func (m *contentModel) tag(t *rapid.T) string {
	return rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "tag")
}

func (m *contentModel) any(t *rapid.T) *modelVersion {
	return m.versions[rapid.IntRange(0, len(m.versions)-1).Draw(t, "version")]
}

func (m *contentModel) tagOf(text string) oci.Tag {
	tag, err := oci.ParseTag(text)
	m.must(err)
	return tag
}

func (m *contentModel) must(err error) {
	if err != nil {
		m.t.Fatal(err)
	}
}

// version returns the one with such content, which may be new to the model.
func (m *contentModel) version(annotation string, children []*modelVersion, subject *modelVersion) *modelVersion {
	descriptor := func(v *modelVersion) string {
		return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, "application/vnd.oci.image."+kindOf(v), v.digest, len(v.content))
	}
	var content string
	if children != nil {
		var list []string
		for _, c := range children {
			list = append(list, descriptor(c))
		}
		content = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[` + strings.Join(list, ",") + `]}`
	} else {
		blob := fmt.Sprintf(`{"mediaType":"application/vnd.oci.empty.v1+json","digest":%q,"size":2}`, oci.SHA256.FromBytes([]byte("{}")))
		more := ""
		if subject != nil {
			more = `,"subject":` + descriptor(subject)
		}
		content = fmt.Sprintf(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":%s,"layers":[],"annotations":{"n":%q}%s}`, blob, annotation, more)
	}
	d := oci.SHA256.FromBytes([]byte(content))
	for _, v := range m.versions {
		if v.digest == d {
			return v
		}
	}
	v := &modelVersion{digest: d, content: content, children: children, subject: subject}
	m.versions = append(m.versions, v)
	return v
}

func kindOf(v *modelVersion) string {
	if v.children != nil {
		return "index.v1+json"
	}
	return "manifest.v1+json"
}

func (m *contentModel) push(v *modelVersion, tag string) {
	m.f.later()
	ref := oci.Reference{Digest: v.digest}
	if tag != "" {
		ref = oci.Reference{Tag: m.tagOf(tag)}
	}
	_, err := m.f.registry.PushManifest(m.t.Context(), m.f.ann, m.pkg, registry.Push{Reference: ref, Content: []byte(v.content)})
	m.must(err)
	v.present, v.had = true, nil
	if tag != "" {
		m.lead(tag, v)
	}
}

func (m *contentModel) lead(tag string, v *modelVersion) {
	m.tags[tag] = v
	m.led[tag] = append(m.led[tag], v)
}

func (m *contentModel) pushAny(t *rapid.T) {
	v := m.version(rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, "image"), nil, nil)
	m.push(v, rapid.SampledFrom([]string{"", "", "a", "b"}).Draw(t, "tag"))
}

func (m *contentModel) pushIndex(t *rapid.T) {
	var present []*modelVersion
	for _, v := range m.versions {
		if v.present {
			present = append(present, v)
		}
	}
	if len(present) == 0 || len(m.versions) > 20 {
		return
	}
	children := rapid.SliceOfNDistinct(rapid.SampledFrom(present), 1, min(2, len(present)), func(v *modelVersion) oci.Digest { return v.digest }).Draw(t, "children")
	m.push(m.version("", children, nil), rapid.SampledFrom([]string{"", "b", "c"}).Draw(t, "tag"))
}

func (m *contentModel) sign(t *rapid.T) {
	if v := m.any(t); len(m.versions) < 20 && v.present {
		m.push(m.version("signature", nil, v), "")
	}
}

func (m *contentModel) parents(v *modelVersion) []*modelVersion {
	return slices.DeleteFunc(slices.Clone(m.versions), func(p *modelVersion) bool { return !p.present || !slices.Contains(p.children, v) })
}

// kind is what a call is expected to fail with.
func (m *contentModel) expect(what string, err error, want errs.Kind, ok bool) {
	if ok && err != nil || !ok && !errs.Is(err, want) {
		m.t.Fatalf("%s: %v; want success %t, or else %s", what, err, ok, want)
	}
}

func (m *contentModel) id(v *modelVersion) int64 {
	var id int64
	m.must(m.f.db.Read().QueryRow(m.t.Context(), `SELECT v.id FROM versions v JOIN packages p ON p.id = v.package_id
		WHERE v.digest = ? AND p.name = ?`, v.digest.String(), m.pkg.Name.Package()).Scan(&id))
	return id
}

func (m *contentModel) delete(t *rapid.T) {
	v, force := m.any(t), rapid.Bool().Draw(t, "force")
	m.f.later()
	err := m.f.DeleteVersion(t.Context(), m.f.ann, m.pkg, m.id(v), packages.DeleteVersion{Force: force})
	needed := len(m.parents(v)) > 0 || v.subject != nil && v.subject.present
	switch {
	case !v.present:
		m.expect("delete", err, errs.NotFound, false)
		return
	case needed && !force:
		m.expect("delete", err, errs.Conflict, false)
		return
	}
	going := []*modelVersion{v}
	for i := 0; i < len(going); i++ {
		for _, p := range m.parents(going[i]) {
			list := i == 0 && v.subject != nil && !slices.Contains(p.children, v.subject) // it may name what is not there
			if !list && !slices.Contains(going, p) {
				going = append(going, p)
			}
		}
	}
	left := 0
	for _, o := range m.versions {
		if o.present && !slices.Contains(going, o) {
			left++
		}
	}
	tags := 0
	for _, to := range m.tags {
		if slices.Contains(going, to) {
			tags++
		}
	}
	ok := left > 0 && (tags == 0 || tags < len(m.tags))
	m.expect("delete", err, errs.Invalid, ok)
	if !ok {
		return
	}
	for _, o := range going {
		o.present, o.had = false, nil
		for tag, to := range m.tags {
			if to == o {
				o.had = append(o.had, tag)
				delete(m.tags, tag)
			}
		}
	}
}

func (m *contentModel) restore(t *rapid.T) {
	v := m.any(t)
	m.f.later()
	err := m.f.RestoreVersion(t.Context(), m.f.ann, m.pkg, m.id(v))
	m.expect("restore", err, errs.Conflict, !v.present)
	m.bring(v)
}

func (m *contentModel) bring(v *modelVersion) {
	if v.present {
		return
	}
	for _, c := range v.children {
		m.bring(c)
	}
	if v.subject != nil {
		m.bring(v.subject)
	}
	v.present = true
	for _, tag := range v.had {
		if m.tags[tag] == nil {
			m.lead(tag, v)
		}
	}
	v.had = nil
}

func (m *contentModel) setTag(t *rapid.T) {
	v, tag := m.any(t), m.tag(t)
	m.f.later()
	err := m.f.SetTag(t.Context(), m.f.ann, m.pkg, m.tagOf(tag), oci.Reference{Digest: v.digest})
	m.expect("tag", err, errs.NotFound, v.present)
	if v.present {
		m.lead(tag, v)
	}
}

func (m *contentModel) untag(t *rapid.T) {
	tag := m.tag(t)
	m.f.later()
	err := m.f.DeleteTag(t.Context(), m.f.ann, m.pkg, m.tagOf(tag))
	m.expect("untag", err, errs.NotFound, m.tags[tag] != nil)
	delete(m.tags, tag)
}

func (m *contentModel) restoreTag(t *rapid.T) {
	v, tag := m.any(t), m.tag(t)
	m.f.later()
	err := m.f.RestoreTag(t.Context(), m.f.ann, m.pkg, m.tagOf(tag), v.digest)
	switch {
	case !slices.Contains(m.led[tag], v):
		m.expect("restore tag", err, errs.NotFound, false)
	case !v.present:
		m.expect("restore tag", err, errs.Conflict, false)
	default:
		m.expect("restore tag", err, 0, true)
		m.lead(tag, v)
	}
}

// deletePackage and what follows leave the package as it was.
func (m *contentModel) deletePackage(t *rapid.T) {
	m.f.later()
	m.must(m.f.DeletePackage(t.Context(), m.f.ann, m.pkg))
	if rapid.Bool().Draw(t, "another") {
		d := oci.SHA256.FromBytes([]byte("{}"))
		body := registry.Body{Reader: bytes.NewReader([]byte("{}")), Length: 2, Start: -1, RangeLength: -1}
		m.must(m.f.registry.PushBlob(t.Context(), m.f.ann, m.pkg, d, body))
		m.expect("restore package", m.f.RestorePackage(t.Context(), m.f.ann, m.pkg), errs.Conflict, false)
		m.must(m.f.DeletePackage(t.Context(), m.f.ann, m.pkg))
		m.f.later()
		m.must(m.f.RestorePackage(t.Context(), m.f.ann, m.pkg)) // the newest, which is empty
		m.f.now = m.f.now.Add(-2 * 1e9)
		m.must(m.f.DeletePackage(t.Context(), m.f.ann, m.pkg)) // so that it is the older one
		m.f.now = m.f.now.Add(2 * 1e9)
	}
	m.must(m.f.RestorePackage(t.Context(), m.f.ann, m.pkg))
}

func (m *contentModel) check(t *rapid.T) {
	ctx := t.Context()
	m.compare("present", packages.VersionQuery{PerPage: 100}, func(v *modelVersion) bool { return v.present })
	m.compare("deleted", packages.VersionQuery{PerPage: 100, Deleted: true}, func(v *modelVersion) bool { return !v.present })
	yes, no := true, false
	tagged := func(v *modelVersion) bool {
		for _, to := range m.tags {
			if to == v {
				return true
			}
		}
		return false
	}
	m.compare("tagged", packages.VersionQuery{PerPage: 100, Tagged: &yes}, tagged)
	m.compare("untagged", packages.VersionQuery{PerPage: 100, Tagged: &no}, func(v *modelVersion) bool {
		return v.present && !tagged(v) && len(m.parents(v)) == 0 && (v.subject == nil || !v.subject.present)
	})
	list, _, err := m.f.Tags(ctx, m.f.ann, m.pkg, packages.TagQuery{})
	m.must(err)
	if len(list) != len(m.tags) {
		t.Fatalf("%d tags, want %d", len(list), len(m.tags))
	}
	for _, tag := range list {
		if v := m.tags[tag.Name]; v == nil || v.digest != tag.Digest || !v.present {
			t.Fatalf("the tag %s leads to %s", tag.Name, tag.Digest)
		}
	}
}

func (m *contentModel) compare(what string, q packages.VersionQuery, want func(*modelVersion) bool) {
	page, err := m.f.Versions(m.t.Context(), m.f.ann, m.pkg, q)
	m.must(err)
	got := map[oci.Digest]bool{}
	for _, v := range page.Versions {
		got[v.Digest] = true
	}
	for _, v := range m.versions {
		if got[v.digest] != want(v) {
			m.t.Fatalf("%s: %s is %t there, want %t", what, v.digest, got[v.digest], want(v))
		}
		delete(got, v.digest)
	}
	if len(got) > 0 || page.Total != len(page.Versions) {
		m.t.Fatalf("%s: %v too many; %d of %d", what, got, len(page.Versions), page.Total)
	}
}
