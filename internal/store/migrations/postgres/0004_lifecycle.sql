-- +goose Up

-- What people say of themselves and of what is theirs.
ALTER TABLE accounts ADD COLUMN name TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN email TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN description TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE teams ADD COLUMN name TEXT COLLATE "C" NOT NULL DEFAULT ''; -- '' is the slug
ALTER TABLE teams ADD COLUMN description TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE repositories ADD COLUMN description TEXT COLLATE "C" NOT NULL DEFAULT '';
CREATE INDEX accounts_kind ON accounts (kind, id);

-- Tags that never move once they are set: patterns as a JSON list, '' for none.
-- The owner's hold for all its packages.
ALTER TABLE accounts ADD COLUMN immutable_tags TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE packages ADD COLUMN immutable_tags TEXT COLLATE "C" NOT NULL DEFAULT '';

-- What is deleted stays for a while and can be restored. Then a version's row
-- goes; a package's stays without content, since names lead to it.
ALTER TABLE packages ADD COLUMN deleted_by BIGINT;
ALTER TABLE packages ADD COLUMN purged_at BIGINT; -- its removal has begun: no way back
ALTER TABLE packages ADD COLUMN cleared_at BIGINT; -- its content is gone
ALTER TABLE versions ADD COLUMN deleted_by BIGINT;
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
ALTER TABLE versions ADD COLUMN kind TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE versions ADD COLUMN total_size BIGINT NOT NULL DEFAULT 0;
ALTER TABLE versions ADD COLUMN expires_at BIGINT; -- as its labels ask for
CREATE INDEX versions_unclassified ON versions (package_id, id) WHERE kind = '';

-- Pulls, each counted once: of a version under the tag that was asked for, '' for
-- a digest and '*' for what was pulled as a part of an index, which the sum of a
-- package leaves out; by days since 1970. The sums stand beside what they are sums of.
CREATE TABLE downloads (
    package_id BIGINT NOT NULL REFERENCES packages (id),
    version_id BIGINT NOT NULL,
    tag        TEXT COLLATE "C"    NOT NULL,
    day        BIGINT NOT NULL,
    count      BIGINT NOT NULL,
    PRIMARY KEY (package_id, version_id, tag, day)
);
CREATE INDEX downloads_day ON downloads (package_id, day);
CREATE INDEX downloads_tag ON downloads (package_id, tag, day);
ALTER TABLE packages ADD COLUMN downloads BIGINT NOT NULL DEFAULT 0;
ALTER TABLE versions ADD COLUMN downloads BIGINT NOT NULL DEFAULT 0;
ALTER TABLE versions ADD COLUMN last_download_at BIGINT;

-- Garbage collection looks at a blob when its review is due: when a lease runs
-- out, and when a manifest that needed it is gone. NULL: a manifest needs it.
ALTER TABLE blobs ADD COLUMN review_at BIGINT;
ALTER TABLE blobs ADD COLUMN condemned_at BIGINT;
ALTER TABLE blobs ADD COLUMN verified_at BIGINT; -- when its bytes were last hashed
UPDATE blobs SET review_at = lease_until;
CREATE INDEX blobs_review ON blobs (review_at) WHERE review_at IS NOT NULL;
CREATE INDEX blobs_suspect ON blobs (digest) WHERE state = 'suspect';
CREATE UNIQUE INDEX blobs_location ON blobs (location) WHERE location <> ''; -- for the checks of what the store holds

-- Bytes that no row of blobs leads to any more, until they are removed. They
-- can be taken back until then. A blob that is pushed again gets bytes of its own.
CREATE TABLE trash (
    id           BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    digest       TEXT COLLATE "C"    NOT NULL, -- '' for bytes whose digest is not known
    size         BIGINT NOT NULL,
    location     TEXT COLLATE "C"    NOT NULL, -- '' when the bytes are content
    content      BYTEA,
    packages     TEXT COLLATE "C"    NOT NULL, -- JSON: the ids of those that held it
    created_at   BIGINT NOT NULL,
    condemned_at BIGINT,
    trashed_at   BIGINT NOT NULL,
    purge_at     BIGINT NOT NULL,
    purging      BIGINT NOT NULL DEFAULT 0 -- its removal has begun: no way back
);
CREATE INDEX trash_digest ON trash (digest);
CREATE UNIQUE INDEX trash_location ON trash (location) WHERE location <> '';
CREATE INDEX trash_purge ON trash (purge_at);

