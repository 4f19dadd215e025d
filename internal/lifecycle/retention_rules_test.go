package lifecycle_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"packhouse/internal/errs"
	"packhouse/internal/lifecycle"
	"packhouse/internal/oci"
)

var today = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)

func ago(days int) time.Time { return today.AddDate(0, 0, -days) }

// a stock is written as lines: NAME [OPTION…], where an option is age:DAYS, pulled:DAYS,
// expires:DAYS (may be negative), kind:KIND, tag:NAME[@DAYS], of:NAME (a child of
// that index), about:NAME (a referrer), sig:NAME (by the tag), downloads:N.
func stockOf(t *testing.T, lines string) lifecycle.Stock {
	t.Helper()
	s := lifecycle.Stock{PackageID: 1, OwnerID: 1, Name: "ann/app", Guard: -1}
	at := map[string]int{}
	digest := func(name string) string { return oci.SHA256.FromBytes([]byte(name)).String() }
	type later struct{ child, parent string }
	var children []later
	for i, line := range strings.Split(strings.TrimSpace(lines), "\n") {
		words := strings.Fields(line)
		v := lifecycle.StockVersion{ID: int64(i + 1), Digest: digest(words[0]), Kind: oci.KindImage, TouchedAt: ago(1)}
		at[words[0]] = i
		for _, word := range words[1:] {
			what, value, _ := strings.Cut(word, ":")
			var days int
			_, _ = fmt.Sscan(value, &days)
			switch what {
			case "age":
				v.TouchedAt = ago(days)
			case "pulled":
				v.PulledAt = ago(days)
			case "expires":
				v.ExpiresAt = ago(-days)
			case "kind":
				v.Kind = oci.Kind(value)
			case "downloads":
				v.Downloads = int64(days)
			case "of":
				children = append(children, later{words[0], value})
			case "about":
				v.Subject = digest(value)
			case "sig":
				v.Tags = append(v.Tags, stockTag(t, "sha256-"+strings.TrimPrefix(digest(value), "sha256:")+".sig", v.TouchedAt))
			case "tag":
				name, since, found := strings.Cut(value, "@")
				set := v.TouchedAt
				if found {
					_, _ = fmt.Sscan(since, &days)
					set = ago(days)
				}
				v.Tags = append(v.Tags, stockTag(t, name, set))
			default:
				t.Fatalf("no option %q", what)
			}
		}
		s.Versions = append(s.Versions, v)
	}
	for _, c := range children {
		v := &s.Versions[at[c.parent]]
		v.Children = append(v.Children, digest(c.child))
	}
	return s
}

func stockTag(t *testing.T, name string, since time.Time) lifecycle.StockTag {
	t.Helper()
	tag, err := oci.ParseTag(name)
	if err != nil {
		t.Fatal(err)
	}
	return lifecycle.StockTag{Tag: tag, Since: since}
}

