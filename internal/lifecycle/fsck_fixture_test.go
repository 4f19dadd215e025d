package lifecycle_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/blob"
	"packhouse/internal/blob/fs"
	"packhouse/internal/blob/s3"
	"packhouse/internal/database"
	"packhouse/internal/lifecycle"
	"packhouse/internal/oci"
	"packhouse/internal/registry"
	"packhouse/internal/store"
	"packhouse/internal/testkit"
)

// vandal does to stored bytes what a bad disk does.
type vandal interface {
	read(t *testing.T, loc blob.Location) []byte
	overwrite(t *testing.T, loc blob.Location, b []byte)
	remove(t *testing.T, loc blob.Location)
}

// yard is a registry with real rows and bytes, whose bytes can be damaged.
type yard struct {
	t     *testing.T
	db    *database.DB
	store *store.Store
	blobs blob.Store
	vandal
	now   time.Time
	alice access.Principal
	app   access.Package
	*registry.Service
}

// onYards runs a test on both databases with a directory, and on one with a
// bucket.
func onYards(t *testing.T, run func(y *yard)) {
	t.Helper()
	t.Parallel()
	testkit.Databases(t, func(t *testing.T, db *database.DB) {
		dir := testkit.MemoryDir(t)
		blobs, err := fs.Open(dir, fs.Options{})
		if err != nil {
			t.Fatal(err)
		}
		run(newYard(t, db, blobs, directory(dir)))
	})
	t.Run("bucket", func(t *testing.T) {
		t.Parallel()
		b := testkit.S3(t)
		blobs, err := s3.Open(t.Context(), s3.Config{
			Endpoint: b.Endpoint, Region: b.Region, Bucket: b.Name, Prefix: "in/", AccessKey: b.AccessKey, SecretKey: b.SecretKey,
		})
		if err != nil {
			t.Fatal(err)
		}
		client, err := minio.New(b.Endpoint, &minio.Options{Creds: credentials.NewStaticV4(b.AccessKey, b.SecretKey, ""), Region: b.Region})
		if err != nil {
			t.Fatal(err)
		}
		run(newYard(t, testkit.SQLite(t), blobs, bucket{client, b.Name}))
	})
}

