package main

import (
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
)

// Refusals name commands that mend them. Each must be one, with those flags.
func TestCommandsInTextsExist(t *testing.T) {
	t.Parallel()
	named := regexp.MustCompile(`packhouse (admin [a-z][^":;()` + "`" + `\n]*)`)
	found := 0
	root := os.DirFS("../..")
	for _, dir := range []string{"internal", "cmd", "docs"} {
		err := fs.WalkDir(root, dir, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") {
				return err
			}
			text, err := fs.ReadFile(root, path)
			if err != nil {
				return err
			}
			for _, m := range named.FindAllStringSubmatch(string(text), -1) {
				found++
				checkAdvice(t, path, strings.Fields(m[1]))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if found < 20 {
		t.Errorf("found %d commands in texts; the search is broken", found)
	}
}

func checkAdvice(t *testing.T, path string, words []string) {
	t.Helper()
	root, _ := newRoot(streams{})
	c, rest, err := root.Find(words)
	if err != nil || c.HasSubCommands() && len(rest) > 0 {
		t.Errorf("%s: there is no command packhouse %s", path, strings.Join(words, " "))
		return
	}
	for _, word := range rest {
		flag, isFlag := strings.CutPrefix(strings.Trim(word, "[],.…"), "--")
		flag, _, _ = strings.Cut(flag, "=")
		if isFlag && flag != "" && c.Flags().Lookup(flag) == nil {
			t.Errorf("%s: packhouse %s has no flag --%s", path, strings.Join(words, " "), flag)
		}
	}
}
