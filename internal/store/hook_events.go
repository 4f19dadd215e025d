package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"packhouse/internal/access"
	"packhouse/internal/database"
	"packhouse/internal/errs"
	"packhouse/internal/hooks"
	"packhouse/internal/jobs"
	"packhouse/internal/oci"
)

var _ hooks.Outbox = (*Store)(nil)

// listening are the hooks that are told of what happens to the package e: its
// own, those of its repository, and those of its owner.
const listening = `SELECT ` + hookRows + ` JOIN packages e ON e.owner_id = h.owner_id
	WHERE e.id = ? AND h.active = 1 AND h.id IN (
		SELECT t.id FROM hooks t WHERE t.package_id = ?
		UNION ALL SELECT t.id FROM packages l JOIN hooks t ON t.repository_id = l.repository_id WHERE l.id = ?
		UNION ALL SELECT t.id FROM packages l JOIN hooks t ON t.owner_id = l.owner_id AND t.repository_id IS NULL AND t.package_id IS NULL
			WHERE l.id = ?)` + hookLive + ` ORDER BY h.id`

// Listening implements hooks.Outbox.
func (s *Store) Listening(ctx context.Context, e hooks.Event) ([]hooks.Hook, error) {
	if e.HookID != 0 {
		return s.hooks(ctx, `SELECT `+hookRows+` WHERE h.id = ?`+hookLive, e.HookID)
	}
	return s.hooks(ctx, listening, e.PackageID, e.PackageID, e.PackageID, e.PackageID)
}