func newYard(t *testing.T, db *database.DB, blobs blob.Store, v vandal) *yard {
	t.Helper()
	y := &yard{t: t, db: db, store: store.New(db), blobs: blobs, vandal: v, now: time.Now()}
	if err := store.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	var id int64
	y.write(func(ctx context.Context, tx *database.Tx) error {
		err := tx.QueryRow(ctx, `INSERT INTO accounts (login, kind, site_admin, password_hash, created_at)
			VALUES ('alice', 'user', 0, '', 0) RETURNING id`).Scan(&id)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO logins (login, account_id) VALUES ('alice', ?)`, id)
		return err
	})
	y.alice = access.Principal{AccountID: id, Login: "alice", Scopes: access.AllScopes}
	name, err := oci.ParseName("alice/app")
	y.check(err)
	y.app = access.Package{Type: access.Container, Name: name}
	y.Service = y.node()
	return y
}

// node returns a service that has nothing in memory.
func (y *yard) node() *registry.Service {
	y.t.Helper()
	s, err := registry.New(registry.Deps{
		Lookups: y.store, Listings: y.store, Sources: y.store, Sessions: y.store, Commits: y.store, Blobs: y.blobs, Damages: y.store,
		Limits: registry.Limits{MaxBlob: 64 << 20, MaxSessions: 100, SessionIdle: 10 * time.Minute, SessionLife: time.Hour, Grace: 24 * time.Hour},
		Now:    func() time.Time { return y.now }, NewID: func() string { return uuid.Must(uuid.NewRandom()).String() },
	})
	y.check(err)
	return s
}

func (y *yard) check(err error) {
	y.t.Helper()
	if err != nil {
		y.t.Fatal(err)
	}
}

func (y *yard) write(do func(ctx context.Context, tx *database.Tx) error) {
	y.t.Helper()
	y.check(y.db.Write(y.t.Context(), do))
}

func (y *yard) exec(query string, args ...any) {
	y.t.Helper()
	y.write(func(ctx context.Context, tx *database.Tx) error { _, err := tx.Exec(ctx, query, args...); return err })
}

// fsck checks everything, three days on, so that nothing is too young to be a stray.
func (y *yard) fsck(o lifecycle.FsckOptions) (lifecycle.FsckReport, []lifecycle.Finding) {
	y.t.Helper()
	var found []lifecycle.Finding
	f := &lifecycle.Fsck{
		Blobs: y.store, Objects: y.store, Trashed: y.store, Manifests: y.store, Others: y.store, Store: y.blobs,
		Now: func() time.Time { return y.now.Add(72 * time.Hour) }, Young: 48 * time.Hour, Trash: 168 * time.Hour, Grace: 48 * time.Hour,
		Actor: audit.Operator, Found: func(f lifecycle.Finding) { found = append(found, f) },
	}
	r, err := f.Run(y.t.Context(), o)
	y.check(err)
	return r, found
}

// clean fails unless a whole check finds nothing.
func (y *yard) clean(when string) {
	y.t.Helper()
	if r, found := y.fsck(lifecycle.FsckOptions{ReadData: 100}); r.Found != 0 || len(found) != 0 {
		y.t.Fatalf("%s: %d findings: %+v", when, r.Found, found)
	}
}

// faults counts the findings that are still wrong.
func faults(list []lifecycle.Finding) map[lifecycle.Fault]int {
	counts := map[lifecycle.Fault]int{}
	for _, f := range list {
		if !f.Mended {
			counts[f.Fault]++
		}
	}
	return counts
}

func randomBytes(n int) ([]byte, oci.Digest) {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b, oci.SHA256.FromBytes(b)
}

// push stores b as a blob.
func (y *yard) push(b []byte) {
	y.t.Helper()
	y.check(y.PushBlob(y.t.Context(), y.alice, y.app, oci.SHA256.FromBytes(b),
		registry.Body{Reader: bytes.NewReader(b), Length: int64(len(b)), Start: -1, RangeLength: -1}))
}

// image pushes an image of these layers under a tag and returns its manifest.
func (y *yard) image(tag string, layers ...[]byte) []byte {
	y.t.Helper()
	config := []byte(`{"architecture":"amd64","os":"linux"}`)
	y.push(config)
	m := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":%q,"size":%d},"layers":[`,
		oci.MediaTypeImageManifest, oci.SHA256.FromBytes(config), len(config))
	for i, l := range layers {
		y.push(l)
		if i > 0 {
			m += ","
		}
		m += fmt.Sprintf(`{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":%q,"size":%d}`, oci.SHA256.FromBytes(l), len(l))
	}
	m += `]}`
	y.tag(tag, m)
	return []byte(m)
}

func (y *yard) tag(tag, manifest string) {
	y.t.Helper()
	ref, err := oci.ParseReference(tag)
	y.check(err)
	_, err = y.PushManifest(y.t.Context(), y.alice, y.app, registry.Push{Reference: ref, Content: []byte(manifest)})
	y.check(err)
}

// pull reads a blob as a client does; damaged bytes are an error.
func (y *yard) pull(d oci.Digest) ([]byte, error) {
	b, err := y.FindBlob(y.t.Context(), y.alice, y.app, d)
	if err != nil {
		return nil, err
	}
	o, err := y.OpenBlob(y.t.Context(), b)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	return io.ReadAll(o)
}

// at returns where the bytes of a blob are.
func (y *yard) at(d oci.Digest) blob.Location {
	y.t.Helper()
	b, ok, err := y.store.BlobRecord(y.t.Context(), d)
	if err != nil || !ok {
		y.t.Fatalf("blob %s: %v %v", d, ok, err)
	}
	return b.Location
}

// directory is the vandal of a directory.
type directory string

func (d directory) path(loc blob.Location) string { return filepath.Join(string(d), string(loc)) }

func (d directory) read(t *testing.T, loc blob.Location) []byte {
	t.Helper()
	b, err := os.ReadFile(d.path(loc))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (d directory) overwrite(t *testing.T, loc blob.Location, b []byte) {
	t.Helper()
	if err := os.WriteFile(d.path(loc), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

func (d directory) remove(t *testing.T, loc blob.Location) {
	t.Helper()
	if err := os.Remove(d.path(loc)); err != nil {
		t.Fatal(err)
	}
}

// bucket is the vandal of a bucket, whose keys begin with in/.
type bucket struct {
	client *minio.Client
	name   string
}

func (b bucket) read(t *testing.T, loc blob.Location) []byte {
	t.Helper()
	o, err := b.client.GetObject(t.Context(), b.name, "in/"+string(loc), minio.GetObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	content, err := io.ReadAll(o)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func (b bucket) overwrite(t *testing.T, loc blob.Location, content []byte) {
	t.Helper()
	_, err := b.client.PutObject(t.Context(), b.name, "in/"+string(loc), bytes.NewReader(content), int64(len(content)), minio.PutObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
}

func (b bucket) remove(t *testing.T, loc blob.Location) {
	t.Helper()
	if err := b.client.RemoveObject(t.Context(), b.name, "in/"+string(loc), minio.RemoveObjectOptions{}); err != nil {
		t.Fatal(err)
	}
}
