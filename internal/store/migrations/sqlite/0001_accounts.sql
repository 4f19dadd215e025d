-- +goose Up

CREATE TABLE accounts (
    id            INTEGER PRIMARY KEY,
    login         TEXT    NOT NULL UNIQUE, -- lower-case
    kind          TEXT    NOT NULL CHECK (kind IN ('user', 'organization')),
    site_admin    INTEGER NOT NULL,
    password_hash TEXT    NOT NULL, -- '' when it has none
    created_at    INTEGER NOT NULL,
    suspended_at  INTEGER
);

CREATE TABLE memberships (
    organization_id INTEGER NOT NULL REFERENCES accounts (id),
    user_id         INTEGER NOT NULL REFERENCES accounts (id),
    role            TEXT    NOT NULL CHECK (role IN ('member', 'owner')),
    created_at      INTEGER NOT NULL,
    PRIMARY KEY (organization_id, user_id)
) WITHOUT ROWID;
CREATE INDEX memberships_user ON memberships (user_id);

-- Secrets are not kept: what is here cannot be used to sign in.
CREATE TABLE tokens (
    id           INTEGER PRIMARY KEY,
    account_id   INTEGER NOT NULL REFERENCES accounts (id),
    kind         TEXT    NOT NULL,
    note         TEXT    NOT NULL,
    secret_hash  TEXT    NOT NULL UNIQUE, -- SHA-256, hexadecimal
    scopes       INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    last_used_at INTEGER,
    revoked_at   INTEGER
);
CREATE INDEX tokens_account ON tokens (account_id);

CREATE TABLE signing_keys (
    id          TEXT    PRIMARY KEY,
    private_key BLOB    NOT NULL,
    created_at  INTEGER NOT NULL,
    retired_at  INTEGER
);

CREATE TABLE settings (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE certificates (
    name       TEXT    PRIMARY KEY,
    content    BLOB    NOT NULL,
    updated_at INTEGER NOT NULL
);
