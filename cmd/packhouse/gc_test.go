package main

import (
	"regexp"
	"strings"
	"testing"
)

// The commands without a server; with one, and with garbage, they run in test/soak.
func TestGarbageCollectionFromTheCommandLine(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	const digest = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	const due = "due: 0 deleted packages, 0 deleted versions, 0 blobs \\(0 bytes\\) to condemn, 0 \\(0 bytes\\) for the trash, 0 \\(0 bytes\\) to be removed for good\n$"
	const nothing = "removed 0 packages, 0 versions, 0 manifests; condemned 0 blobs .*\n"
	for _, s := range []step{
		{"", "gc status", 0, "^running\nno round yet\nwaiting: 0 blobs .*\n" + due, ""},
		{"", "gc --dry-run", 0, "^" + due, ""},
		{"", "gc", 0, "^" + nothing + "$", ""},
		{"", "gc status", 0, "^running\nlast round on .*: " + nothing, ""},
		{"", "gc resume", 1, "^$", "nothing holds up garbage collection"},
		{"", "gc --explain " + digest, 1, "^$", "it was never stored here"},
		{"", "gc --explain latest", 2, "^$", "digest"},
		{"", "gc now", 2, "^$", "unknown command"},
		{"", "undelete " + digest, 1, "^$", "is not in the trash"},
		{"", "undelete", 2, "^$", "accepts 1 arg"},
	} {
		code, out, errOut := packhouse(t, s.stdin, []string{"PACKHOUSE_DATA=" + data}, strings.Fields(s.line)...)
		if code != s.code || !regexp.MustCompile(s.out).MatchString(out) || !strings.Contains(errOut, s.says) || (s.says == "") != (errOut == "") {
			t.Errorf("packhouse %s: code %d\n%s%s", s.line, code, out, errOut)
		}
	}
}
