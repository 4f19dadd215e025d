package restore

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"packhouse/internal/oci"
)

// image is what was pushed: its blobs and its manifest.
type image struct {
	blobs    [][]byte
	manifest []byte
}

func (i image) digest() oci.Digest { return oci.SHA256.FromBytes(i.manifest) }

// newImage has a config of its own and layers within and outside of the database.
func newImage(n int) image {
	config := fmt.Appendf(nil, `{"architecture":"amd64","os":"linux","comment":"%d"}`, n)
	i := image{blobs: [][]byte{config}}
	text := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":%q,"size":%d},"layers":[`,
		oci.MediaTypeImageManifest, oci.SHA256.FromBytes(config), len(config))
	for at, size := range []int{500, 40_000} {
		layer := make([]byte, size)
		_, _ = rand.Read(layer)
		i.blobs = append(i.blobs, layer)
		if at > 0 {
			text += ","
		}
		text += fmt.Sprintf(`{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":%q,"size":%d}`, oci.SHA256.FromBytes(layer), size)
	}
	i.manifest = []byte(text + `]}`)
	return i
}

// client pushes to and pulls from one package.
type client struct {
	base, bearer string
}

const pkg = "alice/app"

func newClient(ctx context.Context, s *site, token string) (client, error) {
	q := url.Values{"service": {s.addr}, "scope": {"repository:" + pkg + ":pull,push"}}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url()+"/token?"+q.Encode(), nil)
	if err != nil {
		return client{}, err
	}
	r.SetBasicAuth("alice", token)
	var got struct{ Token string }
	body, err := send(r, http.StatusOK)
	if err == nil {
		err = json.Unmarshal(body, &got)
	}
	return client{s.url() + "/v2/" + pkg, got.Token}, err
}

func send(r *http.Request, want int) ([]byte, error) {
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer a.Body.Close()
	body, err := io.ReadAll(a.Body)
	if err == nil && a.StatusCode != want {
		err = fmt.Errorf("%s %s: %d %.300s", r.Method, r.URL.Path, a.StatusCode, body)
	}
	return body, err
}

func (c client) do(ctx context.Context, method, path, mediaType string, body []byte, want int) ([]byte, error) {
	r, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+c.bearer)
	r.Header.Set("Content-Type", mediaType)
	return send(r, want)
}

func (c client) push(ctx context.Context, i image, tag string) error {
	for _, b := range i.blobs {
		path := "/blobs/uploads/?digest=" + url.QueryEscape(oci.SHA256.FromBytes(b).String())
		if _, err := c.do(ctx, http.MethodPost, path, "application/octet-stream", b, http.StatusCreated); err != nil {
			return err
		}
	}
	_, err := c.do(ctx, http.MethodPut, "/manifests/"+tag, oci.MediaTypeImageManifest, i.manifest, http.StatusCreated)
	return err
}

// pull fails unless every byte of the image is as it was pushed.
func (c client) pull(ctx context.Context, i image) error {
	got, err := c.do(ctx, http.MethodGet, "/manifests/"+i.digest().String(), "", nil, http.StatusOK)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, i.manifest) {
		return fmt.Errorf("the manifest %s is another", i.digest())
	}
	for _, b := range i.blobs {
		d := oci.SHA256.FromBytes(b)
		got, err := c.do(ctx, http.MethodGet, "/blobs/"+d.String(), "", nil, http.StatusOK)
		if err != nil {
			return err
		}
		if !bytes.Equal(got, b) {
			return fmt.Errorf("the blob %s is another", d)
		}
	}
	return nil
}
