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
