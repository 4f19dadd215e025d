// Package assets holds the stylesheets, scripts and icons of the pages, embedded
// in the program.
//
// static/ is built from GitHub's design system by scripts/assets and committed;
// css/ and js/ are our own, and are joined in the order of their names. Their
// addresses carry a hash of the content, so browsers keep them for good.
package assets

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strconv"
	"sync"

	"packhouse/internal/errs"
	"packhouse/internal/httpx"
)

//go:embed static css js images
var files embed.FS

// Prefix is what the addresses of all assets begin with.
const Prefix = "/assets/"

// Assets serves the files. Safe for concurrent use.
type Assets struct {
	// Style and Script are the addresses of the two files that pages load, and
	// Favicon that of the icon.
	Style, Script, Favicon string

	served map[string]served
	icons  func() (map[string]template.HTML, error) // read when one is first asked for
}

// served is a file as it is, and compressed.
type served struct {
	mediaType string
	content   []byte
	packed    func() []byte // made when it is first asked for
}

// New reads the embedded files. The error is that of a broken build.
func New() (*Assets, error) {
	a := &Assets{served: map[string]served{}, icons: sync.OnceValues(readIcons)}
	primer, err := files.ReadFile("static/primer.css")
	if err != nil {
		return nil, err
	}
	style, err := joined("css", primer, "\n")
	if err != nil {
		return nil, err
	}
	script, err := joined("js", nil, ";\n")
	if err != nil {
		return nil, err
	}
	favicon, err := files.ReadFile("images/favicon.svg")
	if err != nil {
		return nil, err
	}
	a.Style = a.add("packhouse", ".css", "text/css; charset=utf-8", style)
	a.Script = a.add("packhouse", ".js", "text/javascript; charset=utf-8", script)
	a.Favicon = a.add("packhouse", ".svg", "image/svg+xml", favicon)
	return a, nil
}

// joined returns the files of a directory, one after the other, after first. Each
// is followed by end: scripts that end without a semicolon would run into the next.
func joined(dir string, first []byte, end string) ([]byte, error) {
	all := bytes.NewBuffer(bytes.Clone(first))
	list, err := fs.ReadDir(files, dir)
	if err != nil {
		return nil, err
	}
	for _, f := range list {
		content, err := files.ReadFile(path.Join(dir, f.Name()))
		if err != nil {
			return nil, err
		}
		all.Write(content)
		all.WriteString(end)
	}
	return all.Bytes(), nil
}

func (a *Assets) add(name, ext, mediaType string, content []byte) string {
	sum := sha256.Sum256(content)
	name += "-" + hex.EncodeToString(sum[:8]) + ext
	a.served[name] = served{mediaType, content, sync.OnceValue(func() []byte { return packed(content) })}
	return Prefix + name
}

// packed returns content compressed.
func packed(content []byte) []byte {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // the level is one of its own
	_, _ = z.Write(content)                               // a buffer takes everything
	_ = z.Close()
	return b.Bytes()
}

func readIcons() (map[string]template.HTML, error) {
	content, err := files.ReadFile("static/icons.json")
	if err != nil {
		return nil, err
	}
	drawings := map[string]string{}
	if err := json.Unmarshal(content, &drawings); err != nil {
		return nil, fmt.Errorf("icons.json: %w", err)
	}
	icons := map[string]template.HTML{}
	for key, drawing := range drawings {
		size := key[len(key)-2:]
		icons[key] = template.HTML(fmt.Sprintf( //nolint:gosec // our own file
			`<svg class="octicon" viewBox="0 0 %[1]s %[1]s" width="%[1]s" height="%[1]s" fill="currentColor" aria-hidden="true">%[2]s</svg>`,
			size, drawing))
	}
	return icons, nil
}

// Icon returns the drawing of that name, 16 pixels wide, or of the size that
// follows. It says nothing to those who do not see it. An error when there is
// none of that name and size.
func (a *Assets) Icon(name string, size ...int) (template.HTML, error) {
	pixels := 16
	if len(size) > 0 {
		pixels = size[0]
	}
	icons, err := a.icons()
	if err != nil {
		return "", err
	}
	icon, ok := icons[fmt.Sprintf("%s-%d", name, pixels)]
	if !ok {
		return "", fmt.Errorf("no icon %s of %d pixels", name, pixels)
	}
	return icon, nil
}

// Serve answers a request for a file.
func (a *Assets) Serve(w http.ResponseWriter, r *http.Request) error {
	httpx.EventFrom(w).Route = "GET " + Prefix
	s, ok := a.served[path.Base(r.URL.Path)]
	if !ok || r.URL.Path != Prefix+path.Base(r.URL.Path) {
		return errs.New(errs.NotFound, "there is no such page")
	}
	h := w.Header()
	h.Set("Content-Type", s.mediaType)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Vary", "Accept-Encoding")
	content := s.content
	if httpx.TakesGzip(r) {
		h.Set("Content-Encoding", "gzip")
		content = s.packed()
	}
	h.Set("Content-Length", strconv.Itoa(len(content)))
	if r.Method == http.MethodHead {
		return nil
	}
	_, err := w.Write(content)
	return err
}
