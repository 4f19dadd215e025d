package s3_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"packhouse/internal/blob"
	"packhouse/internal/blob/blobtest"
	"packhouse/internal/blob/s3"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/testkit"
)

func TestMain(m *testing.M) {
	defer testkit.StopS3()
	minio.DefaultRetryUnit = 20 * time.Millisecond // the tests let many requests fail
	m.Run()
}

func config(b testkit.S3Bucket) s3.Config {
	return s3.Config{
		Endpoint: b.Endpoint, Region: b.Region, Bucket: b.Name,
		AccessKey: b.AccessKey, SecretKey: b.SecretKey, Prefix: "Some/prefix/",
	}
}

func open(t testing.TB, c s3.Config) *s3.Store {
	t.Helper()
	s, err := s3.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestStore(t *testing.T) {
	t.Parallel()
	blobtest.Run(t, func(t *testing.T) blobtest.Backing {
		c := config(testkit.S3(t))
		return func(t *testing.T) blob.Store { return open(t, c) }
	})
}

// Some services know neither conditional writes nor checksums.
func TestStoreOnAPlainService(t *testing.T) {
	t.Parallel()
	blobtest.Run(t, func(t *testing.T) blobtest.Backing {
		b := testkit.S3(t)
		p := newProxy(t, b.Endpoint)
		p.set(func(_ int, r *http.Request) fault {
			if r.Header.Get("If-None-Match") != "" || r.Header.Get("X-Amz-Checksum-Sha256") != "" || r.Header.Get("X-Amz-Checksum-Algorithm") != "" {
				return notImplemented
			}
			return nil
		})
		return func(t *testing.T) blob.Store { return open(t, through(p, config(b))) }
	})
}

const mebi = 1 << 20

// TestEveryRequestMayFail spoils the first request of a push in two stretches,
// then the second, and so on until a push passes untouched: once, so that the
// store's own retry may mend it, and from there on, until the service is well
// again. Never is a blob acknowledged that is not there whole.
func TestEveryRequestMayFail(t *testing.T) {
	t.Parallel()
	faults := map[string]fault{"slow down": slowDown, "fails": fails, "reset": reset, "answer lost": lost, "halved": halved, "not found": notFound}
	mended := map[string]bool{"slow down": true, "fails": true, "reset": true, "answer lost": true}
	// The second try of a write whose answer was lost is refused as one too many,
	// and that says that it is there. The service refuses before it has read the
	// body: of a large one the refusal may be lost with the connection.
	mends := func(name string, sizes [2]int) bool {
		return mended[name] && (name != "answer lost" || sizes[1] < mebi)
	}
	var wg sync.WaitGroup // all at once: they mostly wait
	for name, f := range faults {
		for _, lasting := range []bool{false, true} {
			for _, sizes := range [][2]int{{1000, 2000}, {3 * mebi, 8 * mebi}} {
				wg.Go(func() {
					t.Run(fmt.Sprintf("%s lasting=%v %v", name, lasting, sizes), func(t *testing.T) {
						everyRequest(t, f, lasting, sizes, !lasting && mends(name, sizes))
					})
				})
			}
		}
	}
	wg.Wait()
}

func everyRequest(t *testing.T, f fault, lasting bool, sizes [2]int, mended bool) {
	t.Helper()
	b := testkit.S3(t)
	p := newProxy(t, b.Endpoint)
	s := open(t, through(p, config(b)))
	content := blobtest.Random(sizes[0] + sizes[1])
	for at := 1; ; at++ {
		p.set(func(n int, _ *http.Request) fault {
			if n == at || lasting && n > at {
				return f
			}
			return nil
		})
		loc, err := push(t, s, content[:sizes[0]], content[sizes[0]:])
		reached := p.count() >= at
		p.set(nil)
		if err != nil {
			checkClean(t, err)
			if mended {
				t.Errorf("request %d failed once, and the push with it: %v", at, err)
			}
			waitUntilUp(t, s)
			if loc, err = push(t, s, content); err != nil {
				t.Fatalf("request %d: second try: %v", at, err)
			}
		}
		waitUntilUp(t, s)
		blobtest.Check(t, s, loc, content)
		if !reached {
			return
		}
		if at > 60 {
			t.Fatal("a push of two pieces took more than 60 requests")
		}
	}
}

func checkClean(t *testing.T, err error) {
	t.Helper()
	var e *errs.Error
	if !errors.As(err, &e) {
		t.Fatalf("error %v is none of ours", err)
	}
	if e.Kind == errs.Unavailable && e.RetryAfter == 0 {
		t.Errorf("error %v does not say when to come again", err)
	}
}

// push is what a server does with an upload in pieces.
func push(t *testing.T, s blob.Store, pieces ...[]byte) (blob.Location, error) {
	t.Helper()
	up := blob.Staged{ID: blobtest.NewID()}
	for _, piece := range pieces {
		w, err := s.Resume(t.Context(), up)
		if err != nil {
			return "", err
		}
		_, err = w.Write(piece)
		next, closeErr := w.Close()
		if next.Size < up.Size {
			t.Errorf("Close gave up bytes that were kept before: %d, then %d", up.Size, next.Size)
		}
		if err = errors.Join(err, closeErr); err != nil {
			return "", err
		}
		up = next
	}
	return s.Publish(t.Context(), up, oci.SHA256.FromBytes(bytes.Join(pieces, nil)))
}

// waitUntilUp asks until the store dares to use the service again.
func waitUntilUp(t *testing.T, s blob.Store) {
	t.Helper()
	for {
		err := s.Probe(t.Context())
		if err == nil {
			return
		}
		if !errs.Is(err, errs.Unavailable) || t.Context().Err() != nil {
			t.Fatal(err)
		}
	}
}

func TestAnUploadGoesOnAfterTheServiceWasDown(t *testing.T) {
	t.Parallel()
	server, err := testkit.NewS3Server()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Remove)
	s := open(t, config(server.Bucket(t)))
	content := blobtest.Random(33 * mebi)
	loc := blobtest.Put(t, s, content)
	up := blobtest.Append(t, s, blob.Staged{ID: blobtest.NewID()}, content[:7*mebi])
	w, err := s.Resume(t.Context(), up)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(content[7*mebi : 19*mebi]); err != nil {
		t.Fatal(err)
	}

	server.Stop()
	_, err = w.Write(content[19*mebi:])
	wantUnavailable(t, "Write", err)
	kept, err := w.Close()
	wantUnavailable(t, "Close", err)
	if kept.Size < up.Size || kept.Size > 19*mebi {
		t.Errorf("Close says that %d bytes are kept, of 7 to 19 MiB", kept.Size)
	}
	_, err = s.Open(t.Context(), loc, int64(len(content)))
	wantUnavailable(t, "Open", err)
	_, err = s.Resume(t.Context(), kept)
	wantUnavailable(t, "Resume", err)
	_, err = s.ReadStaged(t.Context(), kept)
	wantUnavailable(t, "ReadStaged", err)
	wantUnavailable(t, "Probe", s.Probe(t.Context()))
	wantUnavailable(t, "Remove", s.Remove(t.Context(), loc))
	wantUnavailable(t, "Discard", s.Discard(t.Context(), kept))

	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	waitUntilUp(t, s)
	up = blobtest.Append(t, s, kept, content[kept.Size:])
	blobtest.Check(t, s, blobtest.Publish(t, s, up, content), content)
	blobtest.Check(t, s, loc, content)
}

