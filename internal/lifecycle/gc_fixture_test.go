package lifecycle_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"packhouse/internal/access"
	"packhouse/internal/blob"
	"packhouse/internal/blob/fs"
	"packhouse/internal/database"
	"packhouse/internal/lifecycle"
	"packhouse/internal/oci"
	"packhouse/internal/registry"
	"packhouse/internal/store"
	"packhouse/internal/testkit"
)

// world is a registry and its collector on a real database and a real directory,
// under one clock.
type world struct {
	*registry.Service
	t     testing.TB
	db    *database.DB
	store *store.Store
	blobs blob.Store
	gc    *lifecycle.Collector
	now   time.Time
	n     int // images made so far, which makes each one another

	alice, bob       access.Principal
	app, other, bobs access.Package
	log              bytes.Buffer
	logger           *slog.Logger // the one that writes there
}

// The waits of the tests. What is condemned goes sooner than a promise ends, so
// that the lease alone keeps it. A round follows within step, so that the clock never
// seems to jump.
var times = lifecycle.Times{Restore: 48 * time.Hour, Grace: 24 * time.Hour, Condemn: 6 * time.Hour, Trash: 36 * time.Hour}

const step = 6 * time.Hour

// onBoth runs a test on a world of either database.
func onBoth(t *testing.T, run func(w *world)) {
	t.Helper()
	t.Parallel()
	testkit.Databases(t, func(t *testing.T, db *database.DB) { run(newWorld(t, db)) })
}

func newWorld(t testing.TB, db *database.DB) *world {
	t.Helper()
	blobs, err := fs.Open(testkit.MemoryDir(t), fs.Options{})
	if err != nil {
		t.Fatal(err)
	}
	w := &world{
		t: t, db: db, blobs: blobs, now: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		app: packageAt("alice/app"), other: packageAt("alice/other"), bobs: packageAt("bob/app"),
	}
	if err := store.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	w.store = store.New(db)
	w.alice, w.bob = w.account("alice"), w.account("bob")
	w.Service, err = registry.New(registry.Deps{
		Lookups: w.store, Listings: w.store, Sources: w.store, Sessions: w.store, Commits: w.store, Blobs: blobs,
		Limits: registry.Limits{MaxBlob: 64 << 20, MaxSessions: 30, SessionIdle: time.Hour, SessionLife: time.Hour, Grace: times.Grace},
		Now:    w.clock, NewID: func() string { return uuid.Must(uuid.NewRandom()).String() },
	})
	w.check(err)
	w.logger = slog.New(slog.NewTextHandler(&w.log, nil))
	w.gc = lifecycle.NewCollector(w.options())
	return w
}

func (w *world) clock() time.Time { return w.now }

func (w *world) options() lifecycle.Options {
	marker, _ := w.blobs.(blob.Marker)
	return lifecycle.Options{
		Garbage: w.store, Ledger: w.store, Records: w.store, Bytes: w.blobs, Open: w.blobs, Marker: marker,
		Times: times, MaxShare: 1, Now: w.clock, Log: w.logger,
	}
}

