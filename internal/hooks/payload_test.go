package hooks_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/hooks"
	"packhouse/internal/oci"
)

// description is GitHub's of its webhooks, by the names of schemas.
func description(t testing.TB) openapi3.Schemas {
	t.Helper()
	content, err := os.ReadFile("testdata/github-packages-webhooks.json")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := openapi3.NewLoader().LoadFromData(content)
	if err != nil {
		t.Fatal(err)
	}
	return doc.Components.Schemas
}

// conforms checks a message against GitHub's description of its event. What
// GitHub has no action for is like what it has for published.
func conforms(t testing.TB, schemas openapi3.Schemas, m message) {
	t.Helper()
	var body map[string]any
	if err := json.Unmarshal(m.body, &body); err != nil {
		t.Fatal(err)
	}
	action := body["action"].(string)
	if action != "updated" {
		body["action"] = "published"
	}
	name := "webhook-" + strings.ReplaceAll(m.header.Get("X-GitHub-Event"), "_", "-") + "-" + body["action"].(string)
	schema := schemas[name]
	if schema == nil {
		t.Fatalf("no schema %s", name)
	}
	if err := schema.Value.VisitJSON(body, openapi3.MultiErrors()); err != nil {
		t.Errorf("%s %s: %v", name, action, err)
	}
}

const source = "https://packages.test.example/acme/src"

// Every payload is what GitHub describes.
func TestPayloadsConform(t *testing.T) {
	onBoth(t, func(f *fixture) {
		ctx, schemas := t.Context(), description(t)
		f.hook(f.ann, of(hooks.OfOrganization, "acme"), "*")
		f.hook(f.ann, of(hooks.OfUser, "ann"), "*")
		app, labels := at("acme/shop/frontend"), []string{
			"org.opencontainers.image.source", source, "org.opencontainers.image.revision", "0123abc", "org.opencontainers.image.description", "A shop",
		}
		f.push(f.ann, app, "1", "one", labels...)
		f.push(f.ann, app, "1 2", "two")
		f.push(f.ann, app, "1", "one", labels...)
		f.push(f.ann, app, "", "three")
		f.push(f.ann, at("ann/app"), "1", "one")
		f.check(f.packages.SetVisibility(ctx, f.ann, app, access.Public))
		id := f.number(`SELECT MIN(id) FROM packages`)
		for _, e := range []hooks.Event{
			{Action: hooks.Deleted}, {Action: hooks.Restored},
			{Action: hooks.Deleted, VersionID: f.number(`SELECT MIN(id) FROM versions`)},
			{Action: hooks.Deleted, VersionID: 1000, Digest: oci.SHA256.FromBytes(nil).String()}, // removed for good already
			{Action: hooks.TagMoved, Tag: "2", Previous: oci.SHA256.FromBytes(nil).String()},
		} {
			e.PackageID, e.At, e.Actor = id, f.now, audit.Operator
			f.check(f.store.AskHook(ctx, e))
		}
		f.work()
		list := f.receiver.take()
		if len(list) != 2*(1+3+2+1+1+1+5) {
			t.Errorf("%d messages: %s", len(list), told(list))
		}
		for _, m := range list {
			conforms(t, schemas, m)
		}
	})
}

// What the description leaves open is checked here: facts are those of the push.
func TestWhatAPayloadTells(t *testing.T) {
	onBoth(t, func(f *fixture) {
		f.hook(f.ann, of(hooks.OfOrganization, "acme"), "registry_package")
		d := f.push(f.ann, at("acme/shop/frontend"), "1.2.0", "one",
			"org.opencontainers.image.source", source, "org.opencontainers.image.revision", "0123abc", "org.opencontainers.image.licenses", "MIT",
			"org.opencontainers.image.description", "A shop", "maintainer", "acme")
		f.now = f.now.Add(time.Hour)
		f.work()
		list := f.receiver.take()
		if len(list) != 1 {
			t.Fatalf("told %s", told(list))
		}
		var p map[string]any
		f.check(json.Unmarshal(list[0].body, &p))
		digest := d.String()
		for path, want := range map[string]any{
			"action":                                                                           "published",
			"registry_package.name":                                                            "shop/frontend",
			"registry_package.namespace":                                                       "acme",
			"registry_package.ecosystem":                                                       "CONTAINER",
			"registry_package.package_type":                                                    "CONTAINER",
			"registry_package.html_url":                                                        "https://packages.test.example/orgs/acme/packages/container/package/shop%2Ffrontend",
			"registry_package.created_at":                                                      "2026-01-02T03:04:05Z",
			"registry_package.owner.type":                                                      "Organization",
			"registry_package.package_version.version":                                         digest,
			"registry_package.package_version.created_at":                                      "2026-01-02T03:04:05Z",
			"registry_package.package_version.target_oid":                                      "0123abc",
			"registry_package.package_version.installation_command":                            "docker pull packages.test.example/acme/shop/frontend:1.2.0",
			"registry_package.package_version.package_url":                                     "packages.test.example/acme/shop/frontend:1.2.0",
			"registry_package.package_version.author.login":                                    "ann",
			"registry_package.package_version.container_metadata.tag.name":                     "1.2.0",
			"registry_package.package_version.container_metadata.tag.digest":                   digest,
			"registry_package.package_version.container_metadata.labels.source":                source,
			"registry_package.package_version.container_metadata.labels.licenses":              "MIT",
			"registry_package.package_version.container_metadata.labels.description":           "A shop",
			"registry_package.package_version.container_metadata.labels.revision":              "0123abc",
			"registry_package.package_version.container_metadata.labels.all_labels.maintainer": "acme",
			"registry_package.package_version.container_metadata.manifest.media_type":          oci.MediaTypeImageManifest,
			"registry_package.package_version.container_metadata.manifest.config.media_type":   "application/vnd.oci.image.config.v1+json",
			"registry_package.package_version.container_metadata.manifest.uri":                 "repositories/acme/shop/frontend/manifests/" + digest,
			"repository.full_name":                                                             "acme/src",
			"organization.login":                                                               "acme",
			"sender.login":                                                                     "ann",
		} {
			if got := lookup(p, path); got != want {
				t.Errorf("%s is %v, want %v", path, got, want)
			}
		}
	})
}

