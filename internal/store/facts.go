package store

import (
	"context"
	"strings"

	"packhouse/internal/access"
	"packhouse/internal/oci"
	"packhouse/internal/registry"
)

// What a decision needs, in one row. It stands on o, the owner; p, the package;
// r, the repository it is linked to or would lie in; pr, what the package gives
// to the repository that the caller is a job of; and w, the caller. Any but w may
// be absent. What is asked only of some callers or packages is asked behind a
// CASE, so that the others do not pay for it.
const factColumns = `COALESCE(o.id, 0), COALESCE(o.login, ''), COALESCE(o.kind, ''),
	o.suspended_at IS NOT NULL, o.deleted_at IS NOT NULL, COALESCE(o.sso_required, 0),
	COALESCE(o.base_role, 0), COALESCE(o.members_create, 0), COALESCE(o.default_visibility, ''), COALESCE(o.inherit_default, 0),
	COALESCE(p.id, 0), COALESCE(p.type, ''), COALESCE(p.name, ''), COALESCE(p.visibility, ''), COALESCE(p.inherits, 0),
	p.published_at IS NOT NULL, COALESCE(p.linked_by, ''),
	COALESCE(r.id, 0), COALESCE(r.name, ''), COALESCE(r.visibility, ''),
	CASE WHEN r.owner_id <> o.id THEN (SELECT ro.login FROM accounts ro WHERE ro.id = r.owner_id) ELSE COALESCE(o.login, '') END,
	COALESCE(pr.actions_role, ''), COALESCE(pr.codespaces, 0),
	COALESCE((SELECT mode.value FROM settings mode WHERE mode.name = 'registry.' || COALESCE(p.type, w.type)), ''),
	COALESCE((SELECT mode.value FROM settings mode WHERE mode.name = 'registry.' || w.type), ''),
	CASE WHEN w.account <> 0 AND o.kind = 'organization'
		THEN COALESCE((SELECT m.role FROM memberships m WHERE m.organization_id = o.id AND m.user_id = w.account), '')
		ELSE '' END,
	CASE WHEN w.account <> 0 AND p.inherits = 0 AND p.type = 'container'
		THEN COALESCE((SELECT CASE g.role WHEN 'admin' THEN 3 WHEN 'write' THEN 2 ELSE 1 END
			FROM package_grants g WHERE g.package_id = p.id AND g.account_id = w.account), 0)
		ELSE 0 END,
	CASE WHEN w.account <> 0 AND p.inherits = 0 AND p.type = 'container' AND o.kind = 'organization'
		THEN COALESCE((SELECT MAX(CASE g.role WHEN 'admin' THEN 3 WHEN 'write' THEN 2 ELSE 1 END)
			FROM package_team_grants g
			JOIN team_reach t ON t.team_id = g.team_id AND t.user_id = w.account WHERE g.package_id = p.id), 0)
		ELSE 0 END,
	CASE WHEN w.account <> 0 AND r.id IS NOT NULL AND (p.id IS NULL OR p.inherits <> 0 OR p.type = 'docker')
		THEN ` + repositoryGrant + ` ELSE 0 END,
	CASE WHEN w.account <> 0 AND r.id IS NOT NULL AND (p.id IS NULL OR p.inherits <> 0 OR p.type = 'docker')
		AND o.kind = 'organization' THEN ` + repositoryTeamGrant + ` ELSE 0 END,
	CASE WHEN w.token <> 0 AND o.sso_required <> 0
		THEN (SELECT COUNT(*) FROM token_authorizations ta WHERE ta.token_id = w.token AND ta.organization_id = o.id)
		ELSE 0 END`

// The caller's explicit role on the repository r, and the best of its teams'.
const (
	repositoryGrant = `COALESCE((SELECT g.role FROM repository_grants g
		WHERE g.repository_id = r.id AND g.account_id = w.account), 0)`
	repositoryTeamGrant = `COALESCE((SELECT MAX(g.role) FROM repository_team_grants g
		JOIN team_reach t ON t.team_id = g.team_id AND t.user_id = w.account WHERE g.repository_id = r.id), 0)`
)

