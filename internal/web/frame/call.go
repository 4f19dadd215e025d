package frame

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/account"
	"packhouse/internal/errs"
	"packhouse/internal/httpx"
	"packhouse/internal/web/locale"
)

// maxForm is the largest form, in bytes.
const maxForm = 256 << 10

// Call is one request under way. It belongs to the goroutine that serves it.
type Call struct {
	Frame *Frame
	W     http.ResponseWriter
	R     *http.Request
	// Who is signed in, with all rights of the account; zero for nobody.
	Who     access.Principal
	Session account.Session
	Locale  *locale.Locale
	Theme   string
	// Package is set on the pages of a package.
	Package Package

	query url.Values
	form  url.Values
	set   map[string]string // cookies of the answer
}

// Query returns a parameter of the address, without what no text may hold.
func (c *Call) Query(name string) string {
	if c.query == nil {
		c.query = c.R.URL.Query()
	}
	return strings.ReplaceAll(strings.ToValidUTF8(c.query.Get(name), ""), "\x00", "")
}

// Param returns a part of the path that the pattern names.
func (c *Call) Param(name string) string { return c.R.PathValue(name) }

// ID returns a part of the path that is a number; NotFound when it is none.
func (c *Call) ID(name string) (int64, error) {
	n, err := strconv.ParseInt(c.R.PathValue(name), 10, 64)
	if err != nil || n <= 0 {
		return 0, errNoPage()
	}
	return n, nil
}

// After returns the number in the query after which a list goes on; zero is its
// beginning.
func (c *Call) After() int64 {
	n, err := strconv.ParseInt(c.Query("after"), 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	return n
}

// Form returns the fields of a form in the body. Its error quotes nothing.
func (c *Call) Form() (url.Values, error) {
	if c.form != nil {
		return c.form, nil
	}
	body, err := httpx.ReadBody(c.R, maxForm)
	if err != nil {
		return nil, err
	}
	c.form, err = url.ParseQuery(string(body))
	if err != nil {
		return nil, errs.New(errs.Invalid, "the form is malformed")
	}
	return c.form, nil
}

// Typed returns an error unless the field confirm of the form is what has to be
// typed before something dangerous is done.
func (c *Call) Typed(want string) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	if strings.TrimSpace(form.Get("confirm")) != want {
		return errs.New(errs.Invalid, "type %q to confirm", want)
	}
	return nil
}

// Redirect sends the browser to a path of ours, or to an address that is not the
// request's to choose.
func (c *Call) Redirect(to string) error {
	c.W.Header().Set("Location", to)
	c.W.WriteHeader(http.StatusSeeOther)
	return nil
}

// Done sends the browser to a path, where the text "done.KEY" is shown once.
func (c *Call) Done(to, key string) error {
	sep := "?"
	if strings.Contains(to, "?") {
		sep = "&"
	}
	return c.Redirect(to + sep + "done=" + url.QueryEscape(key))
}

// ToSignIn sends the browser to sign in and then back to this page; to the first
// page if this was a form.
func (c *Call) ToSignIn() error {
	to := "/"
	if c.R.Method == http.MethodGet || c.R.Method == http.MethodHead {
		to = c.R.URL.RequestURI()
	}
	return c.Redirect(SignInPath(to))
}

// SignInPath is where somebody signs in who wants to go on to a page.
func SignInPath(to string) string {
	return "/login?" + url.Values{"return_to": {LocalPath(to)}}.Encode()
}

// JSON answers a script of ours.
func (c *Call) JSON(v any) error {
	content, err := json.Marshal(v)
	if err != nil {
		return err
	}
	c.W.Header().Set("Content-Type", "application/json; charset=utf-8")
	return httpx.WriteCompressed(c.W, c.R, http.StatusOK, content)
}

// LocalPath returns where to go on: s if it is a path of ours, else the first
// page. What a browser may take for another host is not: no second slash or
// backslash at the start, plain or encoded, and nothing that browsers drop on
// the way.
func LocalPath(s string) string {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || u.Opaque != "" ||
		!strings.HasPrefix(s, "/") || strings.HasPrefix(s, "//") || strings.HasPrefix(u.Path, "//") || len(s) > 2000 {
		return "/"
	}
	odd := func(r rune) bool { return r <= ' ' || r == '\\' || r >= 0x7f }
	if strings.ContainsFunc(s, odd) || strings.ContainsFunc(u.Path, odd) {
		return "/"
	}
	return s
}
