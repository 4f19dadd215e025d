package packages

import (
	"context"
	"encoding/json"

	"packhouse/internal/access"
	"packhouse/internal/audit"
)

// JobMigrate is the kind of the jobs that StartMigration makes.
const JobMigrate = "docker.migrate"

// MigrationOrder is what such a job is given.
type MigrationOrder struct {
	Owner string      `json:"owner"`
	By    audit.Actor `json:"by"` // who asked for it, and is on record for each package
}

// MigrationReport is what is shown of such a job.
type MigrationReport struct {
	Owner     string `json:"owner"`
	Total     int64  `json:"total"` // that were left when the last attempt began
	Moved     int64  `json:"moved"`
	Conflicts int    `json:"conflicts"`
	// Staying names the first of those in conflict.
	Staying []string `json:"staying,omitempty"`
}

// maxStaying is how many names a report has.
const maxStaying = 100

// StartMigration has Migrate done beside requests, by any node, and returns the
// id of the job: of the one under way, if there is one for the owner. For
// administrators of the server.
func (s *Service) StartMigration(ctx context.Context, who access.Principal, owner string) (job int64, err error) {
	f, err := s.migrator(ctx, who, owner)
	if err != nil {
		return 0, err
	}
	e := audit.Entry{At: s.Now(), Actor: audit.By(who), Action: "migration.start", Target: f.Owner}
	return s.Migrations.EnqueueMigration(ctx, MigrationOrder{Owner: f.Owner, By: e.Actor}, e)
}

// WorkMigration does what a job of StartMigration was given, and reports after
// each package. It may be interrupted and called again.
func (s *Service) WorkMigration(ctx context.Context, args json.RawMessage, report func(ctx context.Context, progress any) error) error {
	var o MigrationOrder
	if err := json.Unmarshal(args, &o); err != nil {
		return err
	}
	who := access.Principal{SiteAdmin: true, Login: string(o.By), Operator: o.By == audit.Operator}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	_, err := s.Migrate(ctx, who, o.Owner, func(m Migration) {
		if err := report(ctx, m.report()); err != nil {
			stop(err)
		}
	})
	return err
}

func (m Migration) report() MigrationReport {
	r := MigrationReport{Owner: m.Owner, Total: m.Total, Moved: m.Moved, Conflicts: len(m.Conflicts)}
	for _, n := range m.Conflicts[:min(len(m.Conflicts), maxStaying)] {
		r.Staying = append(r.Staying, n.String())
	}
	return r
}
