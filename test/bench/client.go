package main

import (
	"fmt"
	"strings"
)

// form is one of the ways to upload a blob.
type form string

const (
	formPost    form = "POST"
	formPut     form = "POST+PUT"
	formStream  form = "POST+PATCH+PUT"
	formChunked form = "chunked"

	patchSize = 16 << 20 // of the chunked form
)

const octets = "Content-Type: application/octet-stream\r\n"

// client is one connection that works on one package. It is for one goroutine.
type client struct {
	*conn
	inst *instance
	repo string
}

// client opens a connection for repo.
func (i *instance) client(repo string) (*client, error) {
	c, err := dial(i.addr)
	if err != nil {
		return nil, err
	}
	return &client{conn: c, inst: i, repo: repo}, nil
}

// call sends r with the package's token; its path is relative to the package
// unless it starts with a slash.
func (k *client) call(r request, want ...int) (answer, error) {
	auth, err := k.inst.tokens.header(k.repo)
	if err != nil {
		return answer{}, err
	}
	r.header += auth
	if !strings.HasPrefix(r.path, "/") {
		r.path = "/v2/" + k.repo + "/" + r.path
	}
	a, err := k.do(r)
	if err != nil {
		return a, err
	}
	for _, status := range want {
		if a.status == status {
			return a, nil
		}
	}
	return a, fmt.Errorf("%s: %s %s answered %d, not %v: %.300s", k.inst.name, r.method, r.path, a.status, want, a.body)
}

// push uploads p in the given form under the given digest, and wants that
// status at the end.
func (k *client) push(f form, p payload, digest string, want int) error {
	if f == formPost {
		_, err := k.call(request{method: "POST", path: "blobs/uploads/?digest=" + digest, header: octets, body: &p}, want)
		return err
	}
	a, err := k.call(request{method: "POST", path: "blobs/uploads/"}, 202)
	if err != nil {
		return err
	}
	last := request{method: "PUT", header: octets}
	switch f {
	case formPut:
		last.body = &p
	case formStream:
		a, err = k.call(request{method: "PATCH", path: pathOf(a.location), header: octets, body: &p, chunked: true}, 202)
	case formChunked:
		a, err = k.patches(a, p)
	}
	if err != nil {
		return err
	}
	last.path = withDigest(a.location, digest)
	_, err = k.call(last, want)
	return err
}

// takesPost says whether the server does an upload in one POST; the
// specification lets it answer as if the body were not there.
func (k *client) takesPost(src *source) (bool, error) {
	p, err := src.blob(1 << 10)
	if err != nil {
		return false, err
	}
	a, err := k.call(request{method: "POST", path: "blobs/uploads/?digest=" + p.digest, header: octets, body: &p}, 201, 202)
	return a.status == 201, err
}

// patches sends p in pieces of patchSize, each with its range.
func (k *client) patches(a answer, p payload) (answer, error) {
	for off := int64(0); off < p.size; off += patchSize {
		to := min(off+patchSize, p.size)
		var err error
		a, err = k.call(request{
			method: "PATCH", path: pathOf(a.location), body: &p, from: off, to: to,
			header: octets + fmt.Sprintf("Content-Range: %d-%d\r\n", off, to-1),
		}, 202)
		if err != nil {
			return a, err
		}
	}
	return a, nil
}

func withDigest(location, digest string) string {
	path := pathOf(location)
	if strings.Contains(path, "?") {
		return path + "&digest=" + digest
	}
	return path + "?digest=" + digest
}

// putManifest stores m under ref, a tag or its digest.
func (k *client) putManifest(ref string, m manifest) error {
	p := bytesPayload(m.content)
	_, err := k.call(request{
		method: "PUT", path: "manifests/" + ref, body: &p,
		header: "Content-Type: " + m.mediaType + "\r\n",
	}, 201)
	return err
}

// pushImage uploads an image as containerd does: for each part a HEAD, and if
// it is missing a POST and a PUT; then the manifest.
func (k *client) pushImage(img image) error {
	for _, part := range append(img.layers, img.config) {
		a, err := k.call(request{method: "HEAD", path: "blobs/" + part.digest}, 200, 404)
		if err != nil {
			return err
		}
		if a.status == 200 {
			continue
		}
		if err := k.push(formPut, part, part.digest, 201); err != nil {
			return err
		}
	}
	return k.putManifest(img.tag, img.manifest)
}
