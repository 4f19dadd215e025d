-- +goose Up

-- What an account decides for the packages in its namespace. An organization's
-- members get base_role on its repositories, 0 for none, else a repository role.
ALTER TABLE accounts ADD COLUMN display_login TEXT NOT NULL DEFAULT ''; -- as its owner writes it
ALTER TABLE accounts ADD COLUMN deleted_at INTEGER; -- its login stays taken
ALTER TABLE accounts ADD COLUMN password_changed_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN base_role INTEGER NOT NULL DEFAULT 1;
ALTER TABLE accounts ADD COLUMN members_create INTEGER NOT NULL DEFAULT 7; -- 1 private + 2 internal + 4 public
ALTER TABLE accounts ADD COLUMN inherit_default INTEGER NOT NULL DEFAULT 1;
ALTER TABLE accounts ADD COLUMN default_visibility TEXT NOT NULL DEFAULT 'private'
    CHECK (default_visibility IN ('private', 'internal', 'public', 'repository'));
ALTER TABLE accounts ADD COLUMN sso_required INTEGER NOT NULL DEFAULT 0;

-- Set for a member who is one by an outside provider's groups alone.
ALTER TABLE memberships ADD COLUMN from_group INTEGER NOT NULL DEFAULT 0;

-- Every login that leads to an account: its present one and those it had.
CREATE TABLE logins (
    login      TEXT    PRIMARY KEY, -- lower-case
    account_id INTEGER NOT NULL REFERENCES accounts (id)
) WITHOUT ROWID;
CREATE INDEX logins_account ON logins (account_id);
INSERT INTO logins (login, account_id) SELECT login, id FROM accounts;

CREATE TABLE teams (
    id              INTEGER PRIMARY KEY,
    organization_id INTEGER NOT NULL REFERENCES accounts (id),
    slug            TEXT    NOT NULL, -- lower-case
    parent_id       INTEGER REFERENCES teams (id),
    idp_group       TEXT    NOT NULL DEFAULT '', -- the outside group that fills it; then nothing else does
    created_at      INTEGER NOT NULL,
    UNIQUE (organization_id, slug)
);
CREATE INDEX teams_parent ON teams (parent_id);
CREATE INDEX teams_idp_group ON teams (idp_group) WHERE idp_group <> '';

CREATE TABLE team_members (
    team_id INTEGER NOT NULL REFERENCES teams (id),
    user_id INTEGER NOT NULL REFERENCES accounts (id),
    PRIMARY KEY (team_id, user_id)
) WITHOUT ROWID;
CREATE INDEX team_members_user ON team_members (user_id);

-- The teams whose grants reach a user: those it is in, and all above them. It is
-- made anew from teams and team_members with each change of either.
CREATE TABLE team_reach (
    user_id INTEGER NOT NULL REFERENCES accounts (id),
    team_id INTEGER NOT NULL REFERENCES teams (id),
    PRIMARY KEY (user_id, team_id)
) WITHOUT ROWID;
CREATE INDEX team_reach_team ON team_reach (team_id);

CREATE TABLE repositories (
    id         INTEGER PRIMARY KEY,
    owner_id   INTEGER NOT NULL REFERENCES accounts (id),
    name       TEXT    NOT NULL, -- lower-case
    visibility TEXT    NOT NULL CHECK (visibility IN ('private', 'internal', 'public')),
    created_at INTEGER NOT NULL,
    deleted_at INTEGER
);
CREATE INDEX repositories_owner ON repositories (owner_id, name);

-- Every name that leads to a repository: its present one and those it had.
CREATE TABLE repository_names (
    owner_id      INTEGER NOT NULL REFERENCES accounts (id),
    name          TEXT    NOT NULL,
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    PRIMARY KEY (owner_id, name)
) WITHOUT ROWID;
CREATE INDEX repository_names_repository ON repository_names (repository_id);

-- Roles on repositories: 1 read, 2 triage, 3 write, 4 maintain, 5 admin.
CREATE TABLE repository_grants (
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    account_id    INTEGER NOT NULL REFERENCES accounts (id),
    role          INTEGER NOT NULL CHECK (role BETWEEN 1 AND 5),
    PRIMARY KEY (repository_id, account_id)
) WITHOUT ROWID;
CREATE INDEX repository_grants_account ON repository_grants (account_id);

