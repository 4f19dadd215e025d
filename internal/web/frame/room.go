package frame

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"reflect"
	"strings"
	"sync"
	"time"

	"packhouse/internal/httpx"
	"packhouse/internal/web/locale"
)

//go:embed all:templates locales
var files embed.FS

// Room is a group of pages with its templates and texts: the directories
// templates and locales of its files. Templates whose names begin with _ are
// parts that all pages of the room may use.
type Room struct {
	frame  *Frame
	files  fs.FS
	parts  []string
	mu     sync.Mutex
	pages  map[string]reflect.Type
	parsed map[parsedKey]*template.Template
}

type parsedKey struct{ page, language string }

// Open adds a room. The error is that of texts which are malformed or there twice.
func (f *Frame) Open(files fs.FS) (*Room, error) {
	r := &Room{frame: f, files: files, pages: map[string]reflect.Type{}, parsed: map[parsedKey]*template.Template{}}
	if err := f.Locales.Add(files, "locales"); err != nil {
		return nil, err
	}
	parts, err := fs.Glob(files, "templates/_*.html")
	if err != nil {
		return nil, err
	}
	r.parts = parts
	f.rooms = append(f.rooms, r)
	return r, nil
}

// Declare says that the page of that name, templates/NAME.html, shows data of the
// type of sample. A page that was not declared cannot be shown.
func (r *Room) Declare(name string, sample any) { r.pages[name] = reflect.TypeOf(sample) }

// Pages returns the declared pages with the types of their data.
func (r *Room) Pages() map[string]reflect.Type { return r.pages }

// ID names a declared page among those of all rooms: the room's package and the
// page, as in versions/list. Pages carry it as data-page.
func (r *Room) ID(name string) string {
	return path.Base(r.pages[name].PkgPath()) + "/" + name
}

// Show answers with a page.
func (r *Room) Show(c *Call, status int, name string, data any) error {
	if want := r.pages[name]; want != reflect.TypeOf(data) {
		return fmt.Errorf("the page %s shows %v, not %T", name, want, data)
	}
	t, err := r.Template(name, c.Locale)
	if err != nil {
		return err
	}
	var body bytes.Buffer
	if err := t.ExecuteTemplate(&body, "layout", data); err != nil {
		return err
	}
	c.W.Header().Set("Content-Type", "text/html; charset=utf-8")
	c.W.Header().Set("Content-Language", c.Locale.Tag)
	c.W.Header().Add("Vary", "Accept-Language, Cookie")
	return httpx.WriteCompressed(c.W, c.R, status, body.Bytes())
}

// ShowSecret is Show for a page with a secret on it, which is not compressed:
// the length of what is would tell of what else is on the page.
func (r *Room) ShowSecret(c *Call, status int, name string, data any) error {
	c.R.Header.Del("Accept-Encoding")
	return r.Show(c, status, name, data)
}

// Template returns a page in a language. It is parsed when it is asked for first.
func (r *Room) Template(name string, l *locale.Locale) (*template.Template, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := parsedKey{name, l.Tag}
	if t := r.parsed[key]; t != nil {
		return t, nil
	}
	t, err := r.parse(name, l)
	if err == nil {
		r.parsed[key] = t
	}
	return t, err
}

func (r *Room) parse(name string, l *locale.Locale) (*template.Template, error) {
	id := func() string { return r.ID(name) }
	t, err := template.New(path.Base(name)).Funcs(r.frame.functions(l)).Funcs(template.FuncMap{"page_id": id}).ParseFS(files, "templates/_*.html")
	if err == nil && len(r.parts) > 0 && r != r.frame.own {
		t, err = t.ParseFS(r.files, r.parts...)
	}
	if err == nil {
		t, err = t.ParseFS(r.files, "templates/"+name+".html")
	}
	return t, err
}

// functions are what templates may call.
func (f *Frame) functions(l *locale.Locale) template.FuncMap {
	return template.FuncMap{
		"t":      l.Text,
		"tn":     l.Count,
		"rich":   l.Rich,
		"has":    l.Has,
		"icon":   f.Assets.Icon,
		"number": l.Number,
		"count":  func(n int) string { return l.Number(int64(n)) },
		"bytes":  l.Bytes,
		"day":    l.Day,
		"minute": l.Minute,
		"ago":    func(at time.Time) string { return l.Ago(at, f.Now()) },
		"iso":    func(at time.Time) string { return at.UTC().Format(time.RFC3339) },
		"short":  short,
		"join":   func(list []string) string { return strings.Join(list, ", ") },
		"dict":   dict,
		"lower":  strings.ToLower,
	}
}

// short is a digest as people compare it: the first twelve characters of its hash.
func short(digest any) string {
	text := fmt.Sprint(digest)
	if _, hash, ok := strings.Cut(text, ":"); ok {
		text = hash
	}
	return text[:min(12, len(text))]
}

// dict makes the argument of a part that needs several.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict takes pairs")
	}
	m := map[string]any{}
	for i := 0; i < len(pairs); i += 2 {
		key, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict takes names")
		}
		m[key] = pairs[i+1]
	}
	return m, nil
}

// OK is the status of a page that succeeded.
const OK = http.StatusOK
