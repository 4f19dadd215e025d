package v2

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/downloads"
	"packhouse/internal/errs"
	"packhouse/internal/httpx"
	"packhouse/internal/oci"
	"packhouse/internal/registry"
)

// Authenticator tells who asks.
type Authenticator interface {
	// Authenticate returns the principal of the request's credential, the
	// anonymous one when it has none, and Unauthenticated for one that does
	// not hold.
	Authenticate(ctx context.Context, r *http.Request) (access.Principal, error)
	// StillValid returns Unauthenticated when the credential behind who was
	// revoked or its account suspended. It is asked before every write.
	StillValid(ctx context.Context, who access.Principal) error
}

// Pulls is told what is read, to count downloads. Its methods return at once.
type Pulls interface {
	// Looked is a manifest that was asked about by HEAD, under a tag or "".
	Looked(by downloads.Client, v downloads.Version, tag string)
	// Read is a manifest that was given.
	Read(by downloads.Client, v downloads.Version, tag string, content []byte)
	// Blob is a blob that was given.
	Blob(by downloads.Client, packageID int64, d oci.Digest)
}

// Deps is what a Handler is built from.
type Deps struct {
	Registry      *registry.Service
	Authenticator Authenticator
	Realm         Realm
	// Type is the registry that this address serves, and Also the other one if
	// its packages are reached here too; see access.Package.
	Type, Also access.PackageType
	// MaxParallelUploads is how many upload requests of one principal run at a
	// time; each holds up to 1 MiB. More are told to come back.
	MaxParallelUploads int
	Pulls              Pulls // nil counts nothing
}

// policy is what a route demands before its handler runs. The registry decides
// on the effects; this is what a challenge asks the client to get a token for.
type policy struct {
	// signedIn is set where anyone with a valid credential, or an anonymous
	// token, may come in.
	signedIn bool
	action   access.Action
	scope    string // the actions of a challenge
}

var (
	policyToken  = policy{signedIn: true, action: access.Read}
	policyPull   = policy{action: access.Read, scope: "pull"}
	policyPush   = policy{action: access.Write, scope: "pull,push"}
	policyDelete = policy{action: access.Delete, scope: "delete"}
)

type route struct {
	resource resource
	method   string
	policy   policy
	handle   func(h *Handler, c *call) error
	label    string // of the log and the metrics
}

// call is one request on its way through a handler.
type call struct {
	w    http.ResponseWriter
	r    *http.Request
	q    url.Values
	who  access.Principal
	pkg  access.Package
	addr address
}

func routes() []route {
	return []route{
		{resBase, http.MethodGet, policyToken, (*Handler).getBase, ""},
		{resBase, http.MethodHead, policyToken, (*Handler).getBase, ""},
		{resCatalog, http.MethodGet, policyToken, (*Handler).getCatalog, ""},
		{resTags, http.MethodGet, policyPull, (*Handler).getTags, ""},
		{resManifest, http.MethodGet, policyPull, (*Handler).getManifest, ""},
		{resManifest, http.MethodHead, policyPull, (*Handler).getManifest, ""},
		{resManifest, http.MethodPut, policyPush, (*Handler).putManifest, ""},
		{resManifest, http.MethodDelete, policyDelete, (*Handler).deleteManifest, ""},
		{resBlob, http.MethodGet, policyPull, (*Handler).getBlob, ""},
		{resBlob, http.MethodHead, policyPull, (*Handler).getBlob, ""},
		{resBlob, http.MethodDelete, policyDelete, (*Handler).deleteBlob, ""},
		{resUploads, http.MethodPost, policyPush, (*Handler).postUpload, ""},
		{resUpload, http.MethodGet, policyPush, (*Handler).getUpload, ""},
		{resUpload, http.MethodPatch, policyPush, (*Handler).patchUpload, ""},
		{resUpload, http.MethodPut, policyPush, (*Handler).putUpload, ""},
		{resUpload, http.MethodDelete, policyPush, (*Handler).deleteUpload, ""},
		{resReferrers, http.MethodGet, policyPull, (*Handler).getReferrers, ""},
	}
}

// Route is one row of the route table, for tests that try each.
type Route struct {
	Method string
	// Pattern is the path, with {name}, {reference}, {digest} and {id}.
	Pattern string
	// Action is what is decided on for the package; the package is none where
	// the pattern has no {name}.
	Action access.Action
	// SignedIn is set where no right on a package is needed.
	SignedIn bool
}

// Routes lists all routes under /v2/.
func Routes() []Route {
	var list []Route
	for _, rt := range routes() {
		list = append(list, Route{rt.method, patterns[rt.resource], rt.policy.action, rt.policy.signedIn})
	}
	return list
}

// Handler serves /v2/. Safe for concurrent use.
type Handler struct {
	Deps
	http.Handler
	routes  map[resource]map[string]route
	allow   map[resource]string
	uploads httpx.Gate
}

