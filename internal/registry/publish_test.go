package registry_test

import (
	"strings"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/registry"
)

const sourceLabel = "org.opencontainers.image.source"

// from is a label that names a repository of the server.
func from(repository string) map[string]string {
	return map[string]string{sourceLabel: "https://packages.test/" + repository}
}

// withSources has f take labels that name repositories on packages.test.
func (f *fixture) withSources() {
	f.Service = f.node(func(d *registry.Deps) {
		d.SourceName = func(source string) (oci.Name, bool) { return oci.ParseSource(source, []string{"packages.test"}) }
	})
}

// link describes how a package is linked.
func (f *fixture) link(p access.Package) string {
	f.t.Helper()
	return f.value(`SELECT COALESCE(r.name, '-') || ' ' || p.linked_by || ' ' || p.inherits || ' ' || p.claimed_source
		FROM packages p JOIN accounts o ON o.id = p.owner_id LEFT JOIN repositories r ON r.id = p.repository_id
		WHERE o.login = ? AND p.name = ?`, p.Name.Owner(), p.Name.Package())
}

func TestSourceLinksAtTheFirstPublish(t *testing.T) {
	onBoth(t, func(f *fixture) {
		f.withSources()
		code, secret := f.repository("acme/code", access.Private), f.repository("acme/secret", access.Private)
		f.repository("alice/code", access.Private)
		carol, dave := f.account("carol", "user"), f.account("dave", "user")
		f.member("acme", carol, access.Member)
		f.member("acme", dave, access.Owner)
		f.exec(`INSERT INTO repository_grants (repository_id, account_id, role) VALUES (?, ?, 3)`, code, carol.AccountID)
		job := f.job("acme/code", code)
		const host = "https://packages.test/"
		for _, c := range []struct {
			label string
			who   access.Principal
			p     access.Package
			from  map[string]string
			want  string
		}{
			{"a member who may write there", carol, pkg("acme/a"), from("acme/code"), "code label 1 "},
			{"a member who may read there", carol, pkg("acme/b"), from("acme/secret"), "-  0 " + host + "acme/secret"},
			{"an owner", dave, pkg("acme/c"), from("acme/secret"), "secret label 1 "},
			{"a repository of another owner", f.alice, f.app, from("acme/code"), "-  0 " + host + "acme/code"},
			{"the own repository", f.alice, f.other, from("alice/code"), "code label 1 "},
			{"no such repository", f.alice, pkg("alice/third"), from("alice/nothing"), "-  0 " + host + "alice/nothing"},
			{"another server", f.alice, pkg("alice/fourth"), map[string]string{sourceLabel: "https://elsewhere.test/alice/code"}, "-  0 https://elsewhere.test/alice/code"},
			{"no label", f.alice, pkg("alice/fifth"), nil, "-  0 "},
			{"a job, which links to its own repository", job, pkg("acme/d"), from("acme/secret"), "code workflow 1 "},
			{"the Docker registry, where the name is the link", dave, docker("acme/code/e"), from("acme/secret"), "code hand 1 "},
		} {
			f.check(f.publish(c.who, c.p, c.from))
			if got := f.link(c.p); got != c.want {
				f.t.Errorf("%s: %q, want %q", c.label, got, c.want)
			}
		}
		f.exec(`UPDATE accounts SET inherit_default = 0 WHERE login = 'acme'`)
		f.check(f.publish(carol, pkg("acme/f"), from("acme/code")))
		if got := f.link(pkg("acme/f")); got != "code label 0 " {
			f.t.Errorf("where packages do not inherit: %q", got)
		}
		_ = secret
	})
}

func TestSourceOfLaterPushes(t *testing.T) {
	onBoth(t, func(f *fixture) {
		f.withSources()
		code := f.repository("acme/code", access.Private)
		f.repository("acme/secret", access.Private)
		carol, dave := f.account("carol", "user"), f.account("dave", "user")
		f.member("acme", carol, access.Member)
		f.member("acme", dave, access.Member)
		for _, who := range []access.Principal{carol, dave} {
			f.exec(`INSERT INTO repository_grants (repository_id, account_id, role) VALUES (?, ?, 3)`, code, who.AccountID)
		}
		f.check(f.publish(carol, f.org, nil))
		f.exec(`INSERT INTO package_grants (package_id, account_id, role) SELECT id, ?, 'write' FROM packages`, dave.AccountID)
		want := func(label, want string) {
			f.t.Helper()
			if got := f.link(f.org); got != want {
				f.t.Errorf("%s: %q, want %q", label, got, want)
			}
		}
		f.check(f.publish(dave, f.org, from("acme/code")))
		want("by one who may write", "-  0 https://packages.test/acme/code")
		f.check(f.publish(carol, f.org, from("acme/secret")))
		want("by an admin who may not write there", "-  0 https://packages.test/acme/secret")
		f.exec(`UPDATE packages SET linked_by = 'unlinked'`)
		f.check(f.publish(carol, f.org, from("acme/code")))
		want("after the link was taken away", "- unlinked 0 https://packages.test/acme/code")
		f.exec(`UPDATE packages SET linked_by = ''`)
		limited, restricted := carol, carol
		limited.Limited, limited.Limits = true, []access.Limit{{OwnerID: f.accountID("acme"), Actions: access.Pull | access.Push}}
		f.check(f.publish(limited, f.org, from("acme/code")))
		want("by an admin's fine-grained token, which changes no settings", "-  0 https://packages.test/acme/code")
		restricted.Restricted, restricted.Grants = true, []access.Grant{{Name: f.org.Name, Actions: []access.Action{access.Read, access.Write}}}
		f.check(f.publish(restricted, f.org, from("acme/code")))
		want("by an admin who may write there", "code label 0 ")
		f.check(f.publish(carol, f.org, from("acme/secret")))
		want("once it is linked", "code label 0 ")
	})
}