// factRow scans factColumns.
type factRow struct {
	ownerID                                             int64
	owner, kind                                         string
	suspended, deleted                                  bool
	sso, baseRole, membersCreate                        int64
	defaultVisibility                                   string
	inheritDefault                                      int64
	packageID                                           int64
	packageType, packageName, visibility                string
	inherits                                            int64
	published                                           bool
	linkedBy                                            string
	repositoryID                                        int64
	repository, repositoryVisibility, repositoryOwner   string
	actionsRole                                         string
	codespaces                                          int64
	mode, askedMode, membership                         string
	grant, teamGrant, repositoryRole, repositoryTeamMax int64
	authorized                                          int64
}

func (f *factRow) dest(more ...any) []any {
	return append([]any{
		&f.ownerID, &f.owner, &f.kind, &f.suspended, &f.deleted, &f.sso, &f.baseRole, &f.membersCreate,
		&f.defaultVisibility, &f.inheritDefault, &f.packageID, &f.packageType, &f.packageName, &f.visibility,
		&f.inherits, &f.published, &f.linkedBy, &f.repositoryID, &f.repository, &f.repositoryVisibility,
		&f.repositoryOwner, &f.actionsRole, &f.codespaces, &f.mode, &f.askedMode, &f.membership, &f.grant, &f.teamGrant,
		&f.repositoryRole, &f.repositoryTeamMax, &f.authorized,
	}, more...)
}

// pkg is what the row says of the address asked. What lies in the namespace of
// an account that is gone is gone with it.
func (f *factRow) pkg(asked access.Package, retired bool) (registry.Package, error) {
	if f.deleted {
		f.packageID, f.mode, retired = 0, f.askedMode, true
	}
	facts := access.Facts{
		Mode: access.Mode(f.mode), AskedMode: access.Mode(f.askedMode), AskedType: asked.Type, OwnerID: f.ownerID, Owner: f.owner, OwnerExists: f.ownerID != 0 && !f.deleted,
		OwnerIsOrganization: f.kind == "organization", OwnerSuspended: f.suspended,
		Exists: f.packageID != 0, PackageID: f.packageID, Type: asked.Type, Name: asked.Name, Retired: retired,
		Membership: access.Membership(f.membership), Grant: roleOfRank(max(f.grant, f.teamGrant)),
		ActionsRole: access.Role(f.actionsRole), CodespacesAccess: f.codespaces != 0,
		SSORequired: f.sso != 0, SSOAuthorized: f.authorized != 0,
		MembersCreate: access.VisibilitySet(f.membersCreate), DefaultVisibility: access.Visibility(f.defaultVisibility),
		InheritDefault: f.inheritDefault != 0,
	}
	if facts.Exists {
		facts.Type, facts.Visibility, facts.Inherits = access.PackageType(f.packageType), access.Visibility(f.visibility), f.inherits != 0
	}
	if err := f.repositoryFacts(&facts); err != nil {
		return registry.Package{}, err
	}
	if err := f.presentName(&facts, asked); err != nil {
		return registry.Package{}, err
	}
	return registry.Package{
		ID: facts.PackageID, OwnerID: facts.OwnerID, Published: facts.Exists && f.published, LinkedBy: registry.LinkedBy(f.linkedBy),
		Address: access.Package{Type: facts.Type, Also: asked.Also, Name: facts.Name}, Facts: facts,
	}, nil
}

// repositoryFacts tells of the repository, which says all of who may see a
// Docker package.
func (f *factRow) repositoryFacts(facts *access.Facts) (err error) {
	if facts.Type == access.Docker {
		facts.Inherits = true
		if facts.Exists {
			facts.Visibility = access.Private
		}
	}
	if f.repositoryID == 0 || f.deleted {
		return nil
	}
	facts.RepositoryID, facts.RepositoryVisibility = f.repositoryID, access.Visibility(f.repositoryVisibility)
	facts.RepositoryRole = access.RepositoryRole(max(f.repositoryRole, f.repositoryTeamMax))
	if facts.Membership != "" {
		facts.RepositoryRole = max(facts.RepositoryRole, access.RepositoryRole(f.baseRole))
	}
	if facts.Exists && facts.Type == access.Docker {
		facts.Visibility = facts.RepositoryVisibility
	}
	facts.Repository, err = oci.ParseName(f.repositoryOwner + "/" + f.repository)
	return err
}

