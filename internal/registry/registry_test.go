package registry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/registry"
)

func wantKind(t *testing.T, err error, k errs.Kind) {
	t.Helper()
	if err == nil || errs.KindOf(err) != k {
		t.Fatalf("got error %v, want one of kind %s", err, k)
	}
}

// sizes on both sides of what lies in the database and of one read.
var sizes = []int{0, 1, registry.SmallBlob - 1, registry.SmallBlob, registry.SmallBlob + 1, 3 << 20}

func TestBlobsComeBackWhole(t *testing.T) {
	onBoth(t, func(f *fixture) {
		for _, n := range sizes {
			b, d := randomBytes(n)
			f.push(f.alice, f.app, b)
			got, err := f.read(f.alice, f.app, d)
			if err != nil || !bytes.Equal(got, b) {
				f.t.Errorf("%d bytes: got %d bytes, %v", n, len(got), err)
			}
		}
	})
}

func TestUploadInPieces(t *testing.T) {
	onBoth(t, func(f *fixture) {
		for _, n := range sizes {
			for _, alg := range []oci.Algorithm{oci.SHA256, oci.SHA512} {
				b, _ := randomBytes(n)
				sess, err := f.StartUpload(f.ctx(), f.alice, f.app, oci.SHA256)
				f.check(err)
				for _, part := range [][]byte{b[:n/3], b[n/3 : n/2], nil} {
					_, err = f.AppendUpload(f.ctx(), f.alice, f.app, sess.ID, whole(part))
					f.check(err)
				}
				// The last piece goes through another node.
				node := f.open(f.blobs)
				d := alg.FromBytes(b)
				_, err = node.FinishUpload(f.ctx(), f.alice, f.app, sess.ID, d, whole(b[n/2:]))
				f.check(err)
				got, err := f.read(f.alice, f.app, d)
				if err != nil || !bytes.Equal(got, b) {
					f.t.Errorf("%d bytes by %s: got %d bytes, %v", n, alg, len(got), err)
				}
				_, err = f.UploadStatus(f.ctx(), f.alice, f.app, sess.ID)
				wantKind(f.t, err, errs.NotFound)
			}
		}
	})
}

func TestWrongDigestStoresNothing(t *testing.T) {
	onBoth(t, func(f *fixture) {
		for _, n := range sizes[1:] {
			b, _ := randomBytes(n)
			_, wrong := randomBytes(n + 1) // one byte would be the same now and then
			wantKind(f.t, f.PushBlob(f.ctx(), f.alice, f.app, wrong, whole(b)), errs.Invalid)
			sess, err := f.StartUpload(f.ctx(), f.alice, f.app, oci.SHA256)
			f.check(err)
			_, err = f.FinishUpload(f.ctx(), f.alice, f.app, sess.ID, wrong, whole(b))
			wantKind(f.t, err, errs.Invalid)
			_, err = f.read(f.alice, f.app, wrong)
			wantKind(f.t, err, errs.NotFound)
			_, err = f.read(f.alice, f.app, oci.SHA256.FromBytes(b))
			wantKind(f.t, err, errs.NotFound)
		}
	})
}

// cutReader breaks off like a connection.
type cutReader struct{ r io.Reader }

func (c cutReader) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return n, err
}

func TestCutUploadKeepsWhatArrived(t *testing.T) {
	onBoth(t, func(f *fixture) {
		for _, n := range []int{1000, 2 << 20} {
			b, d := randomBytes(n)
			sess, err := f.StartUpload(f.ctx(), f.alice, f.app, oci.SHA256)
			f.check(err)
			cut := registry.Body{Reader: cutReader{bytes.NewReader(b[:n/2])}, Length: int64(n), Start: 0, RangeLength: int64(n)}
			_, err = f.AppendUpload(f.ctx(), f.alice, f.app, sess.ID, cut)
			wantKind(f.t, err, errs.Invalid)
			status, err := f.UploadStatus(f.ctx(), f.alice, f.app, sess.ID)
			f.check(err)
			if status.Size != int64(n/2) {
				f.t.Fatalf("after the cut the upload stands at %d, want %d", status.Size, n/2)
			}
			rest := whole(b[n/2:])
			rest.Start, rest.RangeLength = status.Size, rest.Length
			_, err = f.FinishUpload(f.ctx(), f.alice, f.app, sess.ID, d, rest)
			f.check(err)
			got, err := f.read(f.alice, f.app, d)
			if err != nil || !bytes.Equal(got, b) {
				f.t.Fatalf("got %d bytes, %v", len(got), err)
			}
		}
	})
}

