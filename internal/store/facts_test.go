package store_test

import (
	"context"
	"fmt"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/database"
	"packhouse/internal/oci"
	"packhouse/internal/store"
	"packhouse/internal/testkit"
)

// directory is an organization with a repository, a package linked to it, a
// Docker package in it, and a member; what more there is each case adds.
type directory struct {
	t     *testing.T
	db    *database.DB
	store *store.Store

	org, user, repository, container, docker, team, token int64
}

func newDirectory(t *testing.T, db *database.DB) *directory {
	t.Helper()
	if err := store.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	d := &directory{t: t, db: db, store: store.New(db)}
	const account = `INSERT INTO accounts (login, kind, site_admin, password_hash, created_at) VALUES (?, ?, 0, '', 0) RETURNING id`
	d.org, d.user = d.insert(account, "acme", "organization"), d.insert(account, "ann", "user")
	execute(t, db, `INSERT INTO logins (login, account_id) SELECT login, id FROM accounts`)
	execute(t, db, `INSERT INTO memberships (organization_id, user_id, role, created_at) VALUES (?, ?, 'member', 0)`, d.org, d.user)
	execute(t, db, `UPDATE accounts SET base_role = 0`)
	d.repository = d.insert(`INSERT INTO repositories (owner_id, name, visibility, created_at) VALUES (?, 'code', 'internal', 0) RETURNING id`, d.org)
	execute(t, db, `INSERT INTO repository_names (owner_id, name, repository_id) VALUES (?, 'code', ?)`, d.org, d.repository)
	d.container = d.insert(`INSERT INTO packages (owner_id, type, name, visibility, created_at, created_by)
		VALUES (?, 'container', 'app', 'private', 0, 0) RETURNING id`, d.org)
	d.docker = d.insert(`INSERT INTO packages (owner_id, type, name, visibility, created_at, created_by, repository_id, inherits)
		VALUES (?, 'docker', 'code/app', 'private', 0, 0, ?, 1) RETURNING id`, d.org, d.repository)
	execute(t, db, `INSERT INTO package_names (owner_id, name, type, package_id) SELECT owner_id, name, type, id FROM packages`)
	d.team = d.insert(`INSERT INTO teams (organization_id, slug, created_at) VALUES (?, 'team', 0) RETURNING id`, d.org)
	execute(t, db, `INSERT INTO team_reach (user_id, team_id) VALUES (?, ?)`, d.user, d.team)
	d.token = d.insert(`INSERT INTO tokens (account_id, kind, note, secret_hash, scopes, created_at) VALUES (?, 'personal', '', '', 7, 0) RETURNING id`, d.user)
	return d
}

func (d *directory) insert(query string, args ...any) (id int64) {
	d.t.Helper()
	err := d.db.Write(d.t.Context(), func(ctx context.Context, tx *database.Tx) error {
		return tx.QueryRow(ctx, query, args...).Scan(&id)
	})
	if err != nil {
		d.t.Fatal(err)
	}
	return id
}

func (d *directory) facts(who access.Principal, kind access.PackageType, name string) access.Facts {
	d.t.Helper()
	n, err := oci.ParseName(name)
	if err != nil {
		d.t.Fatal(err)
	}
	pkg, err := d.store.Package(d.t.Context(), who, access.Package{Type: kind, Name: n})
	if err != nil {
		d.t.Fatal(err)
	}
	return pkg.Facts
}

