package access

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// equivalent are the mutants that no test can tell from the program, with the
// reason.
var equivalent = map[string]string{}

// Each condition of the package has a test that fails without it: every boolean
// operand is forced to true and to false in turn, and every case of a switch is
// taken away, by one test binary that holds all of these mutants.
func TestMutantsAreCaught(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mutants, overlay := instrument(t, dir)
	binary := filepath.Join(dir, "mutants.test")
	if out, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-overlay", overlay, "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("building the mutants: %v\n%s", err, out)
	}
	rules := testsOfRules(t, binary)
	if out, err := runMutant(t, binary, rules, ""); err != nil {
		t.Fatalf("without a mutant the tests fail: %v\n%s", err, out)
	}
	t.Logf("%d mutants", len(mutants))
	left := maps.Clone(equivalent)
	var mu sync.Mutex
	var wg sync.WaitGroup
	next := make(chan mutant)
	for range 2 {
		wg.Go(func() {
			for m := range next {
				_, err := runMutant(t, binary, rules, m.id)
				mu.Lock()
				_, known := left[m.text]
				delete(left, m.text)
				mu.Unlock()
				switch {
				case err == nil && !known:
					t.Errorf("%s: no test notices %s", m.where, m.text)
				case err != nil && known:
					t.Errorf("%s: a test notices %s, which is listed as equivalent", m.where, m.text)
				}
			}
		})
	}
	for _, m := range mutants {
		next <- m
	}
	close(next)
	wg.Wait()
	for text := range left {
		t.Errorf("there is no mutant %s any more", text)
	}
}

// testsOfRules returns a pattern of the tests that show the rules one by one. Those
// of properties would find by chance what these have to show.
func testsOfRules(t *testing.T, binary string) string {
	out, err := exec.CommandContext(t.Context(), binary, "-test.list", "^Test").Output()
	if err != nil {
		t.Fatal(err)
	}
	names := slices.DeleteFunc(strings.Fields(string(out)), func(name string) bool {
		return name == t.Name() || strings.HasPrefix(name, "TestProperty")
	})
	return "^(" + strings.Join(names, "|") + ")$"
}

func runMutant(t *testing.T, binary, rules, id string) ([]byte, error) {
	c := exec.CommandContext(t.Context(), binary, "-test.failfast", "-test.timeout=20s", "-test.run="+rules)
	c.Env = append(os.Environ(), "ACCESS_MUTANT="+id)
	return c.CombinedOutput()
}

type mutant struct{ id, where, text string }

// edit is text put into a source file.
type edit struct {
	at, length int // of what is wrapped
	open       bool
	text       string
}

type instrumenter struct {
	fset    *token.FileSet
	source  []byte
	edits   []edit
	wrapped map[ast.Expr]bool
	mutants []mutant
	count   int
	within  string // function
}

const mutantSupport = `package access

import (
	"os"
	"reflect"
	"strconv"
)

var chosenMutant = os.Getenv("ACCESS_MUTANT")

func mutantCond(id int, v bool) bool {
	switch chosenMutant {
	case strconv.Itoa(id) + "t":
		return true
	case strconv.Itoa(id) + "f":
		return false
	}
	return v
}

func mutantCase[T any](id int, v T) T {
	if chosenMutant != strconv.Itoa(id) {
		return v
	}
	none := reflect.New(reflect.TypeOf(v)).Elem()
	switch none.Kind() {
	case reflect.Int:
		none.SetInt(-99)
	case reflect.String:
		none.SetString("no value")
	}
	return none.Interface().(T)
}
`

// instrument writes the package with all its mutants beside an overlay for the
// go command, and returns what there is to choose from.
func instrument(t *testing.T, dir string) ([]mutant, string) {
	t.Helper()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(here, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	replace := map[string]string{}
	put := func(name string, content []byte) {
		replace[filepath.Join(here, name)] = filepath.Join(dir, name)
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	in := &instrumenter{fset: token.NewFileSet()}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := parser.ParseFile(in.fset, path, source, 0)
		if err != nil {
			t.Fatal(err)
		}
		put(filepath.Base(path), in.file(parsed, source))
	}
	put("zz_mutants.go", []byte(mutantSupport))
	overlay, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path, overlay, 0o600); err != nil {
		t.Fatal(err)
	}
	return in.mutants, path
}