// lookup follows a path of names; those of labels hold no periods here.
func lookup(v any, path string) any {
	for name := range strings.SplitSeq(path, ".") {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

// Where GitHub's payloads are wrong: no bare colon for an untagged push, no
// repository for a package that is linked to none, and what changed is told.
func TestWherePayloadsAreBetter(t *testing.T) {
	onBoth(t, func(f *fixture) {
		f.hook(f.ann, of(hooks.OfUser, "ann"), hooks.EventPackage)
		app := at("ann/app")
		first := f.push(f.ann, app, "", "one").String()
		second := f.push(f.ann, app, "1", "two").String()
		f.push(f.ann, app, "1", "one")
		f.check(f.packages.SetVisibility(t.Context(), f.ann, app, access.Public))
		f.work()
		var all []map[string]any
		for _, m := range f.receiver.take() {
			var p map[string]any
			f.check(json.Unmarshal(m.body, &p))
			all = append(all, p)
		}
		if len(all) != 5 {
			t.Fatalf("%d messages", len(all))
		}
		const image = "package.package_version.package_url"
		if got := lookup(all[0], image); got != "packages.test.example/ann/app@"+first {
			t.Errorf("untagged: %v", got)
		}
		if _, there := all[0]["repository"]; there {
			t.Error("a package that is linked to nothing has a repository")
		}
		if _, there := all[0]["changes"]; there {
			t.Error("a publication changed something")
		}
		moved := lookup(all[3], "changes.tag").(map[string]any)
		if moved["name"] != "1" || moved["from"] != second || moved["to"] != first {
			t.Errorf("moved: %v", moved)
		}
		if v := lookup(all[4], "changes.visibility").(map[string]any); v["from"] != "private" || v["to"] != "public" || lookup(all[4], "package.package_version") != nil {
			t.Errorf("visibility: %v", all[4])
		}
	})
}

// Who sends is an account, a job, or the operator.
func TestSenders(t *testing.T) {
	onBoth(t, func(f *fixture) {
		f.hook(f.ann, of(hooks.OfUser, "ann"), hooks.EventPackage)
		r, err := f.accounts.Repository(t.Context(), "ann/src")
		f.check(err)
		job := access.Principal{Scopes: access.AllScopes, Workflow: &access.Workflow{RepositoryID: r.ID, Repository: r.Name, OwnerID: r.OwnerID}}
		f.push(job, at("ann/app"), "1", "one")
		f.check(f.packages.SetVisibility(t.Context(), f.operator, at("ann/app"), access.Public))
		f.check(f.packages.SetVisibility(t.Context(), f.ann, at("ann/app"), access.Private))
		f.work()
		for i, m := range f.receiver.take() {
			var p map[string]any
			f.check(json.Unmarshal(m.body, &p))
			got := lookup(p, "sender.login").(string) + " " + lookup(p, "sender.type").(string)
			if want := []string{"ann/src Bot", "operator Bot", "ann User"}[i]; got != want {
				t.Errorf("sent by %s, want %s", got, want)
			}
		}
	})
}

// No image makes a payload of any size.
func TestLabelsAreCut(t *testing.T) {
	onBoth(t, func(f *fixture) {
		f.hook(f.ann, of(hooks.OfUser, "ann"), hooks.EventPackage)
		labels := []string{"a-short", "1", "a-long", strings.Repeat("x", 5000)}
		for i := range 300 {
			labels = append(labels, "label"+string(rune('a'+i%26))+strings.Repeat("b", i), strings.Repeat("y", 900))
		}
		f.push(f.ann, at("ann/app"), "1", "one", labels...)
		f.work()
		list := f.receiver.take()
		if len(list) != 1 || len(list[0].body) > 80<<10 {
			t.Fatalf("%d messages", len(list))
		}
		var p map[string]any
		f.check(json.Unmarshal(list[0].body, &p))
		all := lookup(p, "package.package_version.container_metadata.labels.all_labels").(map[string]any)
		if all["a-short"] != "1" || all["a-long"] != nil || len(all) < 20 {
			t.Errorf("%d labels", len(all))
		}
	})
}
