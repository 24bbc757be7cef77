//! Videos as the Uploads API shows them: by the name of their file, with the time of the last change.

use dailies_api::videos::VideoStatus;
use dailies_database::{DatabaseError, exactly_one};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::parsed;
use super::videos::IS_DIRECT;

/// `filename` where it was said apart from the title. `changed_at`: null until the state changed.
pub(crate) const ADD: &str = "
    ALTER TABLE videos ADD COLUMN filename TEXT;
    ALTER TABLE videos ADD COLUMN changed_at INTEGER;
    CREATE TRIGGER videos_change AFTER UPDATE OF status ON videos WHEN NEW.status <> OLD.status
    BEGIN
        UPDATE videos SET changed_at = CAST(unixepoch('subsec') * 1000 AS INTEGER)
        WHERE seq = NEW.seq;
    END";

const SELECT: &str = "
    SELECT v.id, coalesce(v.filename, v.title) AS filename, v.status, v.created_at,
        v.mux_asset_id IS NOT NULL AS taken,
        max(v.created_at, v.upload_updated_at, coalesce(v.changed_at, 0)) AS updated_at
    FROM videos v JOIN projects p ON p.id = v.project_id";

/// A video, as far as the Uploads API tells.
#[derive(Clone, Debug)]
pub(crate) struct UploadRow {
    pub(crate) id: String,
    pub(crate) filename: String,
    pub(crate) status: VideoStatus,
    /// Whether the media engine has taken it.
    pub(crate) taken: bool,
    /// Milliseconds since 1970.
    pub(crate) created_at: i64,
    /// Milliseconds since 1970.
    pub(crate) updated_at: i64,
}

/// Notes what the video's file was called.
pub(crate) fn set_filename(
    connection: &Connection,
    id: &str,
    filename: &str,
) -> Result<(), DatabaseError> {
    let sql = "UPDATE videos SET filename = ?2 WHERE id = ?1";
    exactly_one(connection.execute(sql, [id, filename])?)
}

/// Removes what forms had begun when the server ended, and says how many: their senders were told
/// nothing, and will look for them before they send again. Their bytes are swept.
pub(crate) fn forget_interrupted(connection: &Connection) -> Result<usize, DatabaseError> {
    // A form notes its file's name, and no multipart upload: only the one who sends knows of that.
    let sql = format!(
        "DELETE FROM videos WHERE status = 'uploading' AND filename IS NOT NULL
             AND multipart_upload_id IS NULL AND original IS NOT NULL AND NOT ({IS_DIRECT})"
    );
    Ok(connection.execute(&sql, [])?)
}

/// The team's newest.
pub(crate) fn newest(
    connection: &Connection,
    team_id: &str,
    limit: u32,
) -> Result<Vec<UploadRow>, DatabaseError> {
    let sql = format!("{SELECT} WHERE p.team_id = ?1 ORDER BY v.seq DESC LIMIT ?2");
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params![team_id, limit], upload)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// One, if it is the team's.
pub(crate) fn get(
    connection: &Connection,
    team_id: &str,
    id: &str,
) -> Result<Option<UploadRow>, DatabaseError> {
    let sql = format!("{SELECT} WHERE p.team_id = ?1 AND v.id = ?2");
    Ok(connection.prepare_cached(&sql)?.query_row([team_id, id], upload).optional()?)
}

fn upload(row: &Row<'_>) -> rusqlite::Result<UploadRow> {
    Ok(UploadRow {
        id: row.get("id")?,
        filename: row.get("filename")?,
        status: parsed(row, "status")?,
        taken: row.get("taken")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    })
}
