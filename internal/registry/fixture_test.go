package registry_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"packhouse/internal/access"
	"packhouse/internal/blob"
	"packhouse/internal/blob/fs"
	"packhouse/internal/database"
	"packhouse/internal/oci"
	"packhouse/internal/registry"
	"packhouse/internal/store"
	"packhouse/internal/testkit"
)

func TestMain(m *testing.M) { testkit.RunMain(m) }

// fixture is a registry on a real database and a real directory, with two users
// and an organization.
type fixture struct {
	*registry.Service
	t                     *testing.T
	db                    *database.DB
	store                 *store.Store
	blobs                 blob.Store
	now                   time.Time
	alice, bob            access.Principal
	anyone                access.Principal
	limits                registry.Limits
	app, other, bobs, org access.Package
}

// onBoth runs a test on a registry of either database.
func onBoth(t *testing.T, run func(f *fixture)) {
	t.Helper()
	t.Parallel()
	testkit.Databases(t, func(t *testing.T, db *database.DB) { run(newFixture(t, db)) })
}

func newFixture(t *testing.T, db *database.DB) *fixture {
	t.Helper()
	blobs, err := fs.Open(testkit.MemoryDir(t), fs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	f := &fixture{
		t: t, db: db, blobs: blobs, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		app: pkg("alice/app"), other: pkg("alice/other"), bobs: pkg("bob/app"), org: pkg("acme/app"),
		limits: registry.Limits{
			MaxBlob: 64 << 20, MaxSessions: 3, SessionIdle: 10 * time.Minute, SessionLife: time.Hour, Grace: 24 * time.Hour,
		},
	}
	if err := store.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	f.alice = f.account("alice", "user")
	f.bob = f.account("bob", "user")
	f.account("acme", "organization")
	f.store = store.New(db)
	f.Service = f.open(blobs)
	return f
}

// open returns another node on the same database.
func (f *fixture) open(blobs blob.Store) *registry.Service {
	f.t.Helper()
	return f.node(func(d *registry.Deps) { d.Blobs = blobs })
}

// node returns another node on the same database and store, but for what change
// changes.
func (f *fixture) node(change func(d *registry.Deps)) *registry.Service {
	f.t.Helper()
	d := registry.Deps{
		Lookups: f.store, Listings: f.store, Sources: f.store, Sessions: f.store, Commits: f.store, Blobs: f.blobs,
		Limits: f.limits, Now: func() time.Time { return f.now },
		NewID: func() string { return uuid.Must(uuid.NewRandom()).String() },
	}
	change(&d)
	s, err := registry.New(d)
	if err != nil {
		f.t.Fatal(err)
	}
	return s
}

func (f *fixture) account(login, kind string) access.Principal {
	f.t.Helper()
	var id int64
	err := f.db.Write(f.t.Context(), func(ctx context.Context, tx *database.Tx) error {
		err := tx.QueryRow(ctx, `INSERT INTO accounts (login, kind, site_admin, password_hash, created_at)
			VALUES (?, ?, 0, '', 0) RETURNING id`, login, kind).Scan(&id)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO logins (login, account_id) VALUES (?, ?)`, login, id)
		return err
	})
	if err != nil {
		f.t.Fatal(err)
	}
	return access.Principal{AccountID: id, Login: login, Scopes: access.AllScopes}
}

func pkg(name string) access.Package {
	n, err := oci.ParseName(name)
	if err != nil {
		panic(err)
	}
	return access.Package{Type: access.Container, Name: n}
}

func (f *fixture) ctx() context.Context { return f.t.Context() }

func (f *fixture) check(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

// randomBytes returns n bytes and their digest.
func randomBytes(n int) ([]byte, oci.Digest) {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b, oci.SHA256.FromBytes(b)
}

func whole(b []byte) registry.Body {
	return registry.Body{Reader: bytes.NewReader(b), Length: int64(len(b)), Start: -1, RangeLength: -1}
}

// push stores b as a blob of p.
func (f *fixture) push(who access.Principal, p access.Package, b []byte) oci.Digest {
	f.t.Helper()
	d := oci.SHA256.FromBytes(b)
	f.check(f.PushBlob(f.ctx(), who, p, d, whole(b)))
	return d
}

// read returns the bytes of a blob of p.
func (f *fixture) read(who access.Principal, p access.Package, d oci.Digest) ([]byte, error) {
	b, err := f.StatBlob(f.ctx(), who, p, d)
	if err != nil {
		return nil, err
	}
	o, err := f.OpenBlob(f.ctx(), b)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	var buf bytes.Buffer
	_, err = buf.ReadFrom(o)
	return buf.Bytes(), err
}

// image pushes config and layers and returns a manifest of them.
func (f *fixture) image(who access.Principal, p access.Package, layers ...[]byte) []byte {
	f.t.Helper()
	config := []byte(`{"architecture":"amd64","os":"linux"}`)
	m := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":%q,"size":%d},"layers":[`,
		oci.MediaTypeImageManifest, f.push(who, p, config), len(config))
	for i, l := range layers {
		if i > 0 {
			m += ","
		}
		m += fmt.Sprintf(`{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":%q,"size":%d}`, f.push(who, p, l), len(l))
	}
	return []byte(m + `]}`)
}

func (f *fixture) tag(who access.Principal, p access.Package, manifest []byte, ref string) (oci.Digest, error) {
	r, err := oci.ParseReference(ref)
	f.check(err)
	pushed, err := f.PushManifest(f.ctx(), who, p, registry.Push{Reference: r, Content: manifest})
	return pushed.Digest, err
}

func (f *fixture) stat(who access.Principal, p access.Package, ref string) (registry.Version, error) {
	r, err := oci.ParseReference(ref)
	f.check(err)
	return f.StatManifest(f.ctx(), who, p, r)
}
