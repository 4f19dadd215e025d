package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/registry"
	"packhouse/internal/store"
	"packhouse/internal/testkit"
)

// The model says to what each name leads, from what was done alone. A name once
// given stays with whom it was given to; that of a package passes on when the
// package was deleted under it, that of a repository when the repository was.
type (
	modelAccount struct {
		id           int64
		login        string
		organization bool
		gone         bool
	}
	modelRepository struct {
		id    int64
		owner *modelAccount
		name  string
		gone  bool
	}
	modelPackage struct {
		id         int64
		owner      *modelAccount
		kind       access.PackageType
		name       string
		repository *modelRepository
		inherits   bool
		granted    map[*modelAccount]bool
		gone       bool
	}
	packageKey struct {
		owner *modelAccount
		kind  access.PackageType
		name  string
	}
	repositoryKey struct {
		owner *modelAccount
		name  string
	}
)

type directoryModel struct {
	*store.Store
	db           *database.DB
	round, seq   int
	logins       map[string]*modelAccount
	repositories map[repositoryKey]*modelRepository
	packages     map[packageKey]*modelPackage
	accounts     []*modelAccount
	allRepos     []*modelRepository
	allPackages  []*modelPackage
}

// Whatever is renamed, transferred, deleted, moved to the other registry and made
// again, in any order: every name leads where the model says, and to nobody else's.
func TestNamesLeadToWhatTheyWereGivenTo(t *testing.T) {
	t.Parallel()
	db := testkit.SQLite(t)
	if err := store.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	round := 0
	rapid.Check(t, func(t *rapid.T) {
		round++
		m := &directoryModel{
			Store: store.New(db), db: db, round: round, logins: map[string]*modelAccount{},
			repositories: map[repositoryKey]*modelRepository{}, packages: map[packageKey]*modelPackage{},
		}
		for i := range 3 {
			m.createAccount(t, fmt.Sprint("abc"[i:i+1]), i == 2)
		}
		t.Repeat(map[string]func(*rapid.T){
			"":                   m.check,
			"create account":     func(t *rapid.T) { m.createAccount(t, drawLogin(t), false) },
			"rename account":     m.renameAccount,
			"delete account":     m.deleteAccount,
			"create repository":  m.createRepository,
			"move repository":    m.moveRepository,
			"delete repository":  m.deleteRepository,
			"push":               m.push,
			"push again":         m.push,
			"delete package":     m.deletePackage,
			"rename package":     m.renamePackage,
			"transfer package":   m.transferPackage,
			"migrate package":    m.migratePackage,
			"link package":       m.linkPackage,
			"grant":              m.grant,
			"unlink from a repo": m.unlinkPackage,
		})
	})
}

func drawLogin(t *rapid.T) string {
	return rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}).Draw(t, "login")
}

func drawRepository(t *rapid.T) string {
	return rapid.SampledFrom([]string{"r", "repo"}).Draw(t, "repository")
}

func drawPackage(t *rapid.T, kind access.PackageType) string {
	if kind == access.Docker {
		return drawRepository(t) + "/" + rapid.SampledFrom([]string{"x", "y"}).Draw(t, "image")
	}
	return rapid.SampledFrom([]string{"x", "r/x", "repo/x"}).Draw(t, "package")
}

func drawKind(t *rapid.T) access.PackageType {
	return rapid.SampledFrom([]access.PackageType{access.Container, access.Docker}).Draw(t, "type")
}

// pick draws one of those that are there; nil without any.
func pick[T any](t *rapid.T, what string, all []*T, gone func(*T) bool) *T {
	var there []*T
	for _, x := range all {
		if !gone(x) {
			there = append(there, x)
		}
	}
	if len(there) == 0 {
		return nil
	}
	return there[rapid.IntRange(0, len(there)-1).Draw(t, what)]
}

func (m *directoryModel) anAccount(t *rapid.T) *modelAccount {
	return pick(t, "account", m.accounts, func(a *modelAccount) bool { return a.gone })
}

func (m *directoryModel) aRepository(t *rapid.T) *modelRepository {
	return pick(t, "repository", m.allRepos, func(r *modelRepository) bool { return r.gone })
}

