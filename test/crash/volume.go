package crash

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
	"unsafe"
)

// volume is a file system in an image file, mounted through a loop device. What
// it has written to the image is on its disk.
type volume struct {
	image, dir string
	options    string // of mount
	mounted    bool
}

// longCommit keeps ext4 from writing its journal out of its own accord: what
// nobody fsyncs stays at risk for the whole run.
const longCommit = "commit=600"

// newVolume makes the file system kind in a sparse image of size bytes and
// mounts it on dir. More arguments are given to mkfs.
func newVolume(image, dir, kind string, size int64, mkfs ...string) (*volume, error) {
	if err := sparse(image, size); err != nil {
		return nil, err
	}
	v := &volume{image: image, dir: dir, options: "loop"}
	args := append([]string{"-q", image}, mkfs...)
	switch kind {
	case "ext4":
		args = append([]string{"-F", "-m", "0"}, args...)
		v.options += "," + longCommit
	case "xfs":
		args = append([]string{"-f"}, args...)
	default:
		return nil, fmt.Errorf("the file system %q is not known here: ext4 and xfs are", kind)
	}
	if err := command("mkfs."+kind, args...); err != nil {
		return nil, err
	}
	return v, v.mount()
}

func sparse(image string, size int64) error {
	f, err := os.OpenFile(image, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(size), f.Close())
}

func (v *volume) mount() error {
	if err := os.MkdirAll(v.dir, 0o755); err != nil {
		return err
	}
	if err := command("mount", "-o", v.options, v.image, v.dir); err != nil {
		return fmt.Errorf("these tests need root and loop devices: %w", err)
	}
	v.mounted = true
	return nil
}

// unmount waits a moment for the files of processes that have just died.
func (v *volume) unmount() error {
	if !v.mounted {
		return nil
	}
	var err error
	for range 50 {
		if err = syscall.Unmount(v.dir, 0); !errors.Is(err, syscall.EBUSY) {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err != nil {
		return fmt.Errorf("unmount %s: %w", v.dir, err)
	}
	v.mounted = false
	return nil
}

// powerCut says how much reaches the disk in the moment of a cut. File contents
// that nobody fsynced never do.
type powerCut uint32

const (
	journalKept    powerCut = 1 // FS_SHUTDOWN_FLAGS_LOGFLUSH
	journalDropped powerCut = 2 // FS_SHUTDOWN_FLAGS_NOLOGFLUSH
)

func (p powerCut) String() string {
	return map[powerCut]string{journalKept: "cut, journal kept", journalDropped: "cut, journal dropped"}[p]
}

// goingDown is EXT4_IOC_SHUTDOWN and XFS_IOC_GOINGDOWN: _IOR('X', 125, __u32).
const goingDown = 0x8004587d

// cut shuts the file system down. It answers everything with EIO from then on,
// and starts again where its disk stands when it is mounted anew.
func (v *volume) cut(how powerCut) error {
	dir, err := os.Open(v.dir)
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := ioctl(dir, goingDown, unsafe.Pointer(&how)); err != nil {
		return fmt.Errorf("shut down the file system of %s: %w", v.dir, err)
	}
	return nil
}

func ioctl(f *os.File, request uintptr, arg unsafe.Pointer) error {
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), request, uintptr(arg)); errno != 0 {
		return errno
	}
	return nil
}

// release unmounts and removes the image.
func (v *volume) release() error {
	err := v.unmount()
	if err == nil {
		err = os.Remove(v.image)
	}
	return err
}

func command(name string, args ...string) error {
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %v: %w\n%s", name, args, err, out)
	}
	return nil
}

// disk is what one registry keeps its data on: a volume, or two of them when
// the blobs have their own. With one, the fsync of the database may carry the
// names of blobs to the disk with it and hide that nobody asked for that.
type disk struct {
	data    string
	volumes []*volume // the blobs', when there are two, is the last
}

const volumeSize = 4 << 30 // sparse

func newDisk(dir, kind string, split bool) (*disk, error) {
	top := filepath.Join(dir, "disk")
	d := &disk{data: filepath.Join(top, "data")}
	v, err := newVolume(filepath.Join(dir, "disk.img"), top, kind, volumeSize)
	if v != nil {
		d.volumes = append(d.volumes, v)
	}
	if err == nil && split {
		v, err = newVolume(filepath.Join(dir, "blobs.img"), filepath.Join(d.data, "blobs"), kind, volumeSize)
		if v != nil {
			d.volumes = append(d.volumes, v)
		}
	}
	if err != nil {
		return nil, errors.Join(err, d.release())
	}
	return d, nil
}

// cut takes the power from all volumes, the blobs' first: a row that still
// reaches its disk must find its bytes on theirs.
func (d *disk) cut(how powerCut) error {
	var err error
	for i := len(d.volumes) - 1; i >= 0; i-- {
		err = errors.Join(err, d.volumes[i].cut(how))
	}
	return err
}

// remount has the file systems start again from what their disks hold.
func (d *disk) remount() error {
	for i := len(d.volumes) - 1; i >= 0; i-- {
		if err := d.volumes[i].unmount(); err != nil {
			return err
		}
	}
	for _, v := range d.volumes {
		if err := v.mount(); err != nil {
			return err
		}
	}
	return nil
}

func (d *disk) release() error {
	var err error
	for i := len(d.volumes) - 1; i >= 0; i-- {
		err = errors.Join(err, d.volumes[i].release())
	}
	return err
}
