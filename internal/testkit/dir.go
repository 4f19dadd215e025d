package testkit

import (
	"os"
	"testing"
)

// MemoryDir returns an empty directory in memory where the machine has one, for
// tests that are not about the disk: its flushes cost nothing.
func MemoryDir(t testing.TB) string {
	t.Helper()
	parent := "/dev/shm"
	if _, err := os.Stat(parent); err != nil {
		return t.TempDir()
	}
	dir, err := os.MkdirTemp(parent, "packhouse-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}
