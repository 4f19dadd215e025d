package fs

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// flock takes the lock on f or returns at once. It belongs to the open file and
// not to the process, so it also keeps apart two holders in one process.
func flock(f *os.File) error {
	conn, err := f.SyscallConn()
	if err != nil {
		return translate(err)
	}
	var lockErr error
	err = conn.Control(func(fd uintptr) {
		for {
			if lockErr = unix.Flock(int(fd), unix.LOCK_EX|unix.LOCK_NB); !errors.Is(lockErr, unix.EINTR) {
				return
			}
		}
	})
	switch {
	case errors.Is(lockErr, unix.EWOULDBLOCK):
		return ErrLocked
	case errors.Is(lockErr, errors.ErrUnsupported), errors.Is(lockErr, unix.ENOLCK): // the latter is NFS without its lock service
		return errors.ErrUnsupported
	case lockErr != nil:
		return translate(os.NewSyscallError("flock", lockErr))
	}
	return translate(err)
}
