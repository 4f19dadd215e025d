-- +goose Up

CREATE TABLE packages (
    id           BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    owner_id     BIGINT NOT NULL REFERENCES accounts (id),
    type         TEXT COLLATE "C"    NOT NULL CHECK (type IN ('container', 'docker')),
    name         TEXT COLLATE "C"    NOT NULL,
    visibility   TEXT COLLATE "C"    NOT NULL CHECK (visibility IN ('private', 'internal', 'public')),
    created_at   BIGINT NOT NULL,
    created_by   BIGINT NOT NULL,
    published_at BIGINT,
    deleted_at   BIGINT
);
CREATE UNIQUE INDEX packages_present ON packages (owner_id, type, name) WHERE deleted_at IS NULL;

CREATE TABLE package_grants (
    package_id BIGINT NOT NULL REFERENCES packages (id),
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    role       TEXT COLLATE "C"    NOT NULL CHECK (role IN ('read', 'write', 'admin')),
    PRIMARY KEY (package_id, account_id)
);
CREATE INDEX package_grants_account ON package_grants (account_id);

-- The exact bytes of a manifest, once for the whole instance.
CREATE TABLE manifests (
    digest     TEXT COLLATE "C"    PRIMARY KEY,
    content    BYTEA    NOT NULL,
    created_at BIGINT NOT NULL
);

-- What a manifest needs (blob, manifest) or speaks of (subject).
CREATE TABLE edges (
    parent TEXT COLLATE "C" NOT NULL REFERENCES manifests (digest),
    child  TEXT COLLATE "C" NOT NULL,
    kind   TEXT COLLATE "C" NOT NULL CHECK (kind IN ('blob', 'manifest', 'subject')),
    PRIMARY KEY (parent, child, kind)
);
CREATE INDEX edges_child ON edges (child, parent);

CREATE TABLE versions (
    id            BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    package_id    BIGINT NOT NULL REFERENCES packages (id),
    digest        TEXT COLLATE "C"    NOT NULL REFERENCES manifests (digest),
    media_type    TEXT COLLATE "C"    NOT NULL,
    size          BIGINT NOT NULL,
    subject       TEXT COLLATE "C",
    artifact_type TEXT COLLATE "C"    NOT NULL,
    annotations   TEXT COLLATE "C"    NOT NULL,
    created_at    BIGINT NOT NULL,
    created_by    BIGINT NOT NULL,
    deleted_at    BIGINT
);
CREATE UNIQUE INDEX versions_digest ON versions (package_id, digest);
CREATE INDEX versions_subject ON versions (package_id, subject, id) WHERE subject IS NOT NULL AND deleted_at IS NULL;

-- A tag's history as intervals; the present one has no end.
CREATE TABLE tags (
    id         BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    package_id BIGINT NOT NULL REFERENCES packages (id),
    name       TEXT COLLATE "C"    NOT NULL,
    digest     TEXT COLLATE "C"    NOT NULL,
    since      BIGINT NOT NULL,
    set_by     BIGINT NOT NULL,
    until      BIGINT
);
CREATE UNIQUE INDEX tags_present ON tags (package_id, name) WHERE until IS NULL;
CREATE INDEX tags_digest ON tags (package_id, digest) WHERE until IS NULL;

CREATE TABLE blobs (
    digest      TEXT COLLATE "C"    PRIMARY KEY,
    size        BIGINT NOT NULL,
    location    TEXT COLLATE "C"    NOT NULL, -- '' when the bytes are in blob_contents
    state       TEXT COLLATE "C"    NOT NULL CHECK (state IN ('live', 'condemned', 'trashed', 'suspect')),
    lease_until BIGINT NOT NULL,
    created_at  BIGINT NOT NULL
);

-- Small blobs, whose files would cost more to write than their bytes.
CREATE TABLE blob_contents (
    digest  TEXT COLLATE "C" PRIMARY KEY REFERENCES blobs (digest),
    content BYTEA NOT NULL
);

-- Who may read a blob: those who may read a package that holds it.
CREATE TABLE package_blobs (
    package_id BIGINT NOT NULL REFERENCES packages (id),
    digest     TEXT COLLATE "C"    NOT NULL REFERENCES blobs (digest),
    PRIMARY KEY (package_id, digest)
);
CREATE INDEX package_blobs_digest ON package_blobs (digest, package_id);

CREATE TABLE upload_sessions (
    id           TEXT COLLATE "C"    PRIMARY KEY,
    owner_id     BIGINT NOT NULL,
    type         TEXT COLLATE "C"    NOT NULL,
    name         TEXT COLLATE "C"    NOT NULL,
    principal_id BIGINT NOT NULL,
    algorithm    TEXT COLLATE "C"    NOT NULL,
    epoch        BIGINT NOT NULL, -- rises with every save; a late writer loses
    size         BIGINT NOT NULL,
    hash_state   BYTEA,
    staged       BYTEA,
    content      BYTEA, -- the bytes themselves while they are few
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL
);
CREATE INDEX upload_sessions_expiry ON upload_sessions (expires_at);
CREATE INDEX upload_sessions_principal ON upload_sessions (principal_id);
