-- +goose Up

CREATE TABLE packages (
    id           INTEGER PRIMARY KEY,
    owner_id     INTEGER NOT NULL REFERENCES accounts (id),
    type         TEXT    NOT NULL CHECK (type IN ('container', 'docker')),
    name         TEXT    NOT NULL,
    visibility   TEXT    NOT NULL CHECK (visibility IN ('private', 'internal', 'public')),
    created_at   INTEGER NOT NULL,
    created_by   INTEGER NOT NULL,
    published_at INTEGER,
    deleted_at   INTEGER
);
CREATE UNIQUE INDEX packages_present ON packages (owner_id, type, name) WHERE deleted_at IS NULL;

CREATE TABLE package_grants (
    package_id INTEGER NOT NULL REFERENCES packages (id),
    account_id INTEGER NOT NULL REFERENCES accounts (id),
    role       TEXT    NOT NULL CHECK (role IN ('read', 'write', 'admin')),
    PRIMARY KEY (package_id, account_id)
) WITHOUT ROWID;
CREATE INDEX package_grants_account ON package_grants (account_id);

-- The exact bytes of a manifest, once for the whole instance.
CREATE TABLE manifests (
    digest     TEXT    PRIMARY KEY,
    content    BLOB    NOT NULL,
    created_at INTEGER NOT NULL
);

-- What a manifest needs (blob, manifest) or speaks of (subject).
CREATE TABLE edges (
    parent TEXT NOT NULL REFERENCES manifests (digest),
    child  TEXT NOT NULL,
    kind   TEXT NOT NULL CHECK (kind IN ('blob', 'manifest', 'subject')),
    PRIMARY KEY (parent, child, kind)
) WITHOUT ROWID;
CREATE INDEX edges_child ON edges (child, parent);

CREATE TABLE versions (
    id            INTEGER PRIMARY KEY,
    package_id    INTEGER NOT NULL REFERENCES packages (id),
    digest        TEXT    NOT NULL REFERENCES manifests (digest),
    media_type    TEXT    NOT NULL,
    size          INTEGER NOT NULL,
    subject       TEXT,
    artifact_type TEXT    NOT NULL,
    annotations   TEXT    NOT NULL,
    created_at    INTEGER NOT NULL,
    created_by    INTEGER NOT NULL,
    deleted_at    INTEGER
);
CREATE UNIQUE INDEX versions_digest ON versions (package_id, digest);
CREATE INDEX versions_subject ON versions (package_id, subject, id) WHERE subject IS NOT NULL AND deleted_at IS NULL;

-- A tag's history as intervals; the present one has no end.
CREATE TABLE tags (
    id         INTEGER PRIMARY KEY,
    package_id INTEGER NOT NULL REFERENCES packages (id),
    name       TEXT    NOT NULL,
    digest     TEXT    NOT NULL,
    since      INTEGER NOT NULL,
    set_by     INTEGER NOT NULL,
    until      INTEGER
);
CREATE UNIQUE INDEX tags_present ON tags (package_id, name) WHERE until IS NULL;
CREATE INDEX tags_digest ON tags (package_id, digest) WHERE until IS NULL;

CREATE TABLE blobs (
    digest      TEXT    PRIMARY KEY,
    size        INTEGER NOT NULL,
    location    TEXT    NOT NULL, -- '' when the bytes are in blob_contents
    state       TEXT    NOT NULL CHECK (state IN ('live', 'condemned', 'trashed', 'suspect')),
    lease_until INTEGER NOT NULL,
    created_at  INTEGER NOT NULL
);

-- Small blobs, whose files would cost more to write than their bytes.
CREATE TABLE blob_contents (
    digest  TEXT PRIMARY KEY REFERENCES blobs (digest),
    content BLOB NOT NULL
);

-- Who may read a blob: those who may read a package that holds it.
CREATE TABLE package_blobs (
    package_id INTEGER NOT NULL REFERENCES packages (id),
    digest     TEXT    NOT NULL REFERENCES blobs (digest),
    PRIMARY KEY (package_id, digest)
) WITHOUT ROWID;
CREATE INDEX package_blobs_digest ON package_blobs (digest, package_id);

CREATE TABLE upload_sessions (
    id           TEXT    PRIMARY KEY,
    owner_id     INTEGER NOT NULL,
    type         TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    principal_id INTEGER NOT NULL,
    algorithm    TEXT    NOT NULL,
    epoch        INTEGER NOT NULL, -- rises with every save; a late writer loses
    size         INTEGER NOT NULL,
    hash_state   BLOB,
    staged       BLOB,
    content      BLOB, -- the bytes themselves while they are few
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL
);
CREATE INDEX upload_sessions_expiry ON upload_sessions (expires_at);
CREATE INDEX upload_sessions_principal ON upload_sessions (principal_id);
