package frame

import (
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"packhouse/internal/account"
	"packhouse/internal/errs"
	"packhouse/internal/httpx"
	"packhouse/internal/packages"
	"packhouse/internal/web/assets"
	"packhouse/internal/web/locale"
)

// Deps is what a Frame is made of.
type Deps struct {
	Sessions *account.Sessions
	Accounts *account.Service
	Packages *packages.Service
	// ProviderIssuer is the outside provider's; empty without one.
	ProviderIssuer string
	// URL is the public address.
	URL *url.URL
	// ContainerHost and DockerHost are what people log docker in to, for each of
	// the two registries.
	ContainerHost, DockerHost string
	// Client returns the address of the client, behind trusted proxies.
	Client func(*http.Request) netip.Addr
	Now    func() time.Time
	Random io.Reader
}

// Frame holds the routes of all rooms. Routes are added while it is built; then
// it is safe for concurrent use.
type Frame struct {
	Deps
	Assets  *assets.Assets
	Locales *locale.Set

	routes
	rooms   []*Room
	own     *Room // the pages of the frame itself
	confirm func(*Call) (shown bool, err error)
}

// New returns a frame without rooms. The error is that of a broken build.
func New(d Deps) (*Frame, error) {
	a, err := assets.New()
	if err != nil {
		return nil, err
	}
	l, err := locale.New()
	if err != nil {
		return nil, err
	}
	f := &Frame{Deps: d, Assets: a, Locales: l, routes: newRoutes()}
	if f.own, err = f.Open(files); err != nil {
		return nil, err
	}
	f.own.Declare("error", errorPage{})
	f.handle("GET "+assets.Prefix, httpx.Handle(a.Serve, f.fail))
	f.On("POST /preferences", f.setPreferences)
	nothing := f.page("none", func(*Call) error { return errNoPage() })
	f.fixed.Handle("/", nothing)
	f.named.Handle("/", nothing)
	f.onPackages()
	return f, nil
}

func errNoPage() error { return errs.New(errs.NotFound, "there is no such page") }

// Handler returns the pages behind what holds for all of them.
func (f *Frame) Handler() http.Handler {
	cross := http.NewCrossOriginProtection()
	cross.SetDenyHandler(httpx.Handle(func(w http.ResponseWriter, _ *http.Request) error {
		httpx.EventFrom(w).Route = "cross-site"
		return errs.New(errs.Denied, "another site sent this request; open the page here and try again")
	}, f.fail))
	inner := cross.Handler(f.routes)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setHeaders(w.Header())
		inner.ServeHTTP(w, r)
	})
}

// setHeaders sets what browsers are told with every page.
func setHeaders(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; "+
		"connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'")
	h.Set("X-Frame-Options", "DENY")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin") // with none at all, browsers hide the origin of our own forms
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
	h.Set("Cache-Control", "no-store")
}

// On serves pattern to everybody; the page decides what to show to whom. The
// pattern also names the route in the log.
func (f *Frame) On(pattern string, do func(*Call) error) { f.handle(pattern, f.page(pattern, do)) }

// page makes a handler of a page.
func (f *Frame) page(route string, do func(*Call) error) http.Handler {
	return httpx.Handle(func(w http.ResponseWriter, r *http.Request) error {
		httpx.EventFrom(w).Route = route
		c, err := f.call(w, r)
		if err != nil {
			return err
		}
		return c.shown(do(c))
	}, f.fail)
}

// Mount serves path with a handler that knows no frame.
func (f *Frame) Mount(path string, h http.Handler) { f.handle(path, h) }

// SignedIn serves pattern to those who are signed in. Others sign in first and
// come back; a form of theirs is lost.
func (f *Frame) SignedIn(pattern string, do func(*Call) error) { f.On(pattern, signedIn(do)) }

// Sudo serves pattern to those who lately showed that it is they who sit there,
// with a password, a passkey or at their provider. Others do that first.
func (f *Frame) Sudo(pattern string, do func(*Call) error) { f.On(pattern, f.sudo(do)) }

func signedIn(do func(*Call) error) func(*Call) error {
	return func(c *Call) error {
		if c.Who.AccountID == 0 {
			return c.ToSignIn()
		}
		return do(c)
	}
}

func (f *Frame) sudo(do func(*Call) error) func(*Call) error {
	return signedIn(func(c *Call) error {
		if !c.Fresh() {
			if shown, err := f.confirm(c); shown || err != nil {
				return err
			}
		}
		return do(c)
	})
}

// Confirm sets what asks people to show who they are. It gets the call that needs
// it, and reports whether it showed a page. If it did not, they have shown it with
// fields of the form, and the call goes on.
func (f *Frame) Confirm(ask func(*Call) (shown bool, err error)) { f.confirm = ask }

// Rooms returns all rooms that were opened, for checks of their templates.
func (f *Frame) Rooms() []*Room { return f.rooms }

// Patterns returns the patterns of all routes, for checks of who reaches them.
// Those below the address of a package begin with {package}.
func (f *Frame) Patterns() []string { return slices.Clone(f.patterns) }

// Absolute returns the public address of a path.
func (f *Frame) Absolute(path string) string { return strings.TrimSuffix(f.URL.String(), "/") + path }
