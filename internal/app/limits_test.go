package app

import (
	"os"
	"syscall"
	"testing"
	"testing/fstest"
)

func TestMemoryLimit(t *testing.T) {
	t.Parallel()
	text := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	tests := []struct {
		name string
		root fstest.MapFS
		want int64
	}{
		{"no control groups", fstest.MapFS{}, 0},
		{"version 2, unlimited", fstest.MapFS{
			"proc/self/cgroup": text("0::/\n"), "sys/fs/cgroup/memory.max": text("max\n")}, 0},
		{"version 2, inside a container", fstest.MapFS{
			"proc/self/cgroup": text("0::/\n"), "sys/fs/cgroup/memory.max": text("1000000\n")}, 900000},
		{"version 2, a group above is smaller", fstest.MapFS{
			"proc/self/cgroup":                                        text("0::/system.slice/packhouse.service\n"),
			"sys/fs/cgroup/system.slice/memory.max":                   text("500000\n"),
			"sys/fs/cgroup/system.slice/packhouse.service/memory.max": text("1000000\n")}, 450000},
		{"version 1", fstest.MapFS{
			"proc/self/cgroup": text("12:cpu:/a\n5:memory:/docker/x\n"),
			"sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes": text("2000000\n"),
			"sys/fs/cgroup/memory/memory.limit_in_bytes":          text("9223372036854771712\n")}, 1800000},
		{"nonsense", fstest.MapFS{
			"proc/self/cgroup": text("0::/../..\nbad\n"), "sys/fs/cgroup/memory.max": text("lots")}, 0},
	}
	for _, tt := range tests {
		if got := memoryLimit(tt.root); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestConnectionsLeaveRoomForFiles(t *testing.T) {
	t.Parallel()
	for files, want := range map[int]int{1024: 460, 1 << 20: 471859, 10: 16} {
		if got := connectionsFor(files); got != want {
			t.Errorf("%d files: %d connections, want %d", files, got, want)
		}
	}
	if n := openFiles(); n < 256 {
		t.Errorf("only %d open files", n)
	}
}

func TestProcessIsPrepared(t *testing.T) { // not parallel: it changes the process
	if err := PrepareProcess(); err != nil {
		t.Fatal(err)
	}
	name := t.TempDir() + "/file"
	if err := os.WriteFile(name, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("files are made with mode %s", info.Mode())
	}
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil || l.Cur < min(l.Max, maxOpenFiles) {
		t.Errorf("open files: %+v, %v", l, err)
	}
}
