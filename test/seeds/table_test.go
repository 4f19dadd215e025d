package seeds_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestTableMatchesScenarios compares docs/seeds.md with the scenarios: each row
// names some that there are, and each of them is named.
func TestTableMatchesScenarios(t *testing.T) {
	t.Parallel()
	unnamed := map[string]bool{}
	for _, g := range groups() {
		for _, sc := range g.scenarios {
			unnamed[g.name+"/"+sc.name] = true
		}
	}
	known := func(name string) bool {
		_, ok := unnamed[name]
		return ok
	}
	rows := 0
	for line := range strings.Lines(read(t, "../../docs/seeds.md")) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != 5 || strings.Trim(strings.TrimSpace(cells[1]), "0123456789") != "" || strings.TrimSpace(cells[1]) == "" {
			continue
		}
		rows++
		for name := range strings.SplitSeq(cells[3], ",") {
			name = strings.TrimSpace(name)
			switch pkg, test, elsewhere := strings.Cut(name, " "); {
			case elsewhere && !hasTest(t, pkg, test):
				t.Errorf("row %s names %s, and %s has no such test", cells[1], test, pkg)
			case !elsewhere && !known(name):
				t.Errorf("row %s names the scenario %q, which there is not", cells[1], name)
			}
			if known(name) {
				unnamed[name] = false
			}
		}
	}
	if rows < 80 {
		t.Errorf("found only %d rows; the search is broken", rows)
	}
	for name, left := range unnamed {
		if left {
			t.Errorf("docs/seeds.md does not name %s", name)
		}
	}
}

// hasTest reports whether a package has a test of that name.
func hasTest(t *testing.T, pkg, test string) bool {
	t.Helper()
	files, err := filepath.Glob("../../" + pkg + "/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(files, func(file string) bool {
		return strings.Contains(read(t, file), "\nfunc "+test+"(t *testing.T)")
	})
}
