//! Uploads that nobody is at any more, and what of the storage a row still names.

use dailies_database::DatabaseError;
use rusqlite::{Connection, params};

use super::VideoRow;

/// What the queries here look up by.
pub(crate) const ADD: &str = "
    CREATE INDEX videos_idle ON videos (upload_updated_at) WHERE status = 'uploading';
    CREATE INDEX videos_by_multipart ON videos (multipart_upload_id)
        WHERE multipart_upload_id IS NOT NULL";

/// Ids of uploads that nothing has happened to since `before`, the longest idle first.
pub(crate) fn idle(
    connection: &Connection,
    before: i64,
    limit: u32,
) -> Result<Vec<String>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT id FROM videos WHERE status = 'uploading' AND upload_updated_at <= ?1
         ORDER BY upload_updated_at LIMIT ?2",
    )?;
    let ids = statement.query_map(params![before, limit], |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// uploading → failed with nothing stored, unless something has happened since `before`, or the
/// upload is another than the one that was `seen`. False then.
pub(crate) fn expire(
    connection: &Connection,
    seen: &VideoRow,
    before: i64,
    reason: &str,
    now: i64,
) -> Result<bool, DatabaseError> {
    Ok(connection.execute(
        "UPDATE videos SET status = 'failed', upload_error = ?5, original = NULL,
             multipart_upload_id = NULL, part_size = NULL, part_count = NULL, crc64nvme = NULL,
             superseded_asset_id = coalesce(mux_asset_id, superseded_asset_id),
             mux_asset_id = NULL, upload_updated_at = ?6
         WHERE id = ?1 AND status = 'uploading' AND upload_updated_at <= ?4
             AND original IS ?2 AND multipart_upload_id IS ?3",
        params![
            seen.id,
            seen.original,
            seen.multipart.as_ref().map(|open| &open.upload_id),
            before,
            reason,
            now,
        ],
    )? == 1)
}

/// Those of `keys` that no video's original lies under.
pub(crate) fn unnamed_keys(
    connection: &Connection,
    keys: Vec<String>,
) -> Result<Vec<String>, DatabaseError> {
    unknown(connection, "SELECT EXISTS (SELECT 1 FROM videos WHERE original = ?1)", keys)
}

/// Those of `uploads` that are no video's.
pub(crate) fn unnamed_uploads(
    connection: &Connection,
    uploads: Vec<String>,
) -> Result<Vec<String>, DatabaseError> {
    let exists = "SELECT EXISTS (SELECT 1 FROM videos WHERE multipart_upload_id = ?1)";
    unknown(connection, exists, uploads)
}

fn unknown(
    connection: &Connection,
    exists: &str,
    names: Vec<String>,
) -> Result<Vec<String>, DatabaseError> {
    let mut statement = connection.prepare_cached(exists)?;
    let mut unknown = Vec::new();
    for name in names {
        if !statement.query_row([&name], |row| row.get::<_, bool>(0))? {
            unknown.push(name);
        }
    }
    Ok(unknown)
}
