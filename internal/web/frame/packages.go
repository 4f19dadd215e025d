package frame

import (
	"net/http"
	"net/url"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/httpx"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
)

// Package is the package that a page is about, which the visitor may read.
type Package struct {
	packages.Listed
	// Ref is what services take.
	Ref access.Package
	// Admin is set for those who may change it.
	Admin bool
}

// PackagePage is the frame of the pages of one package.
type PackagePage struct {
	Page
	Package Package
	// Tab is which of the package's pages this is: package, versions or settings.
	Tab string
}

// PackagePage returns the frame of a page of the call's package.
func (c *Call) PackagePage(tab, titleKey string, args ...any) PackagePage {
	p := PackagePage{Page: c.Page(titleKey, args...), Package: c.Package, Tab: tab}
	p.Crumbs = c.Package.crumbs()
	return p
}

func (p Package) crumbs() []Crumb {
	crumbs := []Crumb{{p.Owner.Login, "/" + p.Owner.Login}}
	if p.Repository != nil {
		crumbs = append(crumbs, Crumb{p.Repository.Name.Package(), "/" + p.Repository.Name.String()})
	}
	return append(crumbs, Crumb{p.ShortName(), p.Path()})
}

// ShortName is the name without the owner.
func (p Package) ShortName() string { return p.Name.Package() }

// Path is the address of the package's page.
func (p Package) Path() string { return PackagePath(p.Listed) }

// Sub is the address of a page below that of the package, such as versions.
func (p Package) Sub(parts ...string) string { return SubPath(p.Listed, parts...) }

// PackagePath is the address of a package's page, as on GitHub: below the
// repository that it is linked to, if the visitor may know of it, else below its
// owner.
func PackagePath(p packages.Listed) string {
	name := url.PathEscape(nameIn(p))
	if p.Repository != nil {
		return "/" + p.Repository.Name.String() + "/pkgs/" + string(p.Type) + "/" + name
	}
	return ownerPath(p) + "/package/" + name
}

// SubPath is the address of a page below that of the package.
func SubPath(p packages.Listed, parts ...string) string {
	at := PackagePath(p)
	if p.Repository == nil { // GitHub leaves the word out there
		at = ownerPath(p) + "/" + url.PathEscape(nameIn(p))
	}
	for _, part := range parts {
		at += "/" + url.PathEscape(part)
	}
	return at
}

func ownerPath(p packages.Listed) string {
	kind := "/users/"
	if p.Owner.Organization {
		kind = "/orgs/"
	}
	return kind + p.Owner.Login + "/packages/" + string(p.Type)
}

// nameIn is the name of a package in its address: a Docker package of a
// repository is named within it.
func nameIn(p packages.Listed) string {
	name := p.Name.Package()
	if p.Type == access.Docker && p.Repository != nil {
		return strings.TrimPrefix(name, p.Repository.Name.Package()+"/")
	}
	return name
}

// OnPackage serves a page below the address of a package, to those who may read
// it: method and path as in "GET /versions"; "GET /{$}" is the package's own. The
// call has its Package. Other forms of the address lead to the right one.
func (f *Frame) OnPackage(pattern string, do func(*Call) error) {
	f.packages.Handle(pattern, pageFunc(do))
	method, path, _ := strings.Cut(pattern, " ")
	f.patterns = append(f.patterns, method+" {package}"+path)
}

// OnPackageSettings is OnPackage for the administrators of the package, who are
// signed in; to others there is no such page.
func (f *Frame) OnPackageSettings(pattern string, do func(*Call) error) {
	f.OnPackage(pattern, settings(do))
}

// OnPackageSudo is OnPackageSettings for what is dangerous; see Sudo.
func (f *Frame) OnPackageSudo(pattern string, do func(*Call) error) {
	f.OnPackage(pattern, settings(f.sudo(do)))
}

func settings(do func(*Call) error) func(*Call) error {
	return signedIn(func(c *Call) error {
		if !c.Package.Admin {
			return errNoPage()
		}
		return do(c)
	})
}

// pageFunc is a page behind the mux of packages. That mux only finds the page;
// it is run by inside.
type pageFunc func(*Call) error

// ServeHTTP implements http.Handler, for the mux to match the parts of the path.
func (do pageFunc) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.(*found).do = do //nolint:forcetypeassert // inside passes nothing else
}

