package hooks_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/audit"
	"packhouse/internal/blob/mem"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/hooks"
	"packhouse/internal/jobs"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
	"packhouse/internal/registry"
	"packhouse/internal/store"
	"packhouse/internal/testkit"
)

func TestMain(m *testing.M) { testkit.RunMain(m) }

// fixture is hooks on one real database, with a registry that makes events and
// a receiver that listens: the users ann, bob and eve; the organization acme,
// which ann owns, with bob as a member; the repositories ann/src and acme/src.
type fixture struct {
	*hooks.Service
	t                       testing.TB
	db                      *database.DB
	store                   *store.Store
	registry                *registry.Service
	packages                *packages.Service
	accounts                *account.Service
	expander                *hooks.Expander
	deliverer               *hooks.Deliverer
	now                     time.Time
	ann, bob, eve, operator access.Principal
	receiver                *receiver
}

type directory struct{ *store.Store }

func (d directory) Facts(ctx context.Context, who access.Principal, p access.Package) (access.Facts, error) {
	pkg, err := d.Package(ctx, who, p)
	return pkg.Facts, err
}

// contents reads blobs as the composition root does.
type contents struct{ f *fixture }

func (c contents) SmallBlob(ctx context.Context, d oci.Digest, _ int64) ([]byte, error) {
	b, err := c.f.store.AnyBlob(ctx, d)
	if err != nil || b == nil {
		return nil, err
	}
	o, err := c.f.registry.OpenBlob(ctx, *b)
	if err != nil {
		return nil, err
	}
	defer o.Close()
	return io.ReadAll(o)
}

// sender sends without a guard; the guard has tests of its own.
type sender struct{ client *http.Client }

func (s sender) Send(r *http.Request, _ bool) (*http.Response, error) { return s.client.Do(r) }

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
	newID := func() string { return uuid.Must(uuid.NewRandom()).String() }
	var err error
	f.accounts, err = account.New(account.Options{Store: f.store, Now: now, Random: rand.Reader})
	f.check(err)
	f.registry, err = registry.New(registry.Deps{
		Lookups: f.store, Listings: f.store, Sources: f.store, Sessions: f.store, Commits: f.store, Blobs: mem.New(),
		Limits: registry.Limits{
			MaxBlob: 1 << 20, MaxDockerBlob: 1 << 20, MaxSessions: 9, SessionIdle: time.Hour, SessionLife: time.Hour, Grace: time.Hour,
		},
		SourceName: func(source string) (oci.Name, bool) {
			return oci.ParseSource(source, []string{"packages.test.example"})
		},
		Now: now, NewID: newID,
	})
	f.check(err)
	d := directory{f.store}
	f.packages = packages.New(packages.Options{
		Facts: d, Directory: f.store, Settings: f.store, Grants: f.store, Descriptions: f.store, Migrations: f.store,
		Contents: f.store, Lists: f.store, Deletions: f.store, Tagging: f.store, RestoreWindow: time.Hour, Now: now,
	})
	f.Service = &hooks.Service{Directory: d, Store: f.store, Log: f.store, Now: now}
	f.receiver = newReceiver(t)
	client := f.receiver.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	f.deliverer = &hooks.Deliverer{Queue: f.store, Directory: d, Sender: sender{client}, Now: now, Agent: "GitHub-Hookshot/test"}
	f.expander = &hooks.Expander{
		Outbox: f.store, Directory: d, Contents: contents{f}, Now: now, NewID: newID, Links: hooks.Links{
			Site: "https://packages.test.example", API: "https://packages.test.example/api/v3",
			Containers: "https://packages.test.example", Docker: "https://docker.packages.test.example",
		},
	}
	f.people()
	return f
}

func (f *fixture) people() {
	ctx := f.t.Context()
	f.ann, f.bob, f.eve = f.user("ann"), f.user("bob"), f.user("eve")
	_, err := f.accounts.CreateOrganization(ctx, audit.Operator, "acme", "ann")
	f.check(err)
	f.check(f.accounts.SetMember(ctx, audit.Operator, "acme", "bob", access.Member))
	for _, name := range []string{"ann/src", "acme/src"} {
		_, err := f.accounts.CreateRepository(ctx, audit.Operator, name, access.Private)
		f.check(err)
	}
}

