package packagesettings

import (
	"bytes"
	"encoding/json"
	"net/url"

	"packhouse/internal/access"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
	"packhouse/internal/web/frame"
)

// document is the settings of a package as the API takes them.
type document struct {
	Visibility    access.Visibility `json:"visibility,omitempty"`
	Repository    *string           `json:"repository,omitempty"`
	Inherits      *bool             `json:"inherits,omitempty"`
	Grants        *[]grant          `json:"grants,omitempty"`
	Repositories  *[]actions        `json:"repositories,omitempty"`
	ImmutableTags []string          `json:"immutable_tags"`
}

type grant struct {
	Kind packages.GranteeKind `json:"kind"`
	Name string               `json:"name"`
	Role access.Role          `json:"role"`
}

type actions struct {
	Name       string       `json:"name"`
	Actions    *access.Role `json:"actions"`
	Codespaces bool         `json:"codespaces"`
}

// file writes the settings as a file that can be sent to the API. What follows
// the repository is left out.
func file(d packages.Document) string {
	doc := document{ImmutableTags: append([]string{}, texts(d.Immutable)...)}
	if d.Type != access.Docker {
		repository, grants, repositories := "", []grant{}, []actions{}
		if d.Repository != (oci.Name{}) {
			repository = d.Repository.String()
		}
		for _, g := range d.Grants {
			grants = append(grants, grant{g.Kind, g.Name, g.Role})
		}
		for _, g := range d.Repositories {
			one := actions{Name: g.Name, Codespaces: g.Codespaces}
			if g.Role != "" {
				one.Actions = &g.Role
			}
			repositories = append(repositories, one)
		}
		doc.Visibility, doc.Repository, doc.Inherits, doc.Grants, doc.Repositories = d.Visibility, &repository, &d.Inherits, &grants, &repositories
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(doc); err != nil {
		return "" // there is nothing in it that cannot be written
	}
	return string(bytes.TrimSpace(text.Bytes()))
}

// apiPath is where the API takes the settings.
func apiPath(p frame.Package) string {
	kind := "users"
	if p.Owner.Organization {
		kind = "orgs"
	}
	return "/api/v3/" + kind + "/" + p.Owner.Login + "/packages/" + string(p.Type) + "/" + url.PathEscape(p.ShortName()) + "/settings"
}