// found takes what the mux of packages finds instead of an answer.
type found struct {
	http.ResponseWriter
	do     pageFunc
	status int
	header http.Header
}

func (f *found) Header() http.Header         { return f.header }
func (f *found) WriteHeader(status int)      { f.status = status }
func (f *found) Write(b []byte) (int, error) { return len(b), nil }

// onPackages puts the addresses of packages on the frame.
func (f *Frame) onPackages() {
	f.On("/{owner}/{repo}/pkgs/{type}/{rest...}", func(c *Call) error {
		inside := c.Param("owner") + "/"
		if c.Param("type") == string(access.Docker) {
			inside += c.Param("repo") + "/"
		}
		return f.inside(c, inside, false)
	})
	for _, kind := range []string{"orgs", "users"} {
		f.On("/"+kind+"/{owner}/packages/{type}/{rest...}", func(c *Call) error {
			return f.inside(c, c.Param("owner")+"/", true)
		})
	}
}

// inside finds the package and the page below it that the rest of the path names.
// A name whose slashes are not escaped may be longer than one segment; what
// follows it is then no number, as the part {id} of a page's path is.
func (f *Frame) inside(c *Call, prefix string, owned bool) error {
	segments := strings.Split(c.R.URL.EscapedPath(), "/")[5:]
	own := owned && len(segments) > 1 && segments[0] == "package"
	if own {
		segments = segments[1:]
	}
	for n := 1; n <= len(segments); n++ {
		if own && n < len(segments) {
			continue // below the word package there is nothing but the page itself
		}
		name, err := url.PathUnescape(strings.Join(segments[:n], "/"))
		if err != nil {
			break
		}
		do, r := f.below(c.R, segments[n:])
		if do == nil {
			continue
		}
		t := access.PackageType(c.Param("type"))
		c.R = r
		return f.serve(c, t, prefix+name, segments[n:], do)
	}
	return errNoPage()
}

// below returns the page for the segments below a package, with the request that
// knows their names.
func (f *Frame) below(r *http.Request, segments []string) (pageFunc, *http.Request) {
	inner := r.Clone(r.Context())
	inner.URL.RawPath = "/" + strings.Join(segments, "/")
	path, err := url.PathUnescape(inner.URL.RawPath)
	if err != nil {
		return nil, r
	}
	inner.URL.Path = path
	take := &found{header: http.Header{}}
	f.packages.ServeHTTP(take, inner)
	inner.URL = r.URL
	if id := inner.PathValue("id"); strings.Trim(id, "0123456789") != "" {
		return nil, r
	}
	return take.do, inner
}

func (f *Frame) serve(c *Call, t access.PackageType, name string, segments []string, do pageFunc) error {
	if err := f.findPackage(c, t, name); err != nil {
		return err
	}
	right := c.Package.Path()
	if len(segments) > 0 {
		right = c.Package.Sub() + "/" + strings.Join(segments, "/")
	}
	if c.R.URL.EscapedPath() != right && (c.R.Method == http.MethodGet || c.R.Method == http.MethodHead) {
		if c.R.URL.RawQuery != "" {
			right += "?" + c.R.URL.RawQuery
		}
		return c.Redirect(right)
	}
	return do(c)
}

func (f *Frame) findPackage(c *Call, t access.PackageType, name string) error {
	n, err := oci.ParseName(strings.ToLower(name))
	if err != nil || n.Package() == "" || t != access.Container && t != access.Docker {
		return errNoPage()
	}
	c.Package.Ref = access.Package{Type: t, Name: n}
	httpx.EventFrom(c.W).Package = n.String()
	c.Package.Listed, err = f.Packages.Package(c.R.Context(), c.Who, c.Package.Ref)
	if errs.Is(err, errs.Unauthenticated) { // registries ask for a credential, pages say that there is nothing
		err = errNoPage()
	}
	if err != nil {
		return err
	}
	c.Package.Ref.Name = c.Package.Name // a former name leads here
	if c.Who.AccountID == 0 {
		return nil
	}
	_, err = f.Packages.Administer(c.R.Context(), c.Who, c.Package.Ref)
	c.Package.Admin = err == nil
	if errs.Is(err, errs.Denied) || errs.Is(err, errs.NotFound) {
		err = nil
	}
	return err
}
