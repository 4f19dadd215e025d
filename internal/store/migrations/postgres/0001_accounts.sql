-- +goose Up

CREATE TABLE accounts (
    id            BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    login         TEXT COLLATE "C"    NOT NULL UNIQUE, -- lower-case
    kind          TEXT COLLATE "C"    NOT NULL CHECK (kind IN ('user', 'organization')),
    site_admin    BIGINT NOT NULL,
    password_hash TEXT COLLATE "C"    NOT NULL, -- '' when it has none
    created_at    BIGINT NOT NULL,
    suspended_at  BIGINT
);

CREATE TABLE memberships (
    organization_id BIGINT NOT NULL REFERENCES accounts (id),
    user_id         BIGINT NOT NULL REFERENCES accounts (id),
    role            TEXT COLLATE "C"    NOT NULL CHECK (role IN ('member', 'owner')),
    created_at      BIGINT NOT NULL,
    PRIMARY KEY (organization_id, user_id)
);
CREATE INDEX memberships_user ON memberships (user_id);

-- Secrets are not kept: what is here cannot be used to sign in.
CREATE TABLE tokens (
    id           BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    account_id   BIGINT NOT NULL REFERENCES accounts (id),
    kind         TEXT COLLATE "C"    NOT NULL,
    note         TEXT COLLATE "C"    NOT NULL,
    secret_hash  TEXT COLLATE "C"    NOT NULL UNIQUE, -- SHA-256, hexadecimal
    scopes       BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT,
    last_used_at BIGINT,
    revoked_at   BIGINT
);
CREATE INDEX tokens_account ON tokens (account_id);

CREATE TABLE signing_keys (
    id          TEXT COLLATE "C"    PRIMARY KEY,
    private_key BYTEA    NOT NULL,
    created_at  BIGINT NOT NULL,
    retired_at  BIGINT
);

CREATE TABLE settings (
    name  TEXT COLLATE "C" PRIMARY KEY,
    value TEXT COLLATE "C" NOT NULL
);

CREATE TABLE certificates (
    name       TEXT COLLATE "C"    PRIMARY KEY,
    content    BYTEA    NOT NULL,
    updated_at BIGINT NOT NULL
);
