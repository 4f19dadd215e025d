-- +goose Up

-- What people chose for the pages; '' is what the browser asks for.
ALTER TABLE accounts ADD COLUMN language TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE accounts ADD COLUMN theme TEXT COLLATE "C" NOT NULL DEFAULT '';

-- What a package and a repository say of themselves at length, as Markdown.
ALTER TABLE packages ADD COLUMN readme TEXT COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE repositories ADD COLUMN readme TEXT COLLATE "C" NOT NULL DEFAULT '';

-- Until when a browser may do what is dangerous without being asked again.
ALTER TABLE web_sessions ADD COLUMN sudo_until BIGINT NOT NULL DEFAULT 0;
