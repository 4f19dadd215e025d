package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"packhouse/internal/access"
	"packhouse/internal/app"
	"packhouse/internal/config"
	"packhouse/internal/oci"
	"packhouse/internal/registry"
)

// publish pushes an image to each package, given as TYPE OWNER/NAME, as the
// user of that login.
func publish(t *testing.T, data, login string, packages ...string) {
	t.Helper()
	cfg, err := config.Load(config.Sources{Environ: []string{"PACKHOUSE_DATA=" + data}})
	check(t, err)
	a, err := app.Build(t.Context(), cfg, slog.New(slog.DiscardHandler))
	check(t, err)
	user, err := a.Accounts.Get(t.Context(), login)
	check(t, err)
	who := access.Principal{AccountID: user.ID, Login: user.Login, Scopes: access.AllScopes}
	for _, text := range packages {
		kind, full, _ := strings.Cut(text, " ")
		name, err := oci.ParseName(full)
		check(t, err)
		p := access.Package{Type: access.PackageType(kind), Name: name}
		content := []byte("{}")
		d := oci.SHA256.FromBytes(content)
		check(t, a.Registry.PushBlob(t.Context(), who, p, d,
			registry.Body{Reader: bytes.NewReader(content), Length: 2, Start: -1, RangeLength: -1}))
		ref, err := oci.ParseReference("1")
		check(t, err)
		manifest := fmt.Sprintf(`{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
			"config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":%q,"size":2},"layers":[]}`, d)
		_, err = a.Registry.PushManifest(t.Context(), who, p, registry.Push{Reference: ref, Content: []byte(manifest)})
		check(t, err)
	}
	check(t, a.Close())
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestPackagesFromTheCommandLine(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	playOn(t, data, []step{
		{"", "user create ann", 0, "", ""},
		{"", "user create bob", 0, "", ""},
		{"", "org create acme --owner ann", 0, "", ""},
		{"", "org member add acme bob", 0, "", ""},
		{"", "team create acme/devs", 0, "", ""},
		{"", "repo create acme/src", 0, "", ""},
		{"", "repo create ann/src", 0, "", ""},
	})
	publish(t, data, "ann", "container acme/app", "docker acme/src/image")
	playOn(t, data, []step{
		{"", "package list acme", 0, `^PACKAGE +TYPE +VISIBILITY +VERSIONS +REPOSITORY +ROLES\nacme/app +container +private +1 +its own\nacme/src/image +docker +private +1 +acme/src +inherited\n$`, ""},
		{"", "package list nowhere", 1, "^$", "no account"},
		{"", "package show acme", 2, "^$", "OWNER/NAME"},
		{"", "package show acme/none", 1, "^$", "there is no package acme/none"},
		{"", "package show acme/app --type npm", 2, "^$", "container or docker"},
		{"", "package show acme/app --type docker", 1, "^$", "there is no package"},
		{"", "package visibility acme/app public", 2, "^$", "say --yes"},
		{"", "package visibility acme/app public --yes", 0, "^acme/app is public\n$", ""},
		{"", "package visibility acme/app internal", 0, "^acme/app is internal\n$", ""},
		{"", "package visibility acme/app open", 2, "^$", "public, private or internal"},
		{"", "package visibility acme/src/image public --yes", 1, "^$", "follows its repository acme/src"},
		{"", "package grant acme/app --user bob", 2, "^$", "read, write or admin"},
		{"", "package grant acme/app --role read", 2, "^$", "say who"},
		{"", "package grant acme/app --user bob --team devs --role read", 2, "^$", "one of them"},
		{"", "package grant acme/app --user bob --role write", 0, "^gave bob write on acme/app\n$", ""},
		{"", "package grant acme/app --team devs --role read", 0, "^gave devs read on acme/app\n$", ""},
		{"", "package grant acme/app --repository ann/src --role write", 0, "^gave ann/src write on acme/app\n$", ""},
		{"", "package grant acme/app --repository ann/src --codespaces", 0, "^gave ann/src its codespaces on acme/app\n$", ""},
		{"", "package show acme/app", 0, `\nteam acme/devs +read\nuser ann +admin\nuser bob +write\nrepository ann/src +write, codespaces pull\n`, ""},
		{"", "package grants acme/app", 0, `^KIND +NAME +MAY\nteam +acme/devs +read\nuser +ann +admin\nuser +bob +write\nrepository +ann/src +write, codespaces pull\n$`, ""},
		{"", "package link acme/app ann/src", 2, "^$", "of its own owner"},
		{"", "package link acme/app acme/src --inherit", 2, "^$", "user  bob        write"},
		{"", "package link acme/app acme/src", 0, "^linked acme/app to acme/src\n$", ""},
		{"", "package inherit acme/app maybe", 2, "^$", "on or off"},
		{"", "package inherit acme/app on", 2, "^$", "say --yes"},
		{"", "package inherit acme/app on --yes", 0, "^acme/app inherits its roles\n$", "team  acme/devs  read"},
		{"", "package grant acme/app --user bob --role read", 1, "^$", "packhouse admin repo grant acme/src"},
		{"", "package inherit acme/app off --yes", 0, "^acme/app has its own roles\n$", "members"},
		{"", "package unlink acme/app", 0, "^unlinked acme/app\n$", ""},
		{"", "package revoke acme/app --repository ann/src", 0, "^revoked what ann/src had on acme/app\n$", ""},
		{"", "package revoke acme/app --user bob", 1, "^$", "has no role"},
		{"", "package rename acme/app tool", 0, "^renamed acme/app to acme/tool\n$", ""},
		{"", "package transfer acme/app bob", 2, "^$", "say --yes"},
		{"", "package transfer acme/app bob --yes", 0, "^transferred acme/app to bob\n$", ""},
	})
	shown := showJSON(t, data, "acme/app")
	if shown.Name != "bob/tool" || shown.Type != "container" || shown.Visibility != "private" || len(shown.OtherNames) != 2 || len(shown.Grants) != 0 {
		t.Errorf("shown as %+v", shown)
	}
}

func showJSON(t *testing.T, data, name string) (shown app.PackageDescription) {
	t.Helper()
	code, out, errOut := packhouse(t, "", []string{"PACKHOUSE_DATA=" + data}, "admin", "package", "show", "--json", name)
	if code != 0 {
		t.Fatalf("code %d\n%s", code, errOut)
	}
	if err := json.Unmarshal([]byte(out), &shown); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return shown
}

func TestMigrationFromTheCommandLine(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	playOn(t, data, []step{
		{"", "user create ann", 0, "", ""},
		{"", "user create bob", 0, "", ""},
		{"", "repo create ann/src", 0, "", ""},
		{"", "repo create bob/src", 0, "", ""},
	})
	publish(t, data, "ann", "docker ann/src/one", "docker ann/src/two", "container ann/src/two")
	publish(t, data, "bob", "docker bob/src/three")
	playOn(t, data, []step{
		{"", "migrate-docker", 2, "^$", "say whose packages"},
		{"", "migrate-docker ann --all", 2, "^$", "say whose packages"},
		{"", "migrate-docker nowhere", 1, "^$", "no account"},
		{"", "migrate-docker ann --conflicts", 0, "^PACKAGE\nann/src/two\n$", ""},
		{"", "migrate-docker ann", 1, "^moved 1 of the 2 Docker packages of ann\n$", "ann/src/two"},
		{"", "migrate-docker --all", 1, "^moved 0 of the 1 Docker packages of ann\nmoved 1 of the 1 Docker packages of bob\n$", "delete that package, and run this again"},
		{"", "migrate-docker bob", 0, "^moved 0 of the 0 Docker packages of bob\n$", ""},
	})
	if shown := showJSON(t, data, "ann/src/one"); shown.Type != "container" || !shown.Inherits || shown.Repository != "ann/src" {
		t.Errorf("shown as %+v", shown)
	}
}

func TestProgressOfAMigration(t *testing.T) {
	t.Parallel()
	var line, records, out bytes.Buffer
	terminal := migrationProgress{out: &out, err: &line, line: true}
	elsewhere := migrationProgress{out: &out, err: &records}
	for i := range int64(recordEvery) {
		m := app.DockerMigration{Owner: "ann", Total: recordEvery, Moved: i + 1}
		terminal.show(m)
		elsewhere.show(m)
	}
	if got := records.String(); got != `{"msg":"migrating","owner":"ann","moved":100,"total":100,"conflicts":0}`+"\n" {
		t.Errorf("records: %s", got)
	}
	if got := line.String(); strings.Count(got, "\r") != recordEvery || strings.Contains(got, "\n") {
		t.Errorf("on a terminal: %q", got)
	}
	terminal.show(app.DockerMigration{Owner: "ann", Done: true})
	if got := line.String(); !strings.HasSuffix(got, "\r\x1b[K") {
		t.Errorf("at the end: %q", got)
	}
}

func TestExplainFromTheCommandLine(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	playOn(t, data, []step{
		{"", "user create ann", 0, "", ""},
		{"", "user create eve", 0, "", ""},
		{"", "user create root --site-admin", 0, "", ""},
		{"", "org create acme --owner ann", 0, "", ""},
		{"", "repo create acme/src", 0, "", ""},
		{"", "token create ann --scopes read:packages", 0, "", ""},
		{"", "workflow-token create acme/src", 0, "", ""},
	})
	publish(t, data, "ann", "container acme/app", "docker acme/src/image")
	playOn(t, data, []step{
		{"", "explain ann push acme/app", 0, `^decision +allowed\nrule +allowed\nbecause +ann may push acme/app\nwho +ann\n(.*\n)*role +admin, as an owner of acme\n`, ""},
		{"", "explain eve pull acme/app", 0, `^decision +refused\nrule +no_role\nbecause .*packhouse admin org member add acme eve\n(.*\n)*package +acme/app \(container, private\)\nrole +none\n`, ""},
		{"", "explain eve pull acme/none", 0, `rule +no_package\n(.*\n)*package +none\n`, ""},
		{"", "explain 1 push acme/app", 0, `rule +no_scope\nbecause .*write:packages`, ""},
		{"", "explain 1 pull acme/app", 0, `^decision +allowed\n(.*\n)*scopes +read:packages\n`, ""},
		{"", "explain 2 push acme/app", 0, `rule +not_linked\n(.*\n)*who +a job of acme/src\n`, ""},
		{"", "explain 2 push acme/src/image", 0, `^decision +allowed\n(.*\n)*role +admin, as the package is linked to the repository\n`, ""},
		{"", "explain root administer acme/app", 0, `role +admin, as an administrator of the site`, ""},
		{"", "explain ann steal acme/app", 2, "^$", "pull, push, delete or administer"},
		{"", "explain 77 pull acme/app", 1, "^$", "no such credential"},
		{"", "explain acme pull acme/app", 1, "^$", "no credentials"},
		{"", "explain nobody pull acme/app", 1, "^$", "nobody"},
		{"", "explain ann pull acme", 2, "^$", "OWNER/NAME"},
		{"", "repo grant acme/src --user eve --role triage", 0, "", ""},
		{"", "explain eve push acme/src/image", 0, `rule +no_role\n(.*\n)*role +read, from the role triage on acme/src\nrepository +acme/src \(private, roles come from it\)\n`, ""},
		{"", "user suspend eve", 0, "", ""},
		{"", "explain eve pull acme/app", 1, "^$", "is suspended"},
		{"", "site registry container read-only", 0, "", ""},
		{"", "explain ann push acme/app", 0, `rule +registry_read_only\n(.*\n)*registry +read-only\n`, ""},
	})
}
