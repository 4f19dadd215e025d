package main

import (
	"os"
	"path/filepath"
	"testing"
)

func TestRetentionFromTheCommandLine(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(data, name)
		check(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	rules := file("rules.json", `{"delete":[{"tags":["*"]}],"delete_last":true}`)
	bad := file("bad.json", `{"delete":[{"tagged":["*"]}]}`)
	playOn(t, data, []step{{"", "user create ann", 0, "", ""}})
	publish(t, data, "ann", "container ann/app", "container ann/other")
	playOn(t, data, []step{
		{"", "retention show ann/app", 1, "^$", "no retention policy"},
		{"", "retention plan ann/app", 1, "^$", "no retention policy"},
		{"", "retention set ann/app " + bad, 2, "^$", "unknown field"},
		{"", "retention set ann/app nowhere.json", 2, "^$", "cannot be read"},
		{"", "retention set ann/none " + rules, 1, "^$", "no package"},
		{"", "retention set ann " + rules, 0, "^set the retention of ann\n$", ""},
		{`{"delete":[{"untagged":true}]}`, "retention set ann/app - --automatic", 0, "^set the retention of ann/app, applied every day\n$", ""},
		{"", "retention show ann/app", 0, `"untagged": true(.*\n)*`, ""},
		{"", "retention plan ann/app", 0, "^plan 1 deletes 0 versions and frees 0 bytes\n$", ""},
		{"", "retention plan ann", 0, "^plan 2 deletes 1 versions and frees 0 bytes\n$", ""}, // the config is shared
		{"", "retention plan ann/app --rules " + rules, 0, "^plan 3 deletes 1 versions", ""},
		{"", "retention show ann/app 3", 0, `^PACKAGE +DIGEST +TAGS +BYTES +REASON\nann/app +sha256:[0-9a-f]+ +1 +0 +tagged \*\n$`, ""},
		{"", "retention apply ann/app x", 2, "^$", "a plan is a number"},
		{"", "retention apply ann/other 3", 1, "^$", "no plan 3"},
		{"", "retention apply ann/app 3", 0, "^deleted 1 versions; packhouse admin retention undo ann/app 3 brings them back\n$", ""},
		{"", "retention list ann/app", 0, `^PLAN +STATE +MADE +VERSIONS +BYTES\n3 +applied .*\n1 +planned .*\n$`, ""},
		{"", "retention undo ann/app 3", 0, "^restored 1 versions and 1 tags\n$", ""},
		{"", "retention undo ann/app 3", 1, "^$", "nothing to undo"},
		{"", "retention remove ann/app", 0, "^removed the retention of ann/app\n$", ""},
		{"", "retention remove ann/app", 1, "^$", "no retention policy"},

		{"", "package immutable-tags ann/app", 0, "^PATTERN +OF\n$", ""},
		{"", "package immutable-tags ann v*", 2, "^$", "OWNER/NAME"},
		{"", "package immutable-tags ann/app [", 2, "^$", "no pattern"},
		{"", "package immutable-tags ann/app v* 1", 0, `^the tags v\*, 1 of ann/app never move\n$`, ""},
		{"", "user immutable-tags ann release-*", 0, `^the tags release-\* of ann never move\n$`, ""},
		{"", "package immutable-tags ann/app", 0, `^PATTERN +OF\nv\* +ann/app\n1 +ann/app\nrelease-\* +ann\n$`, ""},
		{"", "retention plan ann/app", 0, "^plan 4 deletes 0 versions", ""},
		{"", "package immutable-tags ann/app --none", 0, "^the tags of ann/app may move\n$", ""},
		{"", "package immutable-tags ann/app --none v*", 2, "^$", "without patterns"},
		{"", "retention plan ann/app", 0, "^plan 5 deletes 1 versions", ""},
	})
}
