package registry_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/blob"
	"packhouse/internal/blob/mem"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/registry"
)

// bucket is a blob store in which an upload lies at its final address from its
// first byte on, as in S3: to discard a published upload is to remove the blob.
type bucket struct {
	blob.Store
	published map[string]blob.Location
}

func newBucket() *bucket { return &bucket{mem.New(), map[string]blob.Location{}} }

func (b *bucket) Publish(ctx context.Context, up blob.Staged, d oci.Digest) (blob.Location, error) {
	if loc, ok := b.published[up.ID]; ok {
		return loc, nil
	}
	loc, err := b.Store.Publish(ctx, up, d)
	if err == nil {
		b.published[up.ID] = loc
	}
	return loc, err
}

func (b *bucket) Discard(ctx context.Context, up blob.Staged) error {
	if loc, ok := b.published[up.ID]; ok {
		return b.Remove(ctx, loc)
	}
	return b.Store.Discard(ctx, up)
}

// stale is what a node reads of sessions when another request comes between the
// reading and what it does then.
type stale struct {
	registry.Sessions
	then func()
}

func (s stale) Session(ctx context.Context, id string, who access.Principal, p access.Package) (*registry.Session, error) {
	sess, err := s.Sessions.Session(ctx, id, who, p)
	s.then()
	return sess, err
}

func TestARequestThatComesLateDoesNotTouchABlob(t *testing.T) {
	onBoth(t, func(f *fixture) {
		late := map[string]func(s *registry.Service, id string, d oci.Digest) error{
			"finish": func(s *registry.Service, id string, d oci.Digest) error {
				_, err := s.FinishUpload(f.ctx(), f.alice, f.app, id, d, registry.NoBody())
				return err
			},
			"finish with a wrong digest": func(s *registry.Service, id string, _ oci.Digest) error {
				_, err := s.FinishUpload(f.ctx(), f.alice, f.app, id, oci.SHA256.FromBytes(nil), registry.NoBody())
				return err
			},
			"cancel": func(s *registry.Service, id string, _ oci.Digest) error {
				return s.CancelUpload(f.ctx(), f.alice, f.app, id)
			},
			"append": func(s *registry.Service, id string, _ oci.Digest) error {
				more, _ := randomBytes(40000)
				_, err := s.AppendUpload(f.ctx(), f.alice, f.app, id, whole(more))
				return err
			},
		}
		for what, act := range late {
			f.blobs = newBucket()
			f.Service = f.open(f.blobs)
			b, d := randomBytes(100000)
			sess, err := f.StartUpload(f.ctx(), f.alice, f.app, oci.SHA256)
			f.check(err)
			_, err = f.AppendUpload(f.ctx(), f.alice, f.app, sess.ID, whole(b))
			f.check(err)
			other := f.node(func(deps *registry.Deps) {
				deps.Sessions = stale{f.store, func() {
					_, err := f.FinishUpload(f.ctx(), f.alice, f.app, sess.ID, d, registry.NoBody())
					f.check(err)
				}}
			})
			if err := act(other, sess.ID, d); !errs.Is(err, errs.NotFound) && !errs.Is(err, errs.Invalid) {
				f.t.Errorf("%s: got %v, want that the upload is over", what, err)
			}
			got, err := f.read(f.alice, f.app, d)
			if err != nil || !bytes.Equal(got, b) {
				f.t.Errorf("after a late %s the blob has %d bytes, %v", what, len(got), err)
			}
		}
	})
}

// expired is the list of a sweeper that another request overtakes.
type expired struct {
	registry.Sessions
	list []*registry.Session
}

func (e *expired) ExpiredSessions(context.Context, time.Time, int) ([]*registry.Session, error) {
	list := e.list
	e.list = nil
	return list, nil
}

