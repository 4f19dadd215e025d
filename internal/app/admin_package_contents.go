package app

import (
	"context"
	"strconv"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/config"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
)

// DeletePackage deletes the package with everything in it, for a while.
func DeletePackage(ctx context.Context, cfg *config.Config, a PackageAddress) error {
	return changePackage(ctx, cfg, a, func(s *packages.Service, who access.Principal, p access.Package) error {
		return s.DeletePackage(ctx, who, p)
	})
}

// RestorePackage brings the newest deleted package of that name back.
func RestorePackage(ctx context.Context, cfg *config.Config, a PackageAddress) error {
	return changePackage(ctx, cfg, a, func(s *packages.Service, who access.Principal, p access.Package) error {
		return s.RestorePackage(ctx, who, p)
	})
}

// ListDeletedPackages returns a heading and a row for each package of the owner
// that can be restored.
func ListDeletedPackages(ctx context.Context, cfg *config.Config, owner string) ([][]string, error) {
	rows := [][]string{{"NAME", "TYPE", "VERSIONS", "DELETED"}}
	err := administer(ctx, cfg, func(app *App) error {
		for page := 1; ; page++ {
			q := packages.ListQuery{Owner: owner, Deleted: true, Page: page, PerPage: packages.MaxPerPage}
			list, _, err := app.Packages.ListPackages(ctx, operator(), q)
			if err != nil || len(list) == 0 {
				return err
			}
			for _, l := range list {
				rows = append(rows, []string{l.Name.String(), string(l.Type), strconv.FormatInt(l.VersionCount, 10), l.DeletedAt.Format(shownTime)})
			}
		}
	})
	return rows, err
}

// PackageVersions says which versions are listed.
type PackageVersions struct {
	Deleted  bool // that can be restored
	Untagged bool // with no tag, and needed by nothing
}

// ListVersions returns a heading and a row for each version of the package, the
// newest first.
func ListVersions(ctx context.Context, cfg *config.Config, a PackageAddress, which PackageVersions) ([][]string, error) {
	rows := [][]string{{"ID", "DIGEST", "KIND", "BYTES", "DOWNLOADS", "CREATED", "TAGS"}}
	q := packages.VersionQuery{Deleted: which.Deleted, PerPage: packages.MaxPerPage}
	if which.Deleted && which.Untagged {
		return nil, errs.New(errs.Invalid, "deleted versions have no tags: say --deleted or --untagged")
	}
	if which.Untagged {
		q.Tagged = new(bool)
	}
	err := changePackage(ctx, cfg, a, func(s *packages.Service, who access.Principal, p access.Package) error {
		for {
			page, err := s.Versions(ctx, who, p, q)
			if err != nil {
				return err
			}
			for _, v := range page.Versions {
				rows = append(rows, []string{
					strconv.FormatInt(v.ID, 10), v.Digest.String(), v.Kind, strconv.FormatInt(v.TotalSize, 10),
					strconv.FormatInt(v.Downloads, 10), v.CreatedAt.Format(shownTime), strings.Join(v.Tags, ","),
				})
			}
			if q.After = page.Next; q.After == 0 {
				return nil
			}
		}
	})
	return rows, err
}

// DeleteVersion deletes a version, which is named by its id, its digest or a tag.
// With force it passes the guard of downloads, and the indexes that hold it go
// too; with withPackage the package goes where its last version would.
func DeleteVersion(ctx context.Context, cfg *config.Config, a PackageAddress, version string, force, withPackage bool) error {
	return changePackage(ctx, cfg, a, func(s *packages.Service, who access.Principal, p access.Package) error {
		id, err := versionID(ctx, s, who, p, version, false)
		if err != nil {
			return err
		}
		return s.DeleteVersion(ctx, who, p, id, packages.DeleteVersion{Force: force, WithPackage: withPackage})
	})
}

// RestoreVersion brings a deleted version back, which is named by its id or its
// digest.
func RestoreVersion(ctx context.Context, cfg *config.Config, a PackageAddress, version string) error {
	return changePackage(ctx, cfg, a, func(s *packages.Service, who access.Principal, p access.Package) error {
		id, err := versionID(ctx, s, who, p, version, true)
		if err != nil {
			return err
		}
		return s.RestoreVersion(ctx, who, p, id)
	})
}

