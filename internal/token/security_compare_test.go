package token_test

import (
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"go/types"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// secretName tells by its name what somebody outside must not learn or guess.
var secretName = regexp.MustCompile(`(?i)secret|password|passwd|hash|nonce|csrf|cookie|signature|verifier|seed|hmac|^(key|mac|sum|state|code)$`)

// comparisons are the functions that stop at the first difference.
var comparisons = []string{
	"bytes.Equal", "bytes.EqualFold", "bytes.Compare", "strings.EqualFold", "strings.Compare", "slices.Equal", "slices.Compare", "reflect.DeepEqual", "cmp.Compare",
}

// harmless are the comparisons that tell nobody anything, with the reason.
var harmless = map[string]string{
	"e.hash == hash": "both are of the database; who asks gave neither",
}

// SEC-029: a secret that was compared byte by byte could be found byte by byte,
// by the time that the answer took. Secrets are looked up by their hash, or
// compared by subtle.ConstantTimeCompare.
func TestSEC029_SecretsAreNotComparedByteByByte(t *testing.T) {
	t.Parallel()
	left, constant := map[string]bool{}, 0
	for text := range harmless {
		left[text] = true
	}
	for _, dir := range []string{".", "../account", "../web", "../api/token"} {
		files, err := filepath.Glob(dir + "/*.go")
		if err != nil || len(files) == 0 {
			t.Fatal(dir, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") {
				continue
			}
			set := gotoken.NewFileSet()
			parsed, err := parser.ParseFile(set, file, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range comparedSecrets(parsed) {
				text := types.ExprString(e)
				delete(left, text)
				if harmless[text] == "" {
					t.Errorf("%s: %s takes longer the more of it is right", set.Position(e.Pos()), text)
				}
			}
			constant += calls(parsed, "subtle.ConstantTimeCompare")
		}
	}
	for text := range left {
		t.Errorf("there is no %s any more", text)
	}
	if constant == 0 {
		t.Error("nothing is compared in constant time; the search is broken")
	}
}

// The search finds what it is for.
func TestComparedSecretsAreFound(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]int{
		`secret == given`: 1, `given != s.clientSecret`: 1, `string(a.Password) == b`: 1, `hashOf(x) == y`: 1, `sum == other`: 1, `sums[0] == y`: 0,
		`bytes.Equal(a.mac, b)`: 1, `strings.EqualFold(x, t.SecretHash)`: 1, `slices.Equal(x, secret[:4])`: 1, `(nonce) == *other`: 1,
		`secret == ""`: 0, `secret != nil`: 0, `len(secret) != 32`: 0, `login == other`: 0, `subtle.ConstantTimeCompare(secret, other) == 1`: 0,
		`bytes.Equal(login, other)`: 0, `a.takes(secret) == b.takes(secret)`: 0,
		`func() { switch secret { case other: } }`: 1, `func() { switch login { case other: } }`: 0, `func() { switch password { case "": } }`: 0,
	} {
		file, err := parser.ParseFile(gotoken.NewFileSet(), "x.go", "package x\nvar _ = "+text, 0)
		if err != nil {
			t.Fatal(text, err)
		}
		if found := comparedSecrets(file); len(found) != want {
			t.Errorf("%s: found %d", text, len(found))
		}
	}
}

// comparedSecrets returns the expressions in file that compare a secret with
// what is not constant, in a time that depends on both.
func comparedSecrets(file *ast.File) (found []ast.Expr) {
	compare := func(e ast.Expr, operands ...ast.Expr) {
		if !slices.ContainsFunc(operands, fixed) && slices.ContainsFunc(operands, secretive) {
			found = append(found, e)
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			if n.Op == gotoken.EQL || n.Op == gotoken.NEQ {
				compare(n, n.X, n.Y)
			}
		case *ast.CallExpr:
			if slices.Contains(comparisons, types.ExprString(n.Fun)) {
				compare(n, n.Args...)
			}
		case *ast.SwitchStmt:
			for _, c := range n.Body.List {
				for _, value := range c.(*ast.CaseClause).List {
					if n.Tag != nil {
						compare(value, n.Tag, value)
					}
				}
			}
		}
		return true
	})
	return found
}

// fixed reports whether nothing is learnt of e: nil, a literal or a length.
func fixed(e ast.Expr) bool {
	_, literal := e.(*ast.BasicLit)
	call, ok := e.(*ast.CallExpr)
	return literal || types.ExprString(e) == "nil" || ok && types.ExprString(call.Fun) == "len"
}

// secretive reports whether e is a secret by its name, or made of one by a
// conversion, a slice or a function that is named for what it returns.
func secretive(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return secretName.MatchString(e.Name)
	case *ast.SelectorExpr:
		return secretName.MatchString(e.Sel.Name)
	case *ast.SliceExpr:
		return secretive(e.X)
	case *ast.IndexExpr:
		return secretive(e.X)
	case *ast.ParenExpr:
		return secretive(e.X)
	case *ast.StarExpr:
		return secretive(e.X)
	case *ast.CallExpr:
		name, conversion := e.Fun.(*ast.Ident)
		_, bytes := e.Fun.(*ast.ArrayType)
		if bytes || conversion && name.Name == "string" {
			return secretive(e.Args[0])
		}
		return secretive(e.Fun)
	}
	return false
}

func calls(file *ast.File, function string) (n int) {
	ast.Inspect(file, func(node ast.Node) bool {
		if c, ok := node.(*ast.CallExpr); ok && types.ExprString(c.Fun) == function {
			n++
		}
		return true
	})
	return n
}
