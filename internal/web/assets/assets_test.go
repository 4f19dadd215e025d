package assets_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"packhouse/internal/errs"
	"packhouse/internal/web/assets"
)

func get(t *testing.T, a *assets.Assets, path, accept string) (*http.Response, error) {
	t.Helper()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(t.Context(), "GET", path, nil)
	r.Header.Set("Accept-Encoding", accept)
	err := a.Serve(w, r)
	return w.Result(), err
}

func TestServe(t *testing.T) {
	t.Parallel()
	a, err := assets.New()
	if err != nil {
		t.Fatal(err)
	}
	for path, mediaType := range map[string]string{a.Style: "text/css; charset=utf-8", a.Script: "text/javascript; charset=utf-8"} {
		res, err := get(t, a, path, "br, gzip")
		if err != nil || res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != mediaType ||
			!strings.Contains(res.Header.Get("Cache-Control"), "immutable") || res.Header.Get("Content-Encoding") != "gzip" {
			t.Errorf("%s: %v, %v", path, res.Header, err)
		}
		z, err := gzip.NewReader(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		packed, err := io.ReadAll(z)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := get(t, a, path, "")
		if err != nil {
			t.Fatal(err)
		}
		if raw, err := io.ReadAll(plain.Body); err != nil || string(raw) != string(packed) || plain.Header.Get("Content-Encoding") != "" {
			t.Errorf("%s: compressed and plain differ, %v", path, err)
		}
	}
	for _, path := range []string{"/assets/", "/assets/none.css", a.Style + "/x", "/assets/x/" + strings.TrimPrefix(a.Style, "/assets/")} {
		if _, err := get(t, a, path, ""); !errs.Is(err, errs.NotFound) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestIcons(t *testing.T) {
	t.Parallel()
	a, err := assets.New()
	if err != nil {
		t.Fatal(err)
	}
	icon, err := a.Icon("package", 24)
	if err != nil || !strings.HasPrefix(string(icon), `<svg class="octicon" viewBox="0 0 24 24"`) || !strings.Contains(string(icon), `aria-hidden="true"`) {
		t.Errorf("%s, %v", icon, err)
	}
	for _, none := range []string{"mark-github", "logo-github", "no-such"} {
		if _, err := a.Icon(none); err == nil {
			t.Errorf("there is an icon %s", none)
		}
	}
}