func (m *directoryModel) aPackage(t *rapid.T, kind access.PackageType) *modelPackage {
	return pick(t, string(kind)+" package", m.allPackages, func(p *modelPackage) bool { return p.gone || p.kind != kind })
}

// login is one that only this round has.
func (m *directoryModel) login(letter string) string { return fmt.Sprintf("r%d-%s", m.round, letter) }

// expect checks that what was done failed with that kind, or not for "".
func expect(t *rapid.T, err error, kind errs.Kind, what string, args ...any) (done bool) {
	t.Helper()
	var zero errs.Kind
	if kind == zero && err != nil || kind != zero && !errs.Is(err, kind) {
		t.Fatalf("%s: %v, want %v", fmt.Sprintf(what, args...), err, kind)
	}
	return err == nil
}

var none errs.Kind // of a failure

func (m *directoryModel) createAccount(t *rapid.T, letter string, organization bool) {
	login := m.login(letter)
	want := none
	if m.logins[login] != nil {
		want = errs.Exists
	}
	a := &modelAccount{login: login, organization: organization}
	var err error
	if organization {
		a.id, err = m.CreateOrganization(context.Background(), account.Account{Login: login, Kind: account.Organization}, m.accounts[0].id, entry("org.create"))
	} else {
		a.id, err = m.CreateUser(context.Background(), account.Account{Login: login, Kind: account.User}, entry("user.create"))
	}
	if expect(t, err, want, "create %s", login) {
		m.logins[login], m.accounts = a, append(m.accounts, a)
	}
}

func (m *directoryModel) renameAccount(t *rapid.T) {
	a, login := m.anAccount(t), m.login(drawLogin(t))
	want := none
	if holder := m.logins[login]; holder != nil && holder != a {
		want = errs.Exists
	}
	err := m.RenameAccount(context.Background(), a.id, login, login, entry("account.rename"))
	if expect(t, err, want, "rename %s to %s", a.login, login) {
		a.login, m.logins[login] = login, a
	}
}

func (m *directoryModel) deleteAccount(t *rapid.T) {
	if rapid.IntRange(0, 3).Draw(t, "seldom") > 0 {
		return
	}
	a := m.anAccount(t)
	if a == m.accounts[0] { // owns the organization
		return
	}
	expect(t, m.DeleteAccount(context.Background(), a.id, entry("account.delete")), none, "delete %s", a.login)
	a.gone = true
	for _, r := range m.allRepos {
		r.gone = r.gone || r.owner == a
	}
	for _, p := range m.allPackages {
		p.gone = p.gone || p.owner == a
		delete(p.granted, a)
	}
}