// AddDeliveries implements hooks.Outbox.
func (s *Store) AddDeliveries(ctx context.Context, eventID int64, list []hooks.NewDelivery, now time.Time) error {
	return s.db.Write(ctx, func(ctx context.Context, tx *database.Tx) error {
		for _, d := range list {
			var id int64
			err := tx.QueryRow(ctx, `INSERT INTO deliveries (hook_id, event_id, guid, event, action, redelivery, payload, state, attempts, next_at,
					status_code, error, request_headers, response_headers, response_body, duration, created_at)
				SELECT h.id, ?, ?, ?, ?, 0, ?, 'pending', 0, ?, 0, '', '{}', '{}', '', 0, ? FROM hooks h WHERE h.id = ?
				ON CONFLICT (event_id, hook_id, event) WHERE event_id IS NOT NULL DO NOTHING RETURNING id`,
				eventID, d.GUID, d.Event, string(d.Action), string(d.Payload), toMicros(now), toMicros(now), d.HookID).Scan(&id)
			if errors.Is(err, sql.ErrNoRows) {
				continue
			}
			if database.IsForeignKey(err) {
				return database.ErrRetry // the hook is deleted at this moment
			}
			if err == nil {
				err = enqueueDelivery(ctx, tx, id, now)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func enqueueDelivery(ctx context.Context, tx *database.Tx, id int64, now time.Time) error {
	return enqueue(ctx, tx, jobs.Insert{Kind: hooks.JobDeliver, Args: hooks.DeliverArgs{Delivery: id}}, now)
}

// EventSubject implements hooks.Outbox.
func (s *Store) EventSubject(ctx context.Context, e hooks.Event, t hooks.Target) (subject hooks.Subject, err error) {
	err = s.db.Snapshot(ctx, func(ctx context.Context, q database.Querier) error {
		subject = hooks.Subject{}
		if err := eventPackage(ctx, q, e, t, &subject); err != nil {
			return err
		}
		if subject.Sender, err = eventSender(ctx, q, e); err != nil {
			return err
		}
		return eventVersion(ctx, q, e, &subject)
	})
	return subject, err
}

// What a payload tells of an account and of a repository.
const (
	subjectAccount = `o.id, o.login, o.kind, o.site_admin, o.description`
	subjectLink    = `COALESCE(r.id, 0), COALESCE(ro.login || '/' || r.name, ''), COALESCE(r.visibility, ''), COALESCE(r.description, ''),
		COALESCE(r.created_at, 0), COALESCE(ro.id, 0), COALESCE(ro.login, ''), COALESCE(ro.kind, '')`
	subjectPackage = `SELECT ` + subjectAccount + `, ` + subjectLink + `, p.id, o.login || '/' || p.name, p.type,
			CASE p.type WHEN 'docker' THEN COALESCE(r.visibility, 'private') ELSE p.visibility END, p.created_at
		FROM packages p JOIN accounts o ON o.id = p.owner_id
		LEFT JOIN repositories r ON r.id = p.repository_id AND r.deleted_at IS NULL LEFT JOIN accounts ro ON ro.id = r.owner_id WHERE p.id = ?`
	subjectTarget = `SELECT ` + subjectAccount + `, ` + subjectLink + ` FROM accounts o
		LEFT JOIN repositories r ON r.id = ? LEFT JOIN accounts ro ON ro.id = r.owner_id WHERE o.id = ?`
)

func eventPackage(ctx context.Context, q database.Querier, e hooks.Event, t hooks.Target, to *hooks.Subject) error {
	var kind, repository, visibility, repositoryOwnerKind, name string
	var admin, repositoryCreated, created int64
	var r hooks.Repository
	dest := []any{
		&to.Owner.ID, &to.Owner.Login, &kind, &admin, &to.Owner.Description,
		&r.ID, &repository, &visibility, &r.Description, &repositoryCreated, &r.Owner.ID, &r.Owner.Login, &repositoryOwnerKind,
	}
	var err error
	if e.PackageID == 0 {
		err = q.QueryRow(ctx, subjectTarget, t.RepositoryID, t.OwnerID).Scan(dest...)
	} else {
		to.Package = &hooks.Package{}
		err = q.QueryRow(ctx, subjectPackage, e.PackageID).Scan(append(dest,
			&to.Package.ID, &name, &to.Package.Type, &to.Package.Visibility, &created)...)
	}
	if err != nil {
		return err
	}
	to.Owner.Organization, to.Owner.SiteAdmin = kind == "organization", admin != 0
	if r.ID != 0 {
		r.Visibility, r.CreatedAt, r.Owner.Organization = access.Visibility(visibility), fromMicros(repositoryCreated), repositoryOwnerKind == "organization"
		if r.Name, err = oci.ParseName(repository); err != nil {
			return err
		}
		to.Repository = &r
	}
	if to.Package != nil {
		to.Package.CreatedAt = fromMicros(created)
		to.Package.Name, err = oci.ParseName(name)
	}
	return err
}

// eventSender is who made the event: an account, or what has none.
func eventSender(ctx context.Context, q database.Querier, e hooks.Event) (hooks.Account, error) {
	a := hooks.Account{Login: string(e.Actor)}
	var kind string
	var admin int64
	err := q.QueryRow(ctx, `SELECT `+subjectAccount+` FROM accounts o WHERE o.id = ?
		UNION ALL SELECT `+subjectAccount+` FROM logins l JOIN accounts o ON o.id = l.account_id WHERE l.login = ? AND CAST(? AS BIGINT) = 0 LIMIT 1`,
		e.ActorID, string(e.Actor), e.ActorID).Scan(&a.ID, &a.Login, &kind, &admin, &a.Description)
	if errors.Is(err, sql.ErrNoRows) {
		return hooks.Account{Login: string(e.Actor)}, nil
	}
	a.Organization, a.SiteAdmin = kind == "organization", admin != 0
	return a, err
}

func eventVersion(ctx context.Context, q database.Querier, e hooks.Event, to *hooks.Subject) error {
	if e.VersionID == 0 {
		return nil
	}
	v := &hooks.Version{ID: e.VersionID, Digest: e.Digest}
	to.Version = v
	var created int64
	err := q.QueryRow(ctx, `SELECT v.digest, v.media_type, v.size, v.description, v.licenses, v.source, v.created_at,
			CASE WHEN v.created_by > 0 THEN v.created_by ELSE 0 END, `+versionMaker+`, m.content
		FROM versions v LEFT JOIN manifests m ON m.digest = v.digest WHERE v.id = ? AND v.package_id = ?`, e.VersionID, e.PackageID).
		Scan(&v.Digest, &v.MediaType, &v.Size, &v.Description, &v.Licenses, &v.Source, &created, &v.Author.ID, &v.Author.Login, &v.Content)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // it was removed for good; its name is known
	}
	if err != nil {
		return err
	}
	v.CreatedAt = fromMicros(created)
	if e.Action == hooks.Deleted || e.Action == hooks.Restored {
		v.Tags, err = queryNames(ctx, q, `SELECT t.name FROM versions v JOIN tags t ON t.package_id = v.package_id AND t.digest = v.digest
			WHERE v.id = ? AND v.package_id = ? AND (t.until = v.deleted_at OR v.deleted_at IS NULL AND t.until IS NULL) ORDER BY t.name`,
			e.VersionID, e.PackageID)
	}
	return err
}

// HookTarget implements hooks.Directory.
func (s *Store) HookTarget(ctx context.Context, name oci.Name) (t hooks.Target, err error) {
	var kind, repository string
	if name.Package() == "" {
		err = s.db.Read().QueryRow(ctx, `SELECT o.id, o.login, o.kind, 0, '' FROM logins l
			JOIN accounts o ON o.id = l.account_id AND o.deleted_at IS NULL WHERE l.login = ?`, name.Owner()).
			Scan(&t.OwnerID, &t.Owner, &kind, &t.RepositoryID, &repository)
	} else {
		err = s.db.Read().QueryRow(ctx, `SELECT o.id, o.login, o.kind, r.id, r.name FROM logins l
			JOIN repository_names n ON n.owner_id = l.account_id AND n.name = ?
			JOIN repositories r ON r.id = n.repository_id AND r.deleted_at IS NULL
			JOIN accounts o ON o.id = r.owner_id AND o.deleted_at IS NULL WHERE l.login = ?`, name.Package(), name.Owner()).
			Scan(&t.OwnerID, &t.Owner, &kind, &t.RepositoryID, &repository)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return t, errs.New(errs.NotFound, "no account or repository %q", name)
	}
	if err != nil {
		return t, err
	}
	t.OwnerIsOrganization = kind == "organization"
	if repository != "" {
		t.Name, err = oci.ParseName(t.Owner + "/" + repository)
	}
	return t, err
}

// HookFacts implements hooks.Directory.
func (s *Store) HookFacts(ctx context.Context, who access.Principal, t hooks.Target) (access.Facts, error) {
	var row factRow
	err := s.db.Read().QueryRow(ctx, `SELECT `+factColumns+` FROM (`+callerColumns+`) w JOIN accounts o ON o.id = ?
		LEFT JOIN packages p ON p.id = ? AND p.owner_id = o.id
		LEFT JOIN repositories r ON r.id = COALESCE(p.repository_id, ?) AND r.deleted_at IS NULL AND r.owner_id = o.id
		LEFT JOIN package_repositories pr ON pr.package_id = p.id AND pr.repository_id = w.repository`,
		append(callerArgs(who, t.Type), targetArgsOf(t)...)...).Scan(row.dest()...)
	gone := errs.New(errs.NotFound, "the %s is gone", t.Kind())
	if errors.Is(err, sql.ErrNoRows) {
		return access.Facts{}, gone
	}
	if err != nil {
		return access.Facts{}, err
	}
	pkg, err := row.pkg(access.Package{Type: t.Type}, false)
	if err == nil && pkg.ID != t.PackageID {
		err = gone
	}
	return pkg.Facts, err
}

// targetArgsOf names the owner, the package and the repository.
func targetArgsOf(t hooks.Target) []any { return []any{t.OwnerID, t.PackageID, t.RepositoryID} }

// HookPerson implements hooks.Directory.
func (s *Store) HookPerson(ctx context.Context, id int64) (access.Principal, error) {
	p := access.Principal{AccountID: id}
	var admin int64
	err := s.db.Read().QueryRow(ctx, `SELECT login, site_admin FROM accounts
		WHERE id = ? AND kind = 'user' AND deleted_at IS NULL AND suspended_at IS NULL`, id).Scan(&p.Login, &admin)
	if errors.Is(err, sql.ErrNoRows) {
		return access.Principal{}, errNoAccount()
	}
	p.SiteAdmin = admin != 0
	return p, err
}

func encodeHeaders(h map[string]string) (string, error) {
	if h == nil {
		return "{}", nil
	}
	text, err := json.Marshal(h)
	return string(text), err
}
