package hooks

import (
	"cmp"
	"encoding/json"
	"net/url"
	"strconv"
	"strings"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/oci"
)

// Links are the public addresses that payloads are made of, without slashes at
// their ends.
type Links struct {
	Site, API          string
	Containers, Docker string // of the registries
}

// object is a JSON object.
type object map[string]any

// payload builds the body of an event about a package. Under either name it is
// the same, but for the key of the package.
func (l Links) payload(name string, e Event, s Subject, i image) ([]byte, error) {
	pkg := l.pkg(e, s, i)
	if name == EventRegistryPackage {
		pkg["description"] = nil // as its description on GitHub demands
	}
	body := object{"action": e.Action, name: pkg, "sender": l.sender(s.Sender)}
	if s.Repository != nil {
		body["repository"] = l.repository(*s.Repository)
	}
	if s.Owner.Organization {
		body["organization"] = l.organization(s.Owner)
	}
	if c := changes(e, s.Version); c != nil {
		body["changes"] = c
	}
	return json.Marshal(body)
}

// changes says what an event changed that GitHub does not have. A version is
// deleted with its tags, and comes back with them.
func changes(e Event, v *Version) object {
	orNull := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	switch e.Action {
	case Deleted, Restored:
		c := object{"deleted": object{"from": e.Action == Restored, "to": e.Action == Deleted}}
		if v != nil {
			c["tags"] = append([]string{}, v.Tags...)
		}
		return c
	case TagMoved:
		return object{"tag": object{"name": e.Tag, "from": orNull(e.Previous), "to": orNull(e.Digest)}}
	case VisibilityChanged:
		return object{"visibility": object{"from": e.Previous, "to": orNull(e.Visibility)}}
	}
	return nil
}

func (l Links) pkg(e Event, s Subject, i image) object {
	p := s.Package
	kind := strings.ToUpper(string(p.Type))
	pkg := object{
		"id": p.ID, "name": p.Name.Package(), "namespace": s.Owner.Login, "description": nil,
		"ecosystem": kind, "package_type": kind, "visibility": p.Visibility,
		"html_url":   l.packagePage(s) + "/package/" + url.PathEscape(p.Name.Package()),
		"created_at": stamp(p.CreatedAt), "updated_at": stamp(e.At),
		"owner": l.account(s.Owner), "package_version": nil,
		"registry": object{
			"about_url": l.Site, "name": "Packhouse " + kind + " registry", "type": kind, "url": l.Site + "/" + s.Owner.Login, "vendor": "Packhouse",
		},
	}
	if s.Version != nil {
		pkg["package_version"] = l.version(e, s, i)
		if d := s.Version.Description; d != "" {
			pkg["description"] = d
		}
	}
	return pkg
}

// packagePage begins the addresses of the pages about a package.
func (l Links) packagePage(s Subject) string {
	kind := "/users/"
	if s.Owner.Organization {
		kind = "/orgs/"
	}
	return l.Site + kind + s.Owner.Login + "/packages/" + string(s.Package.Type)
}

// image returns what one pulls: HOST/OWNER/NAME:TAG, or by digest without a tag.
func (l Links) image(e Event, s Subject) string {
	base := l.Containers
	if s.Package.Type == access.Docker {
		base = l.Docker
	}
	_, host, _ := strings.Cut(base, "://")
	if e.Tag != "" {
		return host + "/" + s.Package.Name.String() + ":" + e.Tag
	}
	return host + "/" + s.Package.Name.String() + "@" + s.Version.Digest
}