func TestALateSweepDoesNotTouchABlob(t *testing.T) {
	onBoth(t, func(f *fixture) {
		f.blobs = newBucket()
		f.Service = f.open(f.blobs)
		b, d := randomBytes(100000)
		for _, finished := range []bool{true, false} {
			sess, err := f.StartUpload(f.ctx(), f.alice, f.app, oci.SHA256)
			f.check(err)
			_, err = f.AppendUpload(f.ctx(), f.alice, f.app, sess.ID, whole(b[:50000]))
			f.check(err)
			read, err := f.store.Session(f.ctx(), sess.ID, f.alice, f.app)
			f.check(err)
			sweeper := f.node(func(deps *registry.Deps) { deps.Sessions = &expired{f.store, []*registry.Session{read}} })
			if finished {
				_, err = f.FinishUpload(f.ctx(), f.alice, f.app, sess.ID, d, whole(b[50000:]))
			} else {
				_, err = f.AppendUpload(f.ctx(), f.alice, f.app, sess.ID, whole(b[50000:]))
			}
			f.check(err)
			ended, err := sweeper.SweepUploads(f.ctx())
			if ended != 0 || err != nil {
				f.t.Errorf("the sweep ended %d uploads, %v", ended, err)
			}
			if !finished {
				_, err = f.FinishUpload(f.ctx(), f.alice, f.app, sess.ID, d, registry.NoBody())
				f.check(err)
			}
			got, err := f.read(f.alice, f.app, d)
			if err != nil || !bytes.Equal(got, b) {
				f.t.Errorf("finished %v: the blob has %d bytes, %v", finished, len(got), err)
			}
		}
	})
}

// Two requests that began at the same byte: the bytes of the one that was
// answered are the upload, whatever the other one brought.
func TestBytesOfALateChunkAreNotMixedIn(t *testing.T) {
	onBoth(t, func(f *fixture) {
		b, d := randomBytes(100000)
		others, _ := randomBytes(100000)
		sess, err := f.StartUpload(f.ctx(), f.alice, f.app, oci.SHA256)
		f.check(err)
		node := f.node(func(deps *registry.Deps) {
			deps.Sessions = stale{f.store, func() {
				_, err := f.AppendUpload(f.ctx(), f.alice, f.app, sess.ID, whole(b))
				f.check(err)
			}}
		})
		_, err = node.AppendUpload(f.ctx(), f.alice, f.app, sess.ID, whole(others))
		wantKind(f.t, err, errs.Conflict)
		_, err = f.FinishUpload(f.ctx(), f.alice, f.app, sess.ID, d, registry.NoBody())
		f.check(err)
		got, err := f.read(f.alice, f.app, d)
		if err != nil || !bytes.Equal(got, b) {
			f.t.Errorf("the blob has other bytes than its digest says: %d, %v", len(got), err)
		}
	})
}

func TestALateFinishDoesNotUseUpAnUpload(t *testing.T) {
	onBoth(t, func(f *fixture) {
		b, d := randomBytes(100000)
		sess, err := f.StartUpload(f.ctx(), f.alice, f.app, oci.SHA256)
		f.check(err)
		_, err = f.AppendUpload(f.ctx(), f.alice, f.app, sess.ID, whole(b[:50000]))
		f.check(err)
		node := f.node(func(deps *registry.Deps) {
			deps.Sessions = stale{f.store, func() {
				_, err := f.AppendUpload(f.ctx(), f.alice, f.app, sess.ID, whole(b[50000:]))
				f.check(err)
			}}
		})
		_, err = node.FinishUpload(f.ctx(), f.alice, f.app, sess.ID, oci.SHA256.FromBytes(b[:50000]), registry.NoBody())
		wantKind(f.t, err, errs.Conflict)
		_, err = f.FinishUpload(f.ctx(), f.alice, f.app, sess.ID, d, registry.NoBody())
		f.check(err)
	})
}

// slowReader gives a little at a time, and time passes meanwhile.
type slowReader struct {
	r    *bytes.Reader
	wait func()
}

