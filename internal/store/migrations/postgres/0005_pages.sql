-- +goose Up

-- What people chose for the pages; '' is what the browser asks for.
ALTER TABLE accounts ADD COLUMN language TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN theme TEXT COLLATE "C" NOT NULL DEFAULT '';

-- What a package and a repository say of themselves at length, as Markdown.
ALTER TABLE packages ADD COLUMN readme TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE repositories ADD COLUMN readme TEXT COLLATE "C" NOT NULL DEFAULT '';

-- Until when a browser may do what is dangerous without being asked again.
ALTER TABLE web_sessions ADD COLUMN sudo_until BIGINT NOT NULL DEFAULT 0;

-- Why the server switched a hook off, 'failing' or 'answerer'; '' when it did not.
ALTER TABLE hooks ADD COLUMN stopped TEXT COLLATE "C" NOT NULL DEFAULT '';

-- What a plan keeps although a rule would delete it: JSON, by reasons.
ALTER TABLE retention_plans ADD COLUMN kept TEXT COLLATE "C" NOT NULL DEFAULT '[]';

-- Build caches stand apart on the page of their package.
CREATE INDEX versions_cache ON versions (package_id, id) WHERE kind = 'cache' AND deleted_at IS NULL;

-- The newest tags of one version.
DROP INDEX tags_version;
CREATE INDEX tags_version ON tags (package_id, digest, until, id);

-- The first page shows what was published last.
CREATE INDEX packages_newest_public ON packages (published_at) WHERE visibility = 'public' AND type = 'container' AND deleted_at IS NULL;
CREATE INDEX packages_newest_docker ON packages (published_at) WHERE type = 'docker' AND deleted_at IS NULL;

-- The second factor. accounts.second_factor_at says since when a password alone
-- does not sign in; 0 for never. It holds while there is an authenticator app that
-- was confirmed, or a passkey.
ALTER TABLE accounts ADD COLUMN second_factor_at BIGINT NOT NULL DEFAULT 0;

-- The secret that an account shares with an authenticator app; before the first
-- right code confirmed_at is 0. Codes up to last_step were used.
CREATE TABLE authenticator_apps (
    account_id   BIGINT PRIMARY KEY REFERENCES accounts (id),
    secret       BYTEA    NOT NULL,
    created_at   BIGINT NOT NULL,
    confirmed_at BIGINT NOT NULL DEFAULT 0,
    last_step    BIGINT NOT NULL DEFAULT 0
);

-- Codes that sign in once when the second factor is lost.
CREATE TABLE recovery_codes (
    account_id BIGINT NOT NULL REFERENCES accounts (id),
    code_hash  TEXT COLLATE "C"    NOT NULL, -- SHA-256, hexadecimal
    used_at    BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (account_id, code_hash)
);

CREATE TABLE passkeys (
    id            BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
    account_id    BIGINT NOT NULL REFERENCES accounts (id),
    credential_id BYTEA    NOT NULL UNIQUE,
    public_key    BYTEA    NOT NULL,
    name          TEXT COLLATE "C"    NOT NULL,
    transports    TEXT COLLATE "C"    NOT NULL DEFAULT '', -- separated by commas
    aaguid        BYTEA    NOT NULL,
    flags         BIGINT NOT NULL, -- of the authenticator's data
    sign_count    BIGINT NOT NULL,
    created_at    BIGINT NOT NULL,
    last_used_at  BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX passkeys_account ON passkeys (account_id, id);

-- Sign-ins whose password was right, which wait for the second factor.
CREATE TABLE pending_sign_ins (
    id_hash      TEXT COLLATE "C"    PRIMARY KEY, -- SHA-256 of the secret in the cookie, hexadecimal
    account_id   BIGINT NOT NULL REFERENCES accounts (id),
    password_set BIGINT NOT NULL, -- the account's password_changed_at
    return_to    TEXT COLLATE "C"    NOT NULL,
    tries        BIGINT NOT NULL DEFAULT 0,
    expires_at   BIGINT NOT NULL
);
CREATE INDEX pending_sign_ins_account ON pending_sign_ins (account_id);
CREATE INDEX pending_sign_ins_expiry ON pending_sign_ins (expires_at);

-- What passkeys were asked to sign; each is taken once.
CREATE TABLE passkey_challenges (
    id_hash    TEXT COLLATE "C"    PRIMARY KEY, -- SHA-256 of the secret in the cookie, hexadecimal
    purpose    TEXT COLLATE "C"    NOT NULL,
    account_id BIGINT NOT NULL DEFAULT 0, -- 0 when it may be anybody
    data       TEXT COLLATE "C"    NOT NULL, -- JSON
    expires_at BIGINT NOT NULL
);
CREATE INDEX passkey_challenges_expiry ON passkey_challenges (expires_at);
