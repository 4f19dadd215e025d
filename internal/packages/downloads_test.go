package packages_test

import (
	"testing"
	"time"

	"packhouse/internal/downloads"
	"packhouse/internal/errs"

	"packhouse/internal/packages"
)

func TestDownloadsByDay(t *testing.T) {
	onBoth(t, func(f *fixture) {
		app, ctx := at("ann/app"), f.t.Context()
		one, two := f.image(f.ann, app, "v1", "1"), f.image(f.ann, app, "v2", "2")
		first, second := f.version(app, one), f.version(app, two)
		day := f.now.Unix() / 86400
		count := func(v packages.Version, tag string, days, n int64) downloads.Count {
			return downloads.Count{PackageID: v.PackageID, VersionID: v.ID, Tag: tag, Day: day - days, N: n, Last: f.now.AddDate(0, 0, -int(days))}
		}
		f.check(f.store.AddDownloads(ctx, []downloads.Count{count(first, "v1", 0, 2), count(first, "v1", 3, 5), count(first, "latest", 40, 1), count(second, "*", 0, 4)}))
		f.check(f.store.AddDownloads(ctx, []downloads.Count{count(first, "v1", 0, 1), {PackageID: 9999, VersionID: 1, N: 1}}))
		for _, c := range []struct {
			label string
			q     packages.DownloadQuery
			total int64
			days  map[int]int64 // ago
			n     int
		}{
			{"the package", packages.DownloadQuery{}, 9, map[int]int64{0: 3, 3: 5}, 30},
			{"long", packages.DownloadQuery{Days: 366}, 9, map[int]int64{0: 3, 3: 5, 40: 1}, 366},
			{"today", packages.DownloadQuery{Days: 1}, 9, map[int]int64{0: 3}, 1},
			{"a version", packages.DownloadQuery{VersionID: first.ID}, 9, map[int]int64{0: 3, 3: 5}, 30},
			{"part of an index", packages.DownloadQuery{VersionID: second.ID}, 4, map[int]int64{0: 4}, 30},
			{"a tag", packages.DownloadQuery{Tag: f.tagNamed("v1")}, 8, map[int]int64{0: 3, 3: 5}, 30},
			{"no tag", packages.DownloadQuery{Tag: f.tagNamed("none")}, 0, nil, 30},
		} {
			d, err := f.Downloads(ctx, f.ann, app, c.q)
			f.check(err)
			if d.Total != c.total || len(d.Days) != c.n {
				f.t.Errorf("%s: %d in all, %d days", c.label, d.Total, len(d.Days))
			}
			for i, one := range d.Days {
				ago := c.n - 1 - i
				if !one.Day.Equal(f.now.Truncate(24*time.Hour).AddDate(0, 0, -ago)) || one.Count != c.days[ago] {
					f.t.Errorf("%s: %d on %s, want %d", c.label, one.Count, one.Day, c.days[ago])
				}
			}
		}
		if v := f.version(app, one); v.Downloads != 9 {
			f.t.Errorf("the version has %d downloads", v.Downloads)
		}
		d, err := f.Downloads(ctx, f.ann, app, packages.DownloadQuery{VersionID: first.ID})
		if f.check(err); !d.Last.Equal(f.now) {
			f.t.Errorf("the last was at %s", d.Last)
		}
		_, err = f.Downloads(ctx, f.ann, app, packages.DownloadQuery{VersionID: 12345})
		f.refused(err, errs.NotFound, "no such version")
		_, err = f.Downloads(ctx, f.ann, app, packages.DownloadQuery{Days: 367})
		f.refused(err, errs.Invalid, "too many days")
		_, err = f.Downloads(ctx, f.eve, app, packages.DownloadQuery{})
		f.refused(err, errs.NotFound, "a stranger")
	})
}

// What is attached to an image is never a package's latest.
func TestLatestIsNoSignature(t *testing.T) {
	onBoth(t, func(f *fixture) {
		app, ctx := at("ann/app"), f.t.Context()
		one := f.image(f.ann, app, "v1", "1")
		tag, err := f.Latest(ctx, f.ann, app)
		if f.check(err); tag.Name != "v1" {
			f.t.Errorf("latest is %q", tag.Name)
		}
		f.later()
		f.image(f.ann, app, "sha256-"+one.Hex()+".sig", "sig")
		f.image(f.ann, app, "sha256-"+one.Hex(), "list")
		if tag, err = f.Latest(ctx, f.ann, app); err != nil || tag.Name != "v1" || tag.Digest != one {
			f.t.Errorf("latest is %q, %v", tag.Name, err)
		}
		f.later()
		f.image(f.ann, app, "v0", "2")
		if tag, err = f.Latest(ctx, f.ann, app); err != nil || tag.Name != "v0" {
			f.t.Errorf("latest is %q, %v", tag.Name, err)
		}
		_, err = f.Latest(ctx, f.eve, app)
		f.refused(err, errs.NotFound, "a stranger")
	})
}
