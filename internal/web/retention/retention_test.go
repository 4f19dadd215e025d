package retention_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/v1/random"

	"packhouse/internal/web/webtest"
)

const base = "/users/alice/packages/container/app/settings/retention"

func site(t *testing.T) *webtest.Site {
	t.Helper()
	s := webtest.New(t, nil)
	s.User("alice")
	s.User("mallory")
	return s
}

func path(p *webtest.Page) string {
	at, _, _ := strings.Cut(p.Path, "?")
	return at
}

// filled returns what the form of rules sends after the fields were filled in,
// names and values by turns.
func filled(p *webtest.Page, fields ...string) (list []string) {
	for name, values := range sent(p) {
		if !slices.Contains(fields, name) {
			list = append(list, name, values)
		}
	}
	return append(list, fields...)
}

// sent returns what the form of rules sends as it stands.
func sent(p *webtest.Page) map[string]string {
	form, all := p.Find("form.retention-form"), map[string]string{}
	for _, field := range form.Find("input[name], select[name]").EachIter() {
		name, _ := field.Attr("name")
		kind, _ := field.Attr("type")
		value, _ := field.Attr("value")
		if _, checked := field.Attr("checked"); kind == "checkbox" && !checked {
			continue
		}
		if field.Is("select") {
			value, _ = field.Find("option[selected]").Attr("value")
		}
		all[name] = value
	}
	return all
}

// A preview shows what would go, what stays and why; it is applied behind the
// typed name, and undone.
func TestComplaint3APlanIsSeenAppliedAndUndone(t *testing.T) {
	t.Parallel()
	s := site(t)
	for _, tag := range []string{"pr-1", "pr-2", "v1"} {
		s.Push("alice", "alice/app:"+tag)
	}
	index, err := random.Index(512, 1, 2)
	if err != nil {
		t.Fatal(err)
	}
	s.PushIndex("alice", "alice/app:multi", index)
	b := s.SignedIn("alice")
	p := b.Post(base, "do", "preview", "delete.0", "1", "delete.0.tags", "pr-* none-*", "delete.1", "1", "delete.1.untagged", "1",
		"keep.0", "1", "keep.0.tags", "pr-2")
	p.Want(200, ".Label--accent").Without(".flash-error")
	plan := path(p)
	if got := p.Text("tbody tr"); p.Find("tbody tr").Length() != 1 || !strings.Contains(got, "pr-1") || !strings.Contains(got, "tagged pr-*, none-*") {
		t.Errorf("what would go: %s", got)
	}
	stays := p.Text("main > div:last-child .Box.list-style-none")
	for _, want := range []string{"2 Another version that stays needs them", "1 A keep rule chooses them: tagged pr-2"} {
		if !strings.Contains(stays, want) {
			t.Errorf("%q is not in %s", want, stays)
		}
	}
	tags := func() string { return b.Get("/users/alice/packages/container/app/versions").Text("main") }
	if !strings.Contains(tags(), "pr-1") {
		t.Fatal("the preview deleted something")
	}
	b.Post(plan+"/apply", "confirm", "alice/other").Want(400, ".flash-error").Want(400, ".danger-zone input[name=confirm]")
	b.Post(plan+"/apply", "confirm", "alice/app").Want(200, ".flash-success").Want(200, `form[action="`+plan+`/undo"]`)
	if strings.Contains(tags(), "pr-1") || !strings.Contains(tags(), "pr-2") {
		t.Errorf("after it was applied: %s", tags())
	}
	b.Post(plan+"/apply", "confirm", "alice/app").Want(409, ".flash-error")
	b.Post(plan+"/undo").Want(200, ".flash-success").Want(200, ".Label--success").Without(`form[action="` + plan + `/undo"]`).Without(".plan-frees")
	if !strings.Contains(tags(), "pr-1") {
		t.Errorf("after it was undone: %s", tags())
	}
	if past := b.Get(base).Want(200, "tbody tr").Text("tbody tr"); !strings.Contains(past, "alice") || !strings.Contains(past, "Undone") {
		t.Errorf("past plans: %s", past)
	}
	b.Get(base+"/plans").Want(200, "tbody tr")
}

