package lists

import (
	"reflect"
	"strings"
	"testing"

	"packhouse/internal/packages"
)

func TestQueries(t *testing.T) {
	t.Parallel()
	type q = packages.ListQuery
	for _, tt := range []struct {
		text string
		want q
		key  string
	}{
		{"", q{}, ""},
		{" \t ", q{}, ""},
		{"web", q{Text: "web"}, ""},
		{"web server\tfast", q{Text: "web", Words: []string{"server", "fast"}}, ""},
		{"web\u3000server", q{Text: "web", Words: []string{"server"}}, ""},
		{"user:Mona web", q{Owner: "Mona", Text: "web"}, ""},
		{"web org:acme is:PRIVATE type:docker", q{Owner: "acme", Text: "web", Visibility: "private", Type: "docker"}, ""},
		{"is:public", q{Visibility: "public"}, ""},
		{"IS:internal", q{Visibility: "internal"}, ""},
		{"repo:acme/app", q{Repository: "acme/app"}, ""},
		{"repo:app org:acme", q{Owner: "acme", Repository: "acme/app"}, ""},
		{`"web server"`, q{Text: "web server"}, ""},
		{`"is:public" x`, q{Text: "is:public", Words: []string{"x"}}, ""},
		{`user:"mona" a`, q{Owner: "mona", Text: "a"}, ""},
		{`a"b"c`, q{Text: "a", Words: []string{"b", "c"}}, ""},
		{`""`, q{}, ""},
		{"a:b:c", q{}, noQualifier},
		{"colour:red", q{}, noQualifier},
		{"user:", q{}, noValue},
		{`user:""`, q{}, noValue},
		{"user: mona", q{}, noValue},
		{":x", q{}, noValue},
		{"user:a org:b", q{}, givenTwice},
		{"is:public is:private", q{}, givenTwice},
		{"repo:a/b repo:c/d", q{}, givenTwice},
		{"is:secret", q{}, badVisibility},
		{"type:npm", q{}, badType},
		{"user:a..b", q{}, badOwner},
		{"user:a/b", q{}, badOwner},
		{"repo:app", q{}, badRepository},
		{"repo:/app", q{}, badRepository},
		{"repo:a/b/c", q{}, badRepository},
		{`web "server`, q{}, openQuote},
		{strings.Repeat("x", 201), q{}, tooLong},
		{strings.Repeat("é", 200), q{Text: strings.Repeat("é", 200)}, ""},
		{"1 2 3 4 5 6 7 8 9", q{}, tooManyWords},
	} {
		got, p := parseQuery(tt.text)
		key := ""
		if p != nil {
			key = p.key
		}
		if !reflect.DeepEqual(got, tt.want) || key != tt.key {
			t.Errorf("%q is %+v, %q; want %+v, %q", tt.text, got, key, tt.want, tt.key)
		}
	}
}

// Whatever stands in the box, there is an answer; what was understood can be said
// again, and means the same.
func FuzzQuery(f *testing.F) {
	for _, text := range []string{"web user:mona", `"a b" is:public repo:a/b type:docker`, `x"`, ":", "a:b", "\xff\x00", "repo:b org:a", `""""`, "\f"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		q, p := parseQuery(text)
		if p != nil {
			if !reflect.DeepEqual(q, packages.ListQuery{}) || !strings.HasPrefix(p.key, "lists.query-") {
				t.Fatalf("%q: %+v with %+v", text, p, q)
			}
			return
		}
		if again, p := parseQuery(said(q)); len(said(q)) <= maxQuery && (p != nil || !reflect.DeepEqual(again, q)) {
			t.Fatalf("%q is %+v; said again as %q it is %+v, %+v", text, q, said(q), again, p)
		}
	})
}

// said writes a query out.
func said(q packages.ListQuery) string {
	var b strings.Builder
	for _, w := range append([]string{q.Text}, q.Words...) {
		if w != "" {
			b.WriteString(`"` + w + `" `)
		}
	}
	for _, t := range []term{
		{"user", q.Owner}, {"repo", q.Repository}, {"is", string(q.Visibility)}, {"type", string(q.Type)},
	} {
		if t.value != "" {
			b.WriteString(t.name + `:"` + t.value + `" `)
		}
	}
	return b.String()
}