func TestChunkOutOfOrder(t *testing.T) {
	onBoth(t, func(f *fixture) {
		b, d := randomBytes(100)
		sess, err := f.StartUpload(f.ctx(), f.alice, f.app, oci.SHA256)
		f.check(err)
		late := whole(b[50:])
		late.Start, late.RangeLength = 50, 50
		_, err = f.AppendUpload(f.ctx(), f.alice, f.app, sess.ID, late)
		wantKind(f.t, err, errs.BadRange)
		long := whole(b[:50])
		long.Start, long.RangeLength = 0, 60
		_, err = f.AppendUpload(f.ctx(), f.alice, f.app, sess.ID, long)
		wantKind(f.t, err, errs.Invalid)
		_, err = f.FinishUpload(f.ctx(), f.alice, f.app, sess.ID, d, whole(b))
		f.check(err)
	})
}

func TestTooLargeABlob(t *testing.T) {
	onBoth(t, func(f *fixture) {
		f.limits.MaxBlob = 20000
		small := f.open(f.blobs)
		for _, n := range []int{20001, 3 << 20} {
			b, d := randomBytes(n)
			wantKind(f.t, small.PushBlob(f.ctx(), f.alice, f.app, d, whole(b)), errs.TooLarge)
			unknown := whole(b)
			unknown.Length = -1
			wantKind(f.t, small.PushBlob(f.ctx(), f.alice, f.app, d, unknown), errs.TooLarge)
		}
		b, d := randomBytes(20000)
		f.check(small.PushBlob(f.ctx(), f.alice, f.app, d, whole(b)))
	})
}

func TestSessionBelongsToItsPrincipalAndPackage(t *testing.T) {
	onBoth(t, func(f *fixture) {
		sess, err := f.StartUpload(f.ctx(), f.alice, f.app, oci.SHA256)
		f.check(err)
		admin := f.bob
		admin.SiteAdmin = true // may push there, and still has no part in it
		_, err = f.UploadStatus(f.ctx(), admin, f.app, sess.ID)
		wantKind(f.t, err, errs.NotFound)
		wantKind(f.t, f.CancelUpload(f.ctx(), admin, f.app, sess.ID), errs.NotFound)
		_, err = f.AppendUpload(f.ctx(), f.alice, f.other, sess.ID, whole([]byte("x")))
		wantKind(f.t, err, errs.NotFound)
		_, err = f.UploadStatus(f.ctx(), f.alice, f.app, sess.ID)
		f.check(err)
		f.check(f.CancelUpload(f.ctx(), f.alice, f.app, sess.ID))
		_, err = f.UploadStatus(f.ctx(), f.alice, f.app, sess.ID)
		wantKind(f.t, err, errs.NotFound)
	})
}

func TestSessionsAreCountedAndExpire(t *testing.T) {
	onBoth(t, func(f *fixture) {
		var ids []string
		for range f.limits.MaxSessions {
			sess, err := f.StartUpload(f.ctx(), f.alice, f.app, oci.SHA256)
			f.check(err)
			ids = append(ids, sess.ID)
		}
		_, err := f.StartUpload(f.ctx(), f.alice, f.app, oci.SHA256)
		wantKind(f.t, err, errs.RateLimited)
		b, _ := randomBytes(1 << 20)
		f.now = f.now.Add(9 * time.Minute)
		_, err = f.AppendUpload(f.ctx(), f.alice, f.app, ids[0], whole(b))
		f.check(err)
		f.now = f.now.Add(2 * time.Minute)
		ended, err := f.SweepUploads(f.ctx())
		f.check(err)
		if ended != 2 {
			f.t.Errorf("%d sessions were swept, want the 2 that were idle", ended)
		}
		_, err = f.UploadStatus(f.ctx(), f.alice, f.app, ids[0])
		f.check(err)
		_, err = f.UploadStatus(f.ctx(), f.alice, f.app, ids[1])
		wantKind(f.t, err, errs.NotFound)
	})
}

// errReader waits until it is told to go on, as a slow client does.
type gateReader struct {
	started chan struct{}
	gate    chan struct{}
	once    sync.Once
	r       io.Reader
}

func (g *gateReader) Read(p []byte) (int, error) {
	g.once.Do(func() { close(g.started) })
	<-g.gate
	return g.r.Read(p)
}

func TestTwoRequestsOnOneSession(t *testing.T) {
	onBoth(t, func(f *fixture) {
		b, d := randomBytes(1 << 20)
		sess, err := f.StartUpload(f.ctx(), f.alice, f.app, oci.SHA256)
		f.check(err)
		slow := &gateReader{started: make(chan struct{}), gate: make(chan struct{}), r: bytes.NewReader(b)}
		done := make(chan error)
		go func() {
			body := whole(nil)
			body.Reader, body.Length = slow, -1
			_, err := f.AppendUpload(context.Background(), f.alice, f.app, sess.ID, body)
			done <- err
		}()
		<-slow.started
		_, err = f.AppendUpload(f.ctx(), f.alice, f.app, sess.ID, whole(b))
		wantKind(f.t, err, errs.Conflict)
		close(slow.gate)
		f.check(<-done)
		_, err = f.FinishUpload(f.ctx(), f.alice, f.app, sess.ID, d, registry.NoBody())
		f.check(err)
	})
}

