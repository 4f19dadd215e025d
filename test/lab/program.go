package lab

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"packhouse/internal/testkit"
)

// Program is a built packhouse. It is made once and only read after that.
type Program struct{ path string }

// Main builds packhouse, runs the tests of m and stops the servers that they
// shared. prepare, which may be nil, makes what the tests need in a directory
// that is removed at the end.
func Main(m *testing.M, program *Program, prepare func(dir string) error) {
	var dir string
	defer func() { os.RemoveAll(dir) }()
	testkit.RunMainAfter(m, func() (err error) {
		if dir, err = os.MkdirTemp("", "packhouse-lab-"); err != nil {
			return err
		}
		if *program, err = build(dir); err != nil || prepare == nil {
			return err
		}
		return prepare(dir)
	})
}

func build(dir string) (Program, error) {
	p := Program{filepath.Join(dir, "packhouse")}
	cmd := exec.Command("go", "build", "-o", p.path, "packhouse/cmd/packhouse")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return p, fmt.Errorf("build packhouse: %w\n%s", err, out)
	}
	return p, nil
}