func (s slowReader) Read(p []byte) (int, error) {
	s.wait()
	return s.r.Read(p[:min(len(p), 100<<10)])
}

func TestAnUploadThatMovesIsNotSwept(t *testing.T) {
	onBoth(t, func(f *fixture) {
		b, d := randomBytes(500 << 10)
		other := f.open(f.blobs)
		sess, err := f.StartUpload(f.ctx(), f.alice, f.app, oci.SHA256)
		f.check(err)
		body := whole(nil)
		body.Length = -1
		body.Reader = slowReader{bytes.NewReader(b), func() {
			f.now = f.now.Add(3 * time.Minute)
			ended, err := other.SweepUploads(f.ctx())
			if ended != 0 || err != nil {
				f.t.Errorf("the sweep of another node ended %d uploads, %v", ended, err)
			}
		}}
		_, err = f.AppendUpload(f.ctx(), f.alice, f.app, sess.ID, body)
		f.check(err)
		_, err = other.FinishUpload(f.ctx(), f.alice, f.app, sess.ID, d, registry.NoBody())
		f.check(err)
	})
}

// faulty fails where it is told to; the zero value fails nowhere.
type faulty struct {
	blob.Store
	resume, publish, open error
	removed               []blob.Location
}

func (s *faulty) Resume(ctx context.Context, up blob.Staged) (blob.Writer, error) {
	if s.resume != nil {
		return nil, s.resume
	}
	return s.Store.Resume(ctx, up)
}

func (s *faulty) Publish(ctx context.Context, up blob.Staged, d oci.Digest) (blob.Location, error) {
	if s.publish != nil {
		return "", errors.Join(s.publish, s.Store.Discard(ctx, up)) // used up, whatever the outcome
	}
	return s.Store.Publish(ctx, up, d)
}

func (s *faulty) Open(ctx context.Context, loc blob.Location, size int64) (blob.Object, error) {
	if s.open != nil {
		return nil, s.open
	}
	return s.Store.Open(ctx, loc, size)
}

func (s *faulty) Remove(ctx context.Context, loc blob.Location) error {
	s.removed = append(s.removed, loc)
	return s.Store.Remove(ctx, loc)
}

// faultyCommits fails instead of a commit, or after it.
type faultyCommits struct {
	registry.Commits
	instead, after error
}

func (c *faultyCommits) CommitBlob(ctx context.Context, bc *registry.BlobCommit) (blob.Location, error) {
	if c.instead != nil {
		return "", c.instead
	}
	loc, err := c.Commits.CommitBlob(ctx, bc)
	if c.after != nil {
		return "", c.after
	}
	return loc, err
}

func (c *faultyCommits) MountBlob(ctx context.Context, bc *registry.BlobCommit) error {
	if c.instead != nil {
		return c.instead
	}
	return errors.Join(c.Commits.MountBlob(ctx, bc), c.after)
}