func TestPrivateUntilSaidOtherwise(t *testing.T) {
	onBoth(t, func(f *fixture) {
		b, d := randomBytes(100)
		_, err := f.tag(f.alice, f.app, f.image(f.alice, f.app, b), "v1")
		f.check(err)
		_, err = f.stat(f.anyone, f.app, "v1")
		wantKind(f.t, err, errs.Unauthenticated)
		_, absent := f.stat(f.bob, f.other, "v1")
		_, private := f.stat(f.bob, f.app, "v1")
		if strings.ReplaceAll(absent.Error(), f.other.Name.String(), f.app.Name.String()) != private.Error() {
			f.t.Errorf("absent and private differ: %q and %q", absent, private)
		}
		wantKind(f.t, private, errs.NotFound)
		_, err = f.read(f.bob, f.app, d)
		wantKind(f.t, err, errs.NotFound)
		other, otherDigest := randomBytes(10)
		err = f.PushBlob(f.ctx(), f.bob, f.app, otherDigest, whole(other))
		wantKind(f.t, err, errs.Denied)
		page, err := f.Catalog(f.ctx(), f.bob, access.Container, "", "", 10)
		f.check(err)
		if len(page.Names) != 0 {
			f.t.Errorf("a stranger's catalog has %v", page.Names)
		}
		f.visibility(f.app, access.Public)
		_, err = f.stat(f.anyone, f.app, "v1")
		f.check(err)
	})
}

