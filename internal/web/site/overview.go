package site

import (
	"maps"
	"slices"

	"packhouse/internal/account"
	"packhouse/internal/jobs"
	"packhouse/internal/lifecycle"
	"packhouse/internal/web/frame"
)

// overviewPage is how the whole site does.
type overviewPage struct {
	sitePage
	Version                        string
	Users, Organizations, Packages int64
	Parts                          []part
	Switches                       account.Site
	Collection                     lifecycle.Status
	// Damaged is how many blobs are damaged, Failed the jobs that failed for good
	// of late, and Waiting how many jobs wait.
	Damaged int64
	Failed  []jobs.Job
	Waiting int64
}

// part is a part of the server, and whether it answers.
type part struct {
	Name string
	Well bool
}

// shownFailures is how many jobs that failed the overview names.
const shownFailures = 5

// Attention reports whether there is something that somebody has to look at.
func (p overviewPage) Attention() bool {
	return p.Unwell() || p.Damaged > 0 || len(p.Failed) > 0 || p.Collection.Stopped != nil || !p.Collection.Quarantine.IsZero() ||
		p.Collection.Last.Error != "" || p.Switches.Container != "enabled" || p.Switches.Docker != "enabled"
}

// Unwell reports whether a part does not answer.
func (p overviewPage) Unwell() bool {
	return slices.ContainsFunc(p.Parts, func(one part) bool { return !one.Well })
}

func (r *room) overview(c *frame.Call) error {
	p := overviewPage{sitePage: page(c, "site", "site.title"), Version: r.Version()}
	ctx := c.R.Context()
	var err error
	if p.Users, p.Organizations, p.Packages, err = r.Figures.Census(ctx); err != nil {
		return err
	}
	if p.Switches, err = r.Accounts.Site(ctx); err != nil {
		return err
	}
	if p.Collection, err = r.Collector.Status(ctx); err != nil {
		return err
	}
	if p.Damaged, err = r.Figures.DamagedBlobs(ctx); err != nil {
		return err
	}
	if p.Failed, err = r.Jobs.List(ctx, c.Who, jobs.Filter{State: jobs.Failed}, shownFailures); err != nil {
		return err
	}
	waiting, err := r.Figures.WaitingJobs(ctx)
	if err != nil {
		return err
	}
	for _, n := range waiting {
		p.Waiting += n
	}
	p.Parts = parts(r.Health(ctx))
	return r.Show(c, frame.OK, "overview", p)
}

// parts are in the order of their names.
func parts(health map[string]error) (list []part) {
	for _, name := range slices.Sorted(maps.Keys(health)) {
		list = append(list, part{name, health[name] == nil})
	}
	return list
}

// storagePage is what the site holds.
type storagePage struct {
	sitePage
	Live, Condemned, Damaged, Trash, Manifests, Uploads stored
	Bytes                                               int64
	Owners                                              []owner
	// Shared is what accounts would take up more if nothing were stored once for
	// several of them.
	Shared int64
}

// stored is so many things of so many bytes.
type stored struct{ Count, Bytes int64 }

// owner is an account with what its packages hold.
type owner struct {
	Login    string
	Bytes    int64
	Packages int
}

func (r *room) storage(c *frame.Call) error {
	const most = 1000 // so that what is shared can be told
	z, err := r.Packages.SiteStorage(c.R.Context(), c.Who, most)
	if err != nil {
		return err
	}
	p := storagePage{
		sitePage: page(c, "storage", "site.storage"), Bytes: z.Bytes(), Live: stored(z.Live), Condemned: stored(z.Condemned),
		Damaged: stored(z.Damaged), Trash: stored(z.Trash), Manifests: stored(z.Manifests), Uploads: stored(z.Uploads),
	}
	var sum int64
	for i, o := range z.Owners {
		sum += o.Bytes
		if i < listed {
			p.Owners = append(p.Owners, owner{o.Owner, o.Bytes, o.Packages})
		}
	}
	p.Shared = max(sum-z.Live.Bytes-z.Condemned.Bytes-z.Damaged.Bytes-z.Manifests.Bytes, 0)
	return r.Show(c, frame.OK, "storage", p)
}