// What was changed meanwhile is not deleted.
func TestAPlanThatNoLongerFits(t *testing.T) {
	t.Parallel()
	s := site(t)
	s.Push("alice", "alice/app:pr-1")
	s.Push("alice", "alice/app:v1")
	b := s.SignedIn("alice")
	plan := path(b.Post(base, "do", "preview", "delete.0", "1", "delete.0.tags", "pr-*"))
	s.Push("alice", "alice/app:pr-1")
	b.Post(plan+"/apply", "confirm", "alice/app").Want(409, ".flash-error").Want(409, ".Label--attention").Without(".danger-zone")
	b.Post(plan+"/undo").Want(409, ".flash-error")
}

// Rules are added and taken away by buttons, without script, and what was typed stays.
func TestRulesAreEdited(t *testing.T) {
	t.Parallel()
	s := site(t)
	s.Push("alice", "alice/app:1")
	b := s.SignedIn("alice")
	p := b.Get(base).Want(200, `input[name="delete.0.untagged"][checked]`) // a suggestion
	p = b.Post(base, filled(p, "do", "add-delete")...).Want(200, `input[name="delete.1"]`).Want(200, ".flash-warn")
	p = b.Post(base, filled(p, "delete.1.tags", "pr-*", "do", "add-keep")...).Want(200, `input[name="keep.1"]`)
	p.Want(200, `input[name="delete.1.tags"][value="pr-*"]`).Want(200, `input[name="delete.0.older"][value="30"]`)
	p = b.Post(base, filled(p, "do", "remove-delete.0")...).Want(200, `input[name="delete.0.tags"][value="pr-*"]`).Without(`input[name="delete.1"]`)
	p = b.Post(base, filled(p, "do", "remove-keep.1")...).Without(`input[name="keep.1"]`)
	p = b.Post(base+"/policy", filled(p,
		"delete.0.older", "2", "delete.0.older.unit", "w", "delete.0.not-pulled", "36", "delete.0.not-pulled.unit", "h", "delete.0.kind", "image",
		"keep.0.last", "10", "keep.0.semver", ">=1.2", "delete_last", "1", "automatic", "1")...)
	p.Want(200, ".flash-success").Want(200, `input[name=automatic][checked]`).Want(200, "input[name=delete_last][checked]")
	want := `{"delete":[{"tags":["pr-*"],"kinds":["image"],"older_than":"2w","not_pulled_for":"36h"}],"keep":[{"semver":"\u003e=1.2","pulled_within":"30d","last":10}],"delete_last":true}`
	if got := strings.Join(strings.Fields(p.Find("#retention-json").Text()), ""); got != want {
		t.Errorf("saved %s", got)
	}
	p.Want(200, `option[value=w][selected]`).Want(200, `details[open] input[name="delete.0.kind"][value=image][checked]`)
	// A condition of keep is none of delete, and a rule needs one.
	b.Post(base+"/policy", "delete.0", "1").Want(400, ".flash-error").Want(400, `input[name="delete.0"]`)
	b.Post(base+"/policy", "delete.0", "1", "delete.0.tags", "x", "keep.0", "1", "keep.0.last", "many", "keep.0.tags", "v*", "keep.1", "1", "keep.1.tags", "z").
		Want(400, ".flash-error").Want(400, `input[name="keep.0.last"][value=many]`).Want(400, `input[name="keep.0.tags"][value="v*"]`).
		Want(400, `input[name="keep.1.tags"][value=z]`).Want(400, `input[name="delete.0.tags"][value=x]`)
	b.Post(base, "do", "preview", "delete.0", "1", "delete.0.older", "x", "delete.0.older.unit", "d").Want(400, ".flash-error")
	b.Get(base).Want(200, `input[name="keep.0.last"][value="10"]`)
	b.Post(base+"/remove").Want(200, ".flash-success").Without(".danger-zone")
}