func parsed(t *rapid.T, name string) oci.Name {
	n, err := oci.ParseName(name)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (m *directoryModel) described(t *rapid.T, r *modelRepository) account.Repository {
	return account.Repository{ID: r.id, OwnerID: r.owner.id, Name: parsed(t, r.owner.login+"/"+r.name), Visibility: access.Private}
}

func (m *directoryModel) createRepository(t *rapid.T) {
	r := &modelRepository{owner: m.anAccount(t), name: drawRepository(t)}
	key := repositoryKey{r.owner, r.name}
	want := none
	if holder := m.repositories[key]; holder != nil && !holder.gone {
		want = errs.Exists
	}
	var err error
	r.id, err = m.CreateRepository(context.Background(), m.described(t, r), entry("repository.create"))
	if expect(t, err, want, "create %s/%s", r.owner.login, r.name) {
		m.repositories[key], m.allRepos = r, append(m.allRepos, r)
	}
}

func (m *directoryModel) moveRepository(t *rapid.T) {
	r, owner, name := m.aRepository(t), m.anAccount(t), drawRepository(t)
	if r == nil {
		return
	}
	key := repositoryKey{owner, name}
	want := none
	if holder := m.repositories[key]; holder != nil && holder != r && !holder.gone {
		want = errs.Exists
	}
	for _, p := range m.allPackages {
		if p.repository != r || p.kind != access.Docker || p.gone {
			continue
		}
		holder := m.packages[packageKey{owner, access.Docker, name + strings.TrimPrefix(p.name, r.name)}]
		if holder != nil && holder != p && !(holder.gone && holder.repository == r) {
			want = errs.Exists
		}
	}
	from, to := m.described(t, r), m.described(t, &modelRepository{id: r.id, owner: owner, name: name})
	err := m.MoveRepository(context.Background(), from, to, entry("repository.move"))
	if !expect(t, err, want, "move %s to %s", from.Name, to.Name) {
		return
	}
	m.repositories[key] = r
	for _, p := range m.allPackages {
		switch {
		case p.repository != r:
		case p.kind == access.Docker:
			p.owner, p.name = owner, name+strings.TrimPrefix(p.name, r.name)
			if !p.gone {
				m.packages[packageKey{owner, p.kind, p.name}] = p
			}
		case owner != r.owner:
			p.repository, p.inherits = nil, false
		}
	}
	r.owner, r.name = owner, name
}

func (m *directoryModel) deleteRepository(t *rapid.T) {
	r := m.aRepository(t)
	if r == nil {
		return
	}
	want := none
	for _, p := range m.allPackages {
		if p.repository == r && p.kind == access.Docker && !p.gone {
			want = errs.Conflict
		}
	}
	err := m.DeleteRepository(context.Background(), r.id, entry("repository.delete"))
	if !expect(t, err, want, "delete %s/%s", r.owner.login, r.name) {
		return
	}
	r.gone = true
	for _, p := range m.allPackages {
		if p.repository == r && p.kind == access.Container {
			p.repository, p.inherits = nil, false
		}
	}
}

// lookup asks the store for an address.
func (m *directoryModel) lookup(t *rapid.T, who access.Principal, kind access.PackageType, name string) registry.Package {
	pkg, err := m.Package(context.Background(), who, access.Package{Type: kind, Name: parsed(t, name)})
	if err != nil {
		t.Fatalf("look up %s %s: %v", kind, name, err)
	}
	return pkg
}

// resolve is what the model has at an address: a package, or what a push there
// would make, if it would.
func (m *directoryModel) resolve(kind access.PackageType, login, name string) (p *modelPackage, made packageKey, retired bool) {
	owner := m.logins[login]
	if owner == nil {
		return nil, packageKey{}, false
	}
	for again := false; ; again = true {
		key := packageKey{owner, kind, name}
		holder := m.packages[key]
		if holder != nil && !holder.gone {
			return holder, key, false
		}
		retired = holder != nil && (holder.owner != owner || holder.kind != kind || holder.name != name) || owner.gone
		segment, image, _ := strings.Cut(name, "/")
		r := m.repositories[repositoryKey{owner, segment}]
		if kind != access.Docker || again || owner.gone || r == nil || r.gone || r.owner == owner && r.name == segment {
			return nil, key, retired
		}
		owner, name = r.owner, r.name+"/"+image
	}
}

func (m *directoryModel) push(t *rapid.T) {
	kind := drawKind(t)
	letter, name := drawLogin(t), drawPackage(t, kind)
	if kind == access.Docker && rapid.Bool().Draw(t, "where a repository is") {
		if r := m.aRepository(t); r != nil {
			letter, name = r.owner.login[len(r.owner.login)-1:], r.name+"/x"
		}
	}
	held, key, retired := m.resolve(kind, m.login(letter), name)
	pkg := m.lookup(t, access.Principal{}, kind, m.login(letter)+"/"+name)
	if held != nil || key.owner == nil || key.owner.gone {
		return // check looks at it
	}
	if pkg.Facts.Retired != retired {
		t.Fatalf("%s/%s is retired: %v, want %v", letter, name, pkg.Facts.Retired, retired)
	}
	var repository *modelRepository
	if kind == access.Docker {
		segment, _, _ := strings.Cut(key.name, "/")
		if repository = m.repositories[repositoryKey{key.owner, segment}]; repository == nil || repository.gone {
			return
		}
	}
	p := &modelPackage{owner: key.owner, kind: kind, name: key.name, repository: repository, inherits: repository != nil, granted: map[*modelAccount]bool{}}
	into := registry.Creation{Address: pkg.Address, OwnerID: key.owner.id, Actor: key.owner.id, Visibility: access.Private}
	if repository != nil {
		into.RepositoryID, into.Inherits = repository.id, true
	}
	want := none
	if retired {
		want = errs.Denied
	}
	_, err := m.CommitBlob(context.Background(), &registry.BlobCommit{
		Into: into, Digest: oci.SHA256.FromBytes([]byte("x")), Size: 1, Content: []byte("x"), Now: time.UnixMicro(1), LeaseUntil: time.UnixMicro(2),
	})
	if expect(t, err, want, "push %s %s/%s as %s", kind, letter, name, pkg.Address.Name) {
		p.id = m.lookup(t, access.Principal{}, kind, m.login(letter)+"/"+name).ID
		m.packages[key], m.allPackages = p, append(m.allPackages, p)
	}
}

func (m *directoryModel) deletePackage(t *rapid.T) {
	p := m.aPackage(t, drawKind(t))
	if p == nil {
		return
	}
	err := m.db.Write(context.Background(), func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE packages SET deleted_at = 1 WHERE id = ?`, p.id)
		return err
	})
	expect(t, err, none, "delete %s", p.name)
	p.gone = true
}

// mayTake is what becomes of giving p a name.
func (m *directoryModel) mayTake(p *modelPackage, key packageKey) errs.Kind {
	if holder := m.packages[key]; holder != nil && holder != p {
		return errs.Exists
	}
	return none
}

func (m *directoryModel) renamePackage(t *rapid.T) {
	p := m.aPackage(t, access.Container)
	if p == nil {
		return
	}
	key := packageKey{p.owner, p.kind, drawPackage(t, access.Container)}
	err := m.RenamePackage(context.Background(), p.id, key.name, entry("package.rename"))
	if expect(t, err, m.mayTake(p, key), "rename %s to %s", p.name, key.name) {
		p.name, m.packages[key] = key.name, p
	}
}

func (m *directoryModel) transferPackage(t *rapid.T) {
	p, to := m.aPackage(t, access.Container), m.anAccount(t)
	if p == nil || to == p.owner {
		return
	}
	key := packageKey{to, p.kind, p.name}
	err := m.TransferPackage(context.Background(), p.id, to.id, p.owner.id, entry("package.transfer"))
	if !expect(t, err, m.mayTake(p, key), "transfer %s to %s", p.name, to.login) {
		return
	}
	p.owner, p.repository, p.inherits, p.granted, m.packages[key] = to, nil, false, map[*modelAccount]bool{}, p
}

func (m *directoryModel) migratePackage(t *rapid.T) {
	p := m.aPackage(t, access.Docker)
	if p == nil {
		return
	}
	key := packageKey{p.owner, access.Container, p.name}
	holder := m.packages[key]
	conflicting := holder != nil && !holder.gone && holder != p
	moved, conflict, err := m.MoveDockerPackage(context.Background(), 0, p.id, entry("package.migrate"))
	expect(t, err, none, "migrate %s", p.name)
	if moved == conflicting || conflict != conflicting {
		t.Fatalf("migrate %s: moved %v, in conflict %v, want %v", p.name, moved, conflict, conflicting)
	}
	if moved {
		p.kind, p.granted, m.packages[key] = access.Container, map[*modelAccount]bool{}, p
	}
}

func (m *directoryModel) linkPackage(t *rapid.T) {
	p, r, inherit := m.aPackage(t, access.Container), m.aRepository(t), rapid.Bool().Draw(t, "inherit")
	if p == nil || r == nil {
		return
	}
	want := none
	if p.repository != nil || r.owner != p.owner {
		want = errs.Conflict
	}
	err := m.LinkPackage(context.Background(), p.id, r.id, inherit, entry("package.link"))
	if expect(t, err, want, "link %s to %s", p.name, r.name) {
		p.repository, p.inherits = r, inherit
		if inherit {
			p.granted = map[*modelAccount]bool{}
		}
	}
}

func (m *directoryModel) unlinkPackage(t *rapid.T) {
	p := m.aPackage(t, access.Container)
	if p == nil {
		return
	}
	want := none
	if p.repository == nil {
		want = errs.Conflict
	}
	err := m.UnlinkPackage(context.Background(), p.id, p.owner.id, entry("package.unlink"))
	if expect(t, err, want, "unlink %s", p.name) {
		if p.inherits {
			p.granted = map[*modelAccount]bool{p.owner: true}
		}
		p.repository, p.inherits = nil, false
	}
}
