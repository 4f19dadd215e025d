package lifecycle_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/blob/mem"
	"packhouse/internal/database"
	"packhouse/internal/downloads"
	"packhouse/internal/errs"
	"packhouse/internal/lifecycle"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
	"packhouse/internal/registry"
	"packhouse/internal/store"
	"packhouse/internal/testkit"
)

// shelf is retention on a real database, with what it depends on, under one
// clock. It is ann's.
type shelf struct {
	*lifecycle.Retention
	t        testing.TB
	db       *database.DB
	store    *store.Store
	registry *registry.Service
	packages *packages.Service
	now      time.Time
	ann, bob access.Principal
	app      lifecycle.Place
	count    int
}

const restoreWindow = 30 * 24 * time.Hour

// onShelves runs a test on a shelf of either database.
func onShelves(t *testing.T, run func(s *shelf)) {
	t.Helper()
	t.Parallel()
	testkit.Databases(t, func(t *testing.T, db *database.DB) { run(newShelf(t, db)) })
}

type lookups struct{ store *store.Store }

func (l lookups) Facts(ctx context.Context, who access.Principal, p access.Package) (access.Facts, error) {
	pkg, err := l.store.Package(ctx, who, p)
	return pkg.Facts, err
}

func newShelf(t testing.TB, db *database.DB) *shelf {
	t.Helper()
	s := &shelf{t: t, db: db, now: time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC), app: lifecycle.Place{Package: packageAt("ann/app")}}
	s.check(store.Migrate(t.Context(), db))
	s.store = store.New(db)
	now := func() time.Time { return s.now }
	accounts, err := account.New(account.Options{Store: s.store, Now: now, Random: rand.Reader})
	s.check(err)
	user := func(login string) access.Principal {
		a, err := accounts.CreateUser(t.Context(), audit.Operator, account.NewUser{Login: login})
		s.check(err)
		return access.Principal{AccountID: a.ID, Login: login, Scopes: access.AllScopes}
	}
	s.ann, s.bob = user("ann"), user("bob")
	s.registry, err = registry.New(registry.Deps{
		Lookups: s.store, Listings: s.store, Sources: s.store, Sessions: s.store, Commits: s.store, Blobs: mem.New(),
		Limits: registry.Limits{MaxBlob: 1 << 20, MaxSessions: 99, SessionIdle: time.Hour, SessionLife: time.Hour, Grace: time.Hour},
		Now:    now, NewID: func() string { return uuid.Must(uuid.NewRandom()).String() },
	})
	s.check(err)
	s.packages = packages.New(packages.Options{
		Facts: lookups{s.store}, Directory: s.store, Settings: s.store, Grants: s.store, Descriptions: s.store, Migrations: s.store,
		Contents: s.store, Lists: s.store, Deletions: s.store, Tagging: s.store, Immutable: s.store, Counts: s.store, Newest: s.store, Related: s.store, Readmes: s.store, Storage: s.store,
		RestoreWindow: restoreWindow, Now: now,
	})
	s.Retention = lifecycle.NewRetention(lifecycle.RetentionOptions{
		Policies: s.store, Stocks: s.store, Plans: s.store, Ends: s.store, Rights: s.packages, RestoreWindow: restoreWindow, Now: now,
	})
	return s
}

func (s *shelf) check(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

func (s *shelf) days(n int) { s.now = s.now.AddDate(0, 0, n) }

// blob pushes bytes and returns a descriptor of that type.
func (s *shelf) blob(p access.Package, mediaType, content string) string {
	s.t.Helper()
	d := oci.SHA256.FromBytes([]byte(content))
	body := registry.Body{Reader: bytes.NewReader([]byte(content)), Length: int64(len(content)), Start: -1, RangeLength: -1}
	s.check(s.registry.PushBlob(s.t.Context(), s.ann, p, d, body))
	return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, mediaType, d, len(content))
}

// thing is a manifest that was pushed.
type thing struct {
	digest  oci.Digest
	content string
}

func (m thing) descriptor() string {
	return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, oci.MediaTypeImageManifest, m.digest, len(m.content))
}

// push stores a manifest under the tags, or by its digest.
func (s *shelf) push(p access.Package, content string, tags ...string) (thing, error) {
	s.t.Helper()
	d := oci.SHA256.FromBytes([]byte(content))
	ref := oci.Reference{Digest: d}
	push := registry.Push{Reference: ref, Content: []byte(content)}
	for _, name := range tags {
		tag, err := oci.ParseTag(name)
		s.check(err)
		push.Tags = append(push.Tags, tag)
	}
	_, err := s.registry.PushManifest(s.t.Context(), s.ann, p, push)
	return thing{d, content}, err
}

func (s *shelf) pushed(p access.Package, content string, tags ...string) thing {
	s.t.Helper()
	m, err := s.push(p, content, tags...)
	s.check(err)
	return m
}

