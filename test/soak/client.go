package soak

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
)

const (
	imageType  = "application/vnd.oci.image.manifest.v1+json"
	indexType  = "application/vnd.oci.image.index.v1+json"
	configType = "application/vnd.oci.image.config.v1+json"
	layerType  = "application/vnd.oci.image.layer.v1.tar"
)

// client is one of those who push and pull.
type client struct {
	number int
	random *rand.Rand
	http   *http.Client
	world  *world
	made   int
}

// answer is what came of a request, whole.
type answer struct {
	status   int
	location string
	body     []byte
}

// do makes one request at one of the nodes. path is below /v2/, with its query.
func (c *client) do(ctx context.Context, method, path, contentType string, body []byte) (answer, error) {
	node := c.world.nodes[c.random.IntN(len(c.world.nodes))]
	req, err := http.NewRequestWithContext(ctx, method, "http://"+node+path, bytes.NewReader(body))
	if err != nil {
		return answer{}, err
	}
	req.SetBasicAuth(c.world.login, c.world.token)
	req.Header.Set("Accept", imageType+", "+indexType)
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return answer{}, err
	}
	defer res.Body.Close()
	a := answer{status: res.StatusCode, location: res.Header.Get("Location")}
	a.body, err = io.ReadAll(res.Body)
	return a, err
}

// promise is a blob that the registry said it holds, asked for at a time.
type promise struct {
	digest digest.Digest
	at     time.Time
	how    string
}

// send has the package hold the blob, by the first way that works, as clients do.
func (c *client) send(ctx context.Context, pkg string, content []byte) (promise, error) {
	p := promise{digest: digest.FromBytes(content), at: time.Now()}
	a, err := c.do(ctx, http.MethodHead, "/v2/"+pkg+"/blobs/"+p.digest.String(), "", nil)
	if err != nil {
		return p, err
	}
	if a.status == http.StatusOK {
		p.how = "HEAD"
		return p, nil
	}
	p.at = time.Now()
	query := ""
	if c.random.IntN(2) == 0 {
		query = "?mount=" + p.digest.String()
		if c.random.IntN(2) == 0 {
			query += "&from=" + c.world.anyPackage(c.random)
		}
	}
	if a, err = c.do(ctx, http.MethodPost, "/v2/"+pkg+"/blobs/uploads/"+query, "", nil); err != nil {
		return p, err
	}
	if a.status == http.StatusCreated {
		p.how = "mount"
		return p, nil
	}
	if a.status != http.StatusAccepted {
		return p, fmt.Errorf("POST of an upload answered %d: %s", a.status, a.body)
	}
	p.at, p.how = time.Now(), "upload"
	mark := "?"
	if strings.Contains(a.location, "?") {
		mark = "&"
	}
	if a, err = c.do(ctx, http.MethodPut, a.location+mark+"digest="+p.digest.String(), "application/octet-stream", content); err != nil {
		return p, err
	}
	if a.status != http.StatusCreated {
		return p, fmt.Errorf("PUT of an upload answered %d: %s", a.status, a.body)
	}
	return p, nil
}

// put stores a manifest. A refusal for want of a part that was promised less
// than half a grace period ago is the fault that this test looks for.
func (c *client) put(ctx context.Context, pkg, ref string, m manifest, promised []promise) (bool, error) {
	a, err := c.do(ctx, http.MethodPut, "/v2/"+pkg+"/manifests/"+ref, m.mediaType, m.content)
	if err != nil {
		return false, err
	}
	if a.status == http.StatusCreated {
		return true, nil
	}
	if !bytes.Contains(a.body, []byte("UNKNOWN")) {
		return false, fmt.Errorf("PUT of %s answered %d: %s", ref, a.status, a.body)
	}
	for _, p := range promised {
		if age := time.Since(p.at); age > c.world.grace/2 {
			c.world.count("too slow to keep a promise")
			return false, nil
		}
	}
	return false, fmt.Errorf("a manifest of %s was refused although all was promised (%v): %s", pkg, promised, a.body)
}

// pull reads a version and all that it names.
func (c *client) pull(ctx context.Context, pkg string, d digest.Digest) error {
	content, err := c.get(ctx, "/v2/"+pkg+"/manifests/"+d.String(), d)
	if err != nil {
		return err
	}
	var m struct {
		Config            *struct{ Digest digest.Digest }
		Layers, Manifests []struct{ Digest digest.Digest }
	}
	if err := json.Unmarshal(content, &m); err != nil {
		return err
	}
	for _, child := range m.Manifests {
		if err := c.pull(ctx, pkg, child.Digest); err != nil {
			return err
		}
	}
	if m.Config != nil {
		m.Layers = append(m.Layers, *m.Config)
	}
	for _, l := range m.Layers {
		if _, err := c.get(ctx, "/v2/"+pkg+"/blobs/"+l.Digest.String(), l.Digest); err != nil {
			return err
		}
	}
	return nil
}

func (c *client) get(ctx context.Context, path string, d digest.Digest) ([]byte, error) {
	a, err := c.do(ctx, http.MethodGet, path, "", nil)
	if err != nil {
		return nil, err
	}
	if a.status != http.StatusOK || digest.FromBytes(a.body) != d {
		return nil, fmt.Errorf("GET %s answered %d with %d bytes of %s", path, a.status, len(a.body), digest.FromBytes(a.body))
	}
	return a.body, nil
}

// manifest is what a version is stored as.
type manifest struct {
	mediaType string
	content   []byte
}

func (m manifest) digest() digest.Digest { return digest.FromBytes(m.content) }

func descriptor(mediaType string, content []byte) string {
	return fmt.Sprintf(`{"mediaType":%q,"digest":%q,"size":%d}`, mediaType, digest.FromBytes(content), len(content))
}

func imageOf(config []byte, layers [][]byte, subject *manifest) manifest {
	parts := make([]string, len(layers))
	for i, l := range layers {
		parts[i] = descriptor(layerType, l)
	}
	more := ""
	if subject != nil {
		more = `,"artifactType":"application/vnd.example.note","subject":` + descriptor(subject.mediaType, subject.content)
	}
	return manifest{imageType, fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"config":%s,"layers":[%s]%s}`,
		imageType, descriptor(configType, config), strings.Join(parts, ","), more)}
}

func indexOf(children []manifest) manifest {
	parts := make([]string, len(children))
	for i, m := range children {
		parts[i] = descriptor(m.mediaType, m.content)
	}
	return manifest{indexType, fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"manifests":[%s]}`, indexType, strings.Join(parts, ","))}
}