func TestRulesAsJSON(t *testing.T) {
	t.Parallel()
	s := site(t)
	s.Push("alice", "alice/app:pr-1")
	s.Push("alice", "alice/app:1")
	b := s.SignedIn("alice")
	const own = "/settings/retention"
	b.Post(own+"/json", "json", `{"delete":[{"tagz":["x"]}]}`).Want(400, ".flash-error")
	p := b.Post(own+"/json", "json", `{"delete":[{"tags":["pr-*"],"older_than":"1d12h"}]}`).Want(200, ".flash-success")
	p.Want(200, `input[name="delete.0.older"][value="36"]`).Without("input[name=automatic][checked]")
	b.Get(base).Want(200, `a[href="`+own+`"]`) // the owner's rules hold
	p = b.Post(own, "do", "preview", "json", `{"delete":[{"tags":["pr-*"]}]}`).Want(200, "tbody tr")
	if got := p.Text("tbody tr"); !strings.Contains(got, "alice/app") {
		t.Errorf("of an account: %s", got)
	}
	b.Post(base, "do", "inherited").Want(200, ".Label--accent")
	b.Post(path(p)+"/apply", "confirm", "alice").Want(200, ".flash-success")
}

// A long plan is read page by page.
func TestALongPlan(t *testing.T) {
	t.Parallel()
	s := site(t)
	image, err := random.Image(64, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 52 {
		if i%26 == 0 {
			if image, err = random.Image(64, 1); err != nil {
				t.Fatal(err)
			}
		}
		s.PushImage("alice", fmt.Sprintf("alice/app-%d:x", i), image)
	}
	b := s.SignedIn("alice")
	p := b.Post("/settings/retention", "do", "preview", "delete.0", "1", "delete.0.tags", "*", "delete_last", "1")
	if n := p.Want(200, "a[rel=next]").Find("tbody tr").Length(); n != 50 {
		t.Errorf("%d on the first page", n)
	}
	next, _ := p.Find("a[rel=next]").Attr("href")
	if n := b.Get(next).Want(200, "a[rel=first]").Find("tbody tr").Length(); n != 2 {
		t.Errorf("%d on the second page", n)
	}
}

// Who may not change something finds no rules of it, whether it exists or not.
func TestStrangersFindNoRetention(t *testing.T) {
	t.Parallel()
	s := site(t)
	s.Organization("acme", "alice")
	s.Push("alice", "alice/app:pr-1")
	s.Push("alice", "alice/app:1")
	b, others := s.SignedIn("alice"), s.SignedIn("mallory")
	for _, base := range []string{base, "/organizations/acme/settings/retention"} {
		plan := path(b.Post(base, "do", "preview", "delete.0", "1", "delete.0.tags", "pr-*").Want(200, ".Label--accent"))
		for _, at := range []string{base, base + "/plans", plan} {
			b.Get(at).Want(200, "h1")
			if p := others.Get(at); p.Status != 404 {
				t.Errorf("%s is there for others: %d", at, p.Status)
			}
		}
		for _, at := range []string{base, base + "/policy", base + "/json", base + "/remove", plan + "/apply", plan + "/undo"} {
			if p := others.Post(at, "do", "preview", "delete.0", "1", "delete.0.tags", "*", "confirm", "alice/app"); p.Status != 404 {
				t.Errorf("others may POST %s: %d", at, p.Status)
			}
		}
		// A plan of one place is none of another.
		mine := "/settings/retention/plans/" + plan[strings.LastIndexByte(plan, '/')+1:]
		for _, who := range []*webtest.Browser{b, others} {
			if p := who.Get(mine); p.Status != 404 {
				t.Errorf("%s: %d", mine, p.Status)
			}
		}
	}
}