func (s *shelf) imageText(p access.Package, more string, layers ...string) string {
	s.t.Helper()
	s.count++
	config := s.blob(p, "application/vnd.oci.image.config.v1+json", fmt.Sprintf(`{"os":"linux","n":%d}`, s.count))
	for i, l := range layers {
		layers[i] = s.blob(p, "application/vnd.oci.image.layer.v1.tar", l)
	}
	return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":%s,"layers":[%s]%s}`, oci.MediaTypeImageManifest, config, strings.Join(layers, ","), more)
}

// image pushes an image that no other is like.
func (s *shelf) image(p access.Package, layers []string, tags ...string) thing {
	s.t.Helper()
	return s.pushed(p, s.imageText(p, "", slices.Clone(layers)...), tags...)
}

func (s *shelf) referrer(p access.Package, subject thing, tags ...string) thing {
	s.t.Helper()
	return s.pushed(p, s.imageText(p, `,"subject":`+subject.descriptor(), "about"), tags...)
}

func indexText(n int, children ...thing) string {
	list := make([]string, len(children))
	for i, c := range children {
		list[i] = c.descriptor()
	}
	return fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"annotations":{"n":"%d"},"manifests":[%s]}`, oci.MediaTypeImageIndex, n, strings.Join(list, ","))
}

func (s *shelf) index(p access.Package, children []thing, tags ...string) thing {
	s.t.Helper()
	s.count++
	return s.pushed(p, indexText(s.count, children...), tags...)
}

func (s *shelf) rules(text string) lifecycle.Rules {
	s.t.Helper()
	r, err := lifecycle.ParseRules([]byte(text))
	s.check(err)
	return r
}

// planned makes a plan of the rules for the package.
func (s *shelf) planned(rules string) lifecycle.Plan {
	s.t.Helper()
	r := s.rules(rules)
	p, err := s.MakePlan(s.t.Context(), s.ann, s.app, &r)
	s.check(err)
	return p
}

func (s *shelf) exec(query string, args ...any) {
	s.t.Helper()
	s.check(s.db.Write(s.t.Context(), func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, query, args...)
		return err
	}))
}

// dump is all that retention may change of what packages hold.
func (s *shelf) dump() string {
	s.t.Helper()
	var b strings.Builder
	for _, query := range []string{
		`SELECT package_id || ' ' || digest || ' ' || COALESCE(CAST(deleted_at AS TEXT), '-') || ' ' || COALESCE(CAST(deleted_by AS TEXT), '-') || ' ' || kind FROM versions ORDER BY id`,
		`SELECT package_id || ' ' || name || ' ' || digest || ' ' || since || ' ' || COALESCE(CAST(until AS TEXT), '-') FROM tags ORDER BY id`,
		`SELECT package_id || ' ' || digest FROM package_blobs ORDER BY package_id, digest`,
		`SELECT parent || ' ' || child || ' ' || kind FROM edges ORDER BY parent, child, kind`,
	} {
		rows, err := s.db.Read().Query(s.t.Context(), query)
		s.check(err)
		for rows.Next() {
			var line string
			s.check(rows.Scan(&line))
			b.WriteString(line + "\n")
		}
		s.check(rows.Err())
		s.check(rows.Close())
	}
	return b.String()
}

// present reports whether the package has the version.
func (s *shelf) present(p access.Package, m thing) bool {
	s.t.Helper()
	_, err := s.registry.StatManifest(s.t.Context(), s.ann, p, oci.Reference{Digest: m.digest})
	if !errs.Is(err, errs.NotFound) {
		s.check(err)
	}
	return err == nil
}

// pullable checks that the tag, or the digest, leads to something of which every
// part is there.
func (s *shelf) pullable(p access.Package, ref oci.Reference) {
	s.t.Helper()
	ctx := s.t.Context()
	v, err := s.registry.StatManifest(ctx, s.ann, p, ref)
	if err != nil {
		s.t.Fatalf("%s: %v", ref, err)
	}
	content, err := s.registry.ManifestContent(ctx, v)
	s.check(err)
	m, err := oci.ParseManifest(v.MediaType, content)
	s.check(err)
	for _, part := range m.Parts() {
		if part.Kind == oci.PartManifest {
			s.pullable(p, oci.Reference{Digest: part.Digest})
		} else if _, err := s.registry.FindBlob(ctx, s.ann, p, part.Digest); err != nil {
			s.t.Fatalf("%s: blob %s: %v", ref, part.Digest, err)
		}
	}
}

// pull counts a download of the version.
func (s *shelf) pull(p access.Package, m thing) {
	s.t.Helper()
	v, err := s.registry.StatManifest(s.t.Context(), s.ann, p, oci.Reference{Digest: m.digest})
	s.check(err)
	s.check(s.store.AddDownloads(s.t.Context(), []downloads.Count{
		{PackageID: v.PackageID, VersionID: v.ID, Day: s.now.Unix() / 86400, N: 1, Last: s.now},
	}))
}

func (s *shelf) refused(err error, k errs.Kind, text string) {
	s.t.Helper()
	if !errs.Is(err, k) || !strings.Contains(err.Error(), text) {
		s.t.Errorf("%v, want %s with %q", err, k, text)
	}
}