func wantUnavailable(t *testing.T, what string, err error) {
	t.Helper()
	var e *errs.Error
	if !errors.As(err, &e) || e.Kind != errs.Unavailable || e.RetryAfter == 0 {
		t.Errorf("%s while the service is down = %v, want unavailable and when to come again", what, err)
	}
}

// TestASilentServiceIsGivenUp has a service that takes connections and never
// answers.
func TestASilentServiceIsGivenUp(t *testing.T) {
	t.Parallel()
	b := testkit.S3(t)
	p := newProxy(t, b.Endpoint)
	s := open(t, through(p, config(b)))
	content := blobtest.Random(6 * mebi)
	loc := blobtest.Put(t, s, content)
	done := make(chan struct{})
	t.Cleanup(func() { close(done) })
	p.set(func(int, *http.Request) fault {
		return func(http.ResponseWriter, *http.Request, http.Handler) { <-done }
	})
	_, err := s.Open(t.Context(), loc, int64(len(content)))
	wantUnavailable(t, "Open", err)
	_, err = push(t, s, content)
	wantUnavailable(t, "push", err)
}

func TestAServiceThatIsDownAtTheStart(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	_, err = s3.Open(t.Context(), s3.Config{Endpoint: l.Addr().String(), Bucket: "blobs", AccessKey: "a", SecretKey: "b"})
	wantUnavailable(t, "Open of the store", err)
}

func TestAReaderGoesOnAfterACut(t *testing.T) {
	t.Parallel()
	b := testkit.S3(t)
	p := newProxy(t, b.Endpoint)
	s := open(t, through(p, config(b)))
	content := blobtest.Random(9 * mebi)
	loc := blobtest.Put(t, s, content)
	gets := 0
	p.set(func(_ int, r *http.Request) fault {
		if r.Method != http.MethodGet {
			return nil
		}
		if gets++; gets <= 4 {
			return halved
		}
		return nil
	})
	blobtest.Check(t, s, loc, content)
	if gets < 5 {
		t.Errorf("%d requests were made, the cuts were not felt", gets)
	}
}

