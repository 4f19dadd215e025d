package consistency

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/opencontainers/go-digest"
)

// account is who the clients sign in as.
type account struct{ login, token string }

// client makes one request after another, each at one of the processes.
type client struct {
	number  int
	nodes   []string // addresses of the processes
	who     account
	http    *http.Client
	random  *rand.Rand
	clock   func() time.Duration
	name    string   // of the package
	tags    []string // that all clients use
	config  []byte   // of every image
	history history
	faults  []error // answers that no server may give
	mine    int     // images made
}

const manifestType = "application/vnd.oci.image.manifest.v1+json"

// image returns a manifest like no other, or one of those that several clients
// push again and again.
func (c *client) image() (content []byte, d string) {
	c.mine++
	note := fmt.Sprint(c.number, " ", c.mine)
	if c.random.IntN(3) == 0 {
		note = fmt.Sprint("again ", c.random.IntN(5))
	}
	content = fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":%q,"size":%d},"layers":[],"annotations":{"note":%q}}`,
		manifestType, digest.FromBytes(c.config), len(c.config), note)
	return content, digest.FromBytes(content).String()
}

// step makes one request, chosen at random. One in twenty is given up by the
// client before its answer can be there.
func (c *client) step(ctx context.Context) {
	if c.random.IntN(20) == 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, time.Duration(c.random.Int64N(int64(8*time.Millisecond))))
		defer cancel()
	}
	tag := c.tags[c.random.IntN(len(c.tags))]
	switch n := c.random.IntN(10); {
	case n < 3:
		content, d := c.image()
		c.write(ctx, input{put, tag, d}, http.MethodPut, content, http.StatusCreated)
	case n < 4:
		c.write(ctx, input{remove, tag, ""}, http.MethodDelete, nil, http.StatusAccepted)
	case n < 9:
		c.read(ctx, tag)
	default:
		c.list(ctx)
	}
}

// write puts or deletes a tag.
func (c *client) write(ctx context.Context, in input, method string, body []byte, done int) {
	call := c.clock()
	status, _, err := c.do(ctx, method, "/manifests/"+in.tag, body)
	out := output{}
	switch {
	case err != nil || status >= http.StatusInternalServerError || status == http.StatusTooManyRequests:
		out.open = true
	case status == done:
		out.found = true
	case status != http.StatusNotFound || in.do != remove:
		c.fault("%s of %s answered %d", method, in.tag, status)
		return
	}
	c.history.add(c.number, in, out, call, c.clock())
}

// read asks where a tag leads, by GET or HEAD.
func (c *client) read(ctx context.Context, tag string) {
	method := http.MethodGet
	if c.random.IntN(2) == 0 {
		method = http.MethodHead
	}
	call := c.clock()
	status, answer, err := c.do(ctx, method, "/manifests/"+tag, nil)
	if err != nil || status >= http.StatusInternalServerError {
		return // it changed nothing and says nothing
	}
	end := c.clock()
	value := answer.header.Get("Docker-Content-Digest")
	switch {
	case status == http.StatusNotFound:
		value = ""
	case status != http.StatusOK:
		c.fault("%s of %s answered %d", method, tag, status)
		return
	case method == http.MethodGet && digest.FromBytes(answer.body).String() != value:
		c.fault("the manifest of %s is not what its digest says", tag)
	}
	c.history.add(c.number, input{get, tag, ""}, output{value: value}, call, end)
}

// list asks for all tags, which says of each whether it is there.
func (c *client) list(ctx context.Context) {
	call := c.clock()
	status, answer, err := c.do(ctx, http.MethodGet, "/tags/list", nil)
	if err != nil || status >= http.StatusInternalServerError {
		return
	}
	end := c.clock()
	var page struct{ Tags []string }
	if err := json.Unmarshal(answer.body, &page); err != nil || status != http.StatusOK {
		c.fault("the list of tags answered %d: %v", status, err)
		return
	}
	there := map[string]bool{}
	for _, tag := range page.Tags {
		there[tag] = true
	}
	for _, tag := range c.tags {
		c.history.add(c.number, input{list, tag, ""}, output{found: there[tag]}, call, end)
	}
}

func (c *client) fault(format string, args ...any) {
	c.faults = append(c.faults, fmt.Errorf(format, args...))
}

// answer is what came of a request, whole.
type answer struct {
	header http.Header
	body   []byte
}

// do asks one of the processes. path is below the package, with its query.
func (c *client) do(ctx context.Context, method, path string, body []byte) (status int, a answer, err error) {
	node := c.nodes[c.random.IntN(len(c.nodes))]
	req, err := http.NewRequestWithContext(ctx, method, "http://"+node+"/v2/"+c.name+path, bytes.NewReader(body))
	if err != nil {
		return 0, answer{}, err
	}
	req.SetBasicAuth(c.who.login, c.who.token)
	if method == http.MethodPut {
		req.Header.Set("Content-Type", manifestType)
	} else {
		req.Header.Set("Accept", manifestType)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return 0, answer{}, err
	}
	defer res.Body.Close()
	a.header = res.Header
	a.body, err = io.ReadAll(res.Body)
	return res.StatusCode, a, err
}
