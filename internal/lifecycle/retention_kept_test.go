package lifecycle_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"packhouse/internal/lifecycle"
	"packhouse/internal/oci"
)

// keptOf evaluates the rules and says what stays of what they choose, by the names
// of the stock.
func keptOf(t *testing.T, rules lifecycle.Rules, s lifecycle.Stock, max int, names []string) string {
	t.Helper()
	items, more, err := rules.Evaluate(s, today, max)
	if err != nil {
		t.Fatal(err)
	}
	list, err := rules.Spared(s, items, more, today)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, k := range list {
		var who []string
		for _, v := range k.Examples {
			name := names[v.VersionID-1]
			if v.For != "" {
				i := slices.IndexFunc(s.Versions, func(o lifecycle.StockVersion) bool { return o.Digest == v.For })
				name += ">" + names[i]
			}
			who = append(who, name)
		}
		got = append(got, fmt.Sprintf("%s %d: %d %s", k.Reason, k.Rule, k.Versions, strings.Join(who, " ")))
	}
	slices.Sort(got)
	return strings.Join(got, "\n")
}

func TestWhatIsKeptAndWhy(t *testing.T) {
	t.Parallel()
	const all = `
		index tag:v1 age:9
		amd of:index age:9
		sig sig:index age:9
		loose age:9
		free age:8 downloads:7
		pr1 tag:pr-1 age:9
		pr2 tag:pr-2 age:3
		frozen tag:stable age:9
		last tag:latest age:1`
	s := stockOf(t, all)
	s.Guard = 5
	stable, err := oci.ParseTagPattern("stable")
	if err != nil {
		t.Fatal(err)
	}
	s.Immutable = []oci.TagPattern{stable}
	rules, err := lifecycle.ParseRules([]byte(`{"delete":[{"untagged":true},{"tags":["*"]}],"keep":[{"tags":["none"]},{"tags":["pr-*"],"last":1},{"tags":["v*"]}]}`))
	if err != nil {
		t.Fatal(err)
	}
	const want = "downloads 0: 1 free\nimmutable 0: 1 frozen\nneeded 0: 2 sig>index amd>index\nrule 1: 1 pr2\nrule 2: 1 index"
	if got := keptOf(t, rules, s, 100, namesOf(all)); got != want {
		t.Errorf("kept\n%s\nwant\n%s", got, want)
	}
	rules.Keep, s.Immutable = nil, nil
	if got := keptOf(t, rules, s, 100, namesOf(all)); got != "downloads 0: 1 free\nlast 0: 1 last" {
		t.Errorf("without rules of keep: %s", got)
	}
	s.Guard = -1
	alone := stockOf(t, "a tag:v1 age:2\nb tag:v2 age:1\nc age:5")
	if got := keptOf(t, rules, alone, 100, namesOf(all)); got != "last 0: 1 amd" {
		t.Errorf("the last: %s", got)
	}
	const inside = "index tag:multi age:9\namd of:index tag:v1 age:9\nnew tag:v2 age:1"
	if got := keptOf(t, rules, stockOf(t, inside), 100, namesOf(inside)); got != "last 0: 1 new\ntagged 0: 1 amd" {
		t.Errorf("a part with a tag, of an index that goes: %s", got)
	}
	if got := keptOf(t, rules, alone, 1, namesOf(all)); got != "" {
		t.Errorf("what the next plan deletes is kept: %s", got)
	}
}
