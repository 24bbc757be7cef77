-- Which uploads under way could be of the content of a file that is found in a watched folder: looked
-- for by size, once for each file, however long the queue is.
CREATE INDEX uploads_unsent ON uploads (size)
    WHERE phase IN ('queued', 'beginning', 'uploading', 'finishing');
