package fs

import "sync"

// syncFile makes the bytes of f durable. A failure is final for the file: the
// kernel reports a lost page once and then takes it for clean, so a second
// fsync would answer for bytes that are gone. Every failure but a full disk
// also closes the store for writes, see failure.
func (s *Store) syncFile(f file) error {
	if !fileSync {
		return nil
	}
	return s.judge(s.fs.Sync(f))
}

// syncShard makes the names in a shard durable. Publishers that meet in one
// shard share an fsync.
func (s *Store) syncShard(dir string) error {
	if !dirSync {
		return nil
	}
	return s.shards[dir].do(func() error { return s.judge(s.fs.SyncDir(dir)) })
}

// sharedSync runs an fsync on behalf of all who wait for it. Who comes while
// one runs waits for the next, since the running one may have begun before
// their change.
type sharedSync struct {
	turn chan struct{} // holds a token while an fsync runs
	mu   sync.Mutex
	next *round // not begun; nil when nobody waits
}

func newSharedSync() *sharedSync { return &sharedSync{turn: make(chan struct{}, 1)} }

type round struct {
	done chan struct{}
	err  error
}

func (g *sharedSync) do(fsync func() error) error {
	g.mu.Lock()
	if r := g.next; r != nil {
		g.mu.Unlock()
		<-r.done
		return r.err
	}
	r := &round{done: make(chan struct{})}
	g.next = r
	g.mu.Unlock()

	g.turn <- struct{}{}
	g.mu.Lock()
	g.next = nil
	g.mu.Unlock()
	r.err = fsync()
	<-g.turn
	close(r.done)
	return r.err
}