// deleted evaluates the rules and returns the names that go, sorted.
func deleted(t *testing.T, rules string, s lifecycle.Stock, names []string) []string {
	t.Helper()
	r, err := lifecycle.ParseRules([]byte(rules))
	if err != nil {
		t.Fatalf("%v\n%s", err, rules)
	}
	items, _, err := r.Evaluate(s, today, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, item := range items {
		got = append(got, names[item.VersionID-1])
	}
	slices.Sort(got)
	return got
}

func namesOf(lines string) (names []string) {
	for line := range strings.SplitSeq(strings.TrimSpace(lines), "\n") {
		names = append(names, strings.Fields(line)[0])
	}
	return names
}

func TestRetentionRules(t *testing.T) {
	t.Parallel()
	const releases = `
		a tag:v1.0.0 age:50
		b tag:v1.0.1 age:40
		c tag:v1.1.0 age:30
		d tag:v1.1.1-rc.1 age:20
		e tag:v2.0.0 tag:latest age:10
		f tag:pr-1 age:9 pulled:2
		g tag:pr-2 age:8
		h age:7
		i age:1`
	const multi = `
		index tag:v1 age:90
		amd of:index age:90
		arm of:index age:90 tag:v1-arm
		prov of:index age:90 kind:attestation
		shared of:index of:other age:90
		sig about:index age:90
		sigsig about:sig age:90
		cosign sig:index age:90 kind:signature
		other tag:v2 age:10
		orphan sig:nowhere age:90
		loose age:90`
	for _, c := range []struct{ label, stock, rules, want string }{
		{"untagged", releases, `{"delete":[{"untagged":true}]}`, "h i"},
		{"untagged and old", releases, `{"delete":[{"untagged":true,"older_than":"5d"}]}`, "h"},
		{"by pattern", releases, `{"delete":[{"tags":["pr-*"]}]}`, "f g"},
		{"by pattern, not pulled", releases, `{"delete":[{"tags":["pr-*"],"not_pulled_for":"3d"}]}`, "g"},
		{"every tag must match", releases, `{"delete":[{"tags":["v*"]}]}`, "a b c d"},
		{"either of two patterns", releases, `{"delete":[{"tags":["v2*","latest"]}]}`, "e"},
		{"any tag keeps", releases, `{"delete":[{"older_than":"1d"}],"keep":[{"tags":["latest"]}]}`, "a b c d f g h i"},
		{"the last two", releases, `{"delete":[{"tags":["v*","latest"]}],"keep":[{"tags":["v*"],"last":2}]}`, "a b c"},
		{"the last of each minor release", releases, `{"delete":[{"tags":["v*","latest"]}],"keep":[{"last_per_minor":1}]}`, "a c"},
		{"the same among patterns", releases, `{"delete":[{"tags":["*"]}],"keep":[{"tags":["v1*"],"last_per_minor":1}]}`, "a c e f g"},
		{"a range", releases, `{"delete":[{"semver":"<1.1"}]}`, "a b"},
		{"a range with pre-releases", releases, `{"delete":[{"semver":">=1.1.0-0 <2"}]}`, "c d"},
		{"the highest", releases, `{"delete":[{"semver":"*"}],"keep":[{"semver":"*","last":1}]}`, "a b c"},
		{"younger", releases, `{"delete":[{"tags":["*"]}],"keep":[{"younger_than":"15d"}]}`, "a b c d"},
		{"pulled lately", releases, `{"delete":[{"tags":["*"]},{"untagged":true}],"keep":[{"pulled_within":"3d"}]}`, "a b c d e g h i"},
		{"all but the last tagged one", releases, `{"delete":[{"tags":["*"]},{"untagged":true}]}`, "a b c d e f h i"},
		{"all", releases, `{"delete":[{"tags":["*"]},{"untagged":true}],"delete_last":true}`, "a b c d e f g h i"},
		{"nothing has a tag", "a age:3\nb age:2", `{"delete":[{"untagged":true}]}`, "a"},
		{"a last tag stays where untagged ones go", "a age:3\nb tag:x age:2", `{"delete":[{"older_than":"1d"}]}`, "a"},

		{"an index takes along what it needs alone", multi, `{"delete":[{"tags":["v1"]}]}`, "amd cosign index prov sig sigsig"},
		{"untagged is what nothing needs", multi, `{"delete":[{"untagged":true}]}`, "loose orphan"},
		{"both indexes", multi, `{"delete":[{"tags":["v?"]}],"delete_last":true}`, "amd cosign index other prov shared sig sigsig"},
		{"a child's tag is not asked about", multi, `{"delete":[{"tags":["v1-arm"]}]}`, ""},

		{"a tag set lately counts for the order", "a tag:x@1 age:1\nb tag:x2@5 age:5", `{"delete":[{"tags":["*"]}],"keep":[{"tags":["*"],"last":1}]}`, "b"},
		{"caches", "a kind:cache tag:cache age:20\nb tag:v1", `{"delete":[{"kinds":["cache"],"older_than":"7d"}]}`, "a"},
		{"expired", "a expires:-1 tag:a\nb expires:1 tag:b\nc tag:c", `{"delete":[{"expired":true}]}`, "a"},
		{"an index of expired ones", "i tag:i kind:index\na of:i expires:-2\nb of:i expires:-1\np of:i kind:attestation\nj tag:j kind:index\nc of:j expires:-1\nd of:j\nk tag:k",
			`{"delete":[{"expired":true}]}`, "a b i p"},
		{"a child's pull keeps the index", "i tag:i age:90\na of:i age:90 pulled:2\nj tag:j", `{"delete":[{"not_pulled_for":"30d"}]}`, ""},
	} {
		s := stockOf(t, c.stock)
		if got := strings.Join(deleted(t, c.rules, s, namesOf(c.stock)), " "); got != c.want {
			t.Errorf("%s: %q go, want %q", c.label, got, c.want)
		}
	}
}

func TestRetentionSparesWhatIsHeld(t *testing.T) {
	t.Parallel()
	const lines = "a tag:v1 age:9\nb tag:x age:9\nc tag:y downloads:11 age:9\nd age:9\ne about:a age:9\nf tag:z"
	s := stockOf(t, lines)
	p, err := oci.ParseTagPattern("v*")
	if err != nil {
		t.Fatal(err)
	}
	s.Immutable, s.Guard = []oci.TagPattern{p}, 10
	if got := deleted(t, `{"delete":[{"older_than":"2d"}]}`, s, namesOf(lines)); !slices.Equal(got, []string{"b", "d"}) {
		t.Errorf("%q go", got)
	}
}

// A plan takes so many, and no group in part.
func TestRetentionTakesWholeGroups(t *testing.T) {
	t.Parallel()
	s := stockOf(t, "i tag:i age:9\na of:i age:9\nb of:i age:9\nj tag:j age:8\nc of:j age:8\nd of:j age:8\nk tag:k")
	r, err := lifecycle.ParseRules([]byte(`{"delete":[{"older_than":"2d"}]}`))
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int]int{2: 0, 3: 3, 5: 3, 6: 6, 7: 6} {
		items, more, err := r.Evaluate(s, today, n)
		if err != nil || len(items) != want || more != (want < 6) {
			t.Errorf("of %d: %d, more %v, %v; want %d", n, len(items), more, err, want)
		}
	}
	items, _, _ := r.Evaluate(s, today, 100)
	if items[0].Reason != "older than 2d" || !strings.HasPrefix(items[1].Reason, "part of sha256:") {
		t.Errorf("the reasons are %q and %q", items[0].Reason, items[1].Reason)
	}
}

