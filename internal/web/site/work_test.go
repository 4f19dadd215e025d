package site_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/config"
	"packhouse/internal/jobs"
	"packhouse/internal/lifecycle"
	"packhouse/internal/oci"
	"packhouse/internal/web/webtest"
)

func TestStorageOfTheSite(t *testing.T) {
	t.Parallel()
	s := world(t)
	s.Push("alice", "alice/app:1")
	s.SignedIn("root").Get("/site/storage").Want(200, `td a[href="/site/accounts/alice"]`).Want(200, `th:contains("Blobs in use")`)
}

func TestGarbageCollection(t *testing.T) {
	t.Parallel()
	s := world(t)
	digest := s.Push("alice", "alice/app:1")
	b := s.SignedIn("root")
	b.Get("/site/collection").Want(200, `p:contains("none yet")`).Without("form[action$=resume]")
	b.Post("/site/collection/resume").Want(404, ".flash-error")
	b.Post("/site/collection/run").Want(200, ".flash-success").Want(200, `#rounds .Label`)
	_, err := s.App.Collector.Run(t.Context())
	must(t, err)
	b.Get("/site/collection").Want(200, "time").Without(`p:contains("none yet")`)
	b.Get("/site/collection/explain?digest="+digest).Want(200, `.flash:contains("alice/app")`)
	b.Get("/site/collection/explain?digest=sha256:"+strings.Repeat("0", 64)).Want(404, ".flash-error")
	b.Get("/site/collection/explain?digest=nonsense").Want(400, ".flash-error").Want(400, "input[value=nonsense]")
	b.Post("/site/collection/undelete", "digest", digest).Want(404, ".flash-error")
}

// What the brakes stopped is said, and goes on by a form.
func TestABrake(t *testing.T) {
	t.Parallel()
	s := world(t)
	b := s.SignedIn("root")
	stop, err := json.Marshal(lifecycle.Stop{Reason: lifecycle.TooMuch, Text: "so much", At: time.Now()})
	must(t, err)
	notes := lifecycle.QuarantineUntil(time.Now().Add(time.Hour))
	notes[lifecycle.StopNote] = string(stop)
	must(t, s.App.Store.Note(t.Context(), notes))
	b.Get("/site/collection").Want(200, `.flash-error:contains("too much")`).Want(200, `.flash-warn:contains("removed for good")`)
	b.Post("/site/collection/resume").Want(200, ".flash-success").Without("form[action$=resume]")
	b.Get("/site/audit-log?action=gc.resume").Want(200, `tbody td:contains("root")`)
}

// Bytes come back from the trash, and every step is explained.
func TestTakingBackFromTheTrash(t *testing.T) {
	t.Parallel()
	s := world(t)
	digest := s.Push("alice", "alice/app:1")
	must(t, s.App.Packages.DeletePackage(t.Context(), access.Principal{Operator: true}, alicesApp(t)))
	b := s.SignedIn("root")
	b.Get("/site/collection/explain?digest="+digest).Want(200, `.flash:contains("can be restored")`)
}

func TestJobsOfTheSite(t *testing.T) {
	t.Parallel()
	s := world(t)
	now := time.Now()
	var last int64
	for i := range 60 {
		id, err := s.App.Store.InsertJob(t.Context(), jobs.Insert{Kind: "odd", Args: map[string]any{"n": fmt.Sprint("<i>canary", i)}, RunAt: now.Add(time.Hour)}, now)
		must(t, err)
		last = id
	}
	b := s.SignedIn("root")
	p := b.Get("/site/jobs?kind=odd&state=available").Want(200, "a[rel=next]")
	next, _ := p.Find("a[rel=next]").Attr("href")
	rest := b.Get(next).Want(200, "a[rel=first]").Without("a[rel=next]")
	if first, more := p.Find("tbody tr").Length(), rest.Find("tbody tr").Length(); first != 50 || more != 10 {
		t.Errorf("pages of %d and %d", first, more)
	}
	b.Get("/site/jobs?state=odd").Want(400, "h1")
	at := fmt.Sprint("/site/jobs/", last)
	if p := b.Get(at).Want(200, `pre:contains("canary59")`); strings.Contains(p.Body, "<i>canary") {
		t.Error("what a job was told came out as it went in")
	}
	b.Post(at+"/cancel").Want(200, ".flash-success").Want(200, `.Label:contains("Cancelled")`).Without("form[action$=cancel]")
	b.Post(at+"/cancel").Want(409, ".flash-error")
	b.Post(at+"/retry").Want(200, `.Label:contains("Waiting")`)
	b.Get("/site/jobs/999999").Want(404, "h1")
	b.Get("/site/audit-log?action=job.cancel").Want(200, `tbody td:contains("root")`)
}

func TestMigrationOutOfTheDockerRegistry(t *testing.T) {
	t.Parallel()
	s := dockerSite(t)
	b := s.SignedIn("root")
	b.Get("/site/registries").Want(200, `#migration a[href="/alice"]`)
	b.Post("/site/registries/migrate", "owner", "nobody").Want(404, ".flash-error")
	b.Post("/site/registries/migrate", "all", "1").Want(200, ".flash-success").Want(200, `#migrations.js-live td:contains("Waiting")`)
	list, err := s.App.Jobs.List(t.Context(), access.Principal{Operator: true}, jobs.Filter{Kind: "docker.migrate"}, 10)
	must(t, err)
	must(t, s.App.Packages.WorkMigration(t.Context(), list[0].Args, func(context.Context, any) error { return nil }))
	b.Get("/site/registries").Want(200, `#migration p:contains("nothing in the Docker")`)
	b.Get("/site/audit-log?action=migration.start").Want(200, `tbody td:contains("root")`)
}

// alicesApp is the address of the package that alice pushed.
func alicesApp(t *testing.T) access.Package {
	t.Helper()
	name, err := oci.ParseName("alice/app")
	must(t, err)
	return access.Package{Type: access.Container, Name: name}
}

// dockerSite is a world in which alice pushed to the Docker registry.
func dockerSite(t *testing.T) *webtest.Site {
	t.Helper()
	s := webtest.New(t, func(c *config.Config) { c.BareHost = config.BareDocker })
	s.User("alice")
	s.Administrator("root")
	_, err := s.App.Accounts.CreateRepository(t.Context(), audit.Operator, "alice/repo", access.Private)
	must(t, err)
	s.Push("alice", "alice/repo/app:1")
	return s
}