// New returns a Handler, or an error when a route has no policy.
func New(d Deps) (*Handler, error) {
	h := &Handler{Deps: d, routes: map[resource]map[string]route{}, allow: map[resource]string{}}
	h.Handler = httpx.Handle(h.serve, writeError)
	return h, h.install(routes())
}

func (h *Handler) install(table []route) error {
	for _, rt := range table {
		if rt.policy.action == 0 || rt.policy.scope == "" && !rt.policy.signedIn {
			return fmt.Errorf("route %s %s has no policy", rt.method, rt.resource)
		}
		if h.routes[rt.resource] == nil {
			h.routes[rt.resource] = map[string]route{}
		}
		rt.label = rt.method + " " + patterns[rt.resource]
		h.routes[rt.resource][rt.method] = rt
	}
	for res, methods := range h.routes {
		h.allow[res] = strings.Join(slices.Sorted(maps.Keys(methods)), ", ")
	}
	return nil
}

// apiVersion is what old docker engines look for.
var apiVersion = []string{"registry/2.0"}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request) error {
	w.Header()["Docker-Distribution-Api-Version"] = apiVersion
	c := &call{w: w, r: r}
	rt, err := h.match(c)
	if err == nil {
		err = h.run(rt, c)
	}
	event := httpx.EventFrom(w)
	event.Route, event.Principal, event.Package = rt.label, c.who.Login, c.pkg.Name.String()
	if err != nil && (errs.Is(err, errs.Unauthenticated) || errs.Is(err, errs.Denied)) {
		h.Realm.challenge(w, r, h.challengeScope(rt, c), err)
	}
	return err
}

// match finds the route and parses the name. A path that no route has is 404.
func (h *Handler) match(c *call) (route, error) {
	addr, ok := parsePath(c.r.URL.Path)
	if !ok || strings.Contains(strings.ToLower(c.r.URL.RawPath), "%2f") {
		return route{}, errs.New(errs.NotFound, "no such address").WithCode("NAME_INVALID")
	}
	c.addr = addr
	q, err := httpx.Query(c.r)
	if err != nil {
		return route{}, err
	}
	c.q = q
	rt, ok := h.routes[addr.resource][c.r.Method]
	if !ok {
		c.w.Header().Set("Allow", h.allow[addr.resource])
		return route{}, errs.New(errs.Unsupported, "%s is not offered here", c.r.Method)
	}
	c.pkg.Type, c.pkg.Also = h.Type, h.Also
	if addr.resource == resBase || addr.resource == resCatalog {
		return rt, nil
	}
	name, err := oci.ParseAddress(addr.name)
	c.pkg.Name = name
	return rt, err
}

func (h *Handler) run(rt route, c *call) error {
	who, err := h.Authenticator.Authenticate(c.r.Context(), c.r)
	if _, _, basic := c.r.BasicAuth(); err != nil && basic {
		return httpx.StaleLogin(err, h.Realm.host(c.r.Host))
	}
	if err != nil { // of a bearer token, of which clients fetch another
		return err
	}
	c.who = who
	if rt.policy.action != access.Read {
		if who.Anonymous() { // nobody may write; nothing of a body is read
			return errs.New(errs.Unauthenticated, "authentication required")
		}
		if err := h.Authenticator.StillValid(c.r.Context(), who); err != nil {
			return err
		}
	}
	if rt.resource == resUpload || rt.resource == resUploads {
		leave, err := h.uploads.Enter(strconv.FormatInt(who.ID(), 10), h.MaxParallelUploads)
		if err != nil {
			return err
		}
		defer leave()
	}
	return rt.handle(h, c)
}

// again tells whether the credential still holds, once the body is here: that may
// have taken minutes. A bearer token may have expired meanwhile.
func (h *Handler) again(c *call) error {
	if c.who.Restricted {
		return h.Authenticator.StillValid(c.r.Context(), c.who)
	}
	_, err := h.Authenticator.Authenticate(c.r.Context(), c.r)
	return err
}

// challengeScope returns the scope that a token for this request needs.
func (h *Handler) challengeScope(rt route, c *call) string {
	switch {
	case c.addr.resource == resCatalog:
		return "registry:catalog:*"
	case rt.policy.scope == "" || c.pkg.Name.IsZero():
		return ""
	}
	scope := "repository:" + c.pkg.Name.String() + ":" + rt.policy.scope
	if from := c.q.Get("from"); c.addr.resource == resUploads && from != "" {
		if name, err := oci.ParseAddress(from); err == nil {
			scope += " repository:" + name.String() + ":pull"
		}
	}
	return scope
}

// getBase answers the version check. Without a credential it is a challenge,
// also where everything is public: clients would never log in otherwise.
func (h *Handler) getBase(c *call) error {
	if c.strange() {
		return errs.New(errs.Unauthenticated, "authentication required")
	}
	return writeJSON(c.w, "application/json", struct{}{})
}

// strange reports whether the caller is nobody and has not even asked for an
// anonymous token.
func (c *call) strange() bool {
	scheme, _, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	return c.who.Anonymous() && !strings.EqualFold(scheme, "Bearer")
}