func TestAReaderDoesNotEndEarly(t *testing.T) {
	t.Parallel()
	b := testkit.S3(t)
	p := newProxy(t, b.Endpoint)
	s := open(t, through(p, config(b)))
	content := blobtest.Random(mebi)
	loc := blobtest.Put(t, s, content)
	cut := false
	p.set(func(_ int, r *http.Request) fault {
		switch {
		case r.Method != http.MethodGet:
			return nil
		case cut:
			return reset
		}
		cut = true
		return halved
	})
	o, err := s.Open(t.Context(), loc, int64(len(content)))
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	n, err := io.Copy(io.Discard, o)
	if n >= int64(len(content)) || !errs.Is(err, errs.Unavailable) {
		t.Errorf("a read that was cut for good = %d bytes, %v; want an error", n, err)
	}
}

func TestServicesThatCannotHoldBlobsAreRefused(t *testing.T) {
	t.Parallel()
	for what, spoil := range map[string]func(n int, r *http.Request) fault{
		"it does not read back": func(_ int, r *http.Request) fault {
			if r.Method == http.MethodHead {
				return notFound
			}
			return nil
		},
		"range": func(_ int, r *http.Request) fault {
			if r.Header.Get("Range") != "" {
				return func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
					w.WriteHeader(http.StatusNotImplemented)
				}
			}
			return nil
		},
		"multipart": func(_ int, r *http.Request) fault {
			if r.URL.Query().Has("uploads") {
				return func(w http.ResponseWriter, r *http.Request, pass http.Handler) {
					w.WriteHeader(http.StatusMethodNotAllowed)
				}
			}
			return nil
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			b := testkit.S3(t)
			p := newProxy(t, b.Endpoint)
			p.set(spoil)
			_, err := s3.Open(t.Context(), through(p, config(b)))
			if !errs.Is(err, errs.Unsupported) {
				t.Errorf("Open = %v, want unsupported", err)
			}
		})
	}
}

func TestClientsReadFromThePublicEndpoint(t *testing.T) {
	t.Parallel()
	b := testkit.S3(t)
	c := config(b)
	private := open(t, c)
	content := blobtest.Random(6 * mebi)
	loc := blobtest.Put(t, private, content)
	if _, ok, err := private.Presign(t.Context(), loc, time.Minute); ok || err != nil {
		t.Errorf("Presign without a public endpoint = %v, %v", ok, err)
	}
	p := newProxy(t, b.Endpoint)
	c.PublicEndpoint = "http://" + p.address
	address, ok, err := open(t, c).Presign(t.Context(), loc, time.Minute)
	if !ok || err != nil {
		t.Fatalf("Presign = %v, %v", ok, err)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Range", "bytes=100-199")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	got, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusPartialContent || !bytes.Equal(got, content[100:200]) {
		t.Errorf("the address answers %s with %d bytes, %v", answer.Status, len(got), err)
	}
	if p.count() != 1 {
		t.Error("the address does not lead to the public endpoint")
	}
}

func TestSettingsThatCannotWork(t *testing.T) {
	t.Parallel()
	for _, c := range []s3.Config{
		{Endpoint: "127.0.0.1:1", Bucket: "blobs", Prefix: "no-slash"},
		{Endpoint: "http://127.0.0.1:1", Bucket: "blobs"},
		{Endpoint: "127.0.0.1:1", Bucket: "No Bucket"},
		{Endpoint: "127.0.0.1:1", Bucket: "blobs", PublicEndpoint: "no address"},
	} {
		if _, err := s3.Open(t.Context(), c); !errs.Is(err, errs.Invalid) {
			t.Errorf("Open(%+v) = %v, want invalid", c, err)
		}
	}
}

// Of two requests that publish one upload, the later one must not take away what
// the first one published.
func TestAnUploadIsPublishedTwice(t *testing.T) {
	t.Parallel()
	s := open(t, config(testkit.S3(t)))
	b := make([]byte, 9<<20)
	d := oci.SHA256.FromBytes(b)
	w, err := s.Resume(t.Context(), blob.Staged{ID: blobtest.NewID()})
	if err != nil {
		t.Fatal(err)
	}
	_, err = w.Write(b)
	up, closeErr := w.Close()
	if err := errors.Join(err, closeErr); err != nil {
		t.Fatal(err)
	}
	first, err := s.Publish(t.Context(), up, d)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := s.Publish(t.Context(), up, d); err != nil || again != first {
		t.Errorf("published again: %q, %v; want %q", again, err, first)
	}
	o, err := s.Open(t.Context(), first, int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	_ = o.Close()
}