// TestEachFact changes one thing after the other and looks at what is told of it.
func TestEachFact(t *testing.T) {
	t.Parallel()
	testkit.Databases(t, func(t *testing.T, db *database.DB) {
		d := newDirectory(t, db)
		ann := access.Principal{AccountID: d.user, TokenID: d.token}
		job := access.Principal{Workflow: &access.Workflow{RepositoryID: d.repository, OwnerID: d.org}}
		show := map[string]func() any{
			"member":    func() any { return d.facts(ann, access.Container, "acme/app").Membership },
			"nobody":    func() any { return d.facts(access.Principal{}, access.Container, "acme/app").Membership },
			"grant":     func() any { return d.facts(ann, access.Container, "acme/app").Grant },
			"role":      func() any { return d.facts(ann, access.Docker, "acme/code/app").RepositoryRole },
			"new role":  func() any { return d.facts(ann, access.Docker, "acme/code/new").RepositoryRole },
			"linked":    func() any { return d.facts(ann, access.Container, "acme/app").RepositoryRole },
			"jobs":      func() any { return d.facts(job, access.Container, "acme/app").ActionsRole },
			"codespace": func() any { return d.facts(job, access.Container, "acme/app").CodespacesAccess },
			"sso": func() any {
				f := d.facts(ann, access.Container, "acme/app")
				return fmt.Sprint(f.SSORequired, f.SSOAuthorized)
			},
			"seen": func() any { return d.facts(ann, access.Docker, "acme/code/app").Visibility },
			"modes": func() any {
				return string(d.facts(ann, access.Container, "acme/app").Mode + "," + d.facts(ann, access.Docker, "no/one").Mode)
			},
			"closed": func() any { return d.facts(ann, access.Container, "acme/new").OwnerSuspended },
			"new": func() any {
				f := d.facts(ann, access.Container, "acme/new")
				return fmt.Sprint(f.MembersCreate, " ", f.DefaultVisibility, " ", f.InheritDefault)
			},
			"repository": func() any {
				f := d.facts(ann, access.Docker, "acme/code/new")
				return fmt.Sprint(f.Repository, " ", f.RepositoryVisibility, " ", f.Exists, " ", f.Inherits)
			},
		}
		check := func(fact, want string) {
			t.Helper()
			if got := fmt.Sprint(show[fact]()); got != want {
				t.Errorf("%s is %q, want %q", fact, got, want)
			}
		}
		for _, c := range []struct {
			fact, before, change string
			args                 []any
			after                string
		}{
			{"member", "member", `UPDATE memberships SET role = 'owner'`, nil, "owner"},
			{"nobody", "", `UPDATE memberships SET role = 'member'`, nil, ""},
			{"grant", "", `INSERT INTO package_team_grants (package_id, team_id, role) VALUES (?, ?, 'write')`, []any{d.container, d.team}, "write"},
			{"grant", "write", `INSERT INTO package_grants (package_id, account_id, role) VALUES (?, ?, 'read')`, []any{d.container, d.user}, "write"},
			{"grant", "write", `UPDATE package_grants SET role = 'admin'`, nil, "admin"},
			{"role", "none", `INSERT INTO repository_team_grants (repository_id, team_id, role) VALUES (?, ?, 3)`, []any{d.repository, d.team}, "write"},
			{"role", "write", `INSERT INTO repository_grants (repository_id, account_id, role) VALUES (?, ?, 4)`, []any{d.repository, d.user}, "maintain"},
			{"role", "maintain", `UPDATE accounts SET base_role = 5 WHERE id = ?`, []any{d.org}, "admin"},
			{"role", "admin", `DELETE FROM memberships`, nil, "maintain"},
			{"new role", "maintain", `DELETE FROM team_reach`, nil, "maintain"},
			{"new role", "maintain", `DELETE FROM repository_grants`, nil, "none"},
			{"linked", "none", `INSERT INTO repository_grants (repository_id, account_id, role) VALUES (?, ?, 2)`, []any{d.repository, d.user}, "none"},
			{"linked", "none", `UPDATE packages SET repository_id = ?, inherits = 1`, []any{d.repository}, "triage"},
			{"grant", "", `UPDATE packages SET inherits = 0 WHERE type = 'container'`, nil, "admin"},
			{"jobs", "", `INSERT INTO package_repositories (package_id, repository_id, actions_role, codespaces) VALUES (?, ?, 'write', 0)`, []any{d.container, d.repository}, "write"},
			{"codespace", "false", `UPDATE package_repositories SET codespaces = 1`, nil, "true"},
			{"sso", "false false", `UPDATE accounts SET sso_required = 1`, nil, "true false"},
			{"sso", "true false", `INSERT INTO token_authorizations (token_id, organization_id, created_at) VALUES (?, ?, 0)`, []any{d.token, d.org}, "true true"},
			{"seen", "internal", `UPDATE repositories SET visibility = 'public'`, nil, "public"},
			{"modes", ",", `INSERT INTO settings (name, value) VALUES ('registry.container', 'read-only'), ('registry.docker', 'disabled')`, nil, "read-only,disabled"},
			{"closed", "false", `UPDATE accounts SET suspended_at = 1`, nil, "true"},
			{"new", "private,internal,public private true", `UPDATE accounts SET members_create = 4, default_visibility = 'repository', inherit_default = 0`, nil, "public repository false"},
			{"repository", "acme/code public false true", `UPDATE repositories SET deleted_at = 1`, nil, "  false true"},
			{"seen", "private", `UPDATE packages SET visibility = 'public'`, nil, "private"},
		} {
			check(c.fact, c.before)
			execute(t, db, c.change, c.args...)
			check(c.fact, c.after)
		}
	})
}
