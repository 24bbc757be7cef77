-- The team servers that were connected: enough of each to take files for it while it cannot be reached.
CREATE TABLE connections (
    server      TEXT PRIMARY KEY,
    -- What it said of itself when it answered last, as JSON.
    known       TEXT,
    -- The project that new files go to, where somebody chose one.
    project_id  TEXT
) STRICT, WITHOUT ROWID;

INSERT INTO connections (server, project_id)
SELECT server.value, project.value FROM settings server, settings project
WHERE server.name = 'server' AND project.name = 'project';
DELETE FROM settings WHERE name = 'project';

-- Which servers the queue has something for.
CREATE INDEX uploads_by_server ON uploads (server) WHERE list <> 'done';
-- What a server waits for the bytes of.
CREATE INDEX uploads_uploading ON uploads (server) WHERE phase = 'uploading';
-- The video that an upload is to be the next version of.
ALTER TABLE uploads ADD COLUMN version_of TEXT;
