package main

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"

	_ "modernc.org/sqlite" // the driver that packhouse has
)

// What an instance holds that is no longer young.
const (
	filledAccounts = 10_000 // one in ten an organization
	filledPackages = 100_000
	filledVersions = 10 // of each package, each with a tag
	// filledOwner has one in five of all packages, in one repository each ten.
	filledOwner = "org00000"
)

// filledImage is an image manifest; no blob of it is asked for.
const filledImage = `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:%[1]s","size":200},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:%[1]s","size":1000000}],"annotations":{"filled":"%[2]s"}}`

// fill puts a crowd into the database of a stopped packhouse: accounts, teams
// with nested members, repositories, packages that inherit, versions and tags.
func fill(ctx context.Context, dir string) (err error) {
	db, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "packhouse.db")+"?_pragma=synchronous(0)&_pragma=cache_size(-200000)")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	db.SetMaxOpenConns(1)
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	f := &filler{ctx: ctx, tx: tx, statements: map[string]*sql.Stmt{}}
	f.accounts()
	f.packages()
	if f.err != nil {
		return errors.Join(f.err, tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, `PRAGMA wal_checkpoint(TRUNCATE)`)
	return err
}

// A filler keeps the first error and does nothing after it.
type filler struct {
	ctx        context.Context
	tx         *sql.Tx
	statements map[string]*sql.Stmt
	err        error
}

func (f *filler) exec(query string, args ...any) {
	if f.err != nil {
		return
	}
	s, ok := f.statements[query]
	if !ok {
		if s, f.err = f.tx.PrepareContext(f.ctx, query); f.err != nil {
			return
		}
		f.statements[query] = s
	}
	_, f.err = s.ExecContext(f.ctx, args...)
}

// firstID is over every id that packhouse gave before.
const firstID = 1000

func (f *filler) accounts() {
	for i := range filledAccounts {
		id, kind, login := firstID+i, "user", fmt.Sprintf("user%05d", i)
		if i%10 == 0 {
			kind, login = "organization", fmt.Sprintf("org%05d", i/10)
		}
		f.exec(`INSERT INTO accounts (id, login, kind, site_admin, password_hash, created_at) VALUES (?, ?, ?, 0, '', 1)`, id, login, kind)
		f.exec(`INSERT INTO logins (login, account_id) VALUES (?, ?)`, login, id)
		org := firstID + i/10*10
		switch {
		case kind == "organization":
			f.exec(`INSERT INTO teams (id, organization_id, slug, created_at) VALUES (?, ?, 'all', 1)`, id, id)
		case i%10 == 1:
			f.exec(`INSERT INTO memberships (organization_id, user_id, role, created_at) VALUES (?, ?, 'owner', 1)`, org, id)
		default:
			f.exec(`INSERT INTO memberships (organization_id, user_id, role, created_at) VALUES (?, ?, 'member', 1)`, org, id)
			f.exec(`INSERT INTO team_members (team_id, user_id) VALUES (?, ?)`, org, id)
			f.exec(`INSERT INTO team_reach (user_id, team_id) VALUES (?, ?)`, id, org)
		}
	}
}

// packages gives each package ten versions; every tenth opens a repository.
func (f *filler) packages() {
	for i := range filledPackages {
		owner := firstID + i%(filledAccounts/10)*10
		if i%5 == 0 {
			owner = firstID
		}
		repository := firstID + i/10*10
		if i%10 == 0 {
			f.repository(repository, owner, fmt.Sprintf("repo%06d", i))
		}
		link, inherits := any(nil), 0
		if owner == firstID && i/10*10%5 == 0 {
			link, inherits = repository, 1
		}
		id, name := firstID+i, fmt.Sprintf("app%06d", i)
		f.exec(`INSERT INTO packages (id, owner_id, type, name, visibility, created_at, created_by, published_at, repository_id, inherits, linked_by)
			VALUES (?, ?, 'container', ?, 'private', 1, ?, 1, ?, ?, '')`, id, owner, name, owner, link, inherits)
		f.exec(`INSERT INTO package_names (owner_id, name, type, package_id) VALUES (?, ?, 'container', ?)`, owner, name, id)
		f.exec(`INSERT INTO package_team_grants (package_id, team_id, role) VALUES (?, ?, 'write')`, id, owner)
		for v := range filledVersions {
			f.version(id, v, name)
		}
	}
}

func (f *filler) repository(id, owner int, name string) {
	f.exec(`INSERT INTO repositories (id, owner_id, name, visibility, created_at) VALUES (?, ?, ?, 'private', 1)`, id, owner, name)
	f.exec(`INSERT INTO repository_names (owner_id, name, repository_id) VALUES (?, ?, ?)`, owner, name, id)
	f.exec(`INSERT INTO repository_team_grants (repository_id, team_id, role) VALUES (?, ?, 3)`, id, owner)
}

func (f *filler) version(packageID, v int, name string) {
	note := fmt.Sprintf("%s-%d", name, v)
	layer := sha256.Sum256([]byte(name))
	content := fmt.Appendf(nil, filledImage, hex.EncodeToString(layer[:]), note)
	sum := sha256.Sum256(content)
	digest := "sha256:" + hex.EncodeToString(sum[:])
	f.exec(`INSERT INTO manifests (digest, content, created_at) VALUES (?, ?, 1)`, digest, content)
	f.exec(`INSERT INTO versions (package_id, digest, media_type, size, artifact_type, annotations, created_at, created_by)
		VALUES (?, ?, ?, ?, '', '{}', 1, 1)`, packageID, digest, manifestType, len(content))
	f.exec(`INSERT INTO tags (package_id, name, digest, since, set_by) VALUES (?, ?, ?, 1, 1)`, packageID, fmt.Sprintf("v%d", v), digest)
}
