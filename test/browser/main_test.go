package browser_test

import (
	"testing"

	"packhouse/test/lab"
)

// program is the built packhouse, and images a directory of what clients push.
// Both are made once, before the first test, and only read by tests.
var (
	program lab.Program
	images  string
)

func TestMain(m *testing.M) {
	lab.Main(m, &program, func(dir string) error {
		images = dir
		return makeImages(dir)
	})
}
