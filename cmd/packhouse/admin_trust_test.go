package main

import (
	"regexp"
	"strings"
	"testing"
)

func TestTrustCommands(t *testing.T) {
	t.Parallel()
	environ := []string{"PACKHOUSE_DATA=" + t.TempDir(), "PACKHOUSE_URL=https://registry.example.com"}
	on := func(args ...string) []string {
		return append([]string{"admin", "trust", "add", "--repository", "acme/app", "--actions", "pull,push"}, args...)
	}
	steps := []struct {
		args []string
		code int
		out  string // a pattern
		says string
	}{
		{[]string{"admin", "user", "create", "ann"}, 0, "created", ""},
		{[]string{"admin", "org", "create", "acme", "--owner", "ann"}, 0, "created", ""},
		{[]string{"admin", "repo", "create", "acme/app"}, 0, "created", ""},
		{on("--github", "acme/app", "--ref", "main"), 0, "^added trust rule 1\n$", ""},
		{[]string{"admin", "trust", "add", "--owner", "acme", "--actions", "delete", "--issuer", "https://issuer.example.com",
			"--claim", "sub=a=b", "--claim", "/groups/0=ops,dev", "--audience", "us"}, 0, "^added trust rule 2\n$", ""},
		{[]string{"admin", "trust", "list", "acme"}, 0, `(?s)^ID +ABOUT +NAME +ACTIONS +ISSUER +AUDIENCE +CLAIMS +LAST USED\n` +
			`1 +repository +acme/app +pull,push +https://token\.actions\.githubusercontent\.com +https://registry\.example\.com +ref=refs/heads/main repository=acme/app +never\n` +
			`2 +owner +acme +pull,delete +https://issuer\.example\.com +us +/groups/0=ops,dev sub=a=b +never\n$`, ""},
		{on(), 2, "^$", "--github, --gitlab, --gitea, or --issuer URL"},
		{on("--github", "acme"), 2, "^$", "--github must be OWNER/REPO"},
		{on("--issuer", "https://token.actions.githubusercontent.com", "--claim", "ref=refs/heads/main"), 2, "^$", "repository=OWNER/REPO"},
		{on("--issuer", "https://gitlab.com", "--claim", "ref=main"), 2, "^$", "project_path=GROUP/PROJECT"},
		{on("--issuer", "https://issuer.example.com"), 2, "^$", "every job"},
		{on("--issuer", "http://127.0.0.1:1", "--claim", "sub=x"), 2, "^$", "an issuer is an https:// address"},
		{on("--github", "acme/app", "--claim", "x"), 2, "^$", "--claim must be NAME=PATTERN"},
		{on("--github", "acme/app", "--package", "acme/app"), 2, "^$", "about one thing"},
		{on("--github", "acme/app", "--actions", "admin"), 2, "^$", `no such action "admin"`},
		{[]string{"admin", "trust", "add", "--github", "acme/app", "--actions", "pull"}, 2, "^$", "name what the rule is about"},
		{[]string{"admin", "trust", "add", "--repository", "acme/app", "--github", "acme/app"}, 2, "^$", "at least one action"},
		{[]string{"admin", "trust", "add", "--package", "acme/none", "--actions", "pull", "--github", "acme/app"}, 1, "^$", `no package "acme/none"`},
		{[]string{"admin", "trust", "list", "nobody"}, 1, "^$", "nobody"},
		{[]string{"admin", "trust", "remove", "one"}, 2, "^$", "trust list OWNER"},
		{[]string{"admin", "trust", "remove", "1"}, 0, "^removed trust rule 1\n$", ""},
		{[]string{"admin", "trust", "remove", "1"}, 1, "^$", "no such rule of trust"},
	}
	for _, s := range steps {
		code, out, errOut := packhouse(t, "", environ, s.args...)
		if code != s.code || !regexp.MustCompile(s.out).MatchString(out) || !strings.Contains(errOut, s.says) || (s.says == "") != (errOut == "") {
			t.Errorf("packhouse %s: code %d\n%s%s", strings.Join(s.args, " "), code, out, errOut)
		}
	}
}
