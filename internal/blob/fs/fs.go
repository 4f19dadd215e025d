// Package fs keeps blobs in a directory of one file system. It owns that
// directory and the order of writes that makes an acknowledged blob survive a
// loss of power; nobody else writes there.
//
//	format                        the version of this layout
//	lock                          empty; see Lock
//	uploads/<id>                  bytes of an upload that is not published
//	sha256/ab/<hex>.<id>          published bytes; likewise sha512
//	trash/                        for bytes that wait for their removal
//
// A blob is written to uploads, fsynced, renamed to its shard, and the shard is
// fsynced; only then does Publish return. A name is never used twice, so no
// file is ever overwritten. The package knows no database.
package fs

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"packhouse/internal/blob"
	"packhouse/internal/oci"
)

// syncEvery is how many bytes a Writer lets pile up before it has them written
// to the disk beside its work. It keeps the fsync at the end short, and the
// unwritten pages of one upload below twice as much.
const syncEvery = 64 << 20

// Options of a Store. The zero value is right for a server.
type Options struct {
	// Now paces the attempts to recover from a failed fsync; nil is time.Now.
	Now func() time.Time
}

// Store is a blob.Store in a directory. Several processes may open one
// directory at the same time; only one may write uploads: see Lock.
type Store struct {
	fs        filesystem
	now       func() time.Time
	syncEvery int64
	shards    map[string]*sharedSync // by directory; fixed once opened

	failed  atomic.Pointer[failure] // nil while fsync is trusted
	probing sync.Mutex              // held by the one who probes
	tried   time.Time               // last attempt to recover; under probing
}

var _ blob.Store = (*Store)(nil)

// Open returns the store in dir and creates what is missing there, with the
// mode 0700. A layout of a later version is refused.
func Open(dir string, o Options) (*Store, error) {
	root, err := openDisk(dir)
	if err != nil {
		return nil, translate(err)
	}
	now := o.Now
	if now == nil {
		now = time.Now
	}
	return open(root, now)
}

func open(fs filesystem, now func() time.Time) (*Store, error) {
	if err := prepare(fs); err != nil {
		return nil, translate(err)
	}
	s := &Store{fs: fs, now: now, syncEvery: syncEvery, shards: map[string]*sharedSync{}}
	for _, alg := range []oci.Algorithm{oci.SHA256, oci.SHA512} {
		for i := range 256 {
			s.shards[fmt.Sprintf("%s/%02x", alg, i)] = newSharedSync()
		}
	}
	return s, nil
}

// Publish implements blob.Store. The location's generation is the upload's id.
func (s *Store) Publish(_ context.Context, up blob.Staged, d oci.Digest) (blob.Location, error) {
	staged, err := stagedName(up.ID)
	if err != nil {
		return "", err
	}
	shard, name := shardOf(d), shardOf(d)+"/"+d.Hex()+"."+up.ID
	if err := s.publish(up, staged, shard, name); err != nil {
		_ = s.fs.Remove(staged) // what stays behind is swept later
		return "", err
	}
	return blob.Location(name), nil
}

func (s *Store) publish(up blob.Staged, staged, shard, name string) error {
	if err := s.writable(); err != nil {
		return err
	}
	if err := s.settle(up, staged); err != nil {
		return err
	}
	if err := s.fs.Rename(staged, name); err != nil {
		return translate(err)
	}
	if err := s.syncShard(shard); err != nil {
		_ = s.fs.Remove(name) // nobody was told of it
		return err
	}
	return nil
}

// settle sees to it that the staged file holds exactly the upload's bytes and
// that they are on the disk. After a Close that went well it only asks for the
// size.
func (s *Store) settle(up blob.Staged, staged string) error {
	size, err := s.fs.Stat(staged)
	if err == nil && size == up.Size && string(up.State) == synced {
		return nil
	}
	f, err := s.openStaged(up, staged)
	if err != nil {
		return err
	}
	err = s.syncFile(f)
	if closeErr := f.Close(); err == nil {
		err = translate(closeErr)
	}
	return err
}

// Open implements blob.Store. Behind the Object is an *os.File.
func (s *Store) Open(_ context.Context, loc blob.Location, size int64) (blob.Object, error) {
	if err := checkLocation(loc); err != nil {
		return nil, err
	}
	f, err := s.fs.OpenFile(string(loc), readOnly)
	if err != nil {
		return nil, translate(err)
	}
	info, err := f.Stat()
	if err == nil && info.Size() != size {
		err = wrongSize(info.Size(), size)
	}
	if err != nil {
		_ = f.Close()
		return nil, translate(err)
	}
	return f, nil
}

// Remove implements blob.Store. A loss of power may bring the file back; then
// nothing refers to it.
func (s *Store) Remove(_ context.Context, loc blob.Location) error {
	if err := checkLocation(loc); err != nil {
		return err
	}
	return s.remove(string(loc))
}

// Discard implements blob.Store.
func (s *Store) Discard(_ context.Context, up blob.Staged) error {
	staged, err := stagedName(up.ID)
	if err != nil {
		return err
	}
	return s.remove(staged)
}

func (s *Store) remove(name string) error {
	if err := s.fs.Remove(name); !isAbsent(err) {
		return translate(err)
	}
	return nil
}
