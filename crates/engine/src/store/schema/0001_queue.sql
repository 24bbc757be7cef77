CREATE TABLE uploads (
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
    -- Set before the video is registered: after a crash the team is asked for it first.
    register_tried  INTEGER NOT NULL CHECK (register_tried IN (0, 1)),
    video_id        TEXT,
    session         TEXT,
    duration        REAL,
    reason          TEXT,
    CHECK (phase <> 'ready' OR hold = 'none'),
    CHECK (phase IN ('queued', 'beginning') OR (video_id IS NOT NULL AND session IS NOT NULL)),
    CHECK (phase NOT IN ('processing', 'ready') OR uploaded_at IS NOT NULL)
) STRICT;
CREATE TABLE parts (
    upload_id   TEXT NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
    number      INTEGER NOT NULL CHECK (number BETWEEN 1 AND 10000),
    size        INTEGER NOT NULL CHECK (size > 0),
    etag        TEXT NOT NULL,
    crc64       INTEGER NOT NULL,
    proof       TEXT NOT NULL CHECK (proof IN ('signed', 'reported', 'size')),
    PRIMARY KEY (upload_id, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE settings (
    name    TEXT PRIMARY KEY,
    value   TEXT NOT NULL
) STRICT, WITHOUT ROWID;
