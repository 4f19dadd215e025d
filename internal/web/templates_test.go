package web_test

import (
	"html/template"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/jba/templatecheck"

	"packhouse/internal/web"
	"packhouse/internal/web/frame"
)

// allPages returns every page of every room.
func allPages(t *testing.T) (f *frame.Frame, all []declared) {
	t.Helper()
	public, err := url.Parse("https://packages.example")
	if err != nil {
		t.Fatal(err)
	}
	f, err = web.Frame(web.Deps{URL: public, Now: func() time.Time { return time.Unix(1_700_000_000, 0) }})
	if err != nil {
		t.Fatal(err)
	}

	for _, room := range f.Rooms() {
		for name, data := range room.Pages() {
			all = append(all, declared{room, name, data})
		}
	}
	return f, all
}

type declared struct {
	room *frame.Room
	name string
	data reflect.Type
}

func TestTemplatesFitTheirData(t *testing.T) {
	t.Parallel()
	f, all := allPages(t)
	for _, p := range all {
		for _, l := range f.Locales.All() {
			set, err := p.room.Template(p.name, l)
			if err != nil {
				t.Errorf("%s: %v", p.name, err)
				continue
			}
			if err := templatecheck.CheckHTML(set.Lookup("layout"), reflect.New(p.data).Elem().Interface()); err != nil {
				t.Errorf("%s in %s: %v", p.name, l.Tag, err)
			}
		}
	}
}

// canary is what must never come out as it went in.
const canary = `<i>canary"'&amp;</i><script>`

func TestNothingComesOutUnescaped(t *testing.T) {
	t.Parallel()
	f, all := allPages(t)
	for _, p := range all {
		for _, l := range f.Locales.All() {
			set, err := p.room.Template(p.name, l)
			if err != nil {
				t.Fatal(err)
			}
			data := reflect.New(p.data).Elem()
			fill(data, 6)
			var out strings.Builder
			if err := set.ExecuteTemplate(&out, "layout", data.Interface()); err != nil {
				t.Errorf("%s in %s: %v", p.name, l.Tag, err)
			}
			for _, raw := range []string{"<i>canary", `canary"`, "canary'", "</i><script>"} {
				if at := strings.Index(out.String(), raw); at >= 0 {
					t.Errorf("%s in %s: %q came out unescaped near %q", p.name, l.Tag, raw, out.String()[max(0, at-100):at])
				}
			}
		}
	}
}

var (
	timeType   = reflect.TypeFor[time.Time]()
	markupType = reflect.TypeFor[template.HTML]()
)

// fill puts canaries into every text, and something into everything else.
func fill(v reflect.Value, depth int) {
	if depth == 0 || !v.CanSet() || v.Type() == markupType {
		return
	}
	if v.Type() == timeType {
		v.Set(reflect.ValueOf(time.Unix(1_600_000_000, 0)))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(canary)
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64, reflect.Int32, reflect.Int8, reflect.Int16:
		v.SetInt(2)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uint:
		v.SetUint(2)
	case reflect.Float64:
		v.SetFloat(0.5)
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem(), depth)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), depth-1)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		fill(v.Index(0), depth-1)
		fill(v.Index(1), depth-1)
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		key, value := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
		fill(key, depth-1)
		fill(value, depth-1)
		v.SetMapIndex(key, value)
	default:
	}
}

// The headers of every page, as a snapshot.
func TestHeaders(t *testing.T) {
	t.Parallel()
	public, err := url.Parse("https://packages.example")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := web.New(web.Deps{
		URL: public, Now: time.Now, Client: func(*http.Request) netip.Addr { return netip.Addr{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	pages.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/orgs", nil))
	var got strings.Builder
	if err := w.Result().Header.WriteSubset(&got, map[string]bool{"Content-Length": true}); err != nil {
		t.Fatal(err)
	}
	const want = `Cache-Control: no-store
Content-Language: en
Content-Security-Policy: default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'
Content-Type: text/html; charset=utf-8
Cross-Origin-Opener-Policy: same-origin
Cross-Origin-Resource-Policy: same-origin
Permissions-Policy: camera=(), geolocation=(), microphone=(), payment=(), usb=()
Referrer-Policy: same-origin
Vary: Accept-Language, Cookie
Vary: Accept-Encoding
X-Content-Type-Options: nosniff
X-Frame-Options: DENY
`
	if text := strings.ReplaceAll(got.String(), "\r\n", "\n"); text != want {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
}
