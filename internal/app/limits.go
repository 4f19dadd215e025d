package app

import (
	"io/fs"
	"os"
	"path"
	"runtime/debug"
	"strconv"
	"strings"
	"syscall"
)

// maxOpenFiles is more than any machine of ours serves at once; some systems
// offer a thousand times as many, and tables grow with the number.
const maxOpenFiles = 1 << 20

// gcPercent lets garbage grow to twice what is in use, which is only a few MiB:
// at Go's default the collector would run a hundred times a second under load.
const gcPercent = 200

// PrepareProcess sets what belongs to the process and not to a server: files
// are made for their owner alone, as many may be open as the system lets us,
// and the garbage collector has some room and knows the memory limit of the
// container. GOGC and GOMEMLIMIT have the last word.
func PrepareProcess() error {
	syscall.Umask(0o077)
	if err := raiseOpenFiles(); err != nil {
		return err
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		if limit := memoryLimit(os.DirFS("/")); limit > 0 {
			debug.SetMemoryLimit(limit)
		}
	}
	return nil
}

func raiseOpenFiles() error {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return err
	}
	want := min(l.Max, maxOpenFiles)
	if l.Cur >= want {
		return nil
	}
	l.Cur = want
	return syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l)
}

// openFiles returns how many files the process may have open.
func openFiles() int {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 1024 // what every system gives
	}
	return int(min(l.Cur, maxOpenFiles))
}

// connectionsFor returns how many connections fit beside what else is open: a
// tenth stays free, and each connection may hold a file of the store too.
func connectionsFor(files int) int { return max(files*9/10/2, 16) }

// memoryLimit returns nine tenths of what the control group of this process
// allows, in bytes; 0 when it allows everything. Both versions of control
// groups are read, and every group above ours counts.
func memoryLimit(root fs.FS) int64 {
	groups, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return 0
	}
	least := int64(0)
	for line := range strings.Lines(string(groups)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		base, file := "sys/fs/cgroup", "memory.max"
		if parts[1] != "" {
			base, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
			if !strings.Contains(","+parts[1]+",", ",memory,") {
				continue
			}
		}
		for dir := path.Clean("/" + parts[2]); ; dir = path.Dir(dir) {
			if n := readLimit(root, path.Join(base, dir, file)); n > 0 && (least == 0 || n < least) {
				least = n
			}
			if dir == "/" {
				break
			}
		}
	}
	return least / 10 * 9
}

// readLimit returns the number in a file; 0 for "max", and for the huge number
// that version 1 writes instead.
func readLimit(root fs.FS, name string) int64 {
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil || n >= 1<<60 {
		return 0
	}
	return n
}
