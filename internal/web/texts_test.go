package web_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/template/parse"
)

// languages are those of the catalogs; the first is the one that others follow.
func languages() []string { return []string{"en", "zh-CN", "de", "fr"} }

// forms is a text of a catalog: its form for one thing, if it has one, and the
// other.
type forms struct{ one, other string }

func (f *forms) UnmarshalJSON(b []byte) error {
	if b[0] == '"' {
		return json.Unmarshal(b, &f.other)
	}
	var both struct{ One, Other string }
	err := json.Unmarshal(b, &both)
	f.one, f.other = both.One, both.Other
	return err
}

// catalogs returns the directories with texts.
func catalogs(t *testing.T) []string {
	t.Helper()
	all, err := fs.Glob(os.DirFS("."), "*/locales")
	if err != nil || len(all) < 5 {
		t.Fatalf("%d catalogs, %v", len(all), err)
	}
	return append(all, "locale/texts")
}

func readCatalog(t *testing.T, dir, language string) map[string]forms {
	t.Helper()
	content, err := os.ReadFile(path.Join(dir, language+".json"))
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]forms{}
	if err := json.Unmarshal(content, &all); err != nil {
		t.Fatalf("%s, %s: %v", dir, language, err)
	}
	return all
}

var placePattern = regexp.MustCompile(`\{\d\}`)

// places returns the arguments that a text takes, each once.
func places(text string) string {
	all := placePattern.FindAllString(text, -1)
	slices.Sort(all)
	return strings.Join(slices.Compact(all), " ")
}

// TestCatalogsAreAlike holds every language against English: the same keys, the
// same arguments, forms for one thing where the language has them, and the same
// marks of code and bold.
func TestCatalogsAreAlike(t *testing.T) {
	t.Parallel()
	for _, dir := range catalogs(t) {
		english := readCatalog(t, dir, "en")
		for _, language := range languages()[1:] {
			texts := readCatalog(t, dir, language)
			for key, want := range english {
				got, ok := texts[key]
				if !ok {
					t.Errorf("%s: %q is not in %s", dir, key, language)
					continue
				}
				for _, fault := range differences(language, want, got) {
					t.Errorf("%s: %q in %s: %s", dir, key, language, fault)
				}
			}
			for key := range texts {
				if _, ok := english[key]; !ok {
					t.Errorf("%s: %q is in %s alone", dir, key, language)
				}
			}
		}
	}
}

func differences(language string, want, got forms) (faults []string) {
	if a, b := places(want.other), places(got.other); a != b {
		faults = append(faults, "takes "+b+", and in English "+a)
	}
	// What stands for one thing may leave the number out.
	for _, f := range []forms{want, got} {
		if f.one != "" && strings.ReplaceAll(places(f.one), "{0}", "") != strings.ReplaceAll(places(f.other), "{0}", "") {
			faults = append(faults, "its forms take different arguments")
		}
	}
	// Chinese does not tell one thing from several.
	if plural := want.one != "" && language != "zh-CN"; plural != (got.one != "") {
		faults = append(faults, "has a form for one thing and should not, or the reverse")
	}
	for _, mark := range []string{"`", "**"} {
		if a, b := strings.Count(want.other, mark), strings.Count(got.other, mark); a != b {
			faults = append(faults, "marks "+mark+" in another way than English")
		}
	}
	return faults
}

// mentions are what templates and code ask of the catalogs.
type mentions struct {
	keys     map[string]string // where each is asked for, as a text
	literals map[string]bool   // every string of the code
	prefixes []string          // of keys that are put together
}

// TestTextsAreThereAndUsed reads all templates and code: what they ask for is in
// the catalogs, and nothing is there that nobody asks for.
func TestTextsAreThereAndUsed(t *testing.T) {
	t.Parallel()
	m := mentions{keys: map[string]string{}, literals: map[string]bool{}}
	m.readTemplates(t)
	m.readCode(t)
	there := map[string]bool{}
	for _, dir := range catalogs(t) {
		for key := range readCatalog(t, dir, "en") {
			there[key] = true
			if !m.asksFor(key) {
				t.Errorf("%s: nothing shows %q", dir, key)
			}
		}
	}
	for key, at := range m.keys {
		if !there[key] {
			t.Errorf("%s: no catalog has %q", at, key)
		}
	}
	if len(m.keys) < 50 {
		t.Errorf("%d keys were found in templates and code: they are not read any more", len(m.keys))
	}
}

func (m *mentions) asksFor(key string) bool {
	if _, ok := m.keys[key]; ok || m.literals[key] || m.literals[strings.TrimPrefix(key, "done.")] {
		return true
	}
	return slices.ContainsFunc(m.prefixes, func(p string) bool { return strings.HasPrefix(key, p) })
}

// readTemplates finds {{t "key"}} and its like in all templates.
func (m *mentions) readTemplates(t *testing.T) {
	for _, file := range templates(t) {
		for _, tree := range parseTemplate(t, file) {
			walk(tree.Root, func(n parse.Node) {
				c, ok := n.(*parse.CommandNode)
				if !ok || len(c.Args) < 2 {
					return
				}
				name, _ := c.Args[0].(*parse.IdentifierNode)
				if name == nil || !slices.Contains([]string{"t", "tn", "rich", "has"}, name.Ident) {
					return
				}
				switch key := c.Args[1].(type) {
				case *parse.StringNode:
					m.keys[key.Text] = file
				case *parse.PipeNode: // t (printf "a.%s" .B)
					if of := key.Cmds[0].Args; len(of) > 1 {
						if format, ok := of[1].(*parse.StringNode); ok {
							before, _, _ := strings.Cut(format.Text, "%")
							m.prefixes = append(m.prefixes, before)
						}
					}
				}
			})
		}
	}
	m.prefixes = slices.DeleteFunc(m.prefixes, func(p string) bool { return !strings.Contains(p, ".") })
}

// titles are the functions that take a key, with the place of it.
func titles() map[string]int {
	return map[string]int{
		"Page": 0, "PackagePage": 1, "OwnerPage": 2, "RepositoryPage": 2, "Done": 1, "Text": 0, "Count": 0, "Rich": 0, "mustText": 0,
	}
}

// readCode finds keys in the code: those that functions are known to take, and
// every string that might be one.
func (m *mentions) readCode(t *testing.T) {
	err := fs.WalkDir(os.DirFS("."), ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(file, ".go") || strings.HasSuffix(file, "_test.go") || strings.HasPrefix(file, "webtest/") {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(parsed, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				text, _ := stringOf(n)
				m.literals[text] = true
				if strings.HasSuffix(text, ".") && strings.Trim(text, "abcdefghijklmnopqrstuvwxyz.-") == "" {
					m.prefixes = append(m.prefixes, text) // put together with the rest of a key
				}
			case *ast.CallExpr:
				m.readCall(file, n)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// "done." + key is how the frame finds what is known by its literal.
	m.prefixes = slices.DeleteFunc(m.prefixes, func(p string) bool { return p == "done." || p == "." })
}

func (m *mentions) readCall(file string, call *ast.CallExpr) {
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return
	}
	place, ok := titles()[f.Sel.Name]
	if !ok || len(call.Args) <= place {
		return
	}
	key, ok := stringOf(call.Args[place])
	if !ok {
		return
	}
	if f.Sel.Name == "Done" {
		key = "done." + key
	}
	m.keys[key] = file
}

func stringOf(n ast.Expr) (string, bool) {
	lit, ok := n.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	text, err := strconv.Unquote(lit.Value)
	return text, err == nil
}