func (l Links) version(e Event, s Subject, i image) object {
	v := s.Version
	revision := i.labels["org.opencontainers.image.revision"]
	pull := l.image(e, s)
	created := v.CreatedAt
	if created.IsZero() {
		created = e.At
	}
	version := object{
		"id": v.ID, "version": v.Digest, "name": v.Digest,
		"description": v.Description, "summary": "", "body": "", "body_html": "", "manifest": "",
		"html_url":         l.packagePage(s) + "/" + url.PathEscape(s.Package.Name.Package()) + "/" + strconv.FormatInt(v.ID, 10),
		"target_commitish": i.labels["org.opencontainers.image.ref.name"], "target_oid": revision,
		"created_at": stamp(created), "updated_at": stamp(e.At), "metadata": []any{}, "package_files": []any{},
		"installation_command": "docker pull " + pull, "package_url": pull,
		"author":             l.account(authorOf(s)),
		"container_metadata": l.container(e, v, i, s.Package.Name),
	}
	if source := cmp.Or(v.Source, i.labels["org.opencontainers.image.source"]); isURL(source) {
		version["source_url"] = source
	}
	if s.Package.Type == access.Docker {
		tags := []string{}
		if e.Tag != "" {
			tags = append(tags, e.Tag)
		}
		version["docker_metadata"] = []any{object{"tags": tags}}
	}
	return version
}

// authorOf is who pushed the version.
func authorOf(s Subject) Account {
	if s.Version.Author.Login == "" {
		return s.Sender
	}
	return s.Version.Author
}

func isURL(text string) bool {
	u, err := url.Parse(text)
	return err == nil && u.Scheme != "" && u.Host != ""
}

func (l Links) container(e Event, v *Version, i image, name oci.Name) object {
	label := func(short string) string { return i.labels["org.opencontainers.image."+short] }
	all := i.labels
	if all == nil {
		all = map[string]string{}
	}
	manifest := object{
		"digest": v.Digest, "media_type": v.MediaType, "size": v.Size,
		"uri": "repositories/" + name.String() + "/manifests/" + v.Digest, "config": object{}, "layers": []any{},
	}
	if m := i.manifest; m != nil {
		if m.Config != nil {
			manifest["config"] = descriptor(*m.Config)
		}
		layers := []any{}
		for _, d := range m.Layers[:min(len(m.Layers), maxLayers)] {
			layers = append(layers, descriptor(d))
		}
		manifest["layers"] = layers
		if m.IsIndex() {
			manifest["manifests"] = platforms(m.Manifests)
		}
	}
	return object{
		"tag": object{"name": e.Tag, "digest": v.Digest},
		"labels": object{
			"description": cmp.Or(v.Description, label("description")), "source": cmp.Or(v.Source, label("source")), "revision": label("revision"),
			"image_url": label("url"), "licenses": cmp.Or(v.Licenses, label("licenses")), "all_labels": all,
		},
		"manifest": manifest,
	}
}

func descriptor(d oci.Descriptor) object {
	return object{"digest": d.Digest.String(), "media_type": d.MediaType, "size": d.Size}
}

// platforms are the children of an index; GitHub has no member for them.
func platforms(children []oci.Descriptor) []any {
	list := []any{}
	for _, d := range children[:min(len(children), maxLayers)] {
		child := descriptor(d)
		if d.Platform != nil {
			child["platform"] = object{"architecture": d.Platform.Architecture, "os": d.Platform.OS, "variant": d.Platform.Variant}
		}
		list = append(list, child)
	}
	return list
}

// ping builds the body of a ping.
func (l Links) ping(h Hook, s Subject) ([]byte, error) {
	body := object{"zen": "Keep it logically awesome.", "hook_id": h.ID, "hook": l.hook(h), "sender": l.sender(s.Sender)}
	if s.Repository != nil {
		body["repository"] = l.repository(*s.Repository)
	}
	if s.Owner.Organization {
		body["organization"] = l.organization(s.Owner)
	}
	return json.Marshal(body)
}

// hook tells a receiver of the hook itself; of a secret only that there is one.
func (l Links) hook(h Hook) object {
	config := object{"url": h.URL, "content_type": h.ContentType, "insecure_ssl": flag(h.InsecureSSL)}
	if h.HasSecret {
		config["secret"] = Masked
	}
	kind := string(h.Kind())
	return object{
		"type": strings.ToUpper(kind[:1]) + kind[1:], "id": h.ID, "name": "web", "active": h.Active, "events": h.Events, "config": config,
		"created_at": stamp(h.CreatedAt), "updated_at": stamp(h.UpdatedAt),
	}
}

func flag(on bool) string {
	if on {
		return "1"
	}
	return "0"
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