func (f *fixture) user(login string) access.Principal {
	a, err := f.accounts.CreateUser(f.t.Context(), audit.Operator, account.NewUser{Login: login})
	f.check(err)
	return access.Principal{AccountID: a.ID, Login: login, Scopes: access.EveryScope}
}

func (f *fixture) check(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) refused(err error, k errs.Kind, what string) {
	f.t.Helper()
	if !errs.Is(err, k) {
		f.t.Errorf("%s: %v, want %s", what, err, k)
	}
}

func parsed(name string) oci.Name {
	n, _ := oci.ParseName(name) // the zero name leads nowhere
	return n
}

func at(name string) access.Package {
	return access.Package{Type: access.Container, Name: parsed(name)}
}

// of is the address of a target: OWNER, OWNER/NAME as a repository, and as a
// package of the Container registry with pkg.
func of(k hooks.Kind, name string) hooks.Address {
	a := hooks.Address{Kind: k, Name: parsed(name)}
	if k == hooks.OfPackage {
		a.Type = access.Container
	}
	return a
}

func ptr[T any](v T) *T { return &v }

// hook makes one that sends JSON to the receiver, signed with "a secret key".
func (f *fixture) hook(who access.Principal, a hooks.Address, events ...string) hooks.Hook {
	f.t.Helper()
	h, err := f.Create(f.t.Context(), who, a, hooks.Change{
		URL: ptr(f.receiver.URL + "/hook"), ContentType: ptr("json"), Secret: ptr(secret), Events: events,
	})
	f.check(err)
	f.work()
	f.receiver.take() // the ping
	return h
}

const secret = "a secret key"

// push pushes an image to the tag or, with "", by its digest, and returns that.
func (f *fixture) push(who access.Principal, p access.Package, tag, content string, labels ...string) oci.Digest {
	f.t.Helper()
	ctx := f.t.Context()
	all := map[string]string{}
	for i := 0; i+1 < len(labels); i += 2 {
		all[labels[i]] = labels[i+1]
	}
	config, err := json.Marshal(map[string]any{"os": "linux", "config": map[string]any{"Labels": all}, "history": []string{content}})
	f.check(err)
	d := oci.SHA256.FromBytes(config)
	f.check(f.registry.PushBlob(ctx, who, p, d, registry.Body{Reader: bytes.NewReader(config), Length: int64(len(config)), Start: -1, RangeLength: -1}))
	manifest := fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":%q,"size":%d},"layers":[]}`,
		oci.MediaTypeImageManifest, d, len(config))
	push := registry.Push{Content: manifest, Reference: oci.Reference{Digest: oci.SHA256.FromBytes(manifest)}}
	for _, one := range strings.Fields(tag) {
		name, err := oci.ParseTag(one)
		f.check(err)
		push.Tags = append(push.Tags, name)
	}
	pushed, err := f.registry.PushManifest(ctx, who, p, push)
	f.check(err)
	return pushed.Digest
}

// work does all jobs of hooks that are due, as one node would, and returns how many.
func (f *fixture) work() (done int) {
	f.t.Helper()
	for _, kind := range []string{hooks.JobEvent, hooks.JobDeliver} {
		for {
			list, err := f.store.StartJobs(f.t.Context(), jobs.Line{Kind: kind}, 100, "node", f.now, f.now.Add(time.Minute))
			f.check(err)
			if len(list) == 0 {
				break
			}
			for _, j := range list {
				f.end(j, f.do(j))
				done++
			}
		}
	}
	return done
}

// do works one job and returns how long until it is to be called again.
func (f *fixture) do(j jobs.Job) (again time.Duration) {
	f.t.Helper()
	if j.Kind == hooks.JobEvent {
		var e hooks.Event
		f.check(json.Unmarshal(j.Args, &e))
		f.check(f.expander.Expand(f.t.Context(), j.ID, e))
		return 0
	}
	var args hooks.DeliverArgs
	f.check(json.Unmarshal(j.Args, &args))
	again, err := f.deliverer.Deliver(f.t.Context(), args.Delivery)
	f.check(err)
	return again
}