func TestRulesThatAreRefused(t *testing.T) {
	t.Parallel()
	for rules, want := range map[string]string{
		`{}`:                                                  "delete nothing",
		`{"delete":[]}`:                                       "delete nothing",
		`{"delete":[{}]}`:                                     "needs a condition",
		`{"delete":[{"tag":["a"]}]}`:                          "unknown field",
		`{"delete":[{"older_than":30}]}`:                      "cannot be read",
		`{"delete":[{"older_than":"a month"}]}`:               "such as 90d",
		`{"delete":[{"tags":["["]}]}`:                         "no pattern",
		`{"delete":[{"semver":"newest"}]}`:                    "no range",
		`{"delete":[{"kinds":["images"]}]}`:                   "no kind",
		`{"delete":[{"untagged":true,"tags":["a"]}]}`:         "goes with neither",
		`{"delete":[{"tags":["a"],"last":1}]}`:                "for keep",
		`{"delete":[{"untagged":true}],"keep":[{"last":-1}]}`: "above zero",
		`{"delete":[{"untagged":true}],"keep":[{"last":1,"last_per_minor":1}]}`:          "two rules",
		`{"delete":[{"untagged":true}]} {}`:                                              "behind",
		`{"delete":[` + strings.Repeat(`{"untagged":true},`, 50) + `{"untagged":true}]}`: "50 rules",
		strings.Repeat(" ", 70_000):                                                      "longer",
		``:                                                                               "cannot be read",
	} {
		_, err := lifecycle.ParseRules([]byte(rules))
		if err == nil || !errs.Is(err, errs.Invalid) && !errs.Is(err, errs.TooLarge) || !strings.Contains(err.Error(), want) {
			t.Errorf("%.60s: %v, want %q", rules, err, want)
		}
	}
}
