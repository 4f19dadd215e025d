package layering_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Each row of the complaints in docs/divergences.md names tests, and those exist:
// functions such as TestSizes in a directory, or the names that the tables of
// test/seeds and test/rest have.
func TestComplaintsNameTheirTests(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "divergences.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(text), "| complaint | answer | test |\n|---|---|---|\n")
	if !found {
		t.Fatal("there is no table of complaints")
	}
	rows := 0
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(line, "| \n"), " | ")
		if len(cells) != 3 {
			break
		}
		rows++
		for place := range strings.SplitSeq(cells[2], "; ") {
			for _, missing := range missingTests(t, place) {
				t.Errorf("%s: there is no %s", cells[0], missing)
			}
		}
	}
	if rows < 20 {
		t.Errorf("%d rows; the search is broken", rows)
	}
}

// missingTests returns those of "`directory` name, name" that are not there.
func missingTests(t *testing.T, place string) (missing []string) {
	t.Helper()
	m := regexp.MustCompile("^`([a-z0-9/]+)` (.+)$").FindStringSubmatch(place)
	if m == nil {
		return []string{"test in " + place}
	}
	files, err := filepath.Glob(filepath.Join("..", "..", m[1], "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	code := ""
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		code += string(text)
	}
	for name := range strings.SplitSeq(m[2], ", ") {
		parts := []string{"func " + name + "("}
		if !strings.HasPrefix(name, "Test") {
			parts = nil
			for part := range strings.SplitSeq(name, "/") { // a group and what is in it
				parts = append(parts, `"`+part+`"`)
			}
		}
		if slices.ContainsFunc(parts, func(part string) bool { return !strings.Contains(code, part) }) {
			missing = append(missing, name+" in "+m[1])
		}
	}
	return missing
}
