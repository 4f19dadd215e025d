package fs

import (
	"errors"
	"fmt"
	"io"
	"os"

	"packhouse/internal/oci"
)

// formatFile holds the version of the layout. It is written last, so where it
// exists every directory is on the disk.
const (
	formatFile = "format"
	format     = "packhouse blobs 1\n"
)

// prepare creates the directories that are missing and makes them durable,
// here and not when the first blob needs them.
func prepare(fs filesystem) error {
	old, err := readFormat(fs)
	if err != nil {
		return err
	}
	shards := make([]string, 256)
	for i := range shards {
		shards[i] = fmt.Sprintf("%02x", i)
	}
	top := []string{uploadsDir, "trash", string(oci.SHA256), string(oci.SHA512)}
	if err := makeDirs(fs, ".", top, old == format); err != nil {
		return err
	}
	for _, alg := range []oci.Algorithm{oci.SHA256, oci.SHA512} {
		if err := makeDirs(fs, string(alg), shards, old == format); err != nil {
			return err
		}
	}
	if old == format {
		return nil
	}
	return writeFormat(fs)
}

// makeDirs creates the directories names in parent and syncs them; those that
// exist only when they may not have been synced before.
func makeDirs(fs filesystem, parent string, names []string, trusted bool) error {
	present, err := list(fs, parent)
	if err != nil {
		return err
	}
	changed := !trusted
	for _, name := range names {
		dir := parent + "/" + name
		if !present[name] {
			if err := fs.Mkdir(dir); err != nil && !errors.Is(err, os.ErrExist) {
				return err
			}
			changed = true
		}
		if !present[name] || !trusted {
			if err := fs.SyncDir(dir); err != nil {
				return err
			}
		}
	}
	if !changed {
		return nil
	}
	return fs.SyncDir(parent)
}

func list(fs filesystem, name string) (map[string]bool, error) {
	dir, err := fs.OpenFile(name, readOnly)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names := map[string]bool{}
	for {
		entries, err := dir.ReadDir(512)
		if errors.Is(err, io.EOF) {
			return names, nil
		}
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			names[entry.Name()] = true
		}
	}
}

// readFormat returns "" for a directory that has no format yet, and an error
// for one of a version that this program does not know.
func readFormat(fs filesystem) (string, error) {
	f, err := fs.OpenFile(formatFile, readOnly)
	if isAbsent(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, 64))
	if err == nil && string(text) != format {
		err = fmt.Errorf("the blob directory has the format %q; this program knows %q", text, format)
	}
	return string(text), err
}

func writeFormat(fs filesystem) error {
	staged, f, err := createUnique(fs, formatFile)
	if err != nil {
		return err
	}
	if _, err = f.Write([]byte(format)); err == nil {
		err = fs.Sync(f)
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = fs.Rename(staged, formatFile)
	}
	if err != nil {
		return err
	}
	return fs.SyncDir(".")
}

// createUnique creates a file in uploads that nobody else has: several
// processes may do this at once. Its name is no upload's, so a sweep takes what
// a crash leaves.
func createUnique(fs filesystem, what string) (string, file, error) {
	for n := 0; ; n++ {
		name := fmt.Sprintf("%s/%s-%d-%d", uploadsDir, what, os.Getpid(), n)
		f, err := fs.OpenFile(name, createNew)
		if !errors.Is(err, os.ErrExist) {
			return name, f, err
		}
	}
}
