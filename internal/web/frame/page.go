package frame

import (
	"errors"
	"net/http"
	"net/url"

	"packhouse/internal/errs"
	"packhouse/internal/httpx"
	"packhouse/internal/web/locale"
)

// Page is what every page shows; the types of pages embed it.
type Page struct {
	Title string
	// Crumbs lead to where the page belongs.
	Crumbs []Crumb
	// Problem says why the last try did not succeed, Notice that it did.
	Problem, Notice string
	// Search is what stands in the search box.
	Search string
	// Refresh is after how many seconds a browser without script looks again;
	// zero for never.
	Refresh int

	Who       string // the login of who is signed in; empty: nobody
	SiteAdmin bool
	Host      string
	// Path is the address of this page, to come back to.
	Path      string
	Language  string
	Languages []*locale.Locale
	Theme     string
	Themes    []string

	// The addresses of what every page loads.
	Style, Script, Favicon string
}

// Crumb is a link to what a page is a part of.
type Crumb struct{ Text, Path string }

// Page returns the frame of a page whose title is the text of that key.
func (c *Call) Page(titleKey string, args ...any) Page {
	title, err := c.Locale.Text(titleKey, args...)
	if err != nil {
		title = titleKey
	}
	return c.Titled(title)
}

// Titled is Page for a title that is a name and needs no language.
func (c *Call) Titled(title string) Page {
	p := Page{
		Title: title, Who: c.Who.Login, SiteAdmin: c.Who.SiteAdmin, Host: c.Frame.URL.Host, Path: c.path(),
		Language: c.Locale.Tag, Languages: c.Frame.Locales.All(), Theme: c.Theme, Themes: Themes(),
		Style: c.Frame.Assets.Style, Script: c.Frame.Assets.Script, Favicon: c.Frame.Assets.Favicon,
	}
	if key := c.Query("done"); key != "" && c.Locale.Has("done."+key) {
		p.Notice, _ = c.Locale.Text("done." + key)
	}
	return p
}

// path is where the forms at the foot of the page lead back to: this page, or
// the first one when this answers a form.
func (c *Call) path() string {
	if c.R.Method != http.MethodGet && c.R.Method != http.MethodHead {
		return "/"
	}
	q := c.R.URL.Query()
	q.Del("done")
	u := *c.R.URL
	u.RawQuery = q.Encode()
	return LocalPath(u.RequestURI())
}

// Failed puts a failure of a form on its page, which is then shown with Again.
func (c *Call) Failed(p Page, cause error) Page {
	p.Problem = c.Locale.Error(cause)
	return p
}

// errorPage is shown instead of a page that failed.
type errorPage struct {
	Page
	Status int
	// Request names a fault of ours in the log.
	Request string
	// SignIn is where somebody who is not signed in may see more, and SignOn where
	// the provider vouches for somebody who has to come from there.
	SignIn, SignOn string
}

// shown turns a failure into its page, in the person's language.
func (c *Call) shown(cause error) error {
	if cause == nil || !c.untouched() {
		return cause
	}
	status := Status(cause)
	if status == http.StatusNotFound {
		cause = errNoPage() // absent and not to be seen are one
	}
	data := errorPage{Page: c.Page("error.title"), Status: status}
	if wantsSignOn(cause) {
		cause = errSignOn()
		if c.Frame.ProviderIssuer != "" {
			data.SignOn = "/login/oidc?" + url.Values{"return_to": {data.Path}}.Encode()
		}
	}
	data.Problem = c.Locale.Error(cause)
	if status >= http.StatusInternalServerError {
		data.Request = httpx.EventFrom(c.W).ID
	}
	if c.Who.AccountID == 0 && (status == http.StatusNotFound || status == http.StatusForbidden) {
		data.SignIn = SignInPath(data.Path)
	}
	return c.Again(cause, c.Frame.own, "error", data)
}

// untouched reports whether nothing of an answer was sent yet.
func (c *Call) untouched() bool { return httpx.EventFrom(c.W).Status == 0 }

// fail is for failures before there is a call.
func (f *Frame) fail(w http.ResponseWriter, r *http.Request, cause error) {
	c := f.plainCall(w, r)
	if err := c.shown(cause); err != nil {
		http.Error(w, "Something went wrong here.", http.StatusInternalServerError)
	}
}

// Again shows a page with a failure on it, under the status of the failure.
func (c *Call) Again(cause error, room *Room, name string, data any) error {
	httpx.EventFrom(c.W).Err = cause
	var e *errs.Error
	if errors.As(cause, &e) {
		httpx.SetRetryAfter(c.W.Header(), e.RetryAfter)
	}
	return room.Show(c, Status(cause), name, data)
}

// Status is that of a page. 401 would have to name a scheme, for which browsers
// ask by a dialogue of their own.
func Status(err error) int {
	if errs.Is(err, errs.Unauthenticated) {
		return http.StatusForbidden
	}
	return httpx.Status(errs.KindOf(err))
}
