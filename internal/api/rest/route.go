package rest

import (
	"fmt"
	"net/url"
	"slices"
	"strings"

	"packhouse/internal/access"
)

// route is one operation.
type route struct {
	method, pattern string
	do              func(*call) error
	policy          policy
}

// policy says who may call a route.
type policy struct {
	// check refuses callers before the route's function runs; nil where the
	// service behind it decides by itself.
	check func(*call) error
	// scopes are those that a token needs, all of them, and what clients are
	// told in X-Accepted-OAuth-Scopes; zero for none.
	scopes access.Scopes
	// named is set on every policy that was made on purpose.
	named bool
}

// decidedBelow is the policy of routes whose service decides, for a caller with
// the scopes.
func decidedBelow(scopes access.Scopes) policy { return policy{scopes: scopes, named: true} }

// open is the policy of routes that tell everybody the same.
func open() policy { return policy{named: true} }

// checked is the policy of routes for those whom check lets pass.
func checked(scopes access.Scopes, check func(*call) error) policy {
	return policy{check: check, scopes: scopes, named: true}
}

// compiled is a route with its pattern taken apart.
type compiled struct {
	route
	parts    []part
	literals int // how many of the parts are
}

// part is one segment of a pattern.
type part struct {
	text string // the literal, or the name of a parameter
	kind partKind
}

type partKind int

const (
	literal partKind = iota
	single           // {name}
	several          // {name...}
)

func compile(r route) (compiled, error) {
	c := compiled{route: r}
	if !r.policy.named || r.do == nil {
		return c, fmt.Errorf("the route %s %s has no policy or does nothing", r.method, r.pattern)
	}
	wide := 0
	for segment := range strings.SplitSeq(strings.TrimPrefix(r.pattern, "/"), "/") {
		name, isParam := strings.CutPrefix(segment, "{")
		name = strings.TrimSuffix(name, "}")
		wideName, isWide := strings.CutSuffix(name, "...")
		switch {
		case !isParam:
			c.parts = append(c.parts, part{segment, literal})
			c.literals++
		case isWide:
			wide++
			c.parts = append(c.parts, part{wideName, several})
		default:
			c.parts = append(c.parts, part{name, single})
		}
	}
	if wide > 1 {
		return c, fmt.Errorf("the route %s takes several segments twice", r.pattern)
	}
	return c, nil
}

// match returns the parameters of a path, whose segments are still escaped, or
// false.
func (c compiled) match(segments []string) (map[string]string, bool) {
	extra := len(segments) - len(c.parts)
	if extra < 0 {
		return nil, false
	}
	params, at := map[string]string{}, 0
	for _, p := range c.parts {
		take := 1
		if p.kind == several {
			take += extra
			extra = 0
		}
		value, err := url.PathUnescape(strings.Join(segments[at:at+take], "/"))
		if err != nil || p.kind == literal && value != p.text || p.kind != literal && value == "" {
			return nil, false
		}
		if p.kind != literal {
			params[p.text] = value
		}
		at += take
	}
	return params, at == len(segments)
}

// table finds routes.
type table struct {
	byFirst map[string][]compiled // by the first segment
}

func newTable(routes []route) (*table, error) {
	t := &table{byFirst: map[string][]compiled{}}
	seen := map[string]bool{}
	for _, r := range routes {
		c, err := compile(r)
		if err != nil {
			return nil, err
		}
		if key := r.method + " " + r.pattern; seen[key] {
			return nil, fmt.Errorf("the route %s is there twice", key)
		} else {
			seen[key] = true
		}
		t.byFirst[c.parts[0].text] = append(t.byFirst[c.parts[0].text], c)
	}
	return t, nil
}

// find returns the route for a request and its parameters. Without one, allowed
// are the methods that the path has, none for a path that is not there.
func (t *table) find(method, escapedPath string) (found *compiled, params map[string]string, allowed []string) {
	segments := strings.Split(strings.TrimPrefix(escapedPath, "/"), "/")
	best := [2]int{-1, -1} // segments, then those that are not parameters
	for i := range t.byFirst[segments[0]] {
		c := &t.byFirst[segments[0]][i]
		values, ok := c.match(segments)
		rank := [2]int{len(c.parts), c.literals}
		switch order := slices.Compare(rank[:], best[:]); {
		case !ok || order < 0:
		case order > 0:
			best, allowed, found = rank, nil, nil
			fallthrough
		default:
			allowed = append(allowed, c.method)
			if c.method == method {
				found, params = c, values
			}
		}
	}
	return found, params, allowed
}

// Route is an operation, for tests that try each.
type Route struct {
	Method, Pattern string
	// Scopes are those that a token needs, all of them; zero for none.
	Scopes access.Scopes
}

// Routes returns all operations.
func (h *Handler) Routes() []Route {
	var all []Route
	for _, r := range h.routes() {
		all = append(all, Route{r.method, r.pattern, r.policy.scopes})
	}
	return all
}
