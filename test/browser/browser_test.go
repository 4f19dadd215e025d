package browser_test

import (
	"bufio"
	"encoding/json"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"packhouse/internal/testkit"
	"packhouse/internal/web"
	"packhouse/test/lab"
)

// screenshots is where pictures of the pages are kept.
const screenshots = "screenshots"

// A world is a server with people who speak one language.
type world struct {
	name, language string
	withoutScript  bool
	settings       func(*testing.T) []string
	// alone are the journeys of this world, in the place of those of all.
	alone []string
}

func worlds() []world {
	return []world{
		{name: "en", language: "en", settings: lab.SQLiteAndDisk},
		{name: "every-page", language: "en", settings: lab.SQLiteAndDisk, alone: []string{"every-page"}},
		{name: "without-script", language: "fr", withoutScript: true, settings: lab.SQLiteAndDisk},
		{name: "zh-CN", language: "zh-CN", settings: lab.SQLiteAndDisk},
		{name: "de", language: "de", settings: lab.PostgresAndS3},
		{name: "fr", language: "fr", settings: lab.SQLiteAndDisk},
	}
}

// journeys are gone on in every language; see js/journeys.
func (w world) journeys() []string {
	if w.alone != nil {
		return w.alone
	}
	return []string{"sign-in", "tokens", "versions", "sessions", "first-push", "second-factor", "publish", "team", "hooks", "retention", "keyboard"}
}

// TestJourneys takes a real browser through the pages. Chromium and its sandbox
// need more than tests have as root, so the sandbox is off: pages are our own.
func TestJourneys(t *testing.T) {
	t.Parallel()
	for _, w := range worlds() {
		t.Run(w.name, func(t *testing.T) {
			t.Parallel()
			w.run(t, w.journeys())
		})
	}
}

// outcome is what js/run.mjs tells of a journey.
type outcome struct {
	Name         string
	Milliseconds int64
	Faults       []string
	Notes        []string
}

// run starts a server of the world and takes its people on the journeys.
func (w world) run(t *testing.T, names []string) {
	issuer := testkit.Issuer(t)
	settings := append(w.settings(t), "PACKHOUSE_OIDC_ISSUER="+issuer.URL, "PACKHOUSE_OIDC_CLIENT_ID="+testkit.IssuerClientID,
		"PACKHOUSE_OIDC_CLIENT_SECRET="+testkit.IssuerClientSecret, "PACKHOUSE_OIDC_NAME=Example ID",
		"PACKHOUSE_API_RATE_LIMIT=0", "PACKHOUSE_HOOKS_ALLOW_PRIVATE=true", "PACKHOUSE_IDENTITY_ALLOW_PRIVATE_ISSUERS=true")
	for _, person := range []string{"monalisa", "octavia"} {
		issuer.SetUser(t, person, nil)
	}
	r := program.Start(t, "localhost", settings)

	node := exec.CommandContext(t.Context(), "node", append([]string{"js/run.mjs"}, names...)...)
	node.Env = append(os.Environ(), r.Environment()...)
	node.Env = append(node.Env, w.variables(t, issuer)...)
	node.Stderr = os.Stderr
	out, err := node.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	told := map[string]outcome{}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var o outcome
		if err := json.Unmarshal(lines.Bytes(), &o); err != nil {
			t.Logf("%s", lines.Bytes())
			continue
		}
		told[o.Name] = o
	}
	if err := node.Wait(); err != nil {
		t.Errorf("node js/run.mjs: %v (make tools installs what it needs)", err)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			o, ok := told[name]
			if !ok {
				t.Fatal("it was not gone on")
			}
			t.Logf("%s", time.Duration(o.Milliseconds)*time.Millisecond)
			for _, note := range o.Notes {
				t.Log(note)
			}
			for _, fault := range o.Faults {
				t.Error(fault)
			}
		})
	}
}

// variables tell js/world.mjs what this world is like.
func (w world) variables(t *testing.T, issuer *testkit.IssuerProcess) []string {
	script := "on"
	if w.withoutScript {
		script = "off"
	}
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("%v: make tools installs it", err)
	}
	pictures := absolute(t, filepath.Join(screenshots, w.name))
	if err := os.RemoveAll(pictures); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { t.Log("pictures: ", pictures) })
	return []string{
		"PATH=" + absolute(t, "../../.tools/bin") + ":" + os.Getenv("PATH"),
		"PACKHOUSE_TEST_ISSUER_URL=" + issuer.URL, "PACKHOUSE_TEST_LANGUAGE=" + w.language, "PACKHOUSE_TEST_SCRIPT=" + script,
		"PACKHOUSE_TEST_MODULES=" + absolute(t, "../../.tools/node-browser/node_modules"), "PACKHOUSE_TEST_ROOT=" + absolute(t, "../.."),
		"PACKHOUSE_TEST_IMAGES=" + images, "PACKHOUSE_TEST_SCREENSHOTS=" + pictures, "PACKHOUSE_TEST_HOMES=" + t.TempDir(),
		"PACKHOUSE_TEST_CHROMIUM=" + chromium, "PACKHOUSE_TEST_PAGES=" + pages(t),
	}
}

// pages returns the names of all pages that the program has, as JSON.
func pages(t *testing.T) string {
	t.Helper()
	f, err := web.Frame(web.Deps{URL: &url.URL{Scheme: "http", Host: "localhost"}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, room := range f.Rooms() {
		for name := range room.Pages() {
			all = append(all, room.ID(name))
		}
	}
	slices.Sort(all)
	text, err := json.Marshal(slices.Compact(all))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	full, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return full
}
