package fs

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

const noFollow = syscall.O_NOFOLLOW

// datasync is fdatasync: the bytes and the length, without the times.
func datasync(f *os.File) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var syncErr error
	err = conn.Control(func(fd uintptr) {
		for {
			// A signal that came before any work is no answer about the data.
			if syncErr = syscall.Fdatasync(int(fd)); syncErr != syscall.EINTR {
				return
			}
		}
	})
	if syncErr != nil {
		return os.NewSyscallError("fdatasync", syncErr)
	}
	return err
}

// forget drops the cached pages of a synced file, so that the next read asks
// the disk. It is a hint, and its failure changes nothing.
func forget(f file) {
	if onDisk, ok := f.(*os.File); ok {
		_ = unix.Fadvise(int(onDisk.Fd()), 0, 0, unix.FADV_DONTNEED)
	}
}
