package rest

import (
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/packages"
)

// searchRoutes are ours: GitHub searches packages on its pages alone.
func (h *Handler) searchRoutes() []route {
	return []route{
		{"GET", "/search/packages", h.searchPackages, open()}, // the service shows each what it may see
	}
}

// searchPackages is GET /search/packages. Its q is that of GitHub's page: user:
// or org:, repo:, is: with a visibility, type:, and a part of the name.
func (h *Handler) searchPackages(c *call) error {
	p, err := c.page()
	if err != nil {
		return err
	}
	q, err := parseSearch(c.q.Get("q"))
	if err != nil {
		return err
	}
	q.Page, q.PerPage = p.page, p.perPage
	list, total, err := h.Packages.ListPackages(c.r.Context(), c.who, q)
	if err != nil {
		return err
	}
	items := make([]object, len(list))
	for i, found := range list {
		items[i] = h.packageObject(found)
	}
	return c.list(p, total, object{"total_count": total, "incomplete_results": false, "items": items})
}

func parseSearch(text string) (q packages.ListQuery, err error) {
	for word := range strings.FieldsSeq(text) {
		name, value, found := strings.Cut(word, ":")
		switch {
		case !found && q.Text == "":
			q.Text = word
		case !found:
			return q, invalid("Names have no spaces: search for one word, beside user:, org:, repo:, is: and type:.")
		case value == "":
			return q, invalid("%s: needs a value.", name)
		default:
			err = narrow(&q, name, value)
		}
		if err != nil {
			return q, err
		}
	}
	return q, nil
}

// narrow adds one qualifier to q.
func narrow(q *packages.ListQuery, name, value string) error {
	switch name {
	case "user", "org":
		q.Owner = value
	case "repo":
		q.Repository = value
	case "type":
		t, err := packageType(value)
		if err != nil {
			return errs.New(errs.Invalid, "type: is container or docker.").WithCode(unprocessable)
		}
		q.Type = t
	case "is":
		switch v := access.Visibility(value); v {
		case access.Public, access.Private, access.Internal:
			q.Visibility = v
		default:
			return invalid("is: takes public, private or internal.")
		}
	default:
		return invalid("There is no qualifier %s: there are user, org, repo, is and type.", name)
	}
	return nil
}
