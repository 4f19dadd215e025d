package backup

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"packhouse/internal/blob"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

const (
	manifestFile = "packhouse-backup.json"
	format       = "packhouse backup 1"
)

// Manifest says what a backup holds.
type Manifest struct {
	Format string `json:"format"`
	// Begun is when the rows were read: all that was acknowledged before is in
	// the backup.
	Begun time.Time `json:"begun"`
	Ended time.Time `json:"ended"`
	// Program is the version that made it, Engine the kind of its database.
	Program string `json:"program"`
	Engine  string `json:"engine"`
	// Database is the directory of the dump, Files are all that it has.
	Database string `json:"database"`
	Files    []File `json:"files"`
	// Blobs and Bytes count the files of blobs that the rows name.
	Blobs int64 `json:"blobs"`
	Bytes int64 `json:"bytes"`
	// Missing are blobs that the rows name and whose bytes were damaged or gone.
	Missing []string `json:"missing"`
}

// File is one file of a dump.
type File struct {
	Name   string `json:"name"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// Blob is a blob whose bytes are outside of the database.
type Blob struct {
	Digest   oci.Digest
	Size     int64
	Location blob.Location
}

// Open reads the manifest in dir and checks the dump that it names. NotFound
// when there is no whole backup.
func Open(dir string) (Manifest, error) {
	var m Manifest
	text, err := os.ReadFile(filepath.Join(dir, manifestFile))
	if errors.Is(err, os.ErrNotExist) {
		return m, errs.New(errs.NotFound, "there is no whole backup in %s", dir)
	}
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(text, &m); err != nil || m.Format != format {
		return m, errs.Wrap(errs.Unsupported, err, "%s is not of a backup that this version knows", manifestFile)
	}
	if m.Database == "" || strings.ContainsAny(m.Database, `/\`) {
		return m, errs.New(errs.Invalid, "%s names no directory of the database", manifestFile)
	}
	have, err := describe(filepath.Join(dir, m.Database))
	if err != nil {
		return m, err
	}
	if len(have) != len(m.Files) {
		return m, errs.New(errs.Invalid, "the dump of the database has %d files and should have %d", len(have), len(m.Files))
	}
	for i, f := range m.Files {
		if have[i] != f {
			return m, errs.New(errs.Invalid, "the file %s of the dump is not as it was written", f.Name)
		}
	}
	return m, nil
}

// describe lists the files in dir, by name.
func describe(dir string) ([]File, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var list []File
	for _, e := range entries {
		sum, size, err := hashFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		list = append(list, File{e.Name(), size, sum})
	}
	return list, nil
}

func hashFile(name string) (sum string, size int64, err error) {
	f, err := os.Open(name)
	if err != nil {
		return "", 0, err
	}
	defer f.Close()
	h := sha256.New()
	size, err = io.Copy(h, f)
	return hex.EncodeToString(h.Sum(nil)), size, err
}

// write puts m into dir, in place of the one that was there.
func (m Manifest) write(dir string) error {
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	staged := filepath.Join(dir, manifestFile+".new")
	if err := os.WriteFile(staged, append(text, '\n'), 0o600); err != nil {
		return err
	}
	if err := syncFile(staged); err != nil {
		return err
	}
	if err := os.Rename(staged, filepath.Join(dir, manifestFile)); err != nil {
		return err
	}
	return syncFile(dir)
}

// syncFile makes a file or the names in a directory durable.
func syncFile(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// syncTree makes a directory with files durable.
func syncTree(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := syncFile(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return syncFile(dir)
}
