package fs

import (
	"errors"
	"io"
	"os"
)

// lockFile is what a server holds a lock on. The file stays: whoever removed it
// could let in a second server, which would lock another file of that name.
const lockFile = "lock"

// ErrLocked says that another process holds the lock.
var ErrLocked = errors.New("the blob directory is locked by another process")

// Lock takes dir, which it creates when it is missing, for this process until
// the result is closed; the kernel does so when the process ends, however it
// ends. It does not wait: where another holds dir, the error is ErrLocked, and
// where the file system knows no locks, errors.ErrUnsupported. Whoever only
// reads, or shows in another way that it is alone, needs no lock.
//
// A Store keeps apart the uploads of one process alone. Two that write to the
// same upload at one time could mix its bytes.
func Lock(dir string) (io.Closer, error) {
	d, err := openDisk(dir)
	if err != nil {
		return nil, translate(err)
	}
	f, err := os.OpenFile(d.path(lockFile), os.O_RDWR|os.O_CREATE|noFollow, 0o600)
	if err != nil {
		return nil, translate(err)
	}
	if err := flock(f); err != nil {
		_ = f.Close() // nothing was written
		return nil, err
	}
	return f, nil
}
