package rest

import (
	"context"
	"net/http"

	"packhouse/internal/access"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
)

// ImmutableTags keeps the patterns of tags that never move, and decides for whom.
type ImmutableTags interface {
	ImmutableTags(ctx context.Context, who access.Principal, p access.Package) (own, owners []oci.TagPattern, err error)
	SetImmutableTags(ctx context.Context, who access.Principal, p access.Package, list []oci.TagPattern) error
	OwnerImmutableTags(ctx context.Context, who access.Principal, owner string) ([]oci.TagPattern, error)
	SetOwnerImmutableTags(ctx context.Context, who access.Principal, owner string, list []oci.TagPattern) error
}

// immutableTagRoutes are this server's own operations on tags that never move.
func (h *Handler) immutableTagRoutes() []route {
	var routes []route
	for at, owner := range h.owned() {
		one := at + "/packages/{package_type}/{package_name...}/immutable_tags"
		routes = append(routes,
			route{"GET", one, of(owner, onPackage(h.getImmutableTags)), withToken(access.ReadPackages)},
			route{"PUT", one, of(owner, onPackage(h.putImmutableTags)), withToken(access.WritePackages)},
			route{"GET", at + "/immutable_tags", of(owner, h.getOwnerImmutableTags), withToken(access.ReadPackages)},
			route{"PUT", at + "/immutable_tags", of(owner, h.putOwnerImmutableTags), withToken(access.WritePackages)},
		)
	}
	return routes
}

// patternsObject is the patterns of a place, and of a package also its owner's.
type patternsObject struct {
	Patterns      []string  `json:"patterns"`
	OwnerPatterns *[]string `json:"owner_patterns,omitempty"`
}

func (c *call) patterns() ([]oci.TagPattern, error) {
	var b struct {
		Patterns *[]string `json:"patterns"`
	}
	if err := c.body(&b); err != nil {
		return nil, err
	}
	if b.Patterns == nil {
		return nil, invalid("patterns is missing; [] is for none")
	}
	list, err := packages.ParseTagPatterns(*b.Patterns)
	return list, changed(err)
}

func (h *Handler) getImmutableTags(c *call, p access.Package) error {
	own, owners, err := h.ImmutableTags.ImmutableTags(c.r.Context(), c.who, p)
	if err != nil {
		return err
	}
	texts := patternTexts(owners)
	return c.json(http.StatusOK, patternsObject{patternTexts(own), &texts})
}

func (h *Handler) putImmutableTags(c *call, p access.Package) error {
	list, err := c.patterns()
	if err != nil {
		return err
	}
	if err := h.ImmutableTags.SetImmutableTags(c.r.Context(), c.who, p, list); err != nil {
		return err
	}
	return h.getImmutableTags(c, p)
}

func (h *Handler) getOwnerImmutableTags(c *call, owner packages.Owner) error {
	list, err := h.ImmutableTags.OwnerImmutableTags(c.r.Context(), c.who, owner.Login)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, patternsObject{Patterns: patternTexts(list)})
}

func (h *Handler) putOwnerImmutableTags(c *call, owner packages.Owner) error {
	list, err := c.patterns()
	if err != nil {
		return err
	}
	if err := h.ImmutableTags.SetOwnerImmutableTags(c.r.Context(), c.who, owner.Login, list); err != nil {
		return err
	}
	return h.getOwnerImmutableTags(c, owner)
}
