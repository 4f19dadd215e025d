package app

import (
	"context"
	"fmt"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/config"
	"packhouse/internal/packages"
)

// PackageDescription is everything about a package, as it is shown. Its JSON is
// for scripts: names stay.
type PackageDescription struct {
	Name          string           `json:"name"` // OWNER/NAME
	Type          string           `json:"type"`
	Visibility    string           `json:"visibility"`
	Repository    string           `json:"repository"`
	LinkedBy      string           `json:"linked_by"`
	Inherits      bool             `json:"inherits"`
	ClaimedSource string           `json:"claimed_source"`
	Description   string           `json:"description"`
	Licenses      string           `json:"licenses"`
	Source        string           `json:"source"`
	CreatedAt     time.Time        `json:"created_at"`
	CreatedBy     string           `json:"created_by"`
	PublishedAt   time.Time        `json:"published_at,omitzero"`
	Versions      int64            `json:"versions"`
	Tags          int64            `json:"tags"`
	Grants        []packages.Grant `json:"grants"`
	OtherNames    []OtherName      `json:"other_names"`
}

// OtherName is another address that leads to a package.
type OtherName struct {
	Type string `json:"type"`
	Name string `json:"name"`
}

// ShowPackage returns everything about the package.
func ShowPackage(ctx context.Context, cfg *config.Config, a PackageAddress) (PackageDescription, error) {
	var d packages.Details
	err := changePackage(ctx, cfg, a, func(s *packages.Service, who access.Principal, p access.Package) (err error) {
		d, err = s.Show(ctx, who, p)
		return err
	})
	if err != nil {
		return PackageDescription{}, err
	}
	shown := PackageDescription{
		Name: d.Name.String(), Type: string(d.Type), Visibility: string(d.Visibility), Repository: d.Repository.String(),
		LinkedBy: d.LinkedBy, Inherits: d.Inherits, ClaimedSource: d.ClaimedSource,
		Description: d.Description, Licenses: d.Licenses, Source: d.Source,
		CreatedAt: d.CreatedAt, CreatedBy: d.CreatedBy, PublishedAt: d.PublishedAt, Versions: d.Versions, Tags: d.Tags,
		Grants: append([]packages.Grant{}, d.Grants...), OtherNames: []OtherName{},
	}
	for _, n := range d.Names {
		shown.OtherNames = append(shown.OtherNames, OtherName{Type: string(n.Type), Name: n.Name.String()})
	}
	return shown, nil
}

// Rows returns the description as rows of a name and a value, without those that
// have none.
func (d PackageDescription) Rows() [][]string {
	roles := "its own"
	if d.Inherits {
		roles = "inherited from " + d.Repository
	}
	rows := [][]string{
		{"package", d.Name}, {"type", d.Type}, {"visibility", d.Visibility}, {"repository", d.Repository},
		{"linked by", d.LinkedBy}, {"claimed source", d.ClaimedSource}, {"roles", roles},
	}
	for _, g := range grantRows(d.Grants)[1:] {
		rows = append(rows, []string{g[0] + " " + g[1], g[2]})
	}
	rows = append(
		rows, []string{"description", d.Description}, []string{"licenses", d.Licenses}, []string{"source", d.Source},
		[]string{"created", d.CreatedAt.Format(shownTime) + " by " + d.CreatedBy},
		[]string{"versions", fmt.Sprint(d.Versions)}, []string{"tags", fmt.Sprint(d.Tags)},
	)
	for _, n := range d.OtherNames {
		rows = append(rows, []string{"also found as", n.Name + " (" + n.Type + ")"})
	}
	var told [][]string
	for _, row := range rows {
		if row[1] != "" {
			told = append(told, row)
		}
	}
	return told
}
