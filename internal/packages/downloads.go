package packages

import (
	"context"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// Days of downloads that are told of at once.
const (
	defaultDays = 30
	maxDays     = 366
)

// DownloadQuery chooses what is told of the downloads of a package: all of it,
// one version, or what was pulled under one tag.
type DownloadQuery struct {
	VersionID int64   // zero for any
	Tag       oci.Tag // zero for any
	// Days is how many, with the present one; zero is 30, and 366 is the most.
	Days int
}

// Downloads is how often something was pulled. A pull counts once for a client
// in a quarter of an hour, when it gets the manifest and one of its blobs.
type Downloads struct {
	// Total is since the beginning; of a tag it is as far as days reach back.
	Total int64
	// Last is when the latest of a version was; zero for all else.
	Last time.Time
	// Days has one entry for each day in UTC, the oldest first.
	Days []DayCount
}

// DayCount is the pulls of one day.
type DayCount struct {
	Day   time.Time // its beginning
	Count int64
}

// DownloadCounts reads what was counted.
type DownloadCounts interface {
	// PackageDownloads returns the total, the time of the last one and the
	// counts by days since 1970, from the first day on that is asked for.
	// NotFound when the package has no such version.
	PackageDownloads(ctx context.Context, packageID int64, q DownloadQuery, from int64) (total int64, last time.Time, days map[int64]int64, err error)
}

// Downloads tells how often something was pulled, to those who may read the
// package.
func (s *Service) Downloads(ctx context.Context, who access.Principal, p access.Package, q DownloadQuery) (Downloads, error) {
	if q.Days == 0 {
		q.Days = defaultDays
	}
	if q.Days < 0 || q.Days > maxDays {
		return Downloads{}, errs.New(errs.Invalid, "days is between 1 and %d", maxDays)
	}
	f, err := s.decide(ctx, who, p, access.Effects{Action: access.Read})
	if err != nil {
		return Downloads{}, err
	}
	today := s.Now().Unix() / daySeconds
	from := today - int64(q.Days) + 1
	total, last, days, err := s.Counts.PackageDownloads(ctx, f.PackageID, q, from)
	if err != nil {
		return Downloads{}, err
	}
	d := Downloads{Total: total, Last: last, Days: make([]DayCount, q.Days)}
	for i := range d.Days {
		day := from + int64(i)
		d.Days[i] = DayCount{Day: time.Unix(day*daySeconds, 0).UTC(), Count: days[day]}
	}
	return d, nil
}

const daySeconds = 24 * 60 * 60