// TestAFailedPushIsToldAndCanBeRepeated breaks each step of a push: nothing may be
// acknowledged, the error must say whose fault it is, and the same push must
// work once the fault is gone.
func TestAFailedPushIsToldAndCanBeRepeated(t *testing.T) {
	full, away := errs.New(errs.NoSpace, "full"), errs.New(errs.Unavailable, "away")
	steps := map[string]struct {
		kind    errs.Kind
		arrange func(s *faulty, c *faultyCommits)
		maybe   bool // the blob may be there all the same
	}{
		"disk full while writing":       {errs.NoSpace, func(s *faulty, _ *faultyCommits) { s.resume = full }, false},
		"store away while writing":      {errs.Unavailable, func(s *faulty, _ *faultyCommits) { s.resume = away }, false},
		"disk full while publishing":    {errs.NoSpace, func(s *faulty, _ *faultyCommits) { s.publish = full }, false},
		"store away while publishing":   {errs.Unavailable, func(s *faulty, _ *faultyCommits) { s.publish = away }, false},
		"database full":                 {errs.NoSpace, func(_ *faulty, c *faultyCommits) { c.instead = full }, false},
		"database away":                 {errs.Unavailable, func(_ *faulty, c *faultyCommits) { c.instead = away }, false},
		"database gone with its answer": {errs.Unavailable, func(_ *faulty, c *faultyCommits) { c.after = away }, true},
	}
	onBoth(t, func(f *fixture) {
		for what, step := range steps {
			for _, known := range []bool{false, true} {
				blobs := &faulty{Store: f.blobs}
				commits := &faultyCommits{Commits: f.store}
				node := f.node(func(d *registry.Deps) { d.Blobs, d.Commits = blobs, commits })
				b, d := randomBytes(50000)
				if known {
					f.push(f.bob, f.bobs, b)
				}
				step.arrange(blobs, commits)
				err := node.PushBlob(f.ctx(), f.alice, f.app, d, whole(b))
				if known && blobs.publish != nil {
					f.check(err) // bytes that are there need no publishing
				} else if !errs.Is(err, step.kind) {
					f.t.Errorf("%s: got %v, want one of kind %s", what, err, step.kind)
				}
				_, err = f.read(f.alice, f.app, d)
				if (err == nil) != (step.maybe || known && blobs.publish != nil) {
					f.t.Errorf("%s: reading the blob then: %v", what, err)
				}
				*blobs = faulty{Store: f.blobs, removed: blobs.removed}
				*commits = faultyCommits{Commits: f.store}
				f.check(node.PushBlob(f.ctx(), f.alice, f.app, d, whole(b)))
				got, err := f.read(f.alice, f.app, d)
				if err != nil || !bytes.Equal(got, b) {
					f.t.Errorf("%s: after a second push %d bytes, %v", what, len(got), err)
				}
			}
		}
	})
}

// What a full database refused is on record nowhere, and must not fill the disk
// with every retry. When nobody knows what became of the commit, it stays.
func TestBytesWithoutARowAreRemovedOnlyWhenThatIsCertain(t *testing.T) {
	onBoth(t, func(f *fixture) {
		for _, c := range []struct {
			failure *errs.Error
			removed int
		}{
			{errs.New(errs.NoSpace, "full"), 1}, {errs.New(errs.Unavailable, "away"), 0}, {errs.New(errs.Internal, "?"), 0},
		} {
			blobs := &faulty{Store: f.blobs}
			node := f.node(func(d *registry.Deps) {
				d.Blobs, d.Commits = blobs, &faultyCommits{Commits: f.store, instead: c.failure}
			})
			b, d := randomBytes(50000)
			wantKind(f.t, node.PushBlob(f.ctx(), f.alice, f.app, d, whole(b)), c.failure.Kind)
			if len(blobs.removed) != c.removed {
				f.t.Errorf("after %q %d blobs were removed, want %d", c.failure, len(blobs.removed), c.removed)
			}
		}
	})
}

// A finish that failed on the way to the database can be sent again as it was.
func TestAFailedFinishCanBeRepeated(t *testing.T) {
	onBoth(t, func(f *fixture) {
		for _, n := range []int{100, 50000} {
			for _, known := range []bool{false, true} {
				commits := &faultyCommits{Commits: f.store}
				node := f.node(func(d *registry.Deps) { d.Commits = commits })
				b, d := randomBytes(n)
				if known {
					f.check(node.PushBlob(f.ctx(), f.bob, f.bobs, d, whole(b)))
				}
				sess, err := node.StartUpload(f.ctx(), f.alice, f.app, oci.SHA256)
				f.check(err)
				commits.instead = errs.New(errs.Unavailable, "away")
				_, err = node.FinishUpload(f.ctx(), f.alice, f.app, sess.ID, d, whole(b))
				wantKind(f.t, err, errs.Unavailable)
				commits.instead = nil
				_, err = node.FinishUpload(f.ctx(), f.alice, f.app, sess.ID, d, whole(b))
				f.check(err)
				got, err := f.read(f.alice, f.app, d)
				if err != nil || !bytes.Equal(got, b) {
					f.t.Errorf("got %d bytes, %v", len(got), err)
				}
			}
		}
	})
}