-- What was removed for good, when and why.
CREATE TABLE receipts (
    id           BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    kind         TEXT COLLATE "C"    NOT NULL CHECK (kind IN ('blob', 'manifest', 'stray')),
    digest       TEXT COLLATE "C"    NOT NULL,
    size         BIGINT NOT NULL,
    location     TEXT COLLATE "C"    NOT NULL,
    reason       TEXT COLLATE "C"    NOT NULL,
    created_at   BIGINT NOT NULL,
    condemned_at BIGINT,
    trashed_at   BIGINT,
    purged_at    BIGINT NOT NULL
);
CREATE INDEX receipts_digest ON receipts (digest, id);

-- Work to be done: once at least, by any node.
CREATE TABLE jobs (
    id           BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    kind         TEXT COLLATE "C"    NOT NULL,
    args         TEXT COLLATE "C"    NOT NULL, -- JSON
    key          TEXT COLLATE "C", -- of all jobs with one key, one waits or runs at most
    state        TEXT COLLATE "C"    NOT NULL CHECK (state IN ('available', 'running', 'completed', 'failed', 'cancelled')),
    priority     BIGINT NOT NULL, -- the lower, the sooner
    attempt      BIGINT NOT NULL, -- rises with every start; who has an older one has lost the job
    max_attempts BIGINT NOT NULL,
    uncounted    BIGINT  NOT NULL DEFAULT 0, -- attempts beside those: put off, or given back
    run_at       BIGINT NOT NULL,
    lease_until  BIGINT, -- of a running one; then another node may take it
    node         TEXT COLLATE "C"    NOT NULL DEFAULT '',
    progress     TEXT COLLATE "C"    NOT NULL DEFAULT '', -- JSON, for people
    error        TEXT COLLATE "C"    NOT NULL DEFAULT '',
    created_at   BIGINT NOT NULL,
    started_at   BIGINT,
    ended_at     BIGINT
);
CREATE UNIQUE INDEX jobs_key ON jobs (key) WHERE key IS NOT NULL AND state IN ('available', 'running');
CREATE INDEX jobs_due ON jobs (kind, priority, run_at, id) WHERE state = 'available';
CREATE INDEX jobs_lease ON jobs (lease_until) WHERE state = 'running';
CREATE INDEX jobs_ended ON jobs (state, ended_at) WHERE ended_at IS NOT NULL;

-- When each piece of work that comes back is due again, for all nodes.
CREATE TABLE schedules (
    name   TEXT COLLATE "C"    PRIMARY KEY,
    due_at BIGINT NOT NULL
);

-- Where events are sent. A hook is of a package, of a repository, or with
-- neither of a whole account; that account is its owner in each case.
CREATE TABLE hooks (
    id            BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    owner_id      BIGINT NOT NULL REFERENCES accounts (id),
    repository_id BIGINT REFERENCES repositories (id),
    package_id    BIGINT REFERENCES packages (id),
    url           TEXT COLLATE "C"    NOT NULL,
    content_type  TEXT COLLATE "C"    NOT NULL CHECK (content_type IN ('json', 'form')),
    secret        TEXT COLLATE "C"    NOT NULL, -- '' for none; never shown
    insecure_ssl  BIGINT NOT NULL,
    events        TEXT COLLATE "C"    NOT NULL, -- JSON list
    active        BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    updated_at    BIGINT NOT NULL,
    created_by    BIGINT NOT NULL,
    updated_by    BIGINT NOT NULL, -- who answers for it: who made it or changed it last, 0 for the operator
    failing_since BIGINT
);
CREATE INDEX hooks_owner ON hooks (owner_id, id);
CREATE INDEX hooks_account ON hooks (owner_id, id) WHERE repository_id IS NULL AND package_id IS NULL;
CREATE INDEX hooks_repository ON hooks (repository_id, id) WHERE repository_id IS NOT NULL;
CREATE INDEX hooks_package ON hooks (package_id, id) WHERE package_id IS NOT NULL;

