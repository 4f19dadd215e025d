package registry_test

import (
	"encoding/json"
	"fmt"

	"packhouse/internal/access"
	"packhouse/internal/oci"
)

// docker is an address in the Docker registry.
func docker(name string) access.Package {
	p := pkg(name)
	p.Type = access.Docker
	return p
}

// value returns the one value that a query yields, as text.
func (f *fixture) value(query string, args ...any) string {
	f.t.Helper()
	var v any
	f.check(f.db.Read().QueryRow(f.ctx(), query, args...).Scan(&v))
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	return fmt.Sprint(v)
}

func (f *fixture) id(query string, args ...any) int64 {
	f.t.Helper()
	var id int64
	f.check(f.db.Read().QueryRow(f.ctx(), query, args...).Scan(&id))
	return id
}

func (f *fixture) accountID(login string) int64 {
	f.t.Helper()
	return f.id(`SELECT id FROM accounts WHERE login = ?`, login)
}

// repository makes OWNER/NAME and returns its id.
func (f *fixture) repository(name string, v access.Visibility) int64 {
	f.t.Helper()
	n := pkg(name).Name
	owner := f.accountID(n.Owner())
	f.exec(`INSERT INTO repositories (owner_id, name, visibility, created_at) VALUES (?, ?, ?, 0)`, owner, n.Package(), string(v))
	id := f.id(`SELECT id FROM repositories WHERE owner_id = ? AND name = ?`, owner, n.Package())
	f.exec(`INSERT INTO repository_names (owner_id, name, repository_id) VALUES (?, ?, ?)`, owner, n.Package(), id)
	return id
}

// job returns a job of a repository, with all that a workflow token can have.
func (f *fixture) job(repository string, id int64) access.Principal {
	f.t.Helper()
	n := pkg(repository).Name
	return access.Principal{
		Login: repository, Scopes: access.ReadPackages | access.WritePackages,
		Workflow: &access.Workflow{RepositoryID: id, Repository: n, OwnerID: f.accountID(n.Owner())},
	}
}

// member makes who a member of the organization.
func (f *fixture) member(organization string, who access.Principal, m access.Membership) {
	f.t.Helper()
	f.exec(`INSERT INTO memberships (organization_id, user_id, role, created_at) VALUES (?, ?, ?, 0)`,
		f.accountID(organization), who.AccountID, string(m))
}

// facts returns what is known of p for who.
func (f *fixture) facts(who access.Principal, p access.Package) access.Facts {
	f.t.Helper()
	found, err := f.store.Package(f.ctx(), who, p)
	f.check(err)
	return found.Facts
}

// publish pushes an image whose config has the labels, and tags it v1.
func (f *fixture) publish(who access.Principal, p access.Package, labels map[string]string) error {
	f.t.Helper()
	config := fmt.Sprintf(`{"architecture":"amd64","os":"linux","config":{"Labels":%s}}`, asJSON(labels))
	if err := f.PushBlob(f.ctx(), who, p, oci.SHA256.FromBytes([]byte(config)), whole([]byte(config))); err != nil {
		return err
	}
	return f.publishConfig(who, p, []byte(config), "application/vnd.oci.image.config.v1+json", nil)
}

// publishConfig tags v1 an image with a config that the package holds.
func (f *fixture) publishConfig(who access.Principal, p access.Package, config []byte, mediaType string, annotations map[string]string) error {
	f.t.Helper()
	m := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":%q,"digest":%q,"size":%d},"layers":[],"annotations":%s}`,
		oci.MediaTypeImageManifest, mediaType, oci.SHA256.FromBytes(config), len(config), asJSON(annotations))
	_, err := f.tag(who, p, []byte(m), "v1")
	return err
}

func asJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func id64(n int64) string { return fmt.Sprint(n) }
