package packages_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/blob/mem"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
	"packhouse/internal/registry"
	"packhouse/internal/store"
	"packhouse/internal/testkit"
)

func TestMain(m *testing.M) { testkit.RunMain(m) }

// fixture is the registry, the directory and the settings of packages on one
// real database: the users ann, bob and eve; the organization acme, which ann
// owns, with bob as a member and in the team devs; ann's repository ann/src and
// acme's acme/src.
type fixture struct {
	*packages.Service
	t                testing.TB
	db               *database.DB
	store            *store.Store
	registry         *registry.Service
	accounts         *account.Service
	now              time.Time
	ann, bob, eve    access.Principal
	operator, nobody access.Principal
}

// facts answers from the registry's lookups, as the composition root has it.
type facts struct{ store *store.Store }

func (f facts) Facts(ctx context.Context, who access.Principal, p access.Package) (access.Facts, error) {
	pkg, err := f.store.Package(ctx, who, p)
	return pkg.Facts, err
}

// onBoth runs a test on either database.
func onBoth(t *testing.T, run func(f *fixture)) {
	t.Helper()
	t.Parallel()
	testkit.Databases(t, func(t *testing.T, db *database.DB) { run(newFixture(t, db)) })
}

func newFixture(t testing.TB, db *database.DB) *fixture {
	t.Helper()
	f := &fixture{t: t, db: db, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), operator: access.Principal{Operator: true}}
	f.check(store.Migrate(t.Context(), db))
	f.store = store.New(db)
	now := func() time.Time { return f.now }
	var err error
	f.accounts, err = account.New(account.Options{Store: f.store, Now: now, Random: rand.Reader})
	f.check(err)
	f.registry, err = registry.New(registry.Deps{
		Lookups: f.store, Listings: f.store, Sources: f.store, Sessions: f.store, Commits: f.store, Blobs: mem.New(),
		Limits: registry.Limits{
			MaxBlob: 1 << 20, MaxDockerBlob: 1 << 20, MaxSessions: 9, SessionIdle: time.Hour, SessionLife: time.Hour, Grace: time.Hour,
		},
		SourceName: func(string) (oci.Name, bool) { return oci.Name{}, false },
		Now:        now, NewID: func() string { return uuid.Must(uuid.NewRandom()).String() },
	})
	f.check(err)
	f.Service = packages.New(packages.Options{
		Facts: facts{f.store}, Directory: f.store, Settings: f.store, Grants: f.store, Descriptions: f.store,
		Migrations: f.store, Contents: f.store, Browsing: f.store, Lists: f.store, Deletions: f.store, Tagging: f.store, Immutable: f.store, Counts: f.store, Newest: f.store, Related: f.store, Readmes: f.store, Storage: f.store, RestoreWindow: window, Now: now,
	})
	f.people()
	return f
}

func (f *fixture) people() {
	f.t.Helper()
	ctx := f.t.Context()
	f.ann, f.bob, f.eve = f.user("ann"), f.user("bob"), f.user("eve")
	_, err := f.accounts.CreateOrganization(ctx, audit.Operator, "acme", "ann")
	f.check(err)
	f.check(f.accounts.SetMember(ctx, audit.Operator, "acme", "bob", access.Member))
	_, err = f.accounts.CreateTeam(ctx, audit.Operator, "acme", account.NewTeam{Slug: "devs"})
	f.check(err)
	f.check(f.accounts.AddToTeam(ctx, audit.Operator, "acme", "devs", "bob"))
	f.repository("ann/src")
	f.repository("acme/src")
	// What comes from membership alone would hide what was given.
	none := access.RepositoryRole(0)
	f.check(f.accounts.ChangeSettings(ctx, audit.Operator, "acme", account.SettingsChange{BaseRole: &none}))
}

func (f *fixture) user(login string) access.Principal {
	f.t.Helper()
	a, err := f.accounts.CreateUser(f.t.Context(), audit.Operator, account.NewUser{Login: login})
	f.check(err)
	return access.Principal{AccountID: a.ID, Login: login, Scopes: access.AllScopes}
}

func (f *fixture) repository(name string) account.Repository {
	f.t.Helper()
	r, err := f.accounts.CreateRepository(f.t.Context(), audit.Operator, name, access.Private)
	f.check(err)
	return r
}