// file returns the source with a call around each condition.
func (in *instrumenter) file(f *ast.File, source []byte) []byte {
	in.source, in.edits, in.wrapped = source, nil, map[ast.Expr]bool{}
	for _, decl := range f.Decls {
		if fn, ok := decl.(*ast.FuncDecl); ok {
			in.within = fn.Name.Name
			in.function(fn.Type, fn.Body)
		}
	}
	slices.SortStableFunc(in.edits, func(a, b edit) int {
		switch {
		case a.at != b.at:
			return a.at - b.at
		case a.open != b.open: // what ends here ends before what begins here
			return map[bool]int{true: 1, false: -1}[a.open]
		case a.open:
			return b.length - a.length
		}
		return a.length - b.length
	})
	var out []byte
	last := 0
	for _, e := range in.edits {
		out = append(append(out, source[last:e.at]...), e.text...)
		last = e.at
	}
	return append(out, source[last:]...)
}

// function walks a body; what a function of one boolean result returns is a
// condition too.
func (in *instrumenter) function(signature *ast.FuncType, body *ast.BlockStmt) {
	boolean := false
	if r := signature.Results; r != nil && len(r.List) == 1 {
		name, ok := r.List[0].Type.(*ast.Ident)
		boolean = ok && name.Name == "bool"
	}
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			in.function(n.Type, n.Body)
			return false
		case *ast.ReturnStmt:
			if boolean && len(n.Results) == 1 {
				in.condition(n.Results[0])
			}
		case *ast.IfStmt:
			in.condition(n.Cond)
		case *ast.SwitchStmt:
			in.cases(n)
		case *ast.UnaryExpr:
			if n.Op == token.NOT {
				in.condition(n)
			}
		case *ast.BinaryExpr:
			if n.Op == token.LAND || n.Op == token.LOR || n.Op.Precedence() == token.EQL.Precedence() {
				in.condition(n)
			}
		}
		return true
	})
}

func (in *instrumenter) cases(s *ast.SwitchStmt) {
	for _, clause := range s.Body.List {
		for _, e := range clause.(*ast.CaseClause).List {
			if s.Tag == nil {
				in.condition(e)
			} else {
				in.wrap(e, "mutantCase", "without case ", map[string]string{"": ""})
			}
		}
	}
}

// condition wraps the operands of e, down to what is no "and", "or" or "not".
func (in *instrumenter) condition(e ast.Expr) {
	switch x := e.(type) {
	case *ast.ParenExpr:
		in.condition(x.X)
	case *ast.UnaryExpr:
		in.condition(x.X)
	case *ast.BinaryExpr:
		if x.Op == token.LAND || x.Op == token.LOR {
			in.condition(x.X)
			in.condition(x.Y)
			return
		}
		in.wrap(e, "mutantCond", "", map[string]string{"t": " being true", "f": " being false"})
	case *ast.Ident:
		if x.Name != "true" && x.Name != "false" {
			in.wrap(e, "mutantCond", "", map[string]string{"t": " being true", "f": " being false"})
		}
	default:
		in.wrap(e, "mutantCond", "", map[string]string{"t": " being true", "f": " being false"})
	}
}

func (in *instrumenter) wrap(e ast.Expr, call, before string, ways map[string]string) {
	if in.wrapped[e] {
		return
	}
	in.wrapped[e] = true
	in.count++
	from, to := in.fset.Position(e.Pos()), in.fset.Position(e.End())
	length := to.Offset - from.Offset
	in.edits = append(in.edits,
		edit{from.Offset, length, true, fmt.Sprintf("%s(%d, ", call, in.count)},
		edit{to.Offset, length, false, ")"})
	for suffix, after := range ways {
		in.mutants = append(in.mutants, mutant{
			id:    fmt.Sprintf("%d%s", in.count, suffix),
			where: fmt.Sprintf("%s:%d", filepath.Base(from.Filename), from.Line),
			text:  in.within + ": " + before + string(in.source[from.Offset:to.Offset]) + after,
		})
	}
}