// A first publish may give the package the visibility of its repository, if the
// publisher may make such packages.
func TestVisibilityOfTheRepository(t *testing.T) {
	onBoth(t, func(f *fixture) {
		f.withSources()
		f.exec(`UPDATE accounts SET default_visibility = 'repository', members_create = 3 WHERE login = 'acme'`)
		inner, open := f.repository("acme/inner", access.Internal), f.repository("acme/open", access.Public)
		carol := f.account("carol", "user")
		f.member("acme", carol, access.Member)
		for _, id := range []int64{inner, open} {
			f.exec(`INSERT INTO repository_grants (repository_id, account_id, role) VALUES (?, ?, 3)`, id, carol.AccountID)
		}
		f.check(f.publish(carol, pkg("acme/a"), from("acme/inner")))
		f.check(f.publish(carol, pkg("acme/b"), nil))
		err := f.publish(carol, pkg("acme/c"), from("acme/open"))
		wantKind(f.t, err, errs.Denied)
		f.wantReason(err, "visibility_not_allowed")
		for name, want := range map[string]access.Visibility{"acme/a": access.Internal, "acme/b": access.Private, "acme/c": access.Private} {
			if got := f.facts(carol, pkg(name)).Visibility; got != want {
				f.t.Errorf("%s is %s, want %s", name, got, want)
			}
		}
		// A repository of another owner lends nothing.
		f.exec(`UPDATE accounts SET default_visibility = 'repository' WHERE login = 'alice'`)
		f.exec(`INSERT INTO repository_grants (repository_id, account_id, role) VALUES (?, ?, 5)`, open, f.alice.AccountID)
		f.check(f.publish(f.alice, f.app, from("acme/open")))
		if got := f.facts(f.alice, f.app).Visibility; got != access.Private {
			f.t.Errorf("a foreign repository made the package %s", got)
		}
		// Only the first publish does that.
		f.exec(`UPDATE packages SET visibility = 'private'`)
		f.check(f.publish(carol, pkg("acme/a"), map[string]string{"more": "labels"}))
		if got := f.facts(carol, pkg("acme/a")).Visibility; got != access.Private {
			f.t.Errorf("a second push made the package %s", got)
		}
	})
}

