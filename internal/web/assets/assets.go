// Package assets holds the stylesheets, scripts and icons of the pages, embedded
// in the program.
//
// static/ is built from GitHub's design system by scripts/assets and committed;
// css/ and js/ are our own, and are joined in the order of their names. Their
// addresses carry a hash of the content, so browsers keep them for good.
package assets

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"time"

	"packhouse/internal/errs"
	"packhouse/internal/httpx"
)

//go:embed static css js
var files embed.FS

// Prefix is what the addresses of all assets begin with.
const Prefix = "/assets/"

// Assets serves the files. Safe for concurrent use.
type Assets struct {
	// Style and Script are the addresses of the two files that pages load.
	Style, Script string

	served map[string]served
	icons  map[string]template.HTML
}

type served struct {
	mediaType string
	content   []byte
}

// New reads the embedded files. The error is that of a broken build.
func New() (*Assets, error) {
	a := &Assets{served: map[string]served{}, icons: map[string]template.HTML{}}
	primer, err := files.ReadFile("static/primer.css")
	if err != nil {
		return nil, err
	}
	style, err := joined("css", primer)
	if err != nil {
		return nil, err
	}
	script, err := joined("js", nil)
	if err != nil {
		return nil, err
	}
	a.Style = a.add("packhouse", ".css", "text/css; charset=utf-8", style)
	a.Script = a.add("packhouse", ".js", "text/javascript; charset=utf-8", script)
	return a, a.readIcons()
}

// joined returns the files of a directory, one after the other, after first.
func joined(dir string, first []byte) ([]byte, error) {
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
		all.WriteByte('\n')
	}
	return all.Bytes(), nil
}

func (a *Assets) add(name, ext, mediaType string, content []byte) string {
	sum := sha256.Sum256(content)
	name += "-" + hex.EncodeToString(sum[:8]) + ext
	a.served[name] = served{mediaType, content}
	return Prefix + name
}

func (a *Assets) readIcons() error {
	content, err := files.ReadFile("static/icons.json")
	if err != nil {
		return err
	}
	paths := map[string]string{}
	if err := json.Unmarshal(content, &paths); err != nil {
		return fmt.Errorf("icons.json: %w", err)
	}
	for key, drawing := range paths {
		size := key[len(key)-2:]
		a.icons[key] = template.HTML(fmt.Sprintf( //nolint:gosec // our own file
			`<svg class="octicon" viewBox="0 0 %[1]s %[1]s" width="%[1]s" height="%[1]s" fill="currentColor" aria-hidden="true">%[2]s</svg>`,
			size, drawing))
	}
	return nil
}

// Icon returns the drawing of that name, 16 pixels wide, or of the size that
// follows. It says nothing to those who do not see it. An error when there is
// none of that name and size.
func (a *Assets) Icon(name string, size ...int) (template.HTML, error) {
	pixels := 16
	if len(size) > 0 {
		pixels = size[0]
	}
	icon, ok := a.icons[fmt.Sprintf("%s-%d", name, pixels)]
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
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(s.content))
	return nil
}