// versionID finds the version that a text names.
func versionID(ctx context.Context, s *packages.Service, who access.Principal, p access.Package, text string, deleted bool) (int64, error) {
	ref, err := oci.ParseReference(text)
	if id, no := strconv.ParseInt(text, 10, 64); no == nil {
		return id, nil
	}
	switch {
	case err != nil:
		return 0, errs.New(errs.Invalid, "a version is named by its id, its digest or a tag, not %q", text)
	case !deleted:
		v, err := s.VersionByReference(ctx, who, p, ref)
		return v.ID, err
	}
	q := packages.VersionQuery{Deleted: true, PerPage: packages.MaxPerPage}
	for {
		page, err := s.Versions(ctx, who, p, q)
		if err != nil {
			return 0, err
		}
		for _, v := range page.Versions {
			if v.Digest == ref.Digest {
				return v.ID, nil
			}
		}
		if q.After = page.Next; q.After == 0 {
			return 0, errs.New(errs.NotFound, "no version %s is deleted: packhouse admin package versions %s --deleted", text, p.Name)
		}
	}
}

// ListTags returns a heading and a row for each tag of the package that fits the
// pattern, "" for all.
func ListTags(ctx context.Context, cfg *config.Config, a PackageAddress, match string) ([][]string, error) {
	rows := [][]string{{"TAG", "DIGEST", "KIND", "BYTES", "SET", "BY"}}
	err := changePackage(ctx, cfg, a, func(s *packages.Service, who access.Principal, p access.Package) error {
		for page := 1; ; page++ {
			list, total, err := s.Tags(ctx, who, p, packages.TagQuery{Match: match, Page: page, PerPage: packages.MaxPerPage})
			if err != nil {
				return err
			}
			for _, t := range list {
				rows = append(rows, []string{
					t.Name, t.Digest.String(), t.Kind, strconv.FormatInt(t.TotalSize, 10), t.Since.Format(shownTime), t.SetBy,
				})
			}
			if page*packages.MaxPerPage >= min(total, packages.MaxReach) {
				return nil
			}
		}
	})
	return rows, err
}

// TagHistory returns a heading and a row for each version that the tag led to,
// the newest first.
func TagHistory(ctx context.Context, cfg *config.Config, a PackageAddress, tag string) ([][]string, error) {
	rows := [][]string{{"DIGEST", "SINCE", "UNTIL", "BY", "THERE"}}
	err := changeTag(ctx, cfg, a, tag, func(s *packages.Service, who access.Principal, p access.Package, tag oci.Tag) error {
		list, err := s.TagHistory(ctx, who, p, tag)
		for _, t := range list {
			until, there := "", "no"
			if !t.Until.IsZero() {
				until = t.Until.Format(shownTime)
			}
			if t.Present {
				there = "yes"
			}
			rows = append(rows, []string{t.Digest.String(), t.Since.Format(shownTime), until, t.SetBy, there})
		}
		return err
	})
	return rows, err
}

// SetTag has a tag lead to the version that a tag or a digest names.
func SetTag(ctx context.Context, cfg *config.Config, a PackageAddress, tag, reference string) error {
	ref, err := oci.ParseReference(reference)
	if err != nil {
		return err
	}
	return changeTag(ctx, cfg, a, tag, func(s *packages.Service, who access.Principal, p access.Package, tag oci.Tag) error {
		return s.SetTag(ctx, who, p, tag, ref)
	})
}

// DeleteTag takes a tag away.
func DeleteTag(ctx context.Context, cfg *config.Config, a PackageAddress, tag string) error {
	return changeTag(ctx, cfg, a, tag, func(s *packages.Service, who access.Principal, p access.Package, tag oci.Tag) error {
		return s.DeleteTag(ctx, who, p, tag)
	})
}

func changeTag(ctx context.Context, cfg *config.Config, a PackageAddress, text string, do func(s *packages.Service, who access.Principal, p access.Package, tag oci.Tag) error) error {
	tag, err := oci.ParseTag(text)
	if err != nil {
		return err
	}
	return changePackage(ctx, cfg, a, func(s *packages.Service, who access.Principal, p access.Package) error {
		return do(s, who, p, tag)
	})
}
