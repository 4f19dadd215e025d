package lab

import (
	"os"
	"strings"
	"syscall"
	"testing"
)

// emptyHome returns a directory that is removed at the end, with what engines
// left mounted in it.
func emptyHome(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "packhouse-home-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		unmountBelow(t, dir)
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove the client's home: %v", err)
		}
	})
	return dir
}

func unmountBelow(t *testing.T, dir string) {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		t.Error(err)
	}
	lines := strings.Split(string(mounts), "\n")
	for i := len(lines) - 1; i >= 0; i-- { // the last mounted lies on top
		if f := strings.Fields(lines[i]); len(f) > 1 && strings.HasPrefix(f[1], dir+"/") {
			if err := syscall.Unmount(f[1], 0); err != nil {
				t.Errorf("unmount %s: %v", f[1], err)
			}
		}
	}
}
