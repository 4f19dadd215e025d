package web_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path"
	"reflect"
	"slices"
	"strings"
	"testing"
	"text/template/parse"
	"unicode"

	"golang.org/x/net/html"
)

// templates returns the files of all rooms' templates.
func templates(t *testing.T) []string {
	t.Helper()
	all, err := fs.Glob(os.DirFS("."), "*/templates/*.html")
	if err != nil || len(all) < 10 {
		t.Fatalf("%d templates, %v", len(all), err)
	}
	return all
}

func parseTemplate(t *testing.T, file string) map[string]*parse.Tree {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	tree := parse.New(file)
	tree.Mode = parse.SkipFuncCheck
	trees := map[string]*parse.Tree{}
	if _, err := tree.Parse(string(text), "", "", trees); err != nil {
		t.Fatal(err)
	}
	return trees
}

// walk visits every node of a template in the order of the text.
func walk(n parse.Node, visit func(parse.Node)) {
	if n == nil || reflect.ValueOf(n).IsNil() {
		return
	}
	visit(n)
	switch n := n.(type) {
	case *parse.ListNode:
		for _, inner := range n.Nodes {
			walk(inner, visit)
		}
	case *parse.ActionNode:
		walk(n.Pipe, visit)
	case *parse.TemplateNode:
		walk(n.Pipe, visit)
	case *parse.PipeNode:
		for _, inner := range n.Cmds {
			walk(inner, visit)
		}
	case *parse.CommandNode:
		for _, inner := range n.Args {
			walk(inner, visit)
		}
	case *parse.IfNode:
		walkBranch(&n.BranchNode, visit)
	case *parse.RangeNode:
		walkBranch(&n.BranchNode, visit)
	case *parse.WithNode:
		walkBranch(&n.BranchNode, visit)
	}
}

func walkBranch(n *parse.BranchNode, visit func(parse.Node)) {
	walk(n.Pipe, visit)
	walk(n.List, visit)
	walk(n.ElseList, visit)
}

// hole stands for what an action writes.
const hole = "\u2402"

// TestNoSentenceInTemplates: what people read comes from the catalogs.
func TestNoSentenceInTemplates(t *testing.T) {
	t.Parallel()
	for _, file := range templates(t) {
		for name, tree := range parseTemplate(t, file) {
			var text strings.Builder
			walk(tree.Root, func(n parse.Node) {
				switch n := n.(type) {
				case *parse.TextNode:
					text.Write(n.Text)
				case *parse.ActionNode, *parse.TemplateNode:
					text.WriteString(hole)
				}
			})
			for _, fault := range sentences(text.String()) {
				t.Errorf("%s, %s: %q is not from a catalog", file, name, fault)
			}
		}
	}
}

// isCode reports whether s is the same in every language: a name of something
// technical, an address, a media type.
func isCode(s string) bool {
	return slices.Contains([]string{"sha256:", "SHA-256", "JSON", "YAML", "UTC", "ID", "GUID", "URL"}, s) || strings.Contains(s, "/") && !strings.Contains(s, " ")
}

// sentences returns what people would read of a page.
func sentences(text string) (all []string) {
	add := func(s string) {
		s = strings.TrimSpace(strings.ReplaceAll(s, hole, " "))
		if strings.ContainsFunc(s, unicode.IsLetter) && !isCode(s) {
			all = append(all, s)
		}
	}
	code := 0                                             // how many elements of code are open
	text = strings.ReplaceAll(text, "noscript>", "span>") // what is within is read too
	for z := html.NewTokenizer(strings.NewReader(text)); ; {
		kind := z.Next()
		token := z.Token()
		inCode := slices.Contains([]string{"code", "kbd", "samp", "pre"}, token.Data)
		switch {
		case kind == html.ErrorToken:
			return all
		case kind == html.TextToken && code == 0:
			add(token.Data)
		case kind == html.StartTagToken && inCode:
			code++
		case kind == html.EndTagToken && inCode:
			code--
		}
		for _, a := range token.Attr {
			if isRead(token, a.Key) {
				add(a.Val)
			}
		}
	}
}

// isRead reports whether people see or hear an attribute.
func isRead(token html.Token, attribute string) bool {
	if attribute != "value" {
		return slices.Contains([]string{"aria-label", "aria-description", "aria-roledescription", "alt", "label", "placeholder", "title"}, attribute)
	}
	kind := "text"
	for _, a := range token.Attr {
		if a.Key == "type" {
			kind = a.Val
		}
	}
	return token.Data == "input" && !slices.Contains([]string{"hidden", "checkbox", "radio", "number"}, kind)
}

// TestSentencesAreFound is the test of the test.
func TestSentencesAreFound(t *testing.T) {
	t.Parallel()
	const text = `<p class="a">` + hole + `<b title="in a title">Hello</b> · <code>docker login</code><input type="hidden" value="x" name=y><input value="v">`
	if got := strings.Join(sentences(text), ", "); got != "in a title, Hello, v" {
		t.Errorf("found %q", got)
	}
}

// TestScriptsAreWellFormed asks node, as nothing here compiles them.
func TestScriptsAreWellFormed(t *testing.T) {
	t.Parallel()
	scripts, err := fs.Glob(os.DirFS("assets/js"), "*.js")
	if err != nil || len(scripts) == 0 {
		t.Fatalf("%d scripts, %v", len(scripts), err)
	}
	for _, script := range scripts {
		out, err := exec.CommandContext(t.Context(), "node", "--check", path.Join("assets/js", script)).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", script, err, out)
		}
		text, err := os.ReadFile(path.Join("assets/js", script))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(text), "'use strict'") {
			t.Errorf("%s is not strict", script)
		}
	}
}
