package tokenapi

import (
	"context"

	"packhouse/internal/access"
	"packhouse/internal/oci"
)

// grant returns what who may do of what is wanted, as things stand now.
func (h *handler) grant(ctx context.Context, who access.Principal, wanted []access.Grant) ([]access.Grant, error) {
	var granted []access.Grant
	for _, w := range wanted {
		facts, err := h.Packages.Facts(ctx, who, w.Name)
		if err != nil {
			return nil, err
		}
		g := access.Grant{Name: w.Name}
		for _, a := range w.Actions {
			if may(who, w.Name, facts, a) {
				g.Actions = append(g.Actions, a)
			}
		}
		granted = append(granted, g) // with no action too: so the refusal can name the cause
	}
	return granted, nil
}

// may decides on one action. For a package that does not exist yet, one who may
// create it gets what its creator will have: the token that pushes it also has
// to look at what it pushed.
func may(who access.Principal, name oci.Name, f access.Facts, a access.Action) bool {
	if access.Decide(who, name, f, access.Effects{Action: a}).Allowed {
		return true
	}
	if f.Exists || !access.Decide(who, name, f, access.Effects{Action: access.Write}).Allowed {
		return false
	}
	return access.Decide(who, name, f.Made(who), access.Effects{Action: a}).Allowed
}