CREATE TABLE repository_team_grants (
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    team_id       INTEGER NOT NULL REFERENCES teams (id),
    role          INTEGER NOT NULL CHECK (role BETWEEN 1 AND 5),
    PRIMARY KEY (repository_id, team_id)
) WITHOUT ROWID;
CREATE INDEX repository_team_grants_team ON repository_team_grants (team_id);

-- The link of a package to a repository of the same owner. linked_by: '' never
-- linked, 'workflow', 'label' or 'hand', 'unlinked' taken away by hand, so that
-- a label does not bring it back.
ALTER TABLE packages ADD COLUMN repository_id INTEGER REFERENCES repositories (id);
ALTER TABLE packages ADD COLUMN linked_by TEXT NOT NULL DEFAULT '';
ALTER TABLE packages ADD COLUMN inherits INTEGER NOT NULL DEFAULT 0;
ALTER TABLE packages ADD COLUMN claimed_source TEXT NOT NULL DEFAULT ''; -- a source that did not become a link
CREATE INDEX packages_repository ON packages (repository_id) WHERE repository_id IS NOT NULL;

-- Every address that leads to a package: its present one, those it had, and the
-- one in the Docker registry of a package that was moved out of it.
CREATE TABLE package_names (
    owner_id   INTEGER NOT NULL REFERENCES accounts (id),
    name       TEXT    NOT NULL,
    type       TEXT    NOT NULL CHECK (type IN ('container', 'docker')),
    package_id INTEGER NOT NULL REFERENCES packages (id),
    PRIMARY KEY (owner_id, name, type)
) WITHOUT ROWID;
CREATE INDEX package_names_package ON package_names (package_id);
INSERT INTO package_names (owner_id, name, type, package_id)
    SELECT owner_id, name, type, id FROM packages WHERE deleted_at IS NULL;

-- Uploads under way go along when an address changes.
CREATE INDEX upload_sessions_address ON upload_sessions (owner_id, type, name);

CREATE TABLE package_team_grants (
    package_id INTEGER NOT NULL REFERENCES packages (id),
    team_id    INTEGER NOT NULL REFERENCES teams (id),
    role       TEXT    NOT NULL CHECK (role IN ('read', 'write', 'admin')),
    PRIMARY KEY (package_id, team_id)
) WITHOUT ROWID;
CREATE INDEX package_team_grants_team ON package_team_grants (team_id);

-- What the jobs (actions_role, '' for nothing) and the codespaces of a repository
-- may do with a package.
CREATE TABLE package_repositories (
    package_id    INTEGER NOT NULL REFERENCES packages (id),
    repository_id INTEGER NOT NULL REFERENCES repositories (id),
    actions_role  TEXT    NOT NULL CHECK (actions_role IN ('', 'read', 'write', 'admin')),
    codespaces    INTEGER NOT NULL,
    PRIMARY KEY (package_id, repository_id)
) WITHOUT ROWID;
CREATE INDEX package_repositories_repository ON package_repositories (repository_id);

-- What a version says of itself, cut to the lengths that are shown.
ALTER TABLE versions ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE versions ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE versions ADD COLUMN licenses TEXT NOT NULL DEFAULT '';

-- A workflow token belongs to a repository, or to the trust rule it came from.
ALTER TABLE tokens ADD COLUMN repository_id INTEGER REFERENCES repositories (id);
ALTER TABLE tokens ADD COLUMN trust_id INTEGER;
ALTER TABLE tokens ADD COLUMN codespace INTEGER NOT NULL DEFAULT 0;
ALTER TABLE tokens ADD COLUMN fine_grained INTEGER NOT NULL DEFAULT 0; -- holds for its token_limits alone
CREATE INDEX tokens_repository ON tokens (repository_id) WHERE repository_id IS NOT NULL;
CREATE INDEX tokens_workflow_expiry ON tokens (expires_at) WHERE kind = 'phw';

