package packages

import (
	"context"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/audit"
	"packhouse/internal/errs"
	"packhouse/internal/oci"
)

// Migrations moves packages out of the Docker registry and keeps count of it.
type Migrations interface {
	// BeginMigration records that the packages of the owner are about to be
	// moved, and returns how many there are.
	BeginMigration(ctx context.Context, ownerID int64, now time.Time) (id, total int64, err error)
	// DockerPackages returns up to n packages of the owner that are in the
	// Docker registry, in the order of their ids.
	DockerPackages(ctx context.Context, ownerID, afterID int64, n int) ([]DockerPackage, error)
	// MoveDockerPackage makes a Container package of it, under the same name,
	// counts it and records e, all in one transaction. With conflict another
	// package has that name in the Container registry; without either, the
	// package is in the Docker registry no more.
	MoveDockerPackage(ctx context.Context, migration, packageID int64, e audit.Entry) (moved, conflict bool, err error)
	// EndMigration records the end, with what is left over.
	EndMigration(ctx context.Context, migration, conflicts int64, now time.Time) error
	// DockerOwners returns the logins of all that own Docker packages.
	DockerOwners(ctx context.Context) ([]string, error)
	// EnqueueMigration inserts a job of the kind JobMigrate and records e. It
	// returns the id, or that of the job for the same owner which waits or runs.
	EnqueueMigration(ctx context.Context, o MigrationOrder, e audit.Entry) (job int64, err error)
}

// DockerPackage is one that has not been moved.
type DockerPackage struct {
	ID   int64
	Name oci.Name
	// Conflict is set when another package has that name in the Container
	// registry.
	Conflict bool
}

// Migration tells how far the packages of one owner have come.
type Migration struct {
	Owner        string
	Total, Moved int64
	// Conflicts are the packages that stay where they are, because the
	// Container registry has another of that name.
	Conflicts []oci.Name
	Done      bool
}

// Migrate moves all Docker packages of the owner to the Container registry: the
// images stay where they are, the old addresses keep working, and the packages
// inherit from the repository that they follow now, whose visibility of that
// moment they keep. Conflicts are left alone. It calls progress, which may be
// nil, after each package. An interrupted one has moved what it counted; another
// goes on from there. Pushes may go on meanwhile.
func (s *Service) Migrate(ctx context.Context, who access.Principal, owner string, progress func(Migration)) (Migration, error) {
	f, err := s.migrator(ctx, who, owner)
	if err != nil {
		return Migration{}, err
	}
	m := Migration{Owner: f.Owner}
	id, total, err := s.Migrations.BeginMigration(ctx, f.OwnerID, s.Now())
	if err != nil {
		return m, err
	}
	m.Total = total
	err = s.dockerPackages(ctx, f.OwnerID, func(d DockerPackage) error {
		e := audit.Entry{At: s.Now(), Actor: audit.By(who), Action: "package.migrate", Target: d.Name.String()}
		moved, conflict, err := s.Migrations.MoveDockerPackage(ctx, id, d.ID, e)
		if err != nil {
			return err
		}
		if moved {
			m.Moved++
		}
		if conflict {
			m.Conflicts = append(m.Conflicts, d.Name)
		}
		if progress != nil {
			progress(m)
		}
		return nil
	})
	if err != nil {
		return m, err
	}
	m.Done = true
	return m, s.Migrations.EndMigration(ctx, id, int64(len(m.Conflicts)), s.Now())
}

// Conflicts returns the Docker packages of the owner that Migrate would leave
// alone.
func (s *Service) Conflicts(ctx context.Context, who access.Principal, owner string) ([]oci.Name, error) {
	f, err := s.migrator(ctx, who, owner)
	if err != nil {
		return nil, err
	}
	var names []oci.Name
	err = s.dockerPackages(ctx, f.OwnerID, func(d DockerPackage) error {
		if d.Conflict {
			names = append(names, d.Name)
		}
		return nil
	})
	return names, err
}

// ConflictingPackages returns those of the packages that Migrate would leave
// alone which who may read.
func (s *Service) ConflictingPackages(ctx context.Context, who access.Principal, owner string) ([]Listed, error) {
	f, err := s.namespace(ctx, who, owner)
	if err != nil {
		return nil, err
	}
	var list []Listed
	err = s.dockerPackages(ctx, f.OwnerID, func(d DockerPackage) error {
		if !d.Conflict {
			return nil
		}
		p, err := s.Package(ctx, who, access.Package{Type: access.Docker, Name: d.Name})
		if kind := errs.KindOf(err); err != nil && (kind == errs.NotFound || kind == errs.Denied || kind == errs.Unauthenticated) {
			return nil
		}
		list = append(list, p)
		return err
	})
	return list, err
}

// DockerOwners returns the logins of all that have something to migrate.
func (s *Service) DockerOwners(ctx context.Context, who access.Principal) ([]string, error) {
	if !rules(who) {
		return nil, errMigrate()
	}
	return s.Migrations.DockerOwners(ctx)
}

func (s *Service) dockerPackages(ctx context.Context, ownerID int64, each func(DockerPackage) error) error {
	var last DockerPackage
	for {
		list, err := s.Migrations.DockerPackages(ctx, ownerID, last.ID, page)
		if err != nil || len(list) == 0 {
			return err
		}
		for _, last = range list {
			if err := each(last); err != nil {
				return err
			}
		}
	}
}

// migrator returns what is known of the namespace for one who may migrate it.
func (s *Service) migrator(ctx context.Context, who access.Principal, owner string) (access.Facts, error) {
	if !rules(who) {
		return access.Facts{}, errMigrate()
	}
	return s.namespace(ctx, who, owner)
}

func errMigrate() error {
	return errs.New(errs.Denied, "packages are moved by the administrators of this server")
}
