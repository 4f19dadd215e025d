package web

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/httpx"
)

//go:embed templates
var files embed.FS

// maxForm is the largest form, in bytes.
const maxForm = 64 << 10

// parseTemplates returns each page with the frame around it, by its name.
func parseTemplates() (map[string]*template.Template, error) {
	all := map[string]*template.Template{}
	for _, name := range []string{"tokens", "identities", "error"} {
		t, err := template.ParseFS(files, "templates/frame.html", "templates/"+name+".html")
		if err != nil {
			return nil, err
		}
		all[name] = t
	}
	return all, nil
}

// frame is what every page shows.
type oldFrame struct {
	Title    string
	Host     string
	Who      string // the login of who is signed in; empty: nobody
	External bool   // there is an outside provider
	Problem  string // why the last try did not succeed
}

func (p *pages) oldPage(title string, who access.Principal, problem error) oldFrame {
	return oldFrame{Title: title, Host: p.URL.Host, Who: who.Login, External: p.Provider != nil, Problem: publicText(problem)}
}

// publicText returns what a person may read of err.
func publicText(err error) string {
	var e *errs.Error
	switch {
	case err == nil:
		return ""
	case errors.As(err, &e) && e.Kind != errs.Internal && e.Public != "":
		return strings.ToUpper(e.Public[:1]) + e.Public[1:] + "."
	}
	return "Something went wrong here."
}

// show answers with a page. A problem that the page shows is also the request's
// in the log.
func (p *pages) show(w http.ResponseWriter, status int, name string, data any) error {
	var body bytes.Buffer
	if err := p.templates[name].ExecuteTemplate(&body, "frame.html", data); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, err := body.WriteTo(w)
	return err
}

// again shows a form once more, with the reason why it did not succeed. Nothing
// but the form's own failures is shown on it.
func (p *pages) again(w http.ResponseWriter, cause error, name string, data any) error {
	httpx.EventFrom(w).Err = cause
	var e *errs.Error
	if errors.As(cause, &e) {
		httpx.SetRetryAfter(w.Header(), e.RetryAfter)
	}
	return p.show(w, status(cause), name, data)
}

// status is that of a page. 401 would have to name a scheme, for which browsers
// ask by a dialogue of their own.
func status(err error) int {
	if errs.Is(err, errs.Unauthenticated) {
		return http.StatusForbidden
	}
	return httpx.Status(errs.KindOf(err))
}

// fail shows the page of an error.
func (p *pages) fail(w http.ResponseWriter, r *http.Request, cause error) {
	data := struct {
		oldFrame
		Request string
	}{oldFrame: p.oldPage("That did not work", access.Principal{}, cause)}
	if status(cause) >= http.StatusInternalServerError {
		data.Request = httpx.EventFrom(w).ID
	}
	if err := p.again(w, cause, "error", data); err != nil {
		http.Error(w, "Something went wrong here.", http.StatusInternalServerError)
	}
}

func redirect(w http.ResponseWriter, to string) error {
	w.Header().Set("Location", to)
	w.WriteHeader(http.StatusSeeOther)
	return nil
}

// readForm returns the fields of a form in the body. Its error quotes nothing.
func readForm(r *http.Request) (url.Values, error) {
	body, err := httpx.ReadBody(r, maxForm)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, errs.New(errs.Invalid, "the form is malformed")
	}
	return form, nil
}
