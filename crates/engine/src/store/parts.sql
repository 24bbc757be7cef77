CREATE TABLE parts (
    upload_id   TEXT NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
    number      INTEGER NOT NULL CHECK (number BETWEEN 1 AND 10000),
    size        INTEGER NOT NULL CHECK (size > 0),
    etag        TEXT NOT NULL,
    crc64       INTEGER NOT NULL,
    proof       TEXT NOT NULL CHECK (proof IN ('signed', 'reported', 'size')),
    PRIMARY KEY (upload_id, number)
) STRICT, WITHOUT ROWID;
