package main

import (
	"regexp"
	"strings"
	"testing"
)

func TestHookCommands(t *testing.T) {
	t.Parallel()
	environ := []string{"PACKHOUSE_DATA=" + t.TempDir(), "PACKHOUSE_URL=https://registry.example.com"}
	hook := func(args ...string) []string { return append([]string{"admin", "hook"}, args...) }
	for _, s := range []struct {
		args []string
		code int
		out  string // a pattern
		says string
	}{
		{[]string{"admin", "user", "create", "ann"}, 0, "created", ""},
		{[]string{"admin", "org", "create", "acme", "--owner", "ann"}, 0, "created", ""},
		{[]string{"admin", "repo", "create", "acme/app"}, 0, "created", ""},
		{hook("create", "acme", "https://receiver.example/hook", "--secret-stdin"), 0, "^created hook 1 of acme\n$", ""},
		{hook("create", "acme/app", "--repository", "https://receiver.example/hook", "--event", "*", "--content-type", "form"), 0, "^created hook 2 of acme/app\n$", ""},
		{hook("create", "acme/app", "https://receiver.example/hook"), 1, "^$", "acme/app"},
		{hook("create", "acme"), 2, "^$", "accepts 2 arg"},
		{hook("create", "acme", "receiver.example"), 2, "^$", "http:// or https://"},
		{hook("create", "acme", "https://receiver.example/", "--event", "push"), 2, "^$", `no event "push"`},
		{hook("create", "nobody", "https://receiver.example/"), 1, "^$", "nobody"},
		{hook("list", "acme"), 0, `(?s)^ID +URL +TYPE +EVENTS +SECRET +ACTIVE +LAST ANSWER +FAILING SINCE\n1 +https://receiver\.example/hook +json +package +yes +yes +none +-\n$`, ""},
		{hook("disable", "acme", "1"), 0, "^disabled hook 1 of acme\n$", ""},
		{hook("enable", "ACME", "1"), 0, "^enabled hook 1 of ACME\n$", ""},
		{hook("ping", "acme", "1"), 0, "^a ping of hook 1 is on its way\n$", ""},
		{hook("ping", "acme", "2"), 1, "^$", "no such hook"},
		{hook("ping", "acme", "one"), 2, "^$", "hook list"},
		{hook("deliveries", "acme", "1"), 0, "^ID +GUID.*\n$", ""},
		{hook("deliveries", "acme", "1", "--limit", "0"), 2, "^$", "--limit"},
		{hook("redeliver", "acme", "1", "7"), 1, "^$", "no such delivery"},
		{hook("delete", "acme/app", "2", "--repository"), 0, "^deleted hook 2 of acme/app\n$", ""},
		{hook("delete", "acme/app", "2", "--repository"), 1, "^$", "no such hook"},
	} {
		code, out, errOut := packhouse(t, "a secret\n", environ, s.args...)
		if code != s.code || !regexp.MustCompile(s.out).MatchString(out) || !strings.Contains(errOut, s.says) || (s.says == "") != (errOut == "") {
			t.Errorf("packhouse %s: code %d\n%s%s", strings.Join(s.args, " "), code, out, errOut)
		}
	}
}
