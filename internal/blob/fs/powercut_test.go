package fs

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"strings"
	"sync"
	"syscall"
	"time"
)

// memory is a filesystem that knows what a disk would hold: the bytes of a file
// since its last Sync, the names of a directory since its last SyncDir. It can
// fail at a chosen step, die there, and lose its power.
//
// It is harsher than a real one: without a Sync nothing is ever written, and
// what a failed Sync has dropped stays lost, whatever a later Sync answers.
type memory struct {
	mu    sync.Mutex
	root  *node
	steps int
	fault fault
	log   []string
}

// fault is what happens at step at; zero is no fault.
type fault struct {
	at    int
	err   error
	short bool // a write takes half of its bytes before it fails
	late  bool // the step is done and fails all the same
	dead  bool // every later step fails too: the process was killed
}

type node struct {
	live, disk map[string]*node // of a directory
	dropped    map[string]bool  // names that a failed SyncDir gave up
	data, kept []byte           // of a file
	lost       bool             // a failed Sync gave up some of its bytes
	changed    time.Time
}

func newDir() *node {
	return &node{live: map[string]*node{}, disk: map[string]*node{}, dropped: map[string]bool{}}
}

func newMemory() *memory { return &memory{root: newDir()} }

// cutPower returns the file system as it is found after a loss of power.
func (m *memory) cutPower() *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &memory{root: m.root.afterCut()}
}

func (n *node) afterCut() *node {
	if n.live == nil {
		return &node{data: bytes.Clone(n.kept), kept: bytes.Clone(n.kept)}
	}
	found := newDir()
	for name, child := range n.disk {
		found.live[name] = child.afterCut()
	}
	found.disk = maps.Clone(found.live)
	return found
}

// step counts an operation and returns its fault: skip says that the operation
// must not be done.
func (m *memory) step(op string) (err error, skip bool) {
	m.steps++
	m.log = append(m.log, op)
	f := m.fault
	if f.at == 0 || m.steps < f.at || m.steps > f.at && !f.dead {
		return nil, false
	}
	return &fs.PathError{Op: op, Path: "/secret/place", Err: f.err}, !f.late || f.dead
}

func (m *memory) find(name string) (dir *node, base string, n *node, err error) {
	dir = m.root
	parts := strings.Split(path.Clean(name), "/")
	for _, part := range parts[:len(parts)-1] {
		if dir = dir.live[part]; dir == nil || dir.live == nil {
			return nil, "", nil, syscall.ENOENT
		}
	}
	base = parts[len(parts)-1]
	if base == "." {
		return dir, base, dir, nil
	}
	return dir, base, dir.live[base], nil
}

func (m *memory) OpenFile(name string, flag int) (file, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	err, skip := m.step("open " + name)
	if skip {
		return nil, err
	}
	dir, base, n, findErr := m.find(name)
	switch {
	case findErr != nil:
		return nil, findErr
	case n == nil && flag&os.O_CREATE == 0:
		return nil, syscall.ENOENT
	case n != nil && flag&os.O_EXCL != 0:
		return nil, syscall.EEXIST
	case n == nil:
		n = &node{}
		dir.set(base, n)
	}
	if err != nil {
		return nil, err
	}
	return &handle{m: m, n: n, name: name}, nil
}

// set changes a name in memory; the disk learns of it by SyncDir.
func (n *node) set(name string, child *node) {
	if child == nil {
		delete(n.live, name)
	} else {
		n.live[name] = child
	}
	delete(n.dropped, name)
}

func (m *memory) Stat(name string) (int64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err, _ := m.step("stat " + name); err != nil {
		return 0, err
	}
	_, _, n, err := m.find(name)
	if err == nil && n == nil {
		err = syscall.ENOENT
	}
	if err != nil {
		return 0, err
	}
	return int64(len(n.data)), nil
}

func (m *memory) Sync(f file) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	n := f.(*handle).n
	err, skip := m.step("sync " + f.(*handle).name)
	if skip {
		n.lost = !m.fault.dead // a killed process loses nothing, the disk works
		return err
	}
	if !n.lost {
		n.kept = bytes.Clone(n.data)
	}
	return err
}