CREATE TABLE deliveries (
    id               BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    hook_id          BIGINT NOT NULL REFERENCES hooks (id),
    event_id         BIGINT, -- the job that carried the event; NULL for a redelivery
    guid             TEXT COLLATE "C"    NOT NULL, -- the same for each redelivery
    event            TEXT COLLATE "C"    NOT NULL,
    action           TEXT COLLATE "C"    NOT NULL,
    redelivery       BIGINT NOT NULL,
    payload          TEXT COLLATE "C"    NOT NULL,
    state            TEXT COLLATE "C"    NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
    attempts         BIGINT NOT NULL,
    next_at          BIGINT NOT NULL, -- no attempt begins before; of a pending one
    status_code      BIGINT NOT NULL, -- 0 before there was an answer
    error            TEXT COLLATE "C"    NOT NULL,
    request_headers  TEXT COLLATE "C"    NOT NULL, -- JSON
    response_headers TEXT COLLATE "C"    NOT NULL, -- JSON
    response_body    TEXT COLLATE "C"    NOT NULL, -- its beginning
    duration         BIGINT NOT NULL, -- in microseconds
    created_at       BIGINT NOT NULL,
    delivered_at     BIGINT -- the last attempt
);
CREATE INDEX deliveries_hook ON deliveries (hook_id, id);
CREATE INDEX deliveries_age ON deliveries (created_at);
CREATE UNIQUE INDEX deliveries_event ON deliveries (event_id, hook_id, event) WHERE event_id IS NOT NULL;
CREATE INDEX deliveries_pending ON deliveries (hook_id, id) WHERE state = 'pending';

-- Rules by which old versions go: of a package, or with package_id 0 of all
-- packages of the owner that have none of their own.
CREATE TABLE retention_policies (
    id         BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    owner_id   BIGINT NOT NULL REFERENCES accounts (id),
    package_id BIGINT NOT NULL,
    rules      TEXT COLLATE "C"    NOT NULL, -- JSON
    automatic  BIGINT NOT NULL, -- applied every day, without being asked
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    updated_by BIGINT NOT NULL
);
CREATE UNIQUE INDEX retention_policies_of ON retention_policies (owner_id, package_id);
CREATE INDEX retention_policies_package ON retention_policies (package_id);

-- What a policy would delete, as it was when the plan was made.
CREATE TABLE retention_plans (
    id         BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    owner_id   BIGINT NOT NULL REFERENCES accounts (id),
    package_id BIGINT NOT NULL, -- 0 for several
    rules      TEXT COLLATE "C"    NOT NULL,
    state      TEXT COLLATE "C"    NOT NULL CHECK (state IN ('planned', 'applied', 'undone', 'refused')),
    versions   BIGINT NOT NULL,
    bytes      BIGINT NOT NULL, -- that it frees
    more       BIGINT NOT NULL, -- the rules choose more than one plan takes
    created_at BIGINT NOT NULL,
    created_by BIGINT NOT NULL,
    applied_at BIGINT,
    applied_by BIGINT,
    undone_at  BIGINT
);
CREATE INDEX retention_plans_of ON retention_plans (owner_id, package_id, id);
CREATE INDEX retention_plans_age ON retention_plans (created_at);

CREATE TABLE retention_items (
    plan_id    BIGINT NOT NULL REFERENCES retention_plans (id),
    version_id BIGINT NOT NULL,
    package_id BIGINT NOT NULL,
    digest     TEXT COLLATE "C"    NOT NULL,
    tags       TEXT COLLATE "C"    NOT NULL, -- JSON: those it had
    reason     TEXT COLLATE "C"    NOT NULL,
    bytes      BIGINT NOT NULL,
    PRIMARY KEY (plan_id, version_id)
);

CREATE INDEX audit_target ON audit (target, id);
CREATE INDEX token_authorizations_of ON token_authorizations (organization_id, token_id);
