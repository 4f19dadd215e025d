package rest

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/httpx"
)

// call is one request under way.
type call struct {
	h      *Handler
	w      http.ResponseWriter
	r      *http.Request
	who    access.Principal
	params map[string]string
	q      url.Values
	route  *compiled
	// target is what a route of the directory is about, found by its policy.
	target target
}

// param returns a parameter of the path; "" when the route has none of that name.
func (c *call) param(name string) string { return c.params[name] }

// id returns a parameter of the path that is a number; Invalid when it is none.
func (c *call) id(name string) (int64, error) {
	n, err := strconv.ParseInt(c.params[name], 10, 64)
	if err != nil || n <= 0 {
		return 0, errs.New(errs.Invalid, "The %s parameter must be an integer.", strings.TrimPrefix(name, "package_"))
	}
	return n, nil
}

// flag reads a query parameter that is true or false; absent is false.
func (c *call) flag(name string) (bool, error) {
	if !c.q.Has(name) {
		return false, nil
	}
	on, err := strconv.ParseBool(c.q.Get(name))
	if err != nil {
		return false, errs.New(errs.Invalid, "%s is true or false", name)
	}
	return on, nil
}

// maxBody is the longest body of a request.
const maxBody = 1 << 20

// unprocessable is the code of bodies that are JSON and cannot be used, and
// malformed of those that are none.
const unprocessable, malformed = "422", "400"

// invalid is the error for a field of a body that breaks a rule: 422.
func invalid(format string, args ...any) error {
	return errs.New(errs.Invalid, format, args...).WithCode(unprocessable)
}

// body decodes the JSON body into v. Fields that v lacks are ignored, as GitHub
// does; an empty body leaves v as it is.
func (c *call) body(v any) error {
	d := json.NewDecoder(http.MaxBytesReader(c.w, c.r.Body, maxBody))
	err := d.Decode(v)
	if errors.Is(err, io.EOF) {
		return nil
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return errs.New(errs.TooLarge, "the body is longer than 1 MiB")
	}
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return errs.Wrap(errs.Invalid, err, "Invalid request. A field of the body has the wrong type.").WithCode(unprocessable)
	}
	if err != nil {
		return errs.Wrap(errs.Invalid, err, "Problems parsing JSON").WithCode(malformed)
	}
	if d.More() {
		return errs.New(errs.Invalid, "Problems parsing JSON").WithCode(malformed)
	}
	return nil
}

// json answers with v.
func (c *call) json(status int, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	return c.raw(status, "application/json; charset=utf-8", b.Bytes())
}

// raw answers with bytes of a media type, or 304 to one who has them.
func (c *call) raw(status int, mediaType string, content []byte) error {
	h := c.w.Header()
	h.Set("Content-Type", mediaType)
	if status == http.StatusOK && c.r.Method == http.MethodGet {
		sum := sha256.Sum256(content)
		tag := `"` + hex.EncodeToString(sum[:16]) + `"`
		h.Set("ETag", tag)
		if matches(c.r.Header.Get("If-None-Match"), tag) {
			c.w.WriteHeader(http.StatusNotModified)
			return nil
		}
	}
	h.Set("Content-Length", strconv.Itoa(len(content)))
	c.w.WriteHeader(status)
	if c.r.Method == http.MethodHead {
		return nil
	}
	_, err := c.w.Write(content)
	return err
}

func matches(header, tag string) bool {
	for one := range strings.SplitSeq(header, ",") {
		if one = strings.TrimSpace(one); one == "*" || strings.TrimPrefix(one, "W/") == tag {
			return true
		}
	}
	return false
}

// none answers with no content.
func (c *call) none() error {
	c.w.WriteHeader(http.StatusNoContent)
	return nil
}

// pkg returns the package that the path names below an account: the parameters
// are package_type, package_name and the one of the account.
func (c *call) pkg(owner string) (access.Package, error) {
	t, err := packageType(c.params["package_type"])
	if err != nil {
		return access.Package{}, err
	}
	p, ok := address(t, owner, c.params["package_name"])
	if !ok {
		return access.Package{}, errPackageNotFound()
	}
	httpx.EventFrom(c.w).Package = p.Name.String()
	return p, nil
}

// errPackageNotFound is what GitHub says of a package that is absent or not to
// be seen.
func errPackageNotFound() error { return errs.New(errs.NotFound, "Package not found.") }
