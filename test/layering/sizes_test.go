package layering_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	maxFileLines        = 500
	maxFunctionLines    = 60
	maxInterfaceMethods = 7
)

// A source is one parsed file.
type source struct {
	name   string // relative to the module
	lines  int
	isTest bool // of a test, or of a package that is for tests
	file   *ast.File
	set    *token.FileSet
}

func (s source) fault(n ast.Node, format string, args ...any) string {
	return fmt.Sprintf("%s:%d: %s", s.name, s.set.Position(n.Pos()).Line, fmt.Sprintf(format, args...))
}

func TestSizesAndHabits(t *testing.T) {
	t.Parallel()
	for _, p := range allPackages(t) {
		documented := false
		for _, name := range append(append(p.GoFiles, p.TestGoFiles...), p.XTestGoFiles...) {
			s := parse(t, p, name)
			documented = documented || s.file.Doc != nil
			for _, fault := range check(s) {
				t.Error(fault)
			}
		}
		if !documented {
			t.Errorf("%s has no comment that says what the package owns", p.path())
		}
	}
}

func parse(t *testing.T, p pkg, name string) source {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(p.Dir, name))
	if err != nil {
		t.Fatal(err)
	}
	s := source{
		name:   p.path() + "/" + name,
		lines:  bytes.Count(text, []byte("\n")),
		isTest: strings.HasSuffix(name, "_test.go") || within(forTests, p.path()),
		set:    token.NewFileSet(),
	}
	if s.file, err = parser.ParseFile(s.set, name, text, parser.ParseComments); err != nil {
		t.Fatal(err)
	}
	return s
}

// check returns what is wrong with one file.
func check(s source) []string {
	var faults []string
	if s.lines > maxFileLines {
		faults = append(faults, fmt.Sprintf("%s has %d lines, over %d: does it hold one idea?", s.name, s.lines, maxFileLines))
	}
	for _, decl := range s.file.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok {
			faults = append(faults, checkFunction(s, f)...)
		} else if g, ok := decl.(*ast.GenDecl); ok && !s.isTest {
			faults = append(faults, checkComments(s, g)...)
		}
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.InterfaceType:
			if n.Methods.NumFields() > maxInterfaceMethods {
				faults = append(faults, s.fault(n, "an interface of %d methods, over %d", n.Methods.NumFields(), maxInterfaceMethods))
			}
		case *ast.CallExpr:
			if skips(n) && s.isTest {
				faults = append(faults, s.fault(n, "a test that skips: install or start what it needs instead"))
			}
		}
		return true
	})
	return faults
}

func checkFunction(s source, f *ast.FuncDecl) []string {
	var faults []string
	lines := s.set.Position(f.End()).Line - s.set.Position(f.Pos()).Line + 1
	if lines > maxFunctionLines && !(s.isTest && hasTable(f)) {
		faults = append(faults, s.fault(f, "%s has %d lines, over %d", f.Name.Name, lines, maxFunctionLines))
	}
	if f.Name.Name == "init" && f.Recv == nil {
		faults = append(faults, s.fault(f, "init: make it an explicit call"))
	}
	if s.isTest {
		return faults
	}
	if f.Name.IsExported() && receiverExported(f) && f.Doc == nil {
		faults = append(faults, s.fault(f, "%s has no comment", f.Name.Name))
	}
	if !strings.HasPrefix(f.Name.Name, "Must") {
		ast.Inspect(f, func(n ast.Node) bool {
			if c, ok := n.(*ast.CallExpr); ok && panics(c) {
				faults = append(faults, s.fault(c, "panic: return an error"))
			}
			return true
		})
	}
	return faults
}

// checkComments wants a comment at every exported type, and at every exported
// constant and variable or the group that holds it.
func checkComments(s source, g *ast.GenDecl) []string {
	var faults []string
	for _, spec := range g.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if spec.Name.IsExported() && g.Doc == nil && spec.Doc == nil {
				faults = append(faults, s.fault(spec, "%s has no comment", spec.Name.Name))
			}
		case *ast.ValueSpec:
			if spec.Names[0].IsExported() && g.Doc == nil && spec.Doc == nil && spec.Comment == nil {
				faults = append(faults, s.fault(spec, "%s has no comment", spec.Names[0].Name))
			}
		}
	}
	return faults
}

func receiverExported(f *ast.FuncDecl) bool {
	if f.Recv == nil {
		return true
	}
	kind := f.Recv.List[0].Type
	for {
		switch k := kind.(type) {
		case *ast.StarExpr:
			kind = k.X
		case *ast.IndexExpr:
			kind = k.X
		case *ast.IndexListExpr:
			kind = k.X
		case *ast.Ident:
			return k.IsExported()
		default:
			return true
		}
	}
}

// hasTable reports whether f goes through a table of cases: a slice or map
// literal of four entries or more.
func hasTable(f *ast.FuncDecl) bool {
	found := false
	ast.Inspect(f, func(n ast.Node) bool {
		if c, ok := n.(*ast.CompositeLit); ok && len(c.Elts) >= 4 {
			switch c.Type.(type) {
			case *ast.ArrayType, *ast.MapType:
				found = true
			}
		}
		return !found
	})
	return found
}

// panics reports a call of panic, but for the one that net/http asks for to
// drop a connection, and for one that was recovered in another goroutine and
// goes on in this one.
func panics(c *ast.CallExpr) bool {
	name, ok := c.Fun.(*ast.Ident)
	if !ok || name.Name != "panic" || len(c.Args) != 1 {
		return false
	}
	arg, ok := c.Args[0].(*ast.SelectorExpr)
	return !ok || arg.Sel.Name != "ErrAbortHandler" && arg.Sel.Name != "panicked"
}

func skips(c *ast.CallExpr) bool {
	sel, ok := c.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	switch sel.Sel.Name {
	case "Skip", "Skipf", "SkipNow":
		on, ok := sel.X.(*ast.Ident)
		return ok && (on.Name == "t" || on.Name == "b" || on.Name == "f" || on.Name == "tb")
	}
	return false
}

// What check is there to find, it finds.
func TestBrokenHabitsAreSeen(t *testing.T) {
	t.Parallel()
	long := "// F is long.\nfunc F() {\n" + strings.Repeat("\tg()\n", maxFunctionLines) + "}\n"
	for text, want := range map[string]string{
		"func init() {}\n":        "init",
		"func F() {}\n":           "F has no comment",
		"type T int\n":            "T has no comment",
		"const C = 1\n":           "C has no comment",
		long:                      "F has 62 lines",
		"func f() { panic(1) }\n": "panic",
		"func f() { t.Skip() }\n": "skips",
		"type i interface{ A(); B(); C(); D(); E(); F(); G(); H() }\n": "8 methods",
		strings.Repeat("// line\n", maxFileLines):                      "lines, over 500",
	} {
		s := source{name: "x.go", set: token.NewFileSet(), lines: strings.Count(text, "\n") + 1, isTest: strings.Contains(text, "Skip")}
		var err error
		if s.file, err = parser.ParseFile(s.set, s.name, "package x\n"+text, parser.ParseComments); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(check(s), "; "); !strings.Contains(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
