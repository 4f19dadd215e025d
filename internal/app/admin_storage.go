package app

import (
	"context"
	"strconv"

	"packhouse/internal/config"
	"packhouse/internal/packages"
)

// shownOwners is how many owners a report on the server has at most, and
// storagePage how many packages are read at once.
const (
	shownOwners = 100
	storagePage = 1000
)

// SiteStorage returns a heading and rows of what the server holds, and those of
// the owners whose packages hold the most.
func SiteStorage(ctx context.Context, cfg *config.Config) ([][]string, error) {
	rows := [][]string{{"WHAT", "COUNT", "BYTES"}}
	err := administer(ctx, cfg, func(a *App) error {
		z, err := a.Packages.SiteStorage(ctx, operator(), shownOwners)
		if err != nil {
			return err
		}
		for _, one := range []struct {
			what string
			packages.Stored
		}{
			{"live blobs", z.Live}, {"condemned blobs", z.Condemned}, {"damaged blobs", z.Damaged},
			{"trash", z.Trash}, {"manifests", z.Manifests}, {"uploads", z.Uploads},
		} {
			rows = append(rows, []string{one.what, strconv.FormatInt(one.Count, 10), strconv.FormatInt(one.Bytes, 10)})
		}
		rows = append(rows, []string{"all", "", strconv.FormatInt(z.Bytes(), 10)})
		for _, o := range z.Owners {
			rows = append(rows, []string{"packages of " + o.Owner, strconv.Itoa(o.Packages), strconv.FormatInt(o.Bytes, 10)})
		}
		return nil
	})
	return rows, err
}

// OwnerStorage returns a heading and a row for each package of an account, the
// largest first, and one for all of them, in which a blob counts once.
func OwnerStorage(ctx context.Context, cfg *config.Config, owner string) ([][]string, error) {
	rows := [][]string{{"NAME", "TYPE", "VERSIONS", "BYTES", "DELETED"}}
	err := administer(ctx, cfg, func(a *App) error {
		for from := 0; ; from += storagePage {
			z, err := a.Packages.OwnerStorage(ctx, operator(), owner, storagePage, from)
			if err != nil {
				return err
			}
			for _, p := range z.List {
				deleted := ""
				if !p.DeletedAt.IsZero() {
					deleted = p.DeletedAt.Format(shownTime)
				}
				rows = append(rows, []string{p.Name.String(), string(p.Type), strconv.FormatInt(p.Versions, 10), strconv.FormatInt(p.Bytes, 10), deleted})
			}
			if len(z.List) < storagePage {
				rows = append(rows, []string{"all", "", "", strconv.FormatInt(z.Bytes, 10), ""})
				return nil
			}
		}
	})
	return rows, err
}