func (w *world) account(login string) access.Principal {
	w.t.Helper()
	var id int64
	w.check(w.db.Write(w.t.Context(), func(ctx context.Context, tx *database.Tx) error {
		err := tx.QueryRow(ctx, `INSERT INTO accounts (login, kind, site_admin, password_hash, created_at)
			VALUES (?, 'user', 0, '', 0) RETURNING id`, login).Scan(&id)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO logins (login, account_id) VALUES (?, ?)`, login, id)
		return err
	}))
	return access.Principal{AccountID: id, Login: login, Scopes: access.AllScopes}
}

func packageAt(name string) access.Package {
	n, err := oci.ParseName(name)
	if err != nil {
		panic(err)
	}
	return access.Package{Type: access.Container, Name: n}
}

func (w *world) check(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) ctx() context.Context { return w.t.Context() }

func (w *world) exec(query string, args ...any) {
	w.t.Helper()
	w.check(w.db.Write(w.ctx(), func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, query, args...)
		return err
	}))
}

// number returns the one number that a query gives.
func (w *world) number(query string, args ...any) (n int) {
	w.t.Helper()
	w.check(w.db.Read().QueryRow(w.ctx(), query, args...).Scan(&n))
	return n
}

// round does one round, which must not fail.
func (w *world) round() lifecycle.Round {
	w.t.Helper()
	r, err := w.gc.Run(w.ctx())
	w.check(err)
	return r
}

// pass lets time go by, with rounds as they come.
func (w *world) pass(d time.Duration) {
	w.t.Helper()
	for ; d > 0; d -= step {
		w.now = w.now.Add(min(d, step))
		w.round()
	}
}

// forget is long enough for anything unneeded to be gone for good.
var forget = times.Restore + times.Grace + times.Condemn + times.Trash + 6*step

func (w *world) who(p access.Package) access.Principal {
	if p.Name.Owner() == "bob" {
		return w.bob
	}
	return w.alice
}

// layer returns bytes that nobody pushed before, large enough for a file.
func (w *world) layer() []byte {
	w.n++
	return bytes.Repeat([]byte(fmt.Sprintf("layer %d\n", w.n)), 3000)
}

func (w *world) push(p access.Package, b []byte) oci.Digest {
	w.t.Helper()
	d := oci.SHA256.FromBytes(b)
	w.check(w.PushBlob(w.ctx(), w.who(p), p, d, whole(b)))
	return d
}

func whole(b []byte) registry.Body {
	return registry.Body{Reader: bytes.NewReader(b), Length: int64(len(b)), Start: -1, RangeLength: -1}
}

// image pushes the layers and a config of its own, and returns their manifest.
func (w *world) image(p access.Package, layers ...[]byte) []byte {
	w.t.Helper()
	w.n++
	config := []byte(fmt.Sprintf(`{"architecture":"amd64","os":"linux","n":%d}`, w.n))
	w.push(p, config)
	for _, l := range layers {
		w.push(p, l)
	}
	return imageOf(config, layers...)
}

func imageOf(config []byte, layers ...[]byte) []byte {
	parts := make([]string, len(layers))
	for i, l := range layers {
		parts[i] = descriptor("application/vnd.oci.image.layer.v1.tar", l)
	}
	return []byte(fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":%s,"layers":[%s]}`, oci.MediaTypeImageManifest,
		descriptor("application/vnd.oci.image.config.v1+json", config), strings.Join(parts, ",")))
}

func indexOf(children ...[]byte) []byte {
	parts := make([]string, len(children))
	for i, m := range children {
		parts[i] = descriptor(oci.MediaTypeImageManifest, m)
	}
	return []byte(fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[%s]}`, oci.MediaTypeImageIndex, strings.Join(parts, ",")))
}

func descriptor(mediaType string, b []byte) string {
	return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, mediaType, oci.SHA256.FromBytes(b), len(b))
}

func (w *world) ref(s string) oci.Reference {
	r, err := oci.ParseReference(s)
	w.check(err)
	return r
}

// put stores a manifest whose parts are there, under a tag or its digest for "".
func (w *world) put(p access.Package, manifest []byte, tag string) oci.Digest {
	w.t.Helper()
	d, err := w.tryPut(p, manifest, tag)
	w.check(err)
	return d
}

func (w *world) tryPut(p access.Package, manifest []byte, tag string) (oci.Digest, error) {
	if tag == "" {
		tag = oci.SHA256.FromBytes(manifest).String()
	}
	pushed, err := w.PushManifest(w.ctx(), w.who(p), p, registry.Push{Reference: w.ref(tag), Content: manifest})
	return pushed.Digest, err
}

func (w *world) delete(p access.Package, ref string) {
	w.t.Helper()
	w.check(w.DeleteManifest(w.ctx(), w.who(p), p, w.ref(ref)))
}

// pull reads a version and all that it names, and compares every byte.
func (w *world) pull(p access.Package, ref string) error {
	v, err := w.StatManifest(w.ctx(), w.who(p), p, w.ref(ref))
	if err != nil {
		return err
	}
	content, err := w.ManifestContent(w.ctx(), v)
	if err != nil {
		return err
	}
	var m struct {
		Config            struct{ Digest string }
		Layers, Manifests []struct{ Digest string }
	}
	if err := json.Unmarshal(content, &m); err != nil {
		return err
	}
	for _, child := range m.Manifests {
		if err := w.pull(p, child.Digest); err != nil {
			return fmt.Errorf("%s: %w", child.Digest, err)
		}
	}
	if m.Config.Digest != "" {
		m.Layers = append(m.Layers, m.Config)
	}
	for _, l := range m.Layers {
		if err := w.read(p, l.Digest); err != nil {
			return fmt.Errorf("%s: %w", l.Digest, err)
		}
	}
	return nil
}

// read reads a blob as a client does and compares its hash.
func (w *world) read(p access.Package, digest string) error {
	d, err := oci.ParseDigest(digest)
	if err != nil {
		return err
	}
	b, err := w.FindBlob(w.ctx(), w.who(p), p, d)
	if err != nil {
		return err
	}
	o, err := w.OpenBlob(w.ctx(), b)
	if err != nil {
		return err
	}
	defer o.Close()
	got, err := io.ReadAll(o)
	if err == nil && oci.SHA256.FromBytes(got) != d {
		err = fmt.Errorf("other bytes are served for %s", d)
	}
	return err
}

// head asks for a blob as one does who may skip sending it.
func (w *world) head(p access.Package, d oci.Digest) bool {
	w.t.Helper()
	_, err := w.StatBlob(w.ctx(), w.who(p), p, d)
	return err == nil
}

// mustPull fails the test when something is missing.
func (w *world) mustPull(p access.Package, refs ...string) {
	w.t.Helper()
	for _, ref := range refs {
		if err := w.pull(p, ref); err != nil {
			w.t.Errorf("%s %s: %v", p.Name, ref, err)
		}
	}
}

// state returns where a blob stands: the state of its row, "trash", "gone", or
// "never" for one that is not known at all.
func (w *world) state(d oci.Digest) (state string) {
	w.t.Helper()
	for _, q := range []string{
		`SELECT state FROM blobs WHERE digest = ?`,
		`SELECT 'trash' FROM trash WHERE digest = ?`,
		`SELECT 'gone' FROM receipts WHERE digest = ?`,
	} {
		if w.db.Read().QueryRow(w.ctx(), q+` LIMIT 1`, d.String()).Scan(&state) == nil {
			return state
		}
	}
	return "never"
}

func (w *world) wantState(d oci.Digest, want string) {
	w.t.Helper()
	if got := w.state(d); got != want {
		w.t.Errorf("%s is %s, want %s", d, got, want)
	}
}

// wantBytes compares rows with files: each row has its bytes, and no file is
// without one, as nothing was broken off.
func (w *world) wantBytes() {
	w.t.Helper()
	files := map[blob.Location]int64{}
	w.check(w.blobs.(blob.Walker).Walk(w.ctx(), func(p blob.Published) error {
		files[p.Location] = p.Size
		return nil
	}))
	rows, err := w.db.Read().Query(w.ctx(), `SELECT location, size FROM blobs WHERE location <> ''
		UNION ALL SELECT location, size FROM trash WHERE location <> ''`)
	w.check(err)
	defer rows.Close()
	for rows.Next() {
		var l blob.Location
		var size int64
		w.check(rows.Scan(&l, &size))
		if got, ok := files[l]; !ok || got != size {
			w.t.Errorf("%s has %d bytes (%v), want %d", l, got, ok, size)
		}
		delete(files, l)
	}
	w.check(rows.Err())
	for l := range files {
		w.t.Errorf("%s belongs to no row", l)
	}
}
