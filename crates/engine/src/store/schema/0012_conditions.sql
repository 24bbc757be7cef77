-- The same conditions without lists of more than two values: for each of those SQLite builds a table, six of them
-- here at every write of a row, which took a third of its time.
DROP INDEX uploads_begun;
CREATE INDEX uploads_begun ON uploads (id)
    WHERE (phase <> 'queued' AND phase <> 'ready'
           AND (hold = 'none' OR hold = 'backoff' OR hold = 'offline')) OR cleanup;
DROP INDEX uploads_unsent;
CREATE INDEX uploads_unsent ON uploads (size) WHERE phase <> 'processing' AND phase <> 'ready';
