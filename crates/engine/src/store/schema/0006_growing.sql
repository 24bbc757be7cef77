-- An upload that began before its file was finished. While the file grows its size is the one that
-- it had when it was found; what was sent of one that has grown is still to be compared with it.
ALTER TABLE uploads ADD COLUMN growth TEXT CHECK (growth IN ('growing', 'grown'));

CREATE INDEX uploads_growing ON uploads (id) WHERE growth = 'growing';