func (f *fixture) visibility(p access.Package, v access.Visibility) {
	f.t.Helper()
	f.check(f.db.Write(f.ctx(), func(ctx context.Context, tx *database.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE packages SET visibility = ? WHERE name = ?`, string(v), p.Name.Package())
		return err
	}))
}

func TestMountNeedsTheRightToRead(t *testing.T) {
	onBoth(t, func(f *fixture) {
		b, d := randomBytes(50000)
		f.push(f.alice, f.app, b)
		_, unknown := randomBytes(1)
		for _, c := range []struct {
			name string
			who  access.Principal
			to   access.Package
			d    oci.Digest
			from access.Package
			want bool
		}{
			{"own package", f.alice, f.other, d, f.app, true},
			{"no source named, readable", f.alice, pkg("alice/third"), d, access.Package{Type: access.Container}, true},
			{"another's private package", f.bob, f.bobs, d, f.app, false},
			{"no source named, private", f.bob, f.bobs, d, access.Package{Type: access.Container}, false},
			{"unknown digest", f.bob, f.bobs, unknown, f.app, false},
			{"source without it", f.alice, pkg("alice/fourth"), d, f.bobs, false},
		} {
			got, err := f.Mount(f.ctx(), c.who, c.to, c.d, c.from)
			if err != nil || got != c.want {
				f.t.Errorf("%s: mounted %v, %v; want %v", c.name, got, err, c.want)
			}
		}
		got, err := f.read(f.alice, f.other, d)
		if err != nil || !bytes.Equal(got, b) {
			f.t.Errorf("mounted blob: %d bytes, %v", len(got), err)
		}
		_, err = f.read(f.bob, f.bobs, d)
		wantKind(f.t, err, errs.NotFound)
	})
}

func TestManifestNeedsItsParts(t *testing.T) {
	onBoth(t, func(f *fixture) {
		layer, d := randomBytes(300)
		m := f.image(f.alice, f.app, layer)
		_, err := f.tag(f.alice, f.other, m, "v1")
		var missing registry.MissingParts
		if !errors.As(err, &missing) || len(missing) != 2 {
			f.t.Fatalf("got %v, want two missing parts", err)
		}
		wrong := bytes.Replace(m, []byte(`"size":300`), []byte(`"size":301`), 1)
		_, err = f.tag(f.alice, f.app, wrong, "v1")
		if !errors.As(err, &missing) || missing[0].Held != 300 || missing[0].Part.Digest != d {
			f.t.Fatalf("got %v, want the layer in another size", err)
		}
		_, err = f.stat(f.alice, f.app, "v1")
		wantKind(f.t, err, errs.NotFound)
		_, err = f.tag(f.alice, f.app, m, "v1")
		f.check(err)
		wantKind(f.t, f.DeleteBlob(f.ctx(), f.alice, f.app, d), errs.Unsupported)
	})
}

func TestManifestBytesAreKept(t *testing.T) {
	onBoth(t, func(f *fixture) {
		m := append(f.image(f.alice, f.app), "\n \n"...)
		d, err := f.tag(f.alice, f.app, m, "v1")
		f.check(err)
		for _, s := range []*registry.Service{f.Service, f.open(f.blobs)} {
			v, err := s.StatManifest(f.ctx(), f.alice, f.app, oci.Reference{Digest: d})
			f.check(err)
			got, err := s.ManifestContent(f.ctx(), v)
			if err != nil || !bytes.Equal(got, m) || v.Size != int64(len(m)) {
				f.t.Errorf("got %q, %v", got, err)
			}
		}
	})
}

func TestTagsMoveAndEnd(t *testing.T) {
	onBoth(t, func(f *fixture) {
		one, _ := randomBytes(10)
		two, _ := randomBytes(20)
		first, err := f.tag(f.alice, f.app, f.image(f.alice, f.app, one), "latest")
		f.check(err)
		second, err := f.tag(f.alice, f.app, f.image(f.alice, f.app, two), "latest")
		f.check(err)
		v, err := f.stat(f.alice, f.app, "latest")
		f.check(err)
		if v.Digest != second {
			f.t.Errorf("latest is %s, want the second push", v.Digest)
		}
		_, err = f.tag(f.alice, f.app, f.image(f.alice, f.app, two), "also")
		f.check(err)
		f.check(f.DeleteManifest(f.ctx(), f.alice, f.app, oci.Reference{Digest: second}))
		for _, ref := range []string{"latest", "also", second.String()} {
			_, err = f.stat(f.alice, f.app, ref)
			wantKind(f.t, err, errs.NotFound)
		}
		_, err = f.stat(f.alice, f.app, first.String())
		f.check(err)
		_, err = f.tag(f.alice, f.app, f.image(f.alice, f.app, two), "latest")
		f.check(err)
		ref, _ := oci.ParseReference("latest")
		f.check(f.DeleteManifest(f.ctx(), f.alice, f.app, ref))
		_, err = f.stat(f.alice, f.app, second.String())
		f.check(err)
		wantKind(f.t, f.DeleteManifest(f.ctx(), f.alice, f.app, ref), errs.NotFound)
	})
}

func TestOneTagByManyPushers(t *testing.T) {
	onBoth(t, func(f *fixture) {
		const pushers = 8
		manifests := make([][]byte, pushers)
		for i := range manifests {
			layer, _ := randomBytes(10 + i)
			manifests[i] = f.image(f.alice, f.app, layer)
		}
		var wg sync.WaitGroup
		failures := make(chan error, pushers*5)
		for i := range pushers {
			wg.Go(func() {
				for range 5 {
					if _, err := f.tag(f.alice, f.app, manifests[i], "latest"); err != nil {
						failures <- err
					}
				}
			})
		}
		wg.Wait()
		close(failures)
		for err := range failures {
			f.t.Error(err)
		}
		page, err := f.Tags(f.ctx(), f.alice, f.app, "", 100)
		if err != nil || fmt.Sprint(page.Names) != "[latest]" {
			f.t.Errorf("tags are %v, %v", page.Names, err)
		}
	})
}

func TestTagPages(t *testing.T) {
	onBoth(t, func(f *fixture) {
		m := f.image(f.alice, f.app)
		var tags []oci.Tag
		for _, name := range []string{"b", "a", "B", "_x", "1.0", "1.10", "1.9", "v1-rc", "v1"} {
			tag, err := oci.ParseTag(name)
			f.check(err)
			tags = append(tags, tag)
		}
		_, err := f.PushManifest(f.ctx(), f.alice, f.app, registry.Push{
			Reference: oci.Reference{Digest: oci.SHA256.FromBytes(m)}, Tags: tags, Content: m,
		})
		f.check(err)
		var all []string
		for last := ""; ; {
			page, err := f.Tags(f.ctx(), f.alice, f.app, last, 2)
			f.check(err)
			all = append(all, page.Names...)
			if page.Next == "" {
				break
			}
			last = page.Next
		}
		if got := fmt.Sprint(all); got != "[1.0 1.10 1.9 B _x a b v1 v1-rc]" {
			f.t.Errorf("pages together are %s", got)
		}
	})
}

func TestBrokenBytesAreMendedByAnotherPush(t *testing.T) {
	onBoth(t, func(f *fixture) {
		b, d := randomBytes(100000)
		f.push(f.alice, f.app, b)
		stored, err := f.StatBlob(f.ctx(), f.alice, f.app, d)
		f.check(err)
		f.check(f.blobs.Remove(f.ctx(), stored.Location))
		if _, err := f.read(f.alice, f.app, d); err == nil {
			f.t.Fatal("a blob without bytes was read")
		}
		f.push(f.bob, f.bobs, b)
		got, err := f.read(f.alice, f.app, d)
		if err != nil || !bytes.Equal(got, b) {
			f.t.Errorf("got %d bytes, %v", len(got), err)
		}
	})
}
