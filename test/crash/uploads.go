package crash

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
)

// pushBlob pushes content to pkg in one of the forms that there are.
func (w *worker) pushBlob(ctx context.Context, pkg string, content []byte) (descriptor, error) {
	d := descriptor{MediaType: "application/vnd.oci.image.layer.v1.tar", Digest: digestOf(content), Size: len(content)}
	c := w.begin("push", map[key]string{{blobKind, pkg, d.Digest}: present})
	up := upload{pkg: pkg, content: content}
	err := w.pushForm(ctx, &up, d.Digest)
	w.conclude(c, err)
	if errors.Is(err, errGone) {
		w.unfinished = append(w.unfinished, up)
	}
	return d, err
}

func (w *worker) pushForm(ctx context.Context, up *upload, digest string) error {
	form := w.rng.IntN(5)
	if form == 0 {
		_, err := w.ask(ctx, request{
			method: http.MethodPost, path: uploadsPath(up.pkg) + "?digest=" + digest, body: up.content,
		}, http.StatusCreated)
		return err
	}
	if err := w.startUpload(ctx, up); err != nil {
		return err
	}
	last := up.content // of the closing PUT
	var err error
	switch form {
	case 1:
	case 2: // chunks in order
		last, err = w.chunks(ctx, up)
	case 3: // a stream of unknown length
		_, err = w.ask(ctx, request{method: http.MethodPatch, path: up.path, body: up.content, stream: true}, http.StatusAccepted)
		last = nil
	case 4: // the first half, and the rest with the closing
		half := len(up.content) / 2
		_, err = w.ask(ctx, request{method: http.MethodPatch, path: up.path, body: up.content[:half]}, http.StatusAccepted)
		last = up.content[half:]
	}
	if err != nil {
		return err
	}
	_, err = w.ask(ctx, request{method: http.MethodPut, path: up.path + "?digest=" + digest, body: last}, http.StatusCreated)
	return err
}

func (w *worker) startUpload(ctx context.Context, up *upload) error {
	a, err := w.ask(ctx, request{method: http.MethodPost, path: uploadsPath(up.pkg)}, http.StatusAccepted)
	if err == nil {
		up.path = a.header.Get("Location")
	}
	return err
}

// chunks sends all of the content in chunks with ranges, and leaves nothing.
func (w *worker) chunks(ctx context.Context, up *upload) ([]byte, error) {
	size := max(1, len(up.content)/(1+w.rng.IntN(3)))
	for from := 0; from < len(up.content); from += size {
		to := min(from+size, len(up.content))
		_, err := w.ask(ctx, request{
			method: http.MethodPatch, path: up.path, body: up.content[from:to],
			header: map[string]string{"Content-Range": fmt.Sprintf("%d-%d", from, to-1)},
		}, http.StatusAccepted)
		if err != nil {
			return nil, err
		}
	}
	return nil, nil
}

// leaveUpload begins an upload and turns to other things.
func (w *worker) leaveUpload(ctx context.Context) error {
	up := upload{pkg: w.pkg, content: blobOf(w.fresh())}
	if len(w.unfinished) > 3 || len(up.content) < 4 {
		return nil
	}
	err := w.startUpload(ctx, &up)
	if err == nil {
		_, err = w.ask(ctx, request{
			method: http.MethodPatch, path: up.path, body: up.content[:2+w.rng.IntN(len(up.content)-2)],
		}, http.StatusAccepted)
	}
	w.unfinished = append(w.unfinished, up)
	return err
}

// fresh returns the id of a blob that nobody has pushed yet.
func (w *worker) fresh() uint64 {
	w.next++
	return uint64(w.id+1)<<48 | w.next
}

// finish goes on with an upload after the crash. The server may have forgotten
// it and say so, now or when it is told to end it; then the client begins again.
// Else it tells how many bytes it has, and must have them.
func (w *worker) finish(ctx context.Context, up upload) error {
	digest := digestOf(up.content)
	have, err := w.held(ctx, up)
	if err != nil {
		return err
	}
	c := w.begin("finish", map[key]string{{blobKind, up.pkg, digest}: present})
	if have >= 0 {
		req := request{method: http.MethodPut, path: up.path + "?digest=" + digest, body: up.content[have:]}
		if len(req.body) > 0 {
			req.header = map[string]string{"Content-Range": fmt.Sprintf("%d-%d", have, len(up.content)-1)}
		}
		a, err := w.c.do(ctx, req)
		if err == nil && a.status == http.StatusCreated {
			w.conclude(c, nil)
		}
		if err != nil || a.status == http.StatusCreated {
			return err
		}
		if a.status != http.StatusNotFound {
			w.faults.add("%s %s with the %d bytes that were missing answered %s", req.method, req.path, len(req.body), a)
		}
	}
	return w.send(ctx, c, request{
		method: http.MethodPost, path: uploadsPath(up.pkg) + "?digest=" + digest, body: up.content,
	}, http.StatusCreated)
}

// held asks how many bytes of an upload the server has; -1 when it does not
// know the upload. "0-0" stands for one byte and for none: such an upload is
// cancelled.
func (w *worker) held(ctx context.Context, up upload) (int, error) {
	if up.path == "" {
		return -1, nil
	}
	a, err := w.c.do(ctx, request{method: http.MethodGet, path: up.path})
	if err != nil || a.status == http.StatusNotFound {
		return -1, err
	}
	var last int
	_, scanErr := fmt.Sscanf(a.header.Get("Range"), "0-%d", &last)
	if a.status != http.StatusNoContent || scanErr != nil || last >= max(1, len(up.content)) {
		w.faults.add("GET %s answered %s with Range %s, for %s bytes", up.path, a, a.header.Get("Range"), strconv.Itoa(len(up.content)))
		return -1, nil
	}
	if last == 0 {
		_, err := w.ask(ctx, request{method: http.MethodDelete, path: up.path}, http.StatusNoContent)
		return -1, err
	}
	return last + 1, nil
}