// Where members make no private packages, the first publish shows which one it is.
func TestVisibilityOfTheRepositoryAlone(t *testing.T) {
	onBoth(t, func(f *fixture) {
		f.withSources()
		f.exec(`UPDATE accounts SET default_visibility = 'repository', members_create = 4 WHERE login = 'acme'`)
		secret, open := f.repository("acme/secret", access.Private), f.repository("acme/open", access.Public)
		carol, dave := f.account("carol", "user"), f.account("dave", "user")
		f.member("acme", carol, access.Member)
		f.member("acme", dave, access.Owner)
		for _, id := range []int64{secret, open} {
			f.exec(`INSERT INTO repository_grants (repository_id, account_id, role) VALUES (?, ?, 3)`, id, carol.AccountID)
		}
		f.check(f.publish(carol, pkg("acme/a"), from("acme/open")))
		f.check(f.publish(f.job("acme/open", open), pkg("acme/b"), nil))
		for _, name := range []string{"acme/a", "acme/b"} {
			if got := f.facts(carol, pkg(name)).Visibility; got != access.Public {
				f.t.Errorf("%s is %q", name, got)
			}
		}
		for label, err := range map[string]error{
			"with no repository":        f.publish(carol, pkg("acme/c"), nil),
			"with a private one":        f.publish(carol, pkg("acme/d"), from("acme/secret")),
			"by a job of a private one": f.publish(f.job("acme/secret", secret), pkg("acme/e"), nil),
		} {
			f.t.Log(label)
			wantKind(f.t, err, errs.Denied)
			f.wantReason(err, "visibility_not_allowed")
		}
		_, err := f.tag(carol, pkg("acme/f"), []byte(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`), "v1")
		wantKind(f.t, err, errs.Denied)
		f.wantReason(err, "visibility_not_allowed")
		// Nor does one who may make nothing there publish it for the member.
		f.exec(`INSERT INTO package_repositories (package_id, repository_id, actions_role, codespaces)
			SELECT id, ?, 'write', 0 FROM packages WHERE name = 'c'`, f.repository("alice/code", access.Private))
		foreign := f.job("alice/code", f.id(`SELECT r.id FROM repositories r JOIN accounts o ON o.id = r.owner_id WHERE o.login = 'alice'`))
		wantKind(f.t, f.publish(foreign, pkg("acme/c"), nil), errs.Denied)
		f.exec(`UPDATE accounts SET members_create = 5 WHERE login = 'acme'`)
		f.check(f.publish(foreign, pkg("acme/c"), nil))
		f.check(f.publish(dave, pkg("acme/g"), nil)) // an owner
		for _, name := range []string{"acme/c", "acme/g"} {
			if got := f.facts(dave, pkg(name)).Visibility; got != access.Private {
				f.t.Errorf("%s is %q", name, got)
			}
		}
	})
}

func TestLabelsOfVersions(t *testing.T) {
	onBoth(t, func(f *fixture) {
		const described, licensed = "org.opencontainers.image.description", "org.opencontainers.image.licenses"
		last := func() string {
			return f.value(`SELECT source || '|' || description || '|' || licenses FROM versions ORDER BY id DESC LIMIT 1`)
		}
		long := strings.Repeat("ü", 600)
		f.check(f.publish(f.alice, f.app, map[string]string{sourceLabel: "somewhere", described: "a\x00b" + long, licensed: long}))
		if got, want := last(), "somewhere|ab"+long[:2*510]+"|"+long[:2*256]; got != want {
			f.t.Errorf("labels %q, want %q", got, want)
		}
		config := []byte(`{"config":{"Labels":{"` + described + `":"from the config","` + licensed + `":7}}}`)
		f.push(f.alice, f.app, config)
		notes := map[string]string{described: "from the manifest", licensed: "MIT", sourceLabel: "there"}
		f.check(f.publishConfig(f.alice, f.app, config, "application/vnd.docker.container.image.v1+json", notes))
		if got := last(); got != "there|from the config|MIT" {
			f.t.Errorf("labels and annotations: %q", got)
		}
		f.check(f.publishConfig(f.alice, f.app, config, "application/vnd.example.config+json", notes))
		if got := last(); got != "there|from the manifest|MIT" {
			f.t.Errorf("annotations of what is no image: %q", got)
		}
		big := []byte(`{"config":{"Labels":{"` + described + `":"much"}},"more":"` + strings.Repeat("x", oci.MaxConfigSize) + `"}`)
		f.push(f.alice, f.app, big)
		f.check(f.publishConfig(f.alice, f.app, big, "application/vnd.oci.image.config.v1+json", nil))
		if got := last(); got != "||" {
			f.t.Errorf("of a config that is too large: %q", got)
		}
		_, err := f.tag(f.alice, f.app, []byte(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[],
			"annotations":{"`+described+`":"of an index"}}`), "v2")
		f.check(err)
		if got := last(); got != "|of an index|" {
			f.t.Errorf("of an index: %q", got)
		}
	})
}

// What a commit links to is looked at again when it is made.
func TestLinksHoldAtTheCommit(t *testing.T) {
	onBoth(t, func(f *fixture) {
		f.check(f.publish(f.alice, f.app, nil))
		foreign, own := f.repository("bob/code", access.Private), f.repository("alice/code", access.Private)
		commit := func(link int64) string {
			body := []byte(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}`)
			m, err := oci.ParseManifest("", body)
			f.check(err)
			f.check(f.store.CommitManifest(f.ctx(), &registry.ManifestCommit{
				Into:   registry.Creation{PackageID: f.id(`SELECT id FROM packages`), Actor: f.alice.AccountID},
				Digest: oci.SHA256.FromBytes(body), Content: body, Manifest: m, Now: f.now, LeaseUntil: f.now,
				Publish: registry.Publication{Link: link, Inherit: true, Visibility: access.Public, Claim: "there"},
			}))
			return f.link(f.app)
		}
		if got := commit(foreign); got != "-  0 there" {
			f.t.Errorf("linked to another's repository: %q", got)
		}
		f.exec(`UPDATE packages SET linked_by = 'unlinked'`)
		if got := commit(own); got != "- unlinked 0 there" {
			f.t.Errorf("linked again: %q", got)
		}
		f.exec(`UPDATE packages SET linked_by = ''`)
		if got := commit(own); got != "code label 0 " {
			f.t.Errorf("not linked: %q", got)
		}
		if got := f.facts(f.alice, f.app).Visibility; got != access.Private {
			f.t.Errorf("a later push made the package %s", got)
		}
	})
}