func (f *fixture) end(j jobs.Job, again time.Duration) {
	f.t.Helper()
	e := jobs.End{State: jobs.Completed, At: f.now}
	if again > 0 {
		e = jobs.End{State: jobs.Available, At: f.now, RunAt: f.now.Add(again), Uncounted: true}
	}
	_, err := f.store.EndJob(f.t.Context(), jobs.Held{ID: j.ID, Attempt: j.Attempt, Node: "node"}, e)
	f.check(err)
}

// jobs counts the jobs of a kind that wait.
func (f *fixture) jobs(kind string) int64 {
	f.t.Helper()
	waiting, err := f.store.WaitingJobs(f.t.Context())
	f.check(err)
	return waiting[kind]
}

// receiver is a program that hooks tell.
type receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []message
	answer func(http.ResponseWriter, message)
}

// message is one request that came.
type message struct {
	header http.Header
	body   []byte
	path   string
}

func newReceiver(t testing.TB) *receiver {
	r := &receiver{}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		body, _ := io.ReadAll(req.Body)
		m := message{req.Header, body, req.URL.Path}
		r.mu.Lock()
		defer r.mu.Unlock()
		r.got = append(r.got, m)
		if r.answer != nil {
			r.answer(w, m)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

// take returns what came since it was called last.
func (r *receiver) take() []message {
	r.mu.Lock()
	defer r.mu.Unlock()
	got := r.got
	r.got = nil
	return got
}

// answers has the receiver answer with a status from now on.
func (r *receiver) answers(status int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = func(w http.ResponseWriter, _ message) {
		w.Header().Set("X-Receiver", "here")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "what the receiver says")
	}
}

// told is one line for each message: event, action, tag and version of the package.
func told(list []message) string {
	var lines []string
	for _, m := range list {
		var p struct {
			Action  string
			Package struct {
				Name    string
				Version *struct {
					Container struct {
						Tag struct{ Name string } `json:"tag"`
					} `json:"container_metadata"`
				} `json:"package_version"`
			}
			Changes json.RawMessage
		}
		_ = json.Unmarshal(m.body, &p)
		tag := "-"
		if p.Package.Version != nil {
			tag = p.Package.Version.Container.Tag.Name
		}
		lines = append(lines, strings.Join(strings.Fields(fmt.Sprint(m.header.Get("X-GitHub-Event"), " ", p.Action, " ", p.Package.Name, " ", tag)), " "))
	}
	return strings.Join(lines, "; ")
}

// exec changes rows directly.
func (f *fixture) exec(query string, args ...any) {
	f.t.Helper()
	f.check(f.db.Write(f.t.Context(), func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, query, args...)
		return err
	}))
}

// number returns the one number that a query gives.
func (f *fixture) number(query string, args ...any) (n int64) {
	f.t.Helper()
	f.check(f.db.Read().QueryRow(f.t.Context(), query, args...).Scan(&n))
	return n
}

// recorded checks the newest entry of the record.
func (f *fixture) recorded(action string, by audit.Actor, target string) {
	f.t.Helper()
	list, err := f.store.AuditEntries(f.t.Context(), audit.Query{Limit: 1})
	f.check(err)
	if e := list[0]; e.Action != action || e.Actor != by || e.Target != target {
		f.t.Errorf("the newest entry is %+v", e)
	}
	for _, e := range list {
		if text := fmt.Sprint(e.Detail); strings.Contains(text, secret) || strings.Contains(text, "/hook") {
			f.t.Errorf("the record tells %s", text)
		}
	}
}

// expandOnly makes deliveries of the events that wait, and sends none.
func (f *fixture) expandOnly() {
	f.t.Helper()
	list, err := f.store.StartJobs(f.t.Context(), jobs.Line{Kind: hooks.JobEvent}, 100, "node", f.now, f.now.Add(time.Minute))
	f.check(err)
	for _, j := range list {
		f.end(j, f.do(j))
	}
}

func adminGrant(login string) packages.Grant {
	return packages.Grant{Grantee: packages.Grantee{Kind: packages.User, Name: login}, Role: access.RoleAdmin}
}