-- What a fine-grained token or a trust rule reaches: a package, or with no
-- package_id a whole namespace. Actions: 1 pull + 2 push + 4 delete.
CREATE TABLE token_limits (
    token_id   INTEGER NOT NULL REFERENCES tokens (id),
    owner_id   INTEGER NOT NULL REFERENCES accounts (id),
    package_id INTEGER NOT NULL, -- 0: all of the owner's
    actions    INTEGER NOT NULL,
    PRIMARY KEY (token_id, owner_id, package_id)
) WITHOUT ROWID;
CREATE INDEX token_limits_package ON token_limits (package_id);

-- The organizations that a token may reach though they demand single sign-on.
CREATE TABLE token_authorizations (
    token_id        INTEGER NOT NULL REFERENCES tokens (id),
    organization_id INTEGER NOT NULL REFERENCES accounts (id),
    created_at      INTEGER NOT NULL,
    PRIMARY KEY (token_id, organization_id)
) WITHOUT ROWID;

-- Whose identity tokens are taken, and what they are worth: exactly one of
-- repository_id and package_id is set, or neither for the whole namespace.
CREATE TABLE trust_rules (
    id            INTEGER PRIMARY KEY AUTOINCREMENT, -- bearer tokens name it: never used again
    owner_id      INTEGER NOT NULL REFERENCES accounts (id),
    repository_id INTEGER REFERENCES repositories (id),
    package_id    INTEGER REFERENCES packages (id),
    issuer        TEXT    NOT NULL,
    audience      TEXT    NOT NULL,
    claims        TEXT    NOT NULL, -- JSON: claim to pattern; all must match
    actions       INTEGER NOT NULL, -- 1 pull + 2 push + 4 delete
    created_at    INTEGER NOT NULL,
    created_by    INTEGER NOT NULL,
    last_used_at  INTEGER
);
CREATE INDEX trust_rules_issuer ON trust_rules (issuer, audience, id);
CREATE INDEX trust_rules_owner ON trust_rules (owner_id);
CREATE INDEX trust_rules_repository ON trust_rules (repository_id) WHERE repository_id IS NOT NULL;
CREATE INDEX trust_rules_package ON trust_rules (package_id) WHERE package_id IS NOT NULL;
CREATE INDEX tokens_trust ON tokens (trust_id) WHERE trust_id IS NOT NULL;

-- An account's identities at outside providers.
CREATE TABLE identities (
    issuer     TEXT    NOT NULL,
    subject    TEXT    NOT NULL,
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    created_at INTEGER NOT NULL,
    PRIMARY KEY (issuer, subject)
) WITHOUT ROWID;
CREATE INDEX identities_account ON identities (account_id);

-- Browser sessions, by the SHA-256 of their secret.
CREATE TABLE web_sessions (
    id_hash      TEXT    PRIMARY KEY,
    account_id   INTEGER NOT NULL REFERENCES accounts (id),
    issuer       TEXT    NOT NULL, -- '' after a password
    address      TEXT    NOT NULL,
    agent        TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX web_sessions_account ON web_sessions (account_id);
CREATE INDEX web_sessions_expiry ON web_sessions (expires_at);

-- Who did what. Rows are only ever added.
CREATE TABLE audit (
    id     INTEGER PRIMARY KEY,
    at     INTEGER NOT NULL,
    actor  TEXT    NOT NULL, -- a login, 'OWNER/REPO' for a workflow, 'operator'
    action TEXT    NOT NULL, -- such as package.visibility
    target TEXT    NOT NULL, -- such as OWNER/NAME
    detail TEXT    NOT NULL  -- JSON
);

-- Docker packages on their way to the Container registry.
CREATE TABLE migrations (
    id          INTEGER PRIMARY KEY,
    owner_id    INTEGER NOT NULL REFERENCES accounts (id),
    started_at  INTEGER NOT NULL,
    finished_at INTEGER,
    total       INTEGER NOT NULL,
    moved       INTEGER NOT NULL,
    conflicts   INTEGER NOT NULL
);
CREATE INDEX migrations_owner ON migrations (owner_id, id);
