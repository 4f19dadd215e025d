package app

import (
	"context"
	"strconv"

	"packhouse/internal/config"
	"packhouse/internal/oci"
	"packhouse/internal/packages"
)

// DockerMigration tells how far the Docker packages of one owner have come.
type DockerMigration struct {
	Owner        string
	Total, Moved int64
	// Conflicts are the names of those that stay.
	Conflicts []string
	Done      bool
}

// MigrateDocker moves the Docker packages of the owners, or of all who have any,
// to the Container registry. It calls progress after each package and, with Done
// set, after each owner.
func MigrateDocker(ctx context.Context, cfg *config.Config, owners []string, all bool, progress func(DockerMigration)) error {
	return administer(ctx, cfg, func(a *App) (err error) {
		if owners, err = migrating(ctx, a, owners, all); err != nil {
			return err
		}
		for _, owner := range owners {
			m, err := a.Packages.Migrate(ctx, operator(), owner, func(m packages.Migration) { progress(shownMigration(m)) })
			if err != nil {
				return err
			}
			progress(shownMigration(m))
		}
		return nil
	})
}

// StartDockerMigration has the same done by jobs of the running server, one an
// owner, and returns a heading and a row for each.
func StartDockerMigration(ctx context.Context, cfg *config.Config, owners []string, all bool) ([][]string, error) {
	rows := [][]string{{"OWNER", "JOB"}}
	err := administer(ctx, cfg, func(a *App) (err error) {
		if owners, err = migrating(ctx, a, owners, all); err != nil {
			return err
		}
		for _, owner := range owners {
			id, err := a.Packages.StartMigration(ctx, operator(), owner)
			if err != nil {
				return err
			}
			rows = append(rows, []string{owner, strconv.FormatInt(id, 10)})
		}
		return nil
	})
	return rows, err
}

// DockerConflicts returns a heading and a row for each Docker package of the
// owners that cannot be moved.
func DockerConflicts(ctx context.Context, cfg *config.Config, owners []string, all bool) ([][]string, error) {
	rows := [][]string{{"PACKAGE"}}
	err := administer(ctx, cfg, func(a *App) (err error) {
		if owners, err = migrating(ctx, a, owners, all); err != nil {
			return err
		}
		for _, owner := range owners {
			names, err := a.Packages.Conflicts(ctx, operator(), owner)
			if err != nil {
				return err
			}
			for _, n := range names {
				rows = append(rows, []string{n.String()})
			}
		}
		return nil
	})
	return rows, err
}

// migrating returns whose packages are meant.
func migrating(ctx context.Context, a *App, owners []string, all bool) ([]string, error) {
	if all {
		return a.Packages.DockerOwners(ctx, operator())
	}
	return owners, nil
}

func shownMigration(m packages.Migration) DockerMigration {
	return DockerMigration{Owner: m.Owner, Total: m.Total, Moved: m.Moved, Conflicts: nameTexts(m.Conflicts), Done: m.Done}
}

func nameTexts(names []oci.Name) []string {
	var texts []string
	for _, n := range names {
		texts = append(texts, n.String())
	}
	return texts
}
