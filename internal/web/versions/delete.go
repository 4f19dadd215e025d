package versions

import (
	"slices"
	"strconv"

	"packhouse/internal/errs"
	"packhouse/internal/packages"
	"packhouse/internal/web/frame"
)

// deletePage asks whether versions shall be deleted.
type deletePage struct {
	frame.PackagePage
	Versions []doomed
	Count    int64
	// Needed is set when something stays that needs one of them, and Last when
	// the package would have no version or no tag left.
	Needed, Last bool
	// Held is set when a tag of one never moves.
	Held bool
	Days int64 // for so long they can be restored
	// Done is how many were deleted before the one that was refused.
	Done int64
}

// doomed is a version that is to be deleted.
type doomed struct {
	Row   row
	Needs []need
}

// need is a version that another is needed by; Subject is set where that belongs
// to it.
type need struct {
	packages.Need
	Path    string
	Subject bool
}

// askDelete shows what would go, and what needs it.
func (r *room) askDelete(c *frame.Call) error {
	ids, err := chosenIDs(c, c.R.URL.Query()["version"])
	if err != nil {
		return err
	}
	data, err := r.plan(c, ids)
	if err != nil {
		return err
	}
	return r.Show(c, frame.OK, "delete", data)
}

// chosenIDs returns the ids of versions: the one in the path, or those of a form.
func chosenIDs(c *frame.Call, texts []string) ([]int64, error) {
	if c.Param("id") != "" {
		id, err := c.ID("id")
		return []int64{id}, err
	}
	var ids []int64
	for _, text := range texts {
		id, err := strconv.ParseInt(text, 10, 64)
		if err == nil && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func (r *room) plan(c *frame.Call, ids []int64) (deletePage, error) {
	data := deletePage{
		PackagePage: c.PackagePage("versions", "versions.delete-title", c.Package.ShortName()),
		Days:        int64(r.Packages.RestoreWindow.Hours() / 24),
	}
	plan, err := r.Packages.PlanDeletion(c.R.Context(), c.Who, c.Package.Ref, ids)
	if err != nil {
		return data, err
	}
	data.Last = plan.Last
	for _, v := range plan.Versions {
		rows, err := r.rows(c, []packages.BrowsedVersion{v.BrowsedVersion})
		if err != nil {
			return data, err
		}
		one := doomed{Row: rows[0]}
		for _, n := range v.Needs {
			one.Needs = append(one.Needs, need{n, versionPath(c.Package, n.ID), n.As == packages.IsSubject})
			data.Needed = true
		}
		data.Held = data.Held || slices.ContainsFunc(one.Row.Few, func(m mark) bool { return m.Held })
		data.Versions = append(data.Versions, one)
	}
	data.Count = int64(len(data.Versions))
	return data, nil
}

// delete deletes the versions, those first that hold others. What is refused is
// shown again; what was deleted before stays deleted.
func (r *room) delete(c *frame.Call) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	ids, err := chosenIDs(c, form["version"])
	if err != nil {
		return err
	}
	data, err := r.plan(c, ids)
	if err != nil {
		return err
	}
	if err := c.Typed(c.Package.ShortName()); err != nil {
		data.Page = c.Failed(data.Page, err)
		return c.Again(err, r.Room, "delete", data)
	}
	o := packages.DeleteVersion{Force: form.Get("force") != "", WithPackage: form.Get("with_package") != ""}
	left, err := r.deleteAll(c, data.Versions, o)
	if err == nil {
		return r.afterDelete(c)
	}
	gone := int64(len(ids) - len(left))
	again, planErr := r.plan(c, left)
	if planErr != nil {
		return planErr
	}
	again.Page, again.Done = c.Failed(again.Page, err), gone
	return c.Again(err, r.Room, "delete", again)
}

// deleteAll deletes versions until one is refused for another reason than that
// the rest needs it, and returns those that are left.
func (r *room) deleteAll(c *frame.Call, list []doomed, o packages.DeleteVersion) (left []int64, err error) {
	for _, v := range list {
		left = append(left, v.Row.ID)
	}
	for len(left) > 0 {
		var refused error
		var kept []int64
		for i, id := range left {
			err := r.Packages.DeleteVersion(c.R.Context(), c.Who, c.Package.Ref, id, o)
			switch {
			case errs.Is(err, errs.Conflict):
				refused, kept = err, append(kept, id)
			case errs.Is(err, errs.NotFound): // it went with another
			case err != nil:
				return append(kept, left[i:]...), err
			}
		}
		if len(kept) == len(left) {
			return left, refused
		}
		left = kept
	}
	return nil, nil
}

// afterDelete leads to where the versions can be restored, or to the owner if the
// package went with them.
func (r *room) afterDelete(c *frame.Call) error {
	_, err := r.Packages.Package(c.R.Context(), c.Who, c.Package.Ref)
	if errs.Is(err, errs.NotFound) {
		return c.Done("/"+c.Package.Owner.Login+"?tab=packages", "version-deleted-last")
	}
	if err != nil {
		return err
	}
	return c.Done(listPath(c.Package, packages.ShowDeleted, 0), "version-deleted")
}

// restore brings a deleted version back.
func (r *room) restore(c *frame.Call) error {
	id, err := c.ID("id")
	if err != nil {
		return err
	}
	if err := r.Packages.RestoreVersion(c.R.Context(), c.Who, c.Package.Ref, id); err != nil {
		return err
	}
	return c.Done(versionPath(c.Package, id), "version-restored")
}
