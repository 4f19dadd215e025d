package versions

import (
	"net/url"
	"strconv"
	"time"

	"packhouse/internal/oci"
	"packhouse/internal/packages"
	"packhouse/internal/web/frame"
)

// perPage is how many versions one page shows, and fewTags how many of the tags
// of each.
const perPage, fewTags = 30, 6

// listPage is the list of versions.
type listPage struct {
	frame.PackagePage
	Show     packages.VersionsShown
	Tabs     []tab
	Versions []row
	// Newest and Older are where the pager leads; "" for nowhere.
	Newest, Older string
}

// tab is one way to choose versions.
type tab struct {
	Show packages.VersionsShown
	Path string
	On   bool
}

// row is a version as lists show it.
type row struct {
	packages.BrowsedVersion
	Path string
	// Few are the newest tags, and Others says how many there are besides.
	Few    []mark
	Others int64
	// PartPath and SubjectPath are the pages of what it is a part of and of what it
	// refers to; "" for none.
	PartPath, SubjectPath string
	// Until is when a deleted one is gone for good.
	Until time.Time
}

// mark is a tag; Held is set when a pattern keeps it where it is.
type mark struct {
	Name, Path string
	Held       bool
}

func (r *room) list(c *frame.Call) error {
	q := packages.Browse{Show: shown(c), After: c.After(), N: perPage}
	found, err := r.Packages.Browse(c.R.Context(), c.Who, c.Package.Ref, q)
	if err != nil {
		return err
	}
	data := listPage{PackagePage: c.PackagePage("versions", "versions.title", c.Package.ShortName()), Show: q.Show}
	if data.Versions, err = r.rows(c, found.Versions); err != nil {
		return err
	}
	for _, show := range []packages.VersionsShown{packages.ShowTagged, packages.ShowUntagged, packages.ShowAll, packages.ShowDeleted} {
		if show != packages.ShowDeleted || c.Package.Admin {
			data.Tabs = append(data.Tabs, tab{show, listPath(c.Package, show, 0), show == q.Show})
		}
	}
	if q.After != 0 {
		data.Newest = listPath(c.Package, q.Show, 0)
	}
	if found.Next != 0 {
		data.Older = listPath(c.Package, q.Show, found.Next)
	}
	return r.Show(c, frame.OK, "list", data)
}

// filterKey is the parameter that GitHub's addresses have.
const filterKey = "filters[version_type]"

// shown returns what the address asks for; first those with a tag.
func shown(c *frame.Call) packages.VersionsShown {
	text := c.Query(filterKey)
	if text == "" {
		text = c.Query("show")
	}
	switch text {
	case "untagged":
		return packages.ShowUntagged
	case "deleted":
		return packages.ShowDeleted
	case "all":
		return packages.ShowAll
	}
	return packages.ShowTagged
}

func listPath(p frame.Package, show packages.VersionsShown, after int64) string {
	text := string(show)
	if show == packages.ShowAll {
		text = "all"
	}
	q := url.Values{filterKey: {text}}
	if after != 0 {
		q.Set("after", strconv.FormatInt(after, 10))
	}
	return p.Sub("versions") + "?" + q.Encode()
}

// versionPath is the address of the page of one version.
func versionPath(p frame.Package, id int64) string {
	if id == 0 {
		return ""
	}
	return p.Sub(strconv.FormatInt(id, 10))
}

func tagPath(p frame.Package, tag string) string { return p.Sub("tags", tag) }

// rows makes of versions what lists show.
func (r *room) rows(c *frame.Call, list []packages.BrowsedVersion) ([]row, error) {
	held, err := r.held(c)
	if err != nil {
		return nil, err
	}
	rows := make([]row, 0, len(list))
	for _, v := range list {
		one := row{
			BrowsedVersion: v, Path: versionPath(c.Package, v.ID), Others: int64(max(0, len(v.Tags)-fewTags)),
			PartPath: versionPath(c.Package, v.PartOf), SubjectPath: versionPath(c.Package, v.SubjectID),
		}
		if !v.DeletedAt.IsZero() {
			one.Until = v.DeletedAt.Add(r.Packages.RestoreWindow)
		}
		for _, tag := range v.Tags[:min(len(v.Tags), fewTags)] {
			one.Few = append(one.Few, mark{tag, tagPath(c.Package, tag), held(tag)})
		}
		rows = append(rows, one)
	}
	return rows, nil
}

// held returns a function that tells which tags of the package never move.
func (r *room) held(c *frame.Call) (func(string) bool, error) {
	own, owners, err := r.Packages.ImmutableTags(c.R.Context(), c.Who, c.Package.Ref)
	return func(name string) bool {
		tag, err := oci.ParseTag(name)
		if err != nil {
			return false
		}
		for _, list := range [][]oci.TagPattern{own, owners} {
			for _, p := range list {
				if p.Protects(tag) {
					return true
				}
			}
		}
		return false
	}, err
}

// chosen leads on with the versions that were chosen in the list: to compare two,
// or to delete some.
func (r *room) chosen(c *frame.Call) error {
	ids := c.R.URL.Query()["version"]
	if c.Query("do") == "delete" && len(ids) > 0 {
		return c.Redirect(c.Package.Sub("versions", "delete") + "?" + url.Values{"version": ids}.Encode())
	}
	if len(ids) != 2 {
		return c.Done(listPath(c.Package, shown(c), 0), "choose-two")
	}
	return c.Redirect(c.Package.Sub("compare") + "?" + url.Values{"from": {ids[1]}, "to": {ids[0]}}.Encode())
}
