package crash

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"unsafe"
)

// thinVolume is a volume whose disk can be made to refuse new data, as an
// overcommitted thin pool does: writes to the page cache go well, and fsync
// fails. What the file system itself needs to go on is set aside on it.
type thinVolume struct {
	*volume
	lower string // the tmpfs that holds the image
}

const (
	thinSize  = 192 << 20 // what the file system believes to have
	lowerSize = 224 << 20
)

func newThinVolume(dir, mountpoint string) (*thinVolume, error) {
	v := &thinVolume{lower: filepath.Join(dir, "lower")}
	if err := os.MkdirAll(v.lower, 0o755); err != nil {
		return nil, err
	}
	if err := syscall.Mount("tmpfs", v.lower, "tmpfs", 0, fmt.Sprintf("size=%d", lowerSize)); err != nil {
		return nil, err
	}
	image := filepath.Join(v.lower, "image")
	var err error
	if v.volume, err = newVolume(image, mountpoint, "ext4", thinSize, "-E", "nodiscard,lazy_itable_init=0,lazy_journal_init=0"); err == nil {
		err = v.thin()
	}
	if err != nil {
		return nil, errors.Join(err, v.release())
	}
	return v, nil
}

// fitrim is FITRIM: _IOWR('X', 121, struct fstrim_range).
const fitrim = 0xc0185879

// thin gives every block of the image room, and takes it back from those that
// the file system does not use.
func (v *thinVolume) thin() error {
	image, err := os.OpenFile(v.image, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	if err := errors.Join(syscall.Fallocate(int(image.Fd()), 0, 0, thinSize), image.Close()); err != nil {
		return err
	}
	dir, err := os.Open(v.dir)
	if err != nil {
		return err
	}
	defer dir.Close()
	all := struct{ start, length, shortest uint64 }{length: 1<<64 - 1}
	return ioctl(dir, fitrim, unsafe.Pointer(&all))
}

func (v *thinVolume) filler() string { return filepath.Join(v.lower, "filler") }

// breakDown has the disk refuse data in blocks it has not seen before. What the
// file system holds back is written first: were it refused, the whole file
// system would end.
func (v *thinVolume) breakDown() error {
	if err := command("sync", "-f", v.dir); err != nil {
		return err
	}
	return fill(v.filler())
}

// repair ends that.
func (v *thinVolume) repair() error { return os.Remove(v.filler()) }

func (v *thinVolume) release() error {
	var err error
	if v.volume != nil {
		err = v.unmount()
	}
	return errors.Join(err, syscall.Unmount(v.lower, 0))
}

// fill writes the file name until there is no room for a further block.
func fill(name string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	for _, size := range []int{1 << 20, 4096} {
		block := make([]byte, size)
		for err == nil {
			_, err = f.Write(block)
		}
		if !errors.Is(err, syscall.ENOSPC) {
			return errors.Join(err, f.Close())
		}
		err = nil
	}
	return errors.Join(f.Sync(), f.Close())
}
