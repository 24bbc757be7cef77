-- Originals that somebody takes home, until they take them off the list. What opens them is asked for
-- each time: no address stands here.
CREATE TABLE downloads (
    id          INTEGER PRIMARY KEY CHECK (id BETWEEN 1 AND 4294967295),
    server      TEXT NOT NULL,
    video_id    TEXT NOT NULL,
    title       TEXT NOT NULL,
    -- Where the file is to be; where it is, once it is done.
    place       BLOB NOT NULL,
    -- A file was there, and whoever chose the place was asked.
    replaces    INTEGER NOT NULL CHECK (replaces IN (0, 1)),
    -- Of the whole, where that is known.
    size        INTEGER CHECK (size >= 0),
    -- 'placing' is set before the whole file gets its name, 'ending' before a half-made one is removed.
    stands      TEXT NOT NULL CHECK (stands IN ('arriving', 'placing', 'done', 'failed', 'ending')),
    code        TEXT CHECK ((code IS NOT NULL) = (stands = 'failed')),
    verified    INTEGER CHECK (verified IN (0, 1)),
    -- The half-made file, from before it is made.
    half        BLOB,
    -- What is surely on disk of it, and the storage's name for the content that it is of.
    arrived     INTEGER NOT NULL CHECK (arrived >= 0),
    crc64       INTEGER NOT NULL,
    tag         TEXT,
    CHECK ((verified IS NOT NULL) = (stands IN ('placing', 'done'))),
    CHECK (half IS NOT NULL OR (arrived = 0 AND stands <> 'placing') OR stands = 'done')
) STRICT;
