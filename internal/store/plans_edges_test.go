package store_test

import (
	"strings"
	"testing"

	"packhouse/internal/store"
	"packhouse/internal/testkit"
)

// What holds a version is found by the edges that lead to it, never by going
// through all versions of its package.
func TestWhatHoldsAVersionIsFoundByItsEdges(t *testing.T) {
	t.Parallel()
	db := testkit.SQLite(t)
	if err := store.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	found := 0
	for where, text := range statements(t) {
		if strings.Count(text, "(") > strings.Count(text, ")") { // it ends with a list of digests
			text += "?)"
		}
		if strings.Contains(where, "retention_stock.go") { // it does go through all of them
			continue
		}
		if !strings.Contains(text, "edges e") || !strings.Contains(text, "package_id") {
			continue
		}
		rows, err := db.Read().Query(t.Context(), "EXPLAIN QUERY PLAN "+text, make([]any, strings.Count(text, "?"))...)
		if err != nil {
			continue // a part of a statement
		}
		found++
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(detail, "versions_present (package_id=?)") {
				t.Errorf("%s: %s: %s", where, detail, strings.Join(strings.Fields(text), " "))
			}
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if found < 8 {
		t.Errorf("%d statements have a plan; the search is broken", found)
	}
}
