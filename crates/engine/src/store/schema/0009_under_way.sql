-- The bytes that go up next, or went up last, of a file that grows, where they go up in order: of a
-- request that a crash cut off, the other side may hold some.
CREATE TABLE under_way (
    upload_id TEXT PRIMARY KEY REFERENCES uploads (id) ON DELETE CASCADE,
    start INTEGER NOT NULL CHECK (start >= 0),
    length INTEGER NOT NULL CHECK (length > 0),
    crc64 INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