// presentName sets the name that the package has, or that a push would give it:
// under the present login, and in the Docker registry under the present name of
// the repository.
func (f *factRow) presentName(facts *access.Facts, asked access.Package) (err error) {
	name := asked.Name.String()
	switch {
	case facts.Exists:
		name = f.owner + "/" + f.packageName
	case facts.Type == access.Docker && facts.RepositoryID != 0:
		name = facts.Repository.String()
		if _, image, ok := strings.Cut(asked.Name.Package(), "/"); ok {
			name += "/" + image
		}
	case f.owner != "" && asked.Name.Package() != "":
		name = f.owner + "/" + asked.Name.Package()
	case f.owner != "":
		name = f.owner
	}
	if name != asked.Name.String() {
		facts.Name, err = oci.ParseName(name)
	}
	return err
}

func roleOfRank(n int64) access.Role {
	switch n {
	case 1:
		return access.RoleRead
	case 2:
		return access.RoleWrite
	case 3:
		return access.RoleAdmin
	}
	return ""
}

// The caller and the address asked, as the row w, and all that it leads to: by
// its login l; by the package's name n in its registry or a in the other; or, in
// the Docker registry, by the repository's name rn to where the package would lie.
const (
	retiredColumn = `, np.deleted_at IS NOT NULL AND (np.owner_id <> n.owner_id OR np.name <> n.name OR np.type <> n.type)`

	factTables = ` FROM (SELECT CAST(? AS TEXT) AS login, CAST(? AS TEXT) AS name, CAST(? AS TEXT) AS segment,
			CAST(? AS TEXT) AS type, CAST(? AS TEXT) AS also,
			CAST(? AS BIGINT) AS account, CAST(? AS BIGINT) AS token, CAST(? AS BIGINT) AS repository) w
		LEFT JOIN logins l ON l.login = w.login
		LEFT JOIN package_names n ON n.owner_id = l.account_id AND n.name = w.name AND n.type = w.type
		LEFT JOIN packages np ON np.id = n.package_id
		LEFT JOIN package_names a ON a.owner_id = l.account_id AND a.name = w.name AND a.type = w.also
			AND (np.id IS NULL OR np.deleted_at IS NOT NULL)
		LEFT JOIN packages p ON p.id = COALESCE(a.package_id, n.package_id) AND p.deleted_at IS NULL
		LEFT JOIN accounts o ON o.id = COALESCE(p.owner_id, l.account_id)
		LEFT JOIN repository_names rn ON rn.owner_id = l.account_id AND rn.name = w.segment
			AND w.type = 'docker' AND p.id IS NULL
		LEFT JOIN repositories r ON r.id = COALESCE(p.repository_id, rn.repository_id) AND r.deleted_at IS NULL
		LEFT JOIN package_repositories pr ON pr.package_id = p.id AND pr.repository_id = w.repository`
)

// callerColumns is the caller alone, for queries that go through many packages.
const callerColumns = `SELECT CAST(? AS TEXT) AS type, CAST(? AS BIGINT) AS account, CAST(? AS BIGINT) AS token, CAST(? AS BIGINT) AS repository`

func callerArgs(who access.Principal, t access.PackageType) []any {
	return []any{string(t), who.AccountID, who.TokenID, who.RepositoryID()}
}

func factArgs(who access.Principal, p access.Package, rest []any) []any {
	segment, _, _ := strings.Cut(p.Name.Package(), "/")
	return append([]any{
		p.Name.Owner(), p.Name.Package(), segment, string(p.Type), string(p.Also),
		who.AccountID, who.TokenID, who.RepositoryID(),
	}, rest...)
}

// ask runs a lookup that selects factColumns, retiredColumn and more, with rest
// as the arguments after those of factTables. An address under a repository's
// old name, or one that it had with another owner, and with nothing there, is
// asked for once more under the present one.
func (s *Store) ask(ctx context.Context, query string, who access.Principal, p access.Package, rest []any, more ...any) (registry.Package, error) {
	for again := false; ; again = true {
		var row factRow
		var retired *bool
		dest := row.dest(append([]any{&retired}, more...)...)
		if err := s.db.Read().QueryRow(ctx, query, factArgs(who, p, rest)...).Scan(dest...); err != nil {
			return registry.Package{}, err
		}
		pkg, err := row.pkg(p, retired != nil && *retired)
		moved := pkg.ID == 0 && pkg.Facts.RepositoryID != 0 && pkg.Address.Name != p.Name
		if err != nil || !moved || again {
			return pkg, err
		}
		p = pkg.Address
	}
}
