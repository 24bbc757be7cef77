-- What has ended, newest first: receipts by their time, and the few uploads that ended without one.
CREATE INDEX receipts_by_time ON receipts (finished_at, upload_id);
CREATE INDEX uploads_given_up ON uploads (id) WHERE hold IN ('cancelled', 'failed');
