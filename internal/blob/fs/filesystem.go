package fs

import (
	"errors"
	"io"
	"os"
	"path/filepath"
)

// filesystem is everything the store asks of the operating system. Names are
// relative to the store's directory and separated by slashes. Tests put another
// one behind it that fails at a chosen step or forgets what was not synced.
type filesystem interface {
	// OpenFile opens a file, or a directory for ReadDir.
	OpenFile(name string, flag int) (file, error)
	// Stat returns the length of a file.
	Stat(name string) (int64, error)
	// Sync makes the bytes and the length of f durable.
	Sync(f file) error
	// SyncDir makes the names in a directory durable.
	SyncDir(name string) error
	Rename(from, to string) error
	Remove(name string) error
	Mkdir(name string) error
}

// file is the part of *os.File that the store uses.
type file interface {
	io.ReadWriteSeeker
	io.Closer
	Stat() (os.FileInfo, error)
	Truncate(size int64) error
	ReadDir(n int) ([]os.DirEntry, error)
}

// The ways files are opened.
const (
	readOnly     = os.O_RDONLY
	appendOnly   = os.O_WRONLY | os.O_APPEND
	createAppend = os.O_WRONLY | os.O_APPEND | os.O_CREATE
	createNew    = os.O_RDWR | os.O_CREATE | os.O_EXCL
)

// disk is the filesystem of a directory.
type disk struct{ root string }

// openDisk creates root and its parents when they are missing, and makes the
// new names durable.
func openDisk(root string) (disk, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return disk{}, err
	}
	return disk{root}, makeDir(root)
}

func makeDir(dir string) error {
	if _, err := os.Stat(dir); !isAbsent(err) {
		return err
	}
	parent := filepath.Dir(dir)
	if err := makeDir(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	return disk{parent}.SyncDir(".")
}

func (d disk) path(name string) string { return d.root + "/" + name }

func (d disk) OpenFile(name string, flag int) (file, error) {
	f, err := os.OpenFile(d.path(name), flag|noFollow, 0o600)
	if err != nil {
		return nil, err // not f: a nil *os.File in a file is not nil
	}
	return f, nil
}

func (d disk) Stat(name string) (int64, error) {
	info, err := os.Lstat(d.path(name))
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (d disk) Sync(f file) error { return datasync(f.(*os.File)) }

func (d disk) SyncDir(name string) error {
	f, err := os.Open(d.path(name))
	if err != nil {
		return err
	}
	err = f.Sync()
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	return err
}

func (d disk) Rename(from, to string) error { return os.Rename(d.path(from), d.path(to)) }
func (d disk) Remove(name string) error     { return os.Remove(d.path(name)) }
func (d disk) Mkdir(name string) error      { return os.Mkdir(d.path(name), 0o700) }
