package crash

import (
	"context"
	"fmt"
	"net/http"
	"slices"
)

// blob returns content for a push: fresh, or one that all workers know.
func (w *worker) blob() []byte {
	if w.rng.IntN(4) == 0 {
		return blobOf(uint64(w.rng.IntN(popular)))
	}
	return blobOf(w.fresh())
}

func (w *worker) pushLooseBlob(ctx context.Context) error {
	d, err := w.pushBlob(ctx, w.pkg, blobOf(w.fresh()))
	if err == nil {
		w.loose = append(w.loose, d.Digest)
	}
	return err
}

// tag returns one of a few names, so that tags are moved often.
func (w *worker) tag() string { return fmt.Sprintf("v%d", w.rng.IntN(12)) }

// part pushes a blob that a manifest will name.
func (w *worker) part(ctx context.Context, pkg string) (descriptor, error) {
	content := w.blob()
	if pkg == w.pkg {
		w.named[digestOf(content)] = true
	}
	return w.pushBlob(ctx, pkg, content)
}

func (w *worker) image(ctx context.Context, pkg string, subject *manifest) (*manifest, error) {
	config, err := w.part(ctx, pkg)
	if err != nil {
		return nil, err
	}
	var layers []descriptor
	for range 1 + w.rng.IntN(2) {
		layer, err := w.part(ctx, pkg)
		if err != nil {
			return nil, err
		}
		layers = append(layers, layer)
	}
	return newImage(config, layers, subject, fmt.Sprintf("%d.%d", w.id, w.fresh())), nil
}

// pushImage pushes an image under one to three tags, or by digest with some or
// no tags.
func (w *worker) pushImage(ctx context.Context) error {
	m, err := w.image(ctx, w.pkg, nil)
	if err != nil {
		return err
	}
	reference := m.digest
	if w.rng.IntN(3) > 0 {
		reference = w.tag()
	}
	var tags []string
	for range w.rng.IntN(3) {
		tags = append(tags, w.tag())
	}
	return w.pushManifest(ctx, w.pkg, m, reference, tags...)
}

// isImage reports whether a manifest is an image without a subject.
func (w *worker) isImage(digest string) bool {
	m := w.library.get(digest)
	return m.mediaType == imageType && m.subject == ""
}

// moveTag pushes an image again, present or deleted, under another tag. Its
// blobs are still there.
func (w *worker) moveTag(ctx context.Context) error {
	digest, ok := w.pick(manifestKind, w.isImage)
	if !ok {
		return nil
	}
	return w.pushManifest(ctx, w.pkg, w.library.get(digest), w.tag())
}

func (w *worker) deleteTag(ctx context.Context) error {
	tag, ok := w.pick(tagKind, nil)
	if !ok {
		return nil
	}
	path := manifestPath(w.pkg, tag)
	c := w.begin("DELETE "+path, map[key]string{{tagKind, w.pkg, tag}: absent})
	return w.send(ctx, c, request{method: http.MethodDelete, path: path}, http.StatusAccepted)
}

// deleteManifest deletes a version and with it the tags that point at it.
func (w *worker) deleteManifest(ctx context.Context) error {
	digest, ok := w.pick(manifestKind, func(d string) bool { return !w.needed(d) })
	if !ok {
		return nil
	}
	values := map[key]string{{manifestKind, w.pkg, digest}: absent}
	for k, value := range w.known {
		if k.kind == tagKind && value == digest {
			values[k] = absent
		}
	}
	path := manifestPath(w.pkg, digest)
	c := w.begin("DELETE "+path, values)
	return w.send(ctx, c, request{method: http.MethodDelete, path: path}, http.StatusAccepted)
}

// needed reports whether an index names the manifest.
func (w *worker) needed(digest string) bool {
	for k := range w.known {
		if k.kind == manifestKind && slices.Contains(w.library.get(k.content).children, digest) {
			return true
		}
	}
	return false
}

// deleteBlob takes out a blob that no manifest names. Very small ones may have
// been pushed twice, and named since.
func (w *worker) deleteBlob(ctx context.Context) error {
	w.loose = slices.DeleteFunc(w.loose, func(digest string) bool { return w.named[digest] })
	if len(w.loose) == 0 {
		return nil
	}
	digest := w.loose[w.rng.IntN(len(w.loose))]
	w.loose = slices.DeleteFunc(w.loose, func(other string) bool { return other == digest }) // each of its pushes
	path := blobPath(w.pkg, digest)
	c := w.begin("DELETE "+path, map[key]string{{blobKind, w.pkg, digest}: absent})
	return w.send(ctx, c, request{method: http.MethodDelete, path: path}, http.StatusAccepted)
}

// pushIndex makes one image of several.
func (w *worker) pushIndex(ctx context.Context) error {
	var children []*manifest
	for range 3 {
		digest, ok := w.pick(manifestKind, w.isImage)
		if m := w.library.get(digest); ok && !slices.Contains(children, m) {
			children = append(children, m)
		}
	}
	if len(children) == 0 {
		return nil
	}
	m := newIndex(children, fmt.Sprintf("%d.%d", w.id, w.fresh()))
	return w.pushManifest(ctx, w.pkg, m, w.tag(), w.tag())
}

// attach pushes a referrer of an image.
func (w *worker) attach(ctx context.Context) error {
	digest, ok := w.pick(manifestKind, w.isImage)
	if !ok {
		return nil
	}
	m, err := w.image(ctx, w.pkg, w.library.get(digest))
	if err != nil {
		return err
	}
	return w.pushManifest(ctx, w.pkg, m, m.digest)
}

// mountBlob takes a blob over from another package. One that is not there by
// then begins an upload instead.
func (w *worker) mountBlob(ctx context.Context) error {
	content := blobOf(uint64(w.rng.IntN(popular)))
	digest := digestOf(content)
	from := w.others[w.rng.IntN(len(w.others))]
	w.named[digest] = true
	c := w.begin("mount", map[key]string{{blobKind, w.pkg, digest}: present})
	req := request{method: http.MethodPost, path: uploadsPath(w.pkg) + "?mount=" + digest + "&from=" + from}
	a, err := w.c.do(ctx, req)
	if err == nil && a.status == http.StatusAccepted {
		w.oracle.end(c, refused)
		_, err := w.ask(ctx, request{method: http.MethodDelete, path: a.header.Get("Location")}, http.StatusNoContent)
		return err
	}
	switch {
	case err != nil:
		w.expectCut(req, err.Error())
		err = errGone
	case a.status >= 500:
		w.expectCut(req, a.String())
		err = errGone
	case a.status != http.StatusCreated:
		w.faults.add("%s %s answered %s", req.method, req.path, a)
		err = errRefused
	}
	w.conclude(c, err)
	return err
}

// moveSharedTag pushes an image to the package of all and points a tag at it
// that the others move too.
func (w *worker) moveSharedTag(ctx context.Context) error {
	m, err := w.image(ctx, sharedPkg, nil)
	if err != nil {
		return err
	}
	return w.pushManifest(ctx, sharedPkg, m, fmt.Sprintf("t%d", w.rng.IntN(3)))
}