// job is a job of the repository, with every permission.
func (f *fixture) job(repository string) access.Principal {
	f.t.Helper()
	r, err := f.accounts.Repository(f.t.Context(), repository)
	f.check(err)
	return access.Principal{Scopes: access.AllScopes, Workflow: &access.Workflow{RepositoryID: r.ID, Repository: r.Name, OwnerID: r.OwnerID}}
}

func (f *fixture) check(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// refused checks that err is a failure of that kind.
func (f *fixture) refused(err error, k errs.Kind, what string) {
	f.t.Helper()
	if !errs.Is(err, k) {
		f.t.Errorf("%s: %v, want %s", what, err, k)
	}
}

// window is how long what was deleted can be restored in tests.
const window = 30 * 24 * time.Hour

// at is the address of a package in the Container registry.
func at(name string) access.Package { return address(access.Container, name) }

// inDocker is one in the Docker registry.
func inDocker(name string) access.Package { return address(access.Docker, name) }

func address(t access.PackageType, name string) access.Package {
	n, err := oci.ParseName(name)
	if err != nil {
		return access.Package{} // which no lookup finds
	}
	return access.Package{Type: t, Name: n}
}

// push pushes an image with one layer to the tag and returns its digest.
func (f *fixture) push(who access.Principal, p access.Package, tag, layer string) oci.Digest {
	f.t.Helper()
	d, err := f.tryPush(who, p, tag, layer)
	f.check(err)
	return d
}

func (f *fixture) tryPush(who access.Principal, p access.Package, tag, layer string) (oci.Digest, error) {
	f.t.Helper()
	ctx := f.t.Context()
	manifest := `{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":%s,"layers":[%s]}`
	var parts []any
	for kind, content := range map[string]string{"config.v1+json": `{"os":"linux"}`, "layer.v1.tar": layer} {
		d := oci.SHA256.FromBytes([]byte(content))
		body := registry.Body{Reader: bytes.NewReader([]byte(content)), Length: int64(len(content)), Start: -1, RangeLength: -1}
		if err := f.registry.PushBlob(ctx, who, p, d, body); err != nil {
			return oci.Digest{}, err
		}
		text := fmt.Sprintf(`{"mediaType":"application/vnd.oci.image.%s","digest":%q,"size":%d}`, kind, d, len(content))
		if parts = append(parts, text); kind == "config.v1+json" {
			parts = append([]any{text}, parts[:len(parts)-1]...)
		}
	}
	ref, err := oci.ParseReference(tag)
	f.check(err)
	pushed, err := f.registry.PushManifest(ctx, who, p, registry.Push{Reference: ref, Content: fmt.Appendf(nil, manifest, parts...)})
	return pushed.Digest, err
}

// pull reports what stops who from reading the tag; nil for nothing.
func (f *fixture) pull(who access.Principal, p access.Package, tag string) error {
	f.t.Helper()
	ref, err := oci.ParseReference(tag)
	f.check(err)
	_, err = f.registry.StatManifest(f.t.Context(), who, p, ref)
	return err
}

// may checks what who may do with the package.
func (f *fixture) may(who access.Principal, p access.Package, want access.Role) {
	f.t.Helper()
	pkg, err := f.store.Package(f.t.Context(), who, p)
	f.check(err)
	if got := access.RoleOf(who, pkg.Facts); got != want {
		f.t.Errorf("%s%v has the role %q on %s, want %q", who.Login, who.Workflow, got, p.Name, want)
	}
}

// recorded checks the newest entries of the record, the last change first.
func (f *fixture) recorded(want ...string) {
	f.t.Helper()
	list, err := f.store.AuditEntries(f.t.Context(), audit.Query{Limit: len(want)})
	f.check(err)
	for i, e := range list {
		if got := fmt.Sprintf("%s %s %s", e.Actor, e.Action, e.Target); got != want[i] {
			f.t.Errorf("entry %d of the record is %q, want %q", i, got, want[i])
		}
	}
}

func user(name string) packages.Grantee { return packages.Grantee{Kind: packages.User, Name: name} }
func team(name string) packages.Grantee { return packages.Grantee{Kind: packages.Team, Name: name} }
func repository(name string) packages.Grantee {
	return packages.Grantee{Kind: packages.Repository, Name: name}
}

func role(g packages.Grantee, r access.Role) packages.Grant {
	return packages.Grant{Grantee: g, Role: r}
}
