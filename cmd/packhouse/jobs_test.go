package main

import (
	"regexp"
	"strings"
	"testing"
)

func TestJobsFromTheCommandLine(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	playOn(t, data, []step{
		{"", "user create ann", 0, "", ""},
		{"", "repo create ann/src", 0, "", ""},
	})
	publish(t, data, "ann", "docker ann/src/one")
	playOn(t, data, []step{{"", "migrate-docker ann --background", 0, `^OWNER  JOB\nann    1\n$`, ""}})
	const when = `20\d\d-\S+ \S+`
	for _, s := range []step{
		{"", "list", 0, `^ID  KIND +STATE +ATTEMPTS  RUNS +ERROR\n1   docker.migrate  available  0 of 25   from ` + when + ` +\n$`, ""},
		{"", "list --state running", 0, `^ID .*\n$`, ""},
		{"", "list --kind docker.migrate --state available", 0, `\n1 `, ""},
		{"", "list --state done", 2, "^$", "the state of a job is available, running, completed, failed or cancelled"},
		{"", "show 1", 0, `(?s)state +available\n.*arguments +{"owner":"ann","by":"operator"}\n`, ""},
		{"", "cancel 1", 0, "^job 1 is cancelled\n$", ""},
		{"", "cancel 1", 1, "^$", "job 1 has ended"},
		{"", "list --state cancelled", 0, `cancelled  0 of 25   until ` + when, ""},
		{"", "retry 1", 0, "^job 1 will be tried at once\n$", ""},
		{"", "list", 0, `available`, ""},
		{"", "show 2", 1, "^$", "no job 2"},
		{"", "show one", 2, "^$", `"one" is no number of a job`},
		{"", "retry", 2, "^$", "accepts 1 arg"},
	} {
		code, out, errOut := packhouse(t, s.stdin, []string{"PACKHOUSE_DATA=" + data}, append([]string{"jobs"}, strings.Fields(s.line)...)...)
		if code != s.code || !regexp.MustCompile(s.out).MatchString(out) || !strings.Contains(errOut, s.says) || (s.says == "") != (errOut == "") {
			t.Errorf("packhouse jobs %s: code %d\n%s%s", s.line, code, out, errOut)
		}
	}
}
