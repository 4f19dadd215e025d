package locale_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// spoken are the packages whose errors people meet on pages. What the registry's
// own protocols answer is for programs, and in English.
func spoken(path string) bool {
	for _, at := range []string{"account", "access", "audit", "hooks", "jobs", "lifecycle", "packages", "token", "httpx", "web", "store", "oci"} {
		if strings.HasPrefix(path, at+"/") {
			return true
		}
	}
	return false
}

// sentences returns the formats of all public texts that errors are made with.
func sentences(t *testing.T) []string {
	t.Helper()
	var all []string
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		rel, _ := filepath.Rel(root, path)
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || !spoken(filepath.ToSlash(rel)) {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if text, ok := sentence(n); ok {
				all = append(all, text)
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// sentence returns the format of errs.New and errs.Wrap, unless nobody is told.
func sentence(n ast.Node) (string, bool) {
	call, ok := n.(*ast.CallExpr)
	if !ok {
		return "", false
	}
	f, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return "", false
	}
	if from, ok := f.X.(*ast.Ident); !ok || from.Name != "errs" {
		return "", false
	}
	at := map[string]int{"New": 1, "Wrap": 2}[f.Sel.Name]
	if at == 0 || len(call.Args) <= at {
		return "", false
	}
	if kind, ok := call.Args[0].(*ast.SelectorExpr); ok && kind.Sel.Name == "Internal" {
		return "", false
	}
	return constant(call.Args[at])
}

// constant returns the text of a literal, or of literals joined by +.
func constant(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil
	case *ast.BinaryExpr:
		x, ok1 := constant(e.X)
		y, ok2 := constant(e.Y)
		return x + y, ok1 && ok2
	}
	return "", false
}

var verb = regexp.MustCompile(`%[#+]?[a-z]`)

// Every sentence that an error may say on a page is said in every language, with
// as many arguments; and none is kept that nobody says.
func TestErrorsAreSaidInEveryLanguage(t *testing.T) {
	t.Parallel()
	all := sentences(t)
	if len(all) < 100 {
		t.Fatalf("only %d sentences were found", len(all))
	}
	for _, tag := range []string{"zh-CN", "de", "fr"} {
		content, err := os.ReadFile("errors/" + tag + ".json")
		if err != nil {
			t.Fatal(err)
		}
		said := map[string]string{}
		if err := json.Unmarshal(content, &said); err != nil {
			t.Fatal(err)
		}
		for _, text := range all {
			translated, ok := said[text]
			if !ok {
				t.Errorf("%s lacks %q", tag, text)
				continue
			}
			delete(said, text)
			for i := range verb.FindAllString(text, -1) {
				if !strings.Contains(translated, "{"+strconv.Itoa(i)+"}") {
					t.Errorf("%s: %q lacks {%d}", tag, translated, i)
				}
			}
		}
		for text := range said {
			t.Errorf("%s has %q, which nothing says", tag, text)
		}
	}
}
