-- The queue has lists and an order of its own, so that none of it has to be in memory. An upload may
-- be known to its team only with its bytes, so it may have no video while they go up; and protocols
-- divide files into other numbers of parts than S3 does. SQLite changes no CHECK in place: both
-- tables are made anew.
CREATE TABLE uploads_new (
    id              TEXT PRIMARY KEY,
    rev             INTEGER NOT NULL DEFAULT 0,
    phase           TEXT NOT NULL CHECK (phase IN
                    ('queued', 'beginning', 'uploading', 'finishing', 'processing', 'ready')),
    hold            TEXT NOT NULL CHECK (hold IN
                    ('none', 'paused', 'backoff', 'offline', 'source_missing', 'needs_user',
                     'cancelled', 'failed')),
    hold_until      INTEGER CHECK ((hold_until IS NOT NULL) = (hold IN ('backoff', 'offline'))),
    hold_code       TEXT CHECK ((hold_code IS NOT NULL) = (hold IN ('needs_user', 'failed'))),
    attempts        INTEGER NOT NULL CHECK (attempts >= 0),
    cleanup         INTEGER NOT NULL CHECK (cleanup IN (0, 1)),
    path            BLOB NOT NULL,
    title           TEXT NOT NULL,
    content_type    TEXT NOT NULL,
    size            INTEGER NOT NULL CHECK (size > 0),
    fingerprint     TEXT NOT NULL,
    server          TEXT NOT NULL,
    project_id      TEXT NOT NULL,
    project         TEXT NOT NULL,
    team            TEXT NOT NULL,
    added_at        INTEGER NOT NULL,
    uploaded_at     INTEGER,
    -- 'tried' is set before the team is told: after a crash it is asked first.
    registration    TEXT NOT NULL CHECK (registration IN ('no', 'tried', 'done')),
    video_id        TEXT,
    session         TEXT,
    duration        REAL,
    reason          TEXT,
    -- Its place in its list: gaps of 2^32 are left for what is moved.
    place           INTEGER NOT NULL,
    -- Goes before all that is not.
    first           INTEGER NOT NULL DEFAULT 0 CHECK (first IN (0, 1)),
    list            TEXT NOT NULL GENERATED ALWAYS AS (CASE
                        WHEN phase = 'ready' OR hold = 'cancelled' THEN 'done'
                        WHEN hold IN ('needs_user', 'failed', 'source_missing') THEN 'needs_you'
                        WHEN hold IN ('paused', 'offline') OR phase = 'queued' THEN 'waiting'
                        ELSE 'uploading' END) STORED,
    CHECK (phase <> 'ready' OR hold = 'none'),
    CHECK (phase IN ('queued', 'beginning') OR (registration = 'done' AND session IS NOT NULL)),
    CHECK (phase NOT IN ('processing', 'ready') OR (uploaded_at IS NOT NULL AND video_id IS NOT NULL))
) STRICT;

INSERT INTO uploads_new (id, rev, phase, hold, hold_until, hold_code, attempts, cleanup, path,
    title, content_type, size, fingerprint, server, project_id, project, team, added_at, uploaded_at,
    registration, video_id, session, duration, reason, place)
SELECT id, rev, phase, hold, hold_until, hold_code, attempts, cleanup, path, title, content_type,
       size, fingerprint, server, project_id, project, team, added_at, uploaded_at,
       CASE WHEN video_id IS NOT NULL THEN 'done' WHEN register_tried THEN 'tried' ELSE 'no' END,
       video_id, session, duration, reason,
       -- What has ended stands newest first.
       CASE WHEN phase = 'ready' OR hold = 'cancelled' THEN -1 ELSE 1 END
           * row_number() OVER (ORDER BY id) * (1 << 32)
FROM uploads;

CREATE TABLE parts_new (
    upload_id   TEXT NOT NULL REFERENCES uploads_new (id) ON DELETE CASCADE,
    number      INTEGER NOT NULL CHECK (number >= 1),
    size        INTEGER NOT NULL CHECK (size > 0),
    etag        TEXT NOT NULL,
    crc64       INTEGER NOT NULL,
    proof       TEXT NOT NULL CHECK (proof IN ('signed', 'reported', 'size')),
    PRIMARY KEY (upload_id, number)
) STRICT, WITHOUT ROWID;

INSERT INTO parts_new SELECT upload_id, number, size, etag, crc64, proof FROM parts;

DROP TABLE parts;
DROP TABLE uploads;
ALTER TABLE uploads_new RENAME TO uploads;
ALTER TABLE parts_new RENAME TO parts;

-- What its pages and counts are read from, and nothing else.
CREATE INDEX uploads_by_place ON uploads (list, place, hold, phase, size);
-- Which starts next.
CREATE INDEX uploads_next ON uploads (server, first DESC, place)
    WHERE phase = 'queued' AND hold = 'none';
-- What goes on at a start.
CREATE INDEX uploads_begun ON uploads (id)
    WHERE (phase IN ('beginning', 'uploading', 'finishing', 'processing')
           AND hold IN ('none', 'backoff', 'offline')) OR cleanup;
CREATE INDEX uploads_missing ON uploads (id) WHERE hold = 'source_missing';
-- Whose video one that the team knows could be: cameras give the same names again and again.
CREATE INDEX uploads_by_title ON uploads (title);
CREATE INDEX uploads_by_path ON uploads (path);
