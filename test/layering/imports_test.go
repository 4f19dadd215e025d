package layering_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "packhouse/"

// A layer is a set of packages and what these may import from this module.
// Patterns are those of path.Match, relative to the module, in the order in
// which they are tried; imports inside one directory tree of a layer's own
// package are not free either.
type layer struct {
	packages string
	imports  string
}

// words that the patterns below are made of.
const (
	words = "internal/errs internal/oci"
	rules = words + " internal/access internal/audit"
	// subject packages: what the registry knows and does, without I/O of its own.
	subjects = "internal/account internal/token internal/packages internal/registry internal/downloads internal/lifecycle internal/hooks internal/jobs"
	// blob is the contract of the byte store, not a store.
	contracts = "internal/blob"
)

// layers is the rule of docs/architecture.md: cmd, then app, then transports,
// then subjects, then words. Adapters are imported by app alone.
var layers = []layer{
	{"cmd/*", "internal/app internal/config internal/errs"},
	{"internal/app", rules + " " + subjects + " " + contracts + " internal/backup internal/config internal/database internal/httpx internal/store internal/web internal/api/* internal/blob/fs internal/blob/s3"},
	{"internal/api/*", rules + " " + subjects + " internal/httpx"},
	// The pages: rooms stand on the frame and not on each other.
	{"internal/web", rules + " " + subjects + " internal/httpx internal/web/*"},
	{"internal/web/locale", words},
	{"internal/web/assets internal/web/readme", words + " internal/httpx"},
	{"internal/web/frame", rules + " " + subjects + " internal/httpx internal/web/assets internal/web/locale"},
	{"internal/web/webtest", "internal/app internal/config " + rules + " " + subjects + " internal/testkit"},
	{"internal/web/*", rules + " " + subjects + " internal/evidence internal/httpx internal/web/frame internal/web/locale internal/web/readme"},
	{"internal/evidence", ""},
	{"internal/httpx", words},
	{"internal/config", words},
	{subjects, rules + " " + contracts},
	{"internal/audit", words + " internal/access"},
	{"internal/access", words},
	{"internal/oci", "internal/errs"},
	{"internal/errs", ""},

	{"internal/store", rules + " " + subjects + " " + contracts + " internal/database"},
	{"internal/backup", words + " " + contracts},
	{"internal/database", "internal/errs"},
	{contracts, words},
	{"internal/blob/fs internal/blob/s3 internal/blob/mem", words + " " + contracts},

	// What follows is imported by tests alone.
	{"internal/blob/blobtest", words + " " + contracts},
	{"internal/store/storetest", rules + " " + subjects + " " + contracts + " internal/store internal/database internal/testkit"},
	{"internal/testkit", words + " internal/database"},
	{"test/lab", words + " internal/testkit"},
	{"test/*", words + " internal/testkit test/lab"},
}

// forTests are the packages that may import "testing" outside of _test.go files.
const forTests = "internal/testkit internal/web/webtest internal/blob/blobtest internal/store/storetest test/*"

// A pkg is what the go command knows about one package of this module.
type pkg struct {
	ImportPath string
	Dir        string
	Imports    []string
	GoFiles    []string
	// TestGoFiles and XTestGoFiles are the files of its tests.
	TestGoFiles, XTestGoFiles []string
}

func (p pkg) path() string { return strings.TrimPrefix(p.ImportPath, module) }

// allPackages lists the module; the go command reads go.mod and build tags as
// the build does.
func allPackages(t *testing.T) []pkg {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Dir,Imports,GoFiles,TestGoFiles,XTestGoFiles", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("go list: %v", err)
		}
		all = append(all, p)
	}
	if len(all) < 10 {
		t.Fatalf("go list found %d packages; this test would prove nothing", len(all))
	}
	return all
}

func TestImportsGoOneWay(t *testing.T) {
	t.Parallel()
	for _, p := range allPackages(t) {
		at := slices.IndexFunc(layers, func(l layer) bool { return within(l.packages, p.path()) })
		if at < 0 {
			t.Errorf("%s belongs to no layer: give it one in layers", p.path())
			continue
		}
		for _, imported := range p.Imports {
			for _, fault := range faults(p.path(), imported, layers[at]) {
				t.Error(fault)
			}
		}
	}
}

// faults says what is wrong with one import of non-test code.
func faults(from, imported string, l layer) []string {
	to, ours := strings.CutPrefix(imported, module)
	switch {
	case imported == "testing" && !within(forTests, from):
		return []string{from + " imports testing outside of a test"}
	case ours && !within(l.imports, to):
		return []string{from + " imports " + to + ", which its layer may not: it may import " + l.imports}
	}
	return nil
}

func within(patterns, name string) bool {
	return slices.ContainsFunc(strings.Fields(patterns), func(pattern string) bool {
		ok, err := path.Match(pattern, name)
		return err == nil && ok
	})
}

// The rule itself: these are the crossings that it is there to stop.
func TestForbiddenImportsAreSeen(t *testing.T) {
	t.Parallel()
	for from, to := range map[string]string{
		"internal/api/v2":   "internal/api/token",
		"internal/api/rest": "internal/store",
		"internal/web":      "internal/blob/fs",
		"internal/registry": "internal/database",
		"internal/token":    "internal/account",
		"internal/oci":      "internal/access",
		"internal/store":    "internal/blob/s3",
		"internal/errs":     "internal/oci",
		"internal/app":      "internal/testkit",
		"cmd/packhouse":     "internal/store",
		"internal/httpx":    "internal/registry",
		"internal/access":   "internal/account",
		"internal/config":   "internal/app",
		"internal/packages": "testing",
	} {
		at := slices.IndexFunc(layers, func(l layer) bool { return within(l.packages, from) })
		if to != "testing" {
			to = module + to
		}
		if at < 0 || len(faults(from, to, layers[at])) == 0 {
			t.Errorf("%s importing %s passes", from, to)
		}
	}
}