// A store that does not answer is no proof that the bytes are broken.
func TestBytesAreNotReplacedWhileTheStoreIsAway(t *testing.T) {
	onBoth(t, func(f *fixture) {
		b, d := randomBytes(50000)
		f.push(f.alice, f.app, b)
		blobs := &faulty{Store: f.blobs, open: errs.New(errs.Unavailable, "too many open files")}
		node := f.open(blobs)
		wantKind(f.t, node.PushBlob(f.ctx(), f.bob, f.bobs, d, whole(b)), errs.Unavailable)
		if len(blobs.removed) != 0 {
			f.t.Errorf("%v was removed", blobs.removed)
		}
		got, err := f.read(f.alice, f.app, d)
		if err != nil || !bytes.Equal(got, b) {
			f.t.Errorf("got %d bytes, %v", len(got), err)
		}
	})
}

// A few bytes that came by a long announcement lie in the store. When they break
// there, a push of them mends the blob like any other.
func TestSmallBytesInTheStoreAreMended(t *testing.T) {
	onBoth(t, func(f *fixture) {
		b, d := randomBytes(100)
		sess, err := f.StartUpload(f.ctx(), f.alice, f.app, oci.SHA256)
		f.check(err)
		cut := whole(nil)
		cut.Reader, cut.Length = cutReader{bytes.NewReader(b)}, 1<<20
		_, err = f.AppendUpload(f.ctx(), f.alice, f.app, sess.ID, cut)
		wantKind(f.t, err, errs.Invalid)
		_, err = f.FinishUpload(f.ctx(), f.alice, f.app, sess.ID, d, registry.NoBody())
		f.check(err)
		stored, err := f.FindBlob(f.ctx(), f.alice, f.app, d)
		f.check(err)
		f.check(f.blobs.Remove(f.ctx(), stored.Location))
		f.push(f.bob, f.bobs, b)
		got, err := f.read(f.alice, f.app, d)
		if err != nil || !bytes.Equal(got, b) {
			f.t.Errorf("got %d bytes, %v", len(got), err)
		}
	})
}

// unseen are lookups just before another push puts a blob on record.
type unseen struct {
	registry.Lookups
	then func()
}

func (u unseen) AnyBlob(ctx context.Context, d oci.Digest) (*registry.Blob, error) {
	b, err := u.Lookups.AnyBlob(ctx, d)
	u.then()
	return b, err
}

// Few bytes that lie in the store and the same ones in the database come at one
// moment: those on record first stay, and are whole.
func TestSmallBytesComeBothWaysAtOnce(t *testing.T) {
	onBoth(t, func(f *fixture) {
		b, d := randomBytes(100)
		node := f.node(func(deps *registry.Deps) { deps.Lookups = unseen{f.store, func() { f.push(f.bob, f.bobs, b) }} })
		sess, err := node.StartUpload(f.ctx(), f.alice, f.app, oci.SHA256)
		f.check(err)
		cut := whole(nil)
		cut.Reader, cut.Length = cutReader{bytes.NewReader(b)}, 1<<20
		_, err = node.AppendUpload(f.ctx(), f.alice, f.app, sess.ID, cut)
		wantKind(f.t, err, errs.Invalid)
		_, err = node.FinishUpload(f.ctx(), f.alice, f.app, sess.ID, d, registry.NoBody())
		f.check(err)
		f.Service = f.open(f.blobs) // one that has nothing in memory
		for who, p := range map[*access.Principal]access.Package{&f.alice: f.app, &f.bob: f.bobs} {
			if got, err := f.read(*who, p, d); err != nil || !bytes.Equal(got, b) {
				f.t.Errorf("%s has %d bytes, %v", p.Name, len(got), err)
			}
		}
	})
}