func (m *memory) SyncDir(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	err, skip := m.step("syncdir " + name)
	_, _, dir, findErr := m.find(name)
	if findErr != nil {
		return findErr
	}
	names := maps.Clone(dir.live)
	maps.Copy(names, dir.disk)
	for name := range names {
		switch {
		case dir.live[name] == dir.disk[name] || dir.dropped[name]:
		case skip:
			dir.dropped[name] = !m.fault.dead
		case dir.live[name] == nil:
			delete(dir.disk, name)
		default:
			dir.disk[name] = dir.live[name]
		}
	}
	return err
}

func (m *memory) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	err, skip := m.step("rename " + from + " " + to)
	if skip {
		return err
	}
	fromDir, fromBase, n, findErr := m.find(from)
	toDir, toBase, _, toErr := m.find(to)
	if findErr = errors.Join(findErr, toErr); findErr != nil || n == nil {
		return errors.Join(findErr, syscall.ENOENT)
	}
	fromDir.set(fromBase, nil)
	toDir.set(toBase, n)
	return err
}

func (m *memory) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	err, skip := m.step("remove " + name)
	if skip {
		return err
	}
	dir, base, n, findErr := m.find(name)
	if findErr != nil || n == nil {
		return syscall.ENOENT
	}
	dir.set(base, nil)
	return err
}

func (m *memory) Mkdir(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	err, skip := m.step("mkdir " + name)
	if skip {
		return err
	}
	dir, base, n, findErr := m.find(name)
	switch {
	case findErr != nil:
		return findErr
	case n != nil:
		return syscall.EEXIST
	}
	dir.set(base, newDir())
	return err
}

// handle is an open file of memory; writes append.
type handle struct {
	m      *memory
	n      *node
	name   string
	offset int
	listed bool
}

func (h *handle) Write(p []byte) (int, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	err, skip := h.m.step("write " + h.name)
	if skip && h.m.fault.short {
		p = p[:len(p)/2]
	} else if skip {
		return 0, err
	}
	h.n.data = append(h.n.data[:len(h.n.data):len(h.n.data)], p...)
	return len(p), err
}

func (h *handle) Read(p []byte) (int, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	if err, _ := h.m.step("read " + h.name); err != nil {
		return 0, err
	}
	if h.offset >= len(h.n.data) {
		return 0, io.EOF
	}
	n := copy(p, h.n.data[h.offset:])
	h.offset += n
	return n, nil
}

func (h *handle) Seek(offset int64, _ int) (int64, error) {
	h.offset = int(offset)
	return offset, nil
}

func (h *handle) Truncate(size int64) error {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	err, skip := h.m.step("truncate " + h.name)
	if !skip {
		h.n.data = h.n.data[:size]
	}
	return err
}

func (h *handle) Close() error {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	err, _ := h.m.step("close " + h.name)
	return err
}

func (h *handle) Stat() (os.FileInfo, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	if err, _ := h.m.step("fstat " + h.name); err != nil {
		return nil, err
	}
	return info{path.Base(h.name), h.n, int64(len(h.n.data))}, nil
}

func (h *handle) ReadDir(int) ([]os.DirEntry, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	if err, _ := h.m.step("readdir " + h.name); err != nil {
		return nil, err
	}
	if h.listed || len(h.n.live) == 0 {
		return nil, io.EOF
	}
	h.listed = true
	var entries []os.DirEntry
	for name, n := range h.n.live {
		entries = append(entries, fs.FileInfoToDirEntry(info{name, n, int64(len(n.data))}))
	}
	return entries, nil
}

// info is what is known of a file of memory.
type info struct {
	name string
	n    *node
	size int64
}

func (i info) Name() string       { return i.name }
func (i info) Size() int64        { return i.size }
func (i info) Mode() os.FileMode  { return 0o600 }
func (i info) ModTime() time.Time { return i.n.changed }
func (i info) IsDir() bool        { return i.n.live != nil }
func (i info) Sys() any           { return nil }
