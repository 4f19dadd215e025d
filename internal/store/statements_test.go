package store_test

import (
	"context"
	"fmt"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"packhouse/internal/database"
	"packhouse/internal/store"
	"packhouse/internal/testkit"
)

// TestEveryStatementPrepares finds the SQL texts in this package's code and has
// both engines prepare each, so that a text that one of them does not take
// cannot hide in a rare branch.
func TestEveryStatementPrepares(t *testing.T) {
	t.Parallel()
	texts := statements(t)
	if len(texts) < 30 {
		t.Fatalf("found only %d statements; the search is broken", len(texts))
	}
	testkit.Databases(t, func(t *testing.T, db *database.DB) {
		if err := store.Migrate(t.Context(), db); err != nil {
			t.Fatal(err)
		}
		for place, text := range texts {
			if db.Engine() == database.EnginePostgres {
				text = numbered(text)
			}
			if err := prepare(t.Context(), db, text); err != nil {
				t.Errorf("%s: %v\n%s", place, err, text)
			}
		}
	})
}

func prepare(ctx context.Context, db *database.DB, text string) error {
	stmt, err := db.SQL().PrepareContext(ctx, text)
	if err != nil {
		return err
	}
	return stmt.Close()
}

var statement = regexp.MustCompile(`^\s*(SELECT|INSERT|UPDATE|DELETE)\b`)

// statements returns every constant string that is a statement, by its place.
func statements(t *testing.T) map[string]string {
	t.Helper()
	files := token.NewFileSet()
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var parsed []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(files, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		parsed = append(parsed, f)
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	conf := types.Config{Error: func(error) {}}     // without an importer: constants are known without it
	_, _ = conf.Check("store", files, parsed, info) // the missing imports are no concern of this test
	texts := map[string]string{}
	for _, f := range parsed {
		ast.Inspect(f, func(n ast.Node) bool {
			e, ok := n.(ast.Expr)
			if !ok {
				return true
			}
			v := info.Types[e].Value
			if v == nil || v.Kind() != constant.String {
				return true
			}
			text := constant.StringVal(v)
			if !statement.MatchString(text) {
				return false
			}
			if strings.HasSuffix(text, "IN (") { // completed where it is used
				text += "?)"
			}
			texts[files.Position(e.Pos()).String()] = text
			return false
		})
	}
	return texts
}

// numbered replaces ? by $1, $2 … No text of ours has a ? in quotes.
func numbered(text string) string {
	n := 0
	return regexp.MustCompile(`\?`).ReplaceAllStringFunc(text, func(string) string {
		n++
		return fmt.Sprintf("$%d", n)
	})
}
