package main

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// floorCommand is the argument that makes this program serve as the floor.
const floorCommand = "floor-server"

// floor is the least a durable registry can do: it hashes what it is sent,
// writes it, syncs the file and its directory, and compares the digest. It
// knows no rights, no packages and no formats, and it forgets its tags when it
// ends. It is a mark to measure against, not a server to use.
type floor struct {
	dir string

	mu        sync.Mutex
	serial    int
	uploads   map[string]*floorUpload
	manifests map[string][]byte // by repo + "@" + digest and repo + ":" + tag
}

type floorUpload struct {
	file *os.File
	hash hash.Hash
	size int64
}

// newFloor serves from an empty directory.
func newFloor(dir string) (*floor, error) {
	f := &floor{dir: dir, uploads: map[string]*floorUpload{}, manifests: map[string][]byte{}}
	return f, errors.Join(os.MkdirAll(filepath.Join(dir, "blobs"), 0o755), os.MkdirAll(filepath.Join(dir, "uploads"), 0o755))
}

// serveFloor is the whole program of the floor.
func serveFloor(dir, addr string) error {
	f, err := newFloor(dir)
	if err != nil {
		return err
	}
	return http.ListenAndServe(addr, f)
}

// ServeHTTP finds the kind of thing from the last words of the path.
func (f *floor) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/v2/")
	if path == "" {
		return
	}
	var err error
	if repo, ref, ok := strings.Cut(path, "/manifests/"); ok {
		err = f.serveManifest(w, r, repo, ref)
	} else if repo, id, ok := strings.Cut(path, "/blobs/uploads/"); ok {
		err = f.serveUpload(w, r, repo, id)
	} else if _, digest, ok := strings.Cut(path, "/blobs/"); ok {
		w.Header().Set("Content-Type", "application/octet-stream")
		http.ServeFile(w, r, f.blobPath(digest))
	} else {
		http.NotFound(w, r)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
	}
}

func (f *floor) blobPath(digest string) string {
	return filepath.Join(f.dir, "blobs", filepath.Base(digest))
}

func (f *floor) serveManifest(w http.ResponseWriter, r *http.Request, repo, ref string) error {
	key := repo + ":" + ref
	if strings.HasPrefix(ref, "sha256:") {
		key = repo + "@" + ref
	}
	if r.Method != http.MethodPut {
		f.mu.Lock()
		content, ok := f.manifests[key]
		f.mu.Unlock()
		if !ok {
			http.NotFound(w, r)
			return nil
		}
		w.Header().Set("Content-Type", manifestType)
		w.Header().Set("Content-Length", strconv.Itoa(len(content)))
		_, err := w.Write(content)
		return err
	}
	content, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	digest := digestOf(content)
	if strings.HasPrefix(ref, "sha256:") && ref != digest {
		return errors.New("digest does not match")
	}
	up, err := f.begin()
	if err != nil {
		return err
	}
	if _, err := up.file.Write(content); err != nil {
		return errors.Join(err, up.drop())
	}
	if err := f.publish(up, digest); err != nil {
		return err
	}
	f.mu.Lock()
	f.manifests[key], f.manifests[repo+"@"+digest] = content, content
	f.mu.Unlock()
	w.WriteHeader(http.StatusCreated)
	return nil
}

// serveUpload is all four ways to upload a blob.
func (f *floor) serveUpload(w http.ResponseWriter, r *http.Request, repo, id string) error {
	up, err := f.session(&id)
	if err != nil {
		return err
	}
	if up == nil {
		http.NotFound(w, r)
		return nil
	}
	n, err := io.CopyBuffer(onlyWriter{io.MultiWriter(up.hash, up.file)}, onlyReader{r.Body}, make([]byte, 128<<10))
	up.size += n
	if err != nil {
		f.forget(id)
		return errors.Join(err, up.drop())
	}
	digest := r.URL.Query().Get("digest")
	if digest == "" {
		w.Header().Set("Location", "/v2/"+repo+"/blobs/uploads/"+id)
		w.Header().Set("Range", "0-"+strconv.FormatInt(max(0, up.size-1), 10))
		w.WriteHeader(http.StatusAccepted)
		return nil
	}
	f.forget(id)
	if digest != "sha256:"+hex.EncodeToString(up.hash.Sum(nil)) {
		return errors.Join(errors.New("digest does not match"), up.drop())
	}
	if err := f.publish(up, digest); err != nil {
		return err
	}
	w.WriteHeader(http.StatusCreated)
	return nil
}

// session returns the upload of that id, nil if there is none; an empty id
// begins one and is set.
func (f *floor) session(id *string) (*floorUpload, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if *id != "" {
		return f.uploads[*id], nil
	}
	up, err := f.begin()
	if err != nil {
		return nil, err
	}
	f.serial++
	*id = strconv.Itoa(f.serial)
	f.uploads[*id] = up
	return up, nil
}

func (f *floor) forget(id string) {
	f.mu.Lock()
	delete(f.uploads, id)
	f.mu.Unlock()
}

func (f *floor) begin() (*floorUpload, error) {
	file, err := os.CreateTemp(filepath.Join(f.dir, "uploads"), "")
	return &floorUpload{file: file, hash: sha256.New()}, err
}

// publish makes the upload durable under its digest.
func (f *floor) publish(up *floorUpload, digest string) error {
	err := up.file.Sync()
	if err = errors.Join(err, up.file.Close()); err != nil {
		return err
	}
	if err := os.Rename(up.file.Name(), f.blobPath(digest)); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Join(f.dir, "blobs"))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func (u *floorUpload) drop() error {
	return errors.Join(u.file.Close(), os.Remove(u.file.Name()))
}

// onlyReader hides a WriteTo method, so that io.CopyBuffer uses its buffer.
type onlyReader struct{ io.Reader }
