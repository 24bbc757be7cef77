-- Watched folders.
CREATE TABLE folders (
    id          TEXT PRIMARY KEY,
    path        BLOB NOT NULL UNIQUE,
    server      TEXT NOT NULL,
    project_id  TEXT NOT NULL,
    project     TEXT NOT NULL,
    team        TEXT NOT NULL,
    rules       TEXT NOT NULL,
    added_at    INTEGER NOT NULL
) STRICT;

-- What became of the files in them. A row stays when its file goes: a drive that is not there looks
-- like one that is empty.
CREATE TABLE folder_files (
    folder_id   TEXT NOT NULL REFERENCES folders (id) ON DELETE CASCADE,
    -- Inside the folder.
    path        BLOB NOT NULL,
    size        INTEGER NOT NULL CHECK (size >= 0),
    modified_ns INTEGER NOT NULL,
    file        INTEGER,
    fate        TEXT NOT NULL CHECK (fate IN ('was_there', 'sent', 'same')),
    -- The upload that it was sent by, or that had sent the same content before.
    upload_id   TEXT CHECK ((upload_id IS NULL) = (fate = 'was_there')),
    -- What the folder's rules want done afterwards is done, or is nobody's business any more.
    cleared     INTEGER NOT NULL CHECK (cleared IN (0, 1)),
    PRIMARY KEY (folder_id, path)
) STRICT, WITHOUT ROWID;

CREATE INDEX folder_files_to_clear ON folder_files (folder_id, path)
    WHERE cleared = 0 AND upload_id IS NOT NULL;
