package main

import (
	"regexp"
	"strings"
	"testing"
)

func TestContentsOfPackagesFromTheCommandLine(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	playOn(t, data, []step{{"", "user create ann", 0, "", ""}})
	publish(t, data, "ann", "container ann/app")
	playOn(t, data, []step{
		{"", "package versions ann/app", 0, `^ID +DIGEST +KIND +BYTES +DOWNLOADS +CREATED +TAGS\n1 +sha256:[0-9a-f]{64} .* 1\n$`, ""},
		{"", "package tag ann/app latest 1", 0, "^tagged 1 of ann/app as latest\n$", ""},
		{"", "package tag ann/app latest none", 1, "^$", "no such version"},
		{"", "package tag ann/app not!a!tag 1", 2, "^$", "tag"},
		{"", "package tags ann/app", 0, `^TAG +DIGEST +KIND +BYTES +SET +BY\n1 +sha256:.* ann\nlatest +sha256:.*\n$`, ""},
		{"", "package tags ann/app --match l*", 0, `^TAG .*\nlatest .*\n$`, ""},
		{"", "package tag-history ann/app latest", 0, `^DIGEST +SINCE +UNTIL +BY +THERE\nsha256:.* yes\n$`, ""},
		{"", "package untag ann/app latest", 0, "^took the tag latest from ann/app\n$", ""},
		{"", "package untag ann/app latest", 1, "^$", "no tag latest"},
		{"", "package delete-version ann/app 1", 2, "^$", "say --yes"},
		{"", "package delete-version ann/app 1 --yes", 2, "^$", "You must delete the package instead"},
		{"", "package delete-version ann/app 9 --yes", 1, "^$", "no such version"},
		{"", "package delete-version ann/app no:ref --yes", 2, "^$", "its id, its digest or a tag"},
		{"", "package delete-version ann/app 1 --yes --with-package", 0, "^deleted version 1 of ann/app\n$", ""},
		{"", "package versions ann/app", 1, "^$", "no package ann/app"},
		{"", "package deleted ann", 0, `^NAME +TYPE +VERSIONS +DELETED\nann/app +container +1 +\S.*\n$`, ""},
		{"", "package restore ann/app", 0, "^restored ann/app\n$", ""},
		{"", "package restore ann/app", 1, "^$", "no deleted package ann/app"},
		{"", "package delete ann/app", 2, "^$", "say --yes"},
		{"", "package delete ann/app --yes", 0, "^deleted ann/app\n$", ""},
	})
	publish(t, data, "ann", "container ann/app")
	playOn(t, data, []step{
		{"", "package restore ann/app", 1, "^$", "delete or move the new package first"},
		{"", "package versions ann/app --deleted --untagged", 2, "^$", "untagged"},
		{"", "package versions ann/app --untagged", 0, `^ID .*TAGS\n$`, ""},
	})
}

func TestAVersionIsNamedByItsDigest(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	playOn(t, data, []step{{"", "user create ann", 0, "", ""}})
	publish(t, data, "ann", "container ann/app")
	playOn(t, data, []step{{"", "package tag ann/app stays 1", 0, "", ""}})
	_, out, _ := packhouse(t, "", []string{"PACKHOUSE_DATA=" + data}, "admin", "package", "versions", "ann/app")
	digest := regexp.MustCompile(`sha256:[0-9a-f]{64}`).FindString(out)
	other := strings.Replace(digest, digest[7:9], "00", 1)
	publish(t, data, "ann", "container ann/other")
	playOn(t, data, []step{
		{"", "package delete-version ann/app " + other + " --yes", 1, "^$", "no such version"},
		{"", "package restore-version ann/app " + digest, 1, "^$", "package versions ann/app --deleted"},
		{"", "package delete-version ann/app " + digest + " --yes", 2, "^$", "last version"},
	})
}
