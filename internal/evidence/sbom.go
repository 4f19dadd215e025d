package evidence

import (
	"encoding/json"
	"strings"
)

// MaxComponents is how many components of a bill of materials come out.
const MaxComponents = 50

// SBOM is a bill of materials.
type SBOM struct {
	// Format is its own, such as "SPDX-2.3", also where it lies in a statement.
	Format, Name string
	// Count is how many components it has; Components are the first of them.
	Count      int64
	Components []Component
}

// Shown is how many components come out.
func (b *SBOM) Shown() int64 { return int64(len(b.Components)) }

// Component is one thing that an image is made of.
type Component struct{ Name, Version, Licenses string }

func (b *SBOM) add(name, version, licenses string) {
	b.Count++
	if len(b.Components) < MaxComponents {
		b.Components = append(b.Components, Component{text(name), text(version), licence(licenses)})
	}
}

// licence is a licence, unless it says that there is nothing to say.
func licence(s string) string {
	if s == "NOASSERTION" || s == "NONE" {
		return ""
	}
	return text(s)
}

// spdx reads version 2, and of version 3 the names alone.
func (f *Facts) spdx(content []byte) {
	var d struct {
		Version  string `json:"spdxVersion"`
		Name     string `json:"name"`
		Packages []struct {
			Name      string `json:"name"`
			Version   string `json:"versionInfo"`
			Concluded string `json:"licenseConcluded"`
			Declared  string `json:"licenseDeclared"`
		} `json:"packages"`
		Graph []struct {
			Type           string `json:"type"`
			Name           string `json:"name"`
			PackageVersion string `json:"software_packageVersion"`
		} `json:"@graph"`
	}
	if json.Unmarshal(content, &d) != nil {
		return
	}
	b := &SBOM{Format: first(d.Version, "SPDX-3"), Name: text(d.Name)}
	for _, p := range d.Packages {
		b.add(p.Name, p.Version, first(licence(p.Concluded), licence(p.Declared)))
	}
	for _, e := range d.Graph {
		switch e.Type {
		case "software_Package":
			b.add(e.Name, e.PackageVersion, "")
		case "SpdxDocument":
			b.Name = text(e.Name)
		}
	}
	f.name(b.Format)
	f.SBOM = b
}

func (f *Facts) cyclonedx(content []byte) {
	var d struct {
		Format   string `json:"bomFormat"`
		Version  string `json:"specVersion"`
		Metadata struct {
			Component struct {
				Name string `json:"name"`
			} `json:"component"`
		} `json:"metadata"`
		Components []struct {
			Name     string          `json:"name"`
			Group    string          `json:"group"`
			Version  string          `json:"version"`
			Licenses []choiceLicence `json:"licenses"`
		} `json:"components"`
	}
	if json.Unmarshal(content, &d) != nil || !strings.EqualFold(d.Format, "CycloneDX") {
		return
	}
	b := &SBOM{Format: text("CycloneDX " + d.Version), Name: text(d.Metadata.Component.Name)}
	for _, c := range d.Components {
		name := c.Name
		if c.Group != "" {
			name = c.Group + "/" + c.Name
		}
		var licences []string
		for _, l := range c.Licenses {
			if s := first(l.Expression, l.License.ID, l.License.Name); s != "" {
				licences = append(licences, s)
			}
		}
		b.add(name, c.Version, strings.Join(licences, ", "))
	}
	f.name(b.Format)
	f.SBOM = b
}

// choiceLicence is one of the ways in which CycloneDX names a licence.
type choiceLicence struct {
	Expression string `json:"expression"`
	License    struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"license"`
}
