package versions

import (
	"net/url"
	"strings"

	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
	"packhouse/internal/web/frame"
)

// tagsPage is the list of tags, and the search in it.
type tagsPage struct {
	frame.PackagePage
	Text string
	Tags []tagRow
	// Newest and Older are where the pager leads: to the first names and on.
	Newest, Older string
	// New and To are what was typed of a tag to be set.
	New, To string
}

type tagRow struct {
	packages.Tag
	Mark        mark
	VersionPath string
}

func (r *room) tags(c *frame.Call) error {
	data, err := r.tagList(c)
	if err != nil {
		return err
	}
	return r.Show(c, frame.OK, "tags", data)
}

func (r *room) tagList(c *frame.Call) (tagsPage, error) {
	q := packages.TagBrowse{Text: strings.TrimSpace(c.Query("q")), After: c.Query("after"), N: perPage}
	data := tagsPage{PackagePage: c.PackagePage("versions", "versions.tags-title", c.Package.ShortName()), Text: q.Text}
	found, err := r.Packages.BrowseTags(c.R.Context(), c.Who, c.Package.Ref, q)
	if err != nil {
		return data, err
	}
	held, err := r.held(c)
	for _, t := range found.Tags {
		data.Tags = append(data.Tags, tagRow{t, mark{t.Name, tagPath(c.Package, t.Name), held(t.Name)}, versionPath(c.Package, t.VersionID)})
	}
	at := c.Package.Sub("tags") + "?"
	if q.After != "" {
		data.Newest = at + url.Values{"q": {q.Text}}.Encode()
	}
	if found.Next != "" {
		data.Older = at + url.Values{"q": {q.Text}, "after": {found.Next}}.Encode()
	}
	return data, err
}

// setTag sets a tag that may be new.
func (r *room) setTag(c *frame.Call) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	name, to := strings.TrimSpace(form.Get("tag")), strings.TrimSpace(form.Get("to"))
	if err := r.lead(c, name, to); err != nil {
		data, listErr := r.tagList(c)
		if listErr != nil {
			return listErr
		}
		data.Page, data.New, data.To = c.Failed(data.Page, err), name, to
		return c.Again(err, r.Room, "tags", data)
	}
	return c.Done(tagPath(c.Package, name), "tag-set")
}

// lead has a tag lead to the version that a tag or a digest names.
func (r *room) lead(c *frame.Call, name, to string) error {
	tag, err := oci.ParseTag(name)
	if err != nil {
		return err
	}
	ref, err := oci.ParseReference(to)
	if err != nil {
		return err
	}
	err = r.Packages.SetTag(c.R.Context(), c.Who, c.Package.Ref, tag, ref)
	if errs.Is(err, errs.NotFound) { // the package is there: what the form names is not
		err = errs.Wrap(errs.Invalid, err, "the package has no version %q", to)
	}
	return err
}

// tagPage is what a tag led to.
type tagPage struct {
	frame.PackagePage
	Tag       mark
	Intervals []interval
	// Present is the version that it leads to; nil when it is deleted.
	Present *interval
	To      string // what was typed
}

type interval struct {
	packages.TagInterval
	Path string
	// Back is set where the tag can be put back to.
	Back bool
}

func (r *room) tag(c *frame.Call) error {
	data, err := r.history(c)
	if err != nil {
		return err
	}
	return r.Show(c, frame.OK, "tag", data)
}

func (r *room) history(c *frame.Call) (tagPage, error) {
	tag, err := oci.ParseTag(c.Param("tag"))
	if err != nil {
		return tagPage{}, errs.Wrap(errs.NotFound, err, "there is no such tag")
	}
	list, err := r.Packages.TagHistory(c.R.Context(), c.Who, c.Package.Ref, tag)
	if err != nil {
		return tagPage{}, err
	}
	held, err := r.held(c)
	if err != nil {
		return tagPage{}, err
	}
	data := tagPage{PackagePage: c.PackagePage("versions", "versions.tag-title", tag.String(), c.Package.ShortName())}
	data.Tag = mark{tag.String(), tagPath(c.Package, tag.String()), held(tag.String())}
	for i, t := range list {
		one := interval{TagInterval: t, Back: t.Present && !t.Until.IsZero() && c.Package.Admin}
		if t.Present {
			one.Path = versionPath(c.Package, t.VersionID)
		}
		if i == 0 && t.Until.IsZero() {
			data.Present = &one
		}
		if data.Present != nil && (t.Digest == data.Present.Digest || data.Tag.Held) {
			one.Back = false
		}
		data.Intervals = append(data.Intervals, one)
	}
	return data, nil
}

// moveTag has the tag lead to another version.
func (r *room) moveTag(c *frame.Call) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	to := strings.TrimSpace(form.Get("to"))
	return r.changed(c, "tag-set", to, r.lead(c, c.Param("tag"), to))
}

// deleteTag takes the tag away; the version stays.
func (r *room) deleteTag(c *frame.Call) error {
	tag, err := oci.ParseTag(c.Param("tag"))
	if err != nil {
		return errs.Wrap(errs.NotFound, err, "there is no such tag")
	}
	return r.changed(c, "tag-deleted", "", r.Packages.DeleteTag(c.R.Context(), c.Who, c.Package.Ref, tag))
}

// restoreTag has the tag lead to what it led to before.
func (r *room) restoreTag(c *frame.Call) error {
	form, err := c.Form()
	if err != nil {
		return err
	}
	tag, err := oci.ParseTag(c.Param("tag"))
	if err != nil {
		return errs.Wrap(errs.NotFound, err, "there is no such tag")
	}
	digest, err := oci.ParseDigest(form.Get("digest"))
	if err == nil {
		err = r.Packages.RestoreTag(c.R.Context(), c.Who, c.Package.Ref, tag, digest)
	}
	return r.changed(c, "tag-restored", "", err)
}

// changed leads to the page of the tag after a change, or shows it again with the
// failure.
func (r *room) changed(c *frame.Call, done, to string, err error) error {
	if err == nil {
		return c.Done(tagPath(c.Package, c.Param("tag")), done)
	}
	if errs.Is(err, errs.NotFound) {
		return err
	}
	data, failed := r.history(c)
	if failed != nil {
		return failed
	}
	data.Page, data.To = c.Failed(data.Page, err), to
	return c.Again(err, r.Room, "tag", data)
}
