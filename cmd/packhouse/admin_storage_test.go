package main

import "testing"

func TestStorageFromTheCommandLine(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	playOn(t, data, []step{{"", "user create ann", 0, "", ""}})
	publish(t, data, "ann", "container ann/app")
	playOn(t, data, []step{
		{"", "storage", 0, `^WHAT +COUNT +BYTES\nlive blobs +\d+ +\d+\n(.*\n)*all +\d+\npackages of ann +1 +\d+\n$`, ""},
		{"", "storage Ann", 0, `^NAME +TYPE +VERSIONS +BYTES +DELETED\nann/app +container +1 +\d+ *\nall +\d+ *\n$`, ""},
		{"", "package delete ann/app --yes", 0, "", ""},
		{"", "storage ann", 0, `\nann/app +container +0|1 +\d+ +\d\d\d\d-.*\nall `, ""},
		{"", "storage nobody", 1, "^$", "nobody"},
		{"", "storage ann bob", 2, "^$", "at most 1 arg"},
	})
}
