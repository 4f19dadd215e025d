package store_test

import (
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"packhouse/internal/store"
	"packhouse/internal/testkit"
)

// wholeTables are the statements that may read all rows of a table: what is done
// once, or seldom and by administrators, and tables that stay small.
var wholeTables = map[string]string{
	"account_changes.go accounts":            "the last site administrator",
	"accounts.go accounts":                   "at the start, up to the first",
	"account_delete.go token_authorizations": "with an organization",
	"migrate_docker.go o":                    "migrate-docker --all",
	"team_members.go teams":                  "those of groups",
	"settings.go settings":                   "a few rows",
	"certificates.go certificates":           "a few rows",
	"tokens.go signing_keys":                 "a few rows",
	"listings.go c":                          "a piece of the catalog",
	"kinds.go v":                             "those of which it is not known what they are, by an index of their own",
	"lookups.go h":                           "the newest holders of a blob",
	"damaged.go blobs":                       "those that are damaged, by an index of them alone",
	"package_lists.go c":                     "a list of packages",
	"jobs.go jobs":                           "the first that waits",
	"jobs.go schedules":                      "a few rows",
	"storage.go h":                           "a report for site administrators",
	"storage.go v":                           "a report for site administrators",
	"job_records.go jobs":                    "the waiting ones, counted for the metrics",
	"census.go packages":                     "a report for site administrators, by an index of those that are there",
}

// rowsOfTheStatement are the names of what a statement makes itself.
var rowsOfTheStatement = []string{"CONSTANT", "w", "up", "u", "below", "b", "head", "first"}

// Every other statement finds its rows by an index: nothing grows with what the
// instance holds.
func TestNoStatementReadsAWholeTable(t *testing.T) {
	t.Parallel()
	db := testkit.SQLite(t)
	if err := store.Migrate(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	verb := regexp.MustCompile(`^(SELECT|INSERT|UPDATE|DELETE|WITH)\b`)
	scan := regexp.MustCompile(`^SCAN (\w+)`)
	found := 0
	for where, text := range statements(t) {
		if !verb.MatchString(strings.TrimSpace(text)) || !strings.Contains(text, "WHERE") { // what begins several
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
			table := scan.FindStringSubmatch(detail)
			if table == nil || slices.Contains(rowsOfTheStatement, table[1]) {
				continue
			}
			file, _, _ := strings.Cut(path.Base(where), ":")
			if wholeTables[file+" "+table[1]] == "" {
				t.Errorf("%s: %s: %s", where, detail, strings.Join(strings.Fields(text), " "))
			}
		}
		if err := rows.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if found < 100 {
		t.Errorf("%d statements have a plan; the search is broken", found)
	}
}
