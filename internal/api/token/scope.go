package tokenapi

import (
	"slices"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/token"
)

const (
	// maxResources is how many different resources one token can be asked for.
	maxResources = 10
	// maxScopes bounds the scopes before those of one resource are joined.
	maxScopes = 100
)

// wanted is what a request asks for.
type wanted struct {
	packages []access.Grant
	catalog  bool // to list packages
}

// catalogScope is the scope that the challenge of the listing names.
const catalogScope = "registry:catalog:*"

// parseScopes reads the scopes of a request: each value holds several separated
// by spaces, each of the form type:name:action,action, where the name may hold
// colons and the type a class in parentheses. Scopes of one package are joined.
//
// What it does not understand grants nothing and is no error, since a token may
// always be issued for less than was asked; too many scopes are.
func parseScopes(values []string) (wanted, error) {
	var w wanted
	resources := map[string]bool{}
	seen := 0
	for _, value := range values {
		for scope := range strings.FieldsSeq(value) {
			resource, name, actions := splitScope(scope)
			resources[resource] = true
			if seen++; seen > maxScopes || len(resources) > maxResources {
				return wanted{}, errs.New(errs.Invalid, "at most %d resources can be asked for at once", maxResources)
			}
			w.catalog = w.catalog || scope == catalogScope
			if name.Package() != "" && len(actions) > 0 {
				w.packages = join(w.packages, name, actions)
			}
		}
	}
	return w, nil
}

// splitScope returns the scope's type and name as text, and the package and
// actions that it means; none when it means no package of ours.
func splitScope(scope string) (resource string, name oci.Name, actions []access.Action) {
	last := strings.LastIndexByte(scope, ':')
	if last < 0 {
		return scope, oci.Name{}, nil
	}
	resource = scope[:last]
	kind, text, _ := strings.Cut(resource, ":")
	if class := strings.IndexByte(kind, '('); class >= 0 && strings.HasSuffix(kind, ")") {
		kind = kind[:class]
	}
	name, err := oci.ParseAddress(text)
	if kind != "repository" || err != nil {
		return resource, oci.Name{}, nil
	}
	return resource, name, parseActions(scope[last+1:])
}

func parseActions(list string) []access.Action {
	var actions []access.Action
	for one := range strings.SplitSeq(list, ",") {
		if one == "*" {
			return []access.Action{access.Read, access.Write, access.Delete}
		}
		if a, ok := token.ActionNamed(one); ok && !slices.Contains(actions, a) {
			actions = append(actions, a)
		}
	}
	return actions
}

func join(wanted []access.Grant, name oci.Name, actions []access.Action) []access.Grant {
	for i := range wanted {
		if wanted[i].Name != name {
			continue
		}
		for _, a := range actions {
			if !slices.Contains(wanted[i].Actions, a) {
				wanted[i].Actions = append(wanted[i].Actions, a)
			}
		}
		return wanted
	}
	return append(wanted, access.Grant{Name: name, Actions: actions})
}

// formatScopes is the reverse of parseScopes, for what was granted.
func formatScopes(w wanted) string {
	var scopes []string
	for _, g := range w.packages {
		var names []string
		for _, a := range g.Actions {
			names = append(names, token.ActionName(a))
		}
		if len(names) > 0 {
			scopes = append(scopes, "repository:"+g.Name.String()+":"+strings.Join(names, ","))
		}
	}
	if w.catalog {
		scopes = append(scopes, catalogScope)
	}
	return strings.Join(scopes, " ")
}
