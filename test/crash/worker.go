package crash

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
)

// errGone ends a worker: its last request has no answer that means anything.
var errGone = errors.New("the server does not answer any more")

// errRefused says that a request was answered, otherwise than it should be.
var errRefused = errors.New("the server refused")

// library holds every manifest that was ever pushed, by digest.
type library struct {
	mu        sync.Mutex
	manifests map[string]*manifest
}

func (l *library) add(m *manifest) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.manifests[m.digest] = m
}

func (l *library) get(digest string) *manifest {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.manifests[digest]
}

// faults collects what a server did that is wrong but loses nothing.
type faults struct {
	mu    sync.Mutex
	texts []string
}

func (f *faults) add(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.texts = append(f.texts, fmt.Sprintf(format, args...))
}

// shared is what the workers of a run have in common.
type shared struct {
	oracle  *oracle
	library *library
	faults  *faults
	// cut is set before the power is taken. Before that nothing may fail.
	cut atomic.Bool
}

// upload is one that was begun and has no end that the client knows of.
type upload struct {
	pkg, path string // path is "" when not even the session is known
	content   []byte
}

// worker is one client that pushes to a package of its own and, beside the
// others, to one that all of them share.
type worker struct {
	*shared
	id     int
	pkg    string
	others []string // packages of the other workers
	rng    *rand.Rand
	c      *client

	known map[key]string  // of pkg, as acknowledged
	loose []string        // digests of blobs in pkg that no manifest names
	named map[string]bool // digests of blobs in pkg that a manifest names, or may
	next  uint64          // id of the next fresh blob

	unfinished []upload
}

// popular is how many blobs several workers push again and again.
const popular = 24

// run sends requests until the server is gone or stop is closed.
func (w *worker) run(ctx context.Context, stop <-chan struct{}) {
	steps := []struct {
		weight int
		do     func(context.Context) error
	}{
		{8, w.pushLooseBlob}, {10, w.pushImage}, {3, w.moveTag}, {3, w.deleteTag}, {2, w.deleteManifest},
		{3, w.deleteBlob}, {3, w.pushIndex}, {3, w.attach}, {3, w.mountBlob}, {2, w.leaveUpload}, {4, w.moveSharedTag},
	}
	total := 0
	for _, s := range steps {
		total += s.weight
	}
	for {
		select {
		case <-stop:
			return
		default:
		}
		n := w.rng.IntN(total)
		for _, s := range steps {
			if n -= s.weight; n < 0 {
				if errors.Is(s.do(ctx), errGone) {
					return
				}
				break
			}
		}
	}
}

// load takes over what is settled, at the beginning of a cycle.
func (w *worker) load() {
	w.known, w.loose, w.unfinished = map[key]string{}, nil, nil
	for k, value := range w.oracle.settled {
		if k.pkg == w.pkg && value != absent {
			w.known[k] = value
		}
	}
	for k := range w.known {
		if k.kind == blobKind && !w.named[k.content] {
			w.loose = append(w.loose, k.content)
		}
	}
	slices.Sort(w.loose)
}

// pick returns one of the keys of a kind in the worker's package that fit.
func (w *worker) pick(of kind, fits func(content string) bool) (string, bool) {
	var some []string
	for k := range w.known {
		if k.kind == of && (fits == nil || fits(k.content)) {
			some = append(some, k.content)
		}
	}
	if len(some) == 0 {
		return "", false
	}
	slices.Sort(some)
	return some[w.rng.IntN(len(some))], true
}

// ask sends a request that changes nothing by itself, such as one in the middle
// of an upload.
func (w *worker) ask(ctx context.Context, req request, want int) (answer, error) {
	a, err := w.c.do(ctx, req)
	switch {
	case err != nil:
		w.expectCut(req, err.Error())
		return a, errGone
	case a.status >= 500:
		w.expectCut(req, a.String())
		return a, errGone
	case a.status != want:
		w.faults.add("%s %s answered %s, want %d", req.method, req.path, a, want)
		return a, errRefused
	}
	return a, nil
}

func (w *worker) expectCut(req request, what string) {
	if !w.cut.Load() {
		w.faults.add("%s %s failed while all was well: %s", req.method, req.path, what)
	}
}

// send sends the request that makes the change c.
func (w *worker) send(ctx context.Context, c *change, req request, want int) error {
	_, err := w.ask(ctx, req, want)
	w.conclude(c, err)
	return err
}

// conclude tells the oracle how a change ended, and notes it when it is done.
func (w *worker) conclude(c *change, err error) {
	switch {
	case err == nil:
		w.oracle.end(c, acked)
		for k, value := range c.values {
			if k.pkg != w.pkg {
				continue
			}
			if value == absent {
				delete(w.known, k)
			} else {
				w.known[k] = value
			}
		}
	case errors.Is(err, errRefused):
		w.oracle.end(c, refused)
	}
}

func (w *worker) begin(name string, values map[key]string) *change {
	c := &change{name: name, values: values, alone: true}
	for k := range values {
		c.alone = c.alone && k.pkg == w.pkg
	}
	w.oracle.begin(c)
	return c
}

func blobPath(pkg, digest string) string        { return "/v2/" + pkg + "/blobs/" + digest }
func uploadsPath(pkg string) string             { return "/v2/" + pkg + "/blobs/uploads/" }
func manifestPath(pkg, reference string) string { return "/v2/" + pkg + "/manifests/" + reference }

// pushManifest puts m under a tag, or under its digest, with further tags.
func (w *worker) pushManifest(ctx context.Context, pkg string, m *manifest, reference string, tags ...string) error {
	w.library.add(m)
	values := map[key]string{{manifestKind, pkg, m.digest}: present}
	path := manifestPath(pkg, reference)
	if reference != m.digest {
		values[key{tagKind, pkg, reference}] = m.digest
	}
	for i, tag := range tags {
		path += []string{"?", "&"}[min(i, 1)] + "tag=" + tag
		values[key{tagKind, pkg, tag}] = m.digest
	}
	c := w.begin("PUT "+path, values)
	return w.send(ctx, c, request{
		method: http.MethodPut, path: path, body: m.content,
		header: map[string]string{"Content-Type": m.mediaType},
	}, http.StatusCreated)
}
