package packagepage_test

import (
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

func TestCompare(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	one := s.PushImage("alice", "alice/app:v1", image(s, "linux/amd64", v1.Config{
		Env: []string{"A=1", "OLD=x", "SAME=y"}, Cmd: []string{"serve"}, User: "app", Labels: map[string]string{"l": "1"},
	}, "base", "one"))
	s.PushImage("alice", "alice/app:v2", image(s, "linux/amd64", v1.Config{
		Env: []string{"A=2", "NEW=x", "SAME=y"}, Cmd: []string{"serve", "more"}, User: "app", Labels: map[string]string{"l": "1", "m": "2"},
	}, "base", "two", "three and more of it"))
	s.PushIndex("alice", "alice/app:i1", multi(s))
	s.public("alice/app")

	b := s.Browser()
	b.Get(below("alice/app", "compare")).Want(200, "form.compare-choose input[name=from]").Without("table")
	p := b.Get(below("alice/app", "compare?from="+s.id("alice/app", one)+"&to=v2")).Want(200, "table")
	var lines []string
	p.Find(".changes-table tbody tr").Each(func(_ int, row *selection) {
		lines = append(lines, strings.Join(strings.Fields(strings.Join(row.Children().Map(func(_ int, cell *selection) string { return cell.Text() }), " ")), " "))
	})
	all := strings.Join(lines, "\n")
	for _, want := range []string{
		"± changed Command serve serve more", "= same User app app", "± changed A 1 2", "+ added NEW x", "− removed OLD x", "= same SAME y y", "= same l 1 1", "+ added m 2",
	} {
		if !strings.Contains("\n"+all+"\n", "\n"+want+"\n") {
			t.Errorf("no line %q in\n%s", want, all)
		}
	}
	signs := map[string]int{}
	p.Find("section:last-of-type .changes-table tbody .Label").Each(func(_ int, l *selection) { signs[strings.TrimSpace(l.Text())]++ })
	if signs["= same"] != 1 || signs["− removed"] != 1 || signs["+ added"] != 2 {
		t.Errorf("layers: %v", signs)
	}
	has(t, p, "table", "+ ")

	has(t, b.Get(below("alice/app", "compare?from=v1&to="+one)), "main", "Both are the same version.")
	has(t, b.Get(below("alice/app", "compare?from=i1&to=i1")), "main", "linux/arm64/v8")
	p = b.Get(below("alice/app", "compare?from=v1&to=%22%3E%3Cscript%3Ealert(1)")).Want(404, "form.compare-choose")
	if strings.Contains(p.Body, "<script>alert") {
		t.Error("what was asked for comes out as markup")
	}
	b.Get(below("alice/app", "compare?from=999&to=v1")).Want(404, ".flash-error")
}
