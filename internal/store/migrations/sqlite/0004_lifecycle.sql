-- +goose Up

-- What people say of themselves and of what is theirs.
ALTER TABLE accounts ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN email TEXT NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE teams ADD COLUMN name TEXT NOT NULL DEFAULT ''; -- '' is the slug
ALTER TABLE teams ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE repositories ADD COLUMN description TEXT NOT NULL DEFAULT '';
CREATE INDEX accounts_kind ON accounts (kind, id);

-- Tags that never move once they are set: patterns as a JSON list, '' for none.
-- The owner's hold for all its packages.
ALTER TABLE accounts ADD COLUMN immutable_tags TEXT NOT NULL DEFAULT '';
ALTER TABLE packages ADD COLUMN immutable_tags TEXT NOT NULL DEFAULT '';

-- What is deleted stays for a while and can be restored. Then a version's row
-- goes; a package's stays without content, since names lead to it.
ALTER TABLE packages ADD COLUMN deleted_by INTEGER;
ALTER TABLE packages ADD COLUMN purged_at INTEGER; -- its removal has begun: no way back
ALTER TABLE packages ADD COLUMN cleared_at INTEGER; -- its content is gone
ALTER TABLE versions ADD COLUMN deleted_by INTEGER;
CREATE INDEX packages_deleted ON packages (deleted_at) WHERE deleted_at IS NOT NULL AND purged_at IS NULL;
CREATE INDEX packages_deleted_of ON packages (owner_id, id) WHERE deleted_at IS NOT NULL AND purged_at IS NULL;
CREATE INDEX packages_clearing ON packages (id) WHERE purged_at IS NOT NULL AND cleared_at IS NULL;
CREATE INDEX versions_deleted ON versions (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX versions_deleted_of ON versions (package_id, id) WHERE deleted_at IS NOT NULL;
CREATE INDEX versions_present ON versions (package_id, id) WHERE deleted_at IS NULL;
CREATE INDEX versions_content ON versions (digest);
DROP INDEX tags_digest;
CREATE INDEX tags_version ON tags (package_id, digest, until);
CREATE INDEX tags_history ON tags (package_id, name, id);
CREATE INDEX tags_newest ON tags (package_id, id) WHERE until IS NULL;

-- Facts about a version that are worked out once, when it is pushed. kind: ''
-- not known yet, 'image', 'index', 'artifact', 'signature', 'attestation',
-- 'sbom' or 'cache'. total_size is that of the manifest and of all blobs it names.
ALTER TABLE versions ADD COLUMN kind TEXT NOT NULL DEFAULT '';
ALTER TABLE versions ADD COLUMN total_size INTEGER NOT NULL DEFAULT 0;
ALTER TABLE versions ADD COLUMN expires_at INTEGER; -- as its labels ask for
CREATE INDEX versions_unclassified ON versions (package_id, id) WHERE kind = '';

-- Pulls, each counted once: of a version under the tag that was asked for, '' for
-- a digest and '*' for what was pulled as a part of an index, which the sum of a
-- package leaves out; by days since 1970. The sums stand beside what they are sums of.
CREATE TABLE downloads (
    package_id INTEGER NOT NULL REFERENCES packages (id),
    version_id INTEGER NOT NULL,
    tag        TEXT    NOT NULL,
    day        INTEGER NOT NULL,
    count      INTEGER NOT NULL,
    PRIMARY KEY (package_id, version_id, tag, day)
) WITHOUT ROWID;
CREATE INDEX downloads_day ON downloads (package_id, day);
CREATE INDEX downloads_tag ON downloads (package_id, tag, day);
ALTER TABLE packages ADD COLUMN downloads INTEGER NOT NULL DEFAULT 0;
ALTER TABLE versions ADD COLUMN downloads INTEGER NOT NULL DEFAULT 0;
ALTER TABLE versions ADD COLUMN last_download_at INTEGER;

-- Garbage collection looks at a blob when its review is due: when a lease runs
-- out, and when a manifest that needed it is gone. NULL: a manifest needs it.
ALTER TABLE blobs ADD COLUMN review_at INTEGER;
ALTER TABLE blobs ADD COLUMN condemned_at INTEGER;
ALTER TABLE blobs ADD COLUMN verified_at INTEGER; -- when its bytes were last hashed
UPDATE blobs SET review_at = lease_until;
CREATE INDEX blobs_review ON blobs (review_at) WHERE review_at IS NOT NULL;
CREATE INDEX blobs_suspect ON blobs (digest) WHERE state = 'suspect';
CREATE UNIQUE INDEX blobs_location ON blobs (location) WHERE location <> ''; -- for the checks of what the store holds

-- Bytes that no row of blobs leads to any more, until they are removed. They
-- can be taken back until then. A blob that is pushed again gets bytes of its own.
CREATE TABLE trash (
    id           INTEGER PRIMARY KEY,
    digest       TEXT    NOT NULL, -- '' for bytes whose digest is not known
    size         INTEGER NOT NULL,
    location     TEXT    NOT NULL, -- '' when the bytes are content
    content      BLOB,
    packages     TEXT    NOT NULL, -- JSON: the ids of those that held it
    created_at   INTEGER NOT NULL,
    condemned_at INTEGER,
    trashed_at   INTEGER NOT NULL,
    purge_at     INTEGER NOT NULL,
    purging      INTEGER NOT NULL DEFAULT 0 -- its removal has begun: no way back
);
CREATE INDEX trash_digest ON trash (digest);
CREATE UNIQUE INDEX trash_location ON trash (location) WHERE location <> '';
CREATE INDEX trash_purge ON trash (purge_at);

-- What was removed for good, when and why.
CREATE TABLE receipts (
    id           INTEGER PRIMARY KEY,
    kind         TEXT    NOT NULL CHECK (kind IN ('blob', 'manifest', 'stray')),
    digest       TEXT    NOT NULL,
    size         INTEGER NOT NULL,
    location     TEXT    NOT NULL,
    reason       TEXT    NOT NULL,
    created_at   INTEGER NOT NULL,
    condemned_at INTEGER,
    trashed_at   INTEGER,
    purged_at    INTEGER NOT NULL
);
CREATE INDEX receipts_digest ON receipts (digest, id);

-- Work to be done: once at least, by any node.
CREATE TABLE jobs (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    kind         TEXT    NOT NULL,
    args         TEXT    NOT NULL, -- JSON
    key          TEXT, -- of all jobs with one key, one waits or runs at most
    state        TEXT    NOT NULL CHECK (state IN ('available', 'running', 'completed', 'failed', 'cancelled')),
    priority     INTEGER NOT NULL, -- the lower, the sooner
    attempt      INTEGER NOT NULL, -- rises with every start; who has an older one has lost the job
    max_attempts INTEGER NOT NULL,
    uncounted    INTEGER NOT NULL DEFAULT 0, -- attempts beside those: put off, or given back
    run_at       INTEGER NOT NULL,
    lease_until  INTEGER, -- of a running one; then another node may take it
    node         TEXT    NOT NULL DEFAULT '',
    progress     TEXT    NOT NULL DEFAULT '', -- JSON, for people
    error        TEXT    NOT NULL DEFAULT '',
    created_at   INTEGER NOT NULL,
    started_at   INTEGER,
    ended_at     INTEGER
);
CREATE UNIQUE INDEX jobs_key ON jobs (key) WHERE key IS NOT NULL AND state IN ('available', 'running');
CREATE INDEX jobs_due ON jobs (kind, priority, run_at, id) WHERE state = 'available';
CREATE INDEX jobs_lease ON jobs (lease_until) WHERE state = 'running';
CREATE INDEX jobs_ended ON jobs (state, ended_at) WHERE ended_at IS NOT NULL;

-- When each piece of work that comes back is due again, for all nodes.
CREATE TABLE schedules (
    name   TEXT    PRIMARY KEY,
    due_at INTEGER NOT NULL
) WITHOUT ROWID;

-- Where events are sent. A hook is of a package, of a repository, or with
-- neither of a whole account; that account is its owner in each case.
CREATE TABLE hooks (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    owner_id      INTEGER NOT NULL REFERENCES accounts (id),
    repository_id INTEGER REFERENCES repositories (id),
    package_id    INTEGER REFERENCES packages (id),
    url           TEXT    NOT NULL,
    content_type  TEXT    NOT NULL CHECK (content_type IN ('json', 'form')),
    secret        TEXT    NOT NULL, -- '' for none; never shown
    insecure_ssl  INTEGER NOT NULL,
    events        TEXT    NOT NULL, -- JSON list
    active        INTEGER NOT NULL,
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    created_by    INTEGER NOT NULL,
    updated_by    INTEGER NOT NULL, -- who answers for it: who made it or changed it last, 0 for the operator
    failing_since INTEGER
);
CREATE INDEX hooks_owner ON hooks (owner_id, id);
CREATE INDEX hooks_account ON hooks (owner_id, id) WHERE repository_id IS NULL AND package_id IS NULL;
CREATE INDEX hooks_repository ON hooks (repository_id, id) WHERE repository_id IS NOT NULL;
CREATE INDEX hooks_package ON hooks (package_id, id) WHERE package_id IS NOT NULL;

CREATE TABLE deliveries (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    hook_id          INTEGER NOT NULL REFERENCES hooks (id),
    event_id         INTEGER, -- the job that carried the event; NULL for a redelivery
    guid             TEXT    NOT NULL, -- the same for each redelivery
    event            TEXT    NOT NULL,
    action           TEXT    NOT NULL,
    redelivery       INTEGER NOT NULL,
    payload          TEXT    NOT NULL,
    state            TEXT    NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
    attempts         INTEGER NOT NULL,
    next_at          INTEGER NOT NULL, -- no attempt begins before; of a pending one
    status_code      INTEGER NOT NULL, -- 0 before there was an answer
    error            TEXT    NOT NULL,
    request_headers  TEXT    NOT NULL, -- JSON
    response_headers TEXT    NOT NULL, -- JSON
    response_body    TEXT    NOT NULL, -- its beginning
    duration         INTEGER NOT NULL, -- in microseconds
    created_at       INTEGER NOT NULL,
    delivered_at     INTEGER -- the last attempt
);
CREATE INDEX deliveries_hook ON deliveries (hook_id, id);
CREATE INDEX deliveries_age ON deliveries (created_at);
CREATE UNIQUE INDEX deliveries_event ON deliveries (event_id, hook_id, event) WHERE event_id IS NOT NULL;
CREATE INDEX deliveries_pending ON deliveries (hook_id, id) WHERE state = 'pending';

-- Rules by which old versions go: of a package, or with package_id 0 of all
-- packages of the owner that have none of their own.
CREATE TABLE retention_policies (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    owner_id   INTEGER NOT NULL REFERENCES accounts (id),
    package_id INTEGER NOT NULL,
    rules      TEXT    NOT NULL, -- JSON
    automatic  INTEGER NOT NULL, -- applied every day, without being asked
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    updated_by INTEGER NOT NULL
);
CREATE UNIQUE INDEX retention_policies_of ON retention_policies (owner_id, package_id);
CREATE INDEX retention_policies_package ON retention_policies (package_id);

-- What a policy would delete, as it was when the plan was made.
CREATE TABLE retention_plans (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    owner_id   INTEGER NOT NULL REFERENCES accounts (id),
    package_id INTEGER NOT NULL, -- 0 for several
    rules      TEXT    NOT NULL,
    state      TEXT    NOT NULL CHECK (state IN ('planned', 'applied', 'undone', 'refused')),
    versions   INTEGER NOT NULL,
    bytes      INTEGER NOT NULL, -- that it frees
    more       INTEGER NOT NULL, -- the rules choose more than one plan takes
    created_at INTEGER NOT NULL,
    created_by INTEGER NOT NULL,
    applied_at INTEGER,
    applied_by INTEGER,
    undone_at  INTEGER
);
CREATE INDEX retention_plans_of ON retention_plans (owner_id, package_id, id);
CREATE INDEX retention_plans_age ON retention_plans (created_at);

CREATE TABLE retention_items (
    plan_id    INTEGER NOT NULL REFERENCES retention_plans (id),
    version_id INTEGER NOT NULL,
    package_id INTEGER NOT NULL,
    digest     TEXT    NOT NULL,
    tags       TEXT    NOT NULL, -- JSON: those it had
    reason     TEXT    NOT NULL,
    bytes      INTEGER NOT NULL,
    PRIMARY KEY (plan_id, version_id)
) WITHOUT ROWID;

CREATE INDEX audit_target ON audit (target, id);
CREATE INDEX token_authorizations_of ON token_authorizations (organization_id, token_id);
