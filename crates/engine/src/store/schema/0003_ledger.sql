-- What happened to each upload, oldest first. Equal events that follow on each other are one row.
-- There is no row for its being added: the upload itself says when.
CREATE TABLE history (
    upload_id   TEXT NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
    number      INTEGER NOT NULL CHECK (number >= 1),
    at          INTEGER NOT NULL,
    last_at     INTEGER NOT NULL,
    times       INTEGER NOT NULL CHECK (times >= 1),
    event       TEXT NOT NULL,
    PRIMARY KEY (upload_id, number)
) STRICT, WITHOUT ROWID;

-- What proves that the bytes of a finished upload are with the team. Outlives the upload in the list.
CREATE TABLE receipts (
    upload_id   TEXT PRIMARY KEY,
    server      TEXT NOT NULL,
    project_id  TEXT NOT NULL,
    project     TEXT NOT NULL,
    team        TEXT NOT NULL,
    path        BLOB NOT NULL,
    size        INTEGER NOT NULL CHECK (size > 0),
    -- Checksum of head and tail: what could be the same content is found by it.
    sample      INTEGER NOT NULL,
    crc64       INTEGER NOT NULL,
    key         TEXT NOT NULL,
    video_id    TEXT,
    parts       INTEGER NOT NULL CHECK (parts >= 0),
    proof       TEXT NOT NULL CHECK (proof IN ('signed', 'reported', 'size')),
    -- As the server said it; what differs from this computer's is never written.
    said_size   INTEGER CHECK (said_size = size),
    said_crc64  INTEGER CHECK (said_crc64 = crc64),
    added_at    INTEGER NOT NULL,
    began_at    INTEGER,
    finished_at INTEGER NOT NULL,
    retries     INTEGER NOT NULL CHECK (retries >= 0)
) STRICT;
CREATE INDEX receipts_by_content ON receipts (size, sample, server, project_id);
