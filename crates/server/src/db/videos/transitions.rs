//! Every change of a video's state. Each `UPDATE` names the state it expects; what it finds instead
//! is [`DatabaseError::Stale`], or `false` where an event may rightly come too late.

use dailies_database::{DatabaseError, exactly_one};
use rusqlite::{Connection, params};

use super::original::IS_DIRECT;
use super::{OpenMultipart, Original, VideoRow, stored};

/// What an upload begins with.
pub(crate) struct Beginning {
    pub(crate) original: Original,
    /// Bytes, where they are known.
    pub(crate) file_size: Option<u64>,
    pub(crate) content_type: Option<String>,
    /// `None` for a single PUT.
    pub(crate) multipart: Option<OpenMultipart>,
}

/// What the storage says of an object that is complete.
#[derive(Clone, Debug)]
pub(crate) struct StoredOriginal {
    pub(crate) key: String,
    /// Bytes.
    pub(crate) size: u64,
    pub(crate) content_type: String,
    pub(crate) crc64nvme: Option<String>,
}

/// (uploading | failed) → uploading, under the storage state that was read as `seen`.
pub(crate) fn begin_upload(
    connection: &Connection,
    seen: &VideoRow,
    beginning: &Beginning,
    now: i64,
) -> Result<(), DatabaseError> {
    let multipart = beginning.multipart.as_ref();
    exactly_one(connection.execute(
        "UPDATE videos SET status = 'uploading', upload_error = NULL, original = ?4,
             file_size = ?5, content_type = ?6, multipart_upload_id = ?7, part_size = ?8,
             part_count = ?9, grows = ?11, crc64nvme = NULL, mux_playback_id = NULL,
             duration = NULL, superseded_asset_id = coalesce(mux_asset_id, superseded_asset_id),
             mux_asset_id = NULL, upload_updated_at = ?10
         WHERE id = ?1 AND status IN ('uploading', 'failed')
             AND original IS ?2 AND multipart_upload_id IS ?3",
        params![
            seen.id,
            seen.original,
            seen.multipart.as_ref().map(|open| &open.upload_id),
            beginning.original,
            beginning.file_size.map(stored),
            beginning.content_type,
            multipart.map(|open| &open.upload_id),
            multipart.map(|open| stored(open.part_size)),
            multipart.map(|open| open.part_count),
            now,
            multipart.is_some_and(|open| open.grows),
        ],
    )?)
}

/// Removes a video that never had a whole original. False where it has one, or is none any more.
pub(crate) fn remove_unfinished(connection: &Connection, id: &str) -> Result<bool, DatabaseError> {
    Ok(connection.execute(
        "DELETE FROM videos WHERE id = ?1 AND (status = 'uploading'
             OR (status = 'failed' AND original IS NULL))",
        [id],
    )? == 1)
}

/// Puts an unfinished upload into another project.
pub(crate) fn place(
    connection: &Connection,
    id: &str,
    project_id: &str,
) -> Result<(), DatabaseError> {
    exactly_one(connection.execute(
        "UPDATE videos SET project_id = ?2 WHERE id = ?1 AND status = 'uploading'",
        [id, project_id],
    )?)
}

/// Gives an upload its size, once that is known.
pub(crate) fn set_size(connection: &Connection, id: &str, size: u64) -> Result<(), DatabaseError> {
    exactly_one(connection.execute(
        "UPDATE videos SET file_size = ?2 WHERE id = ?1 AND status = 'uploading'",
        params![id, stored(size)],
    )?)
}

/// Says that somebody is still at this upload.
pub(crate) fn touch(connection: &Connection, id: &str, now: i64) -> Result<(), DatabaseError> {
    exactly_one(connection.execute(
        "UPDATE videos SET upload_updated_at = ?2 WHERE id = ?1 AND status = 'uploading'",
        params![id, now],
    )?)
}

/// The multipart upload became an object.
pub(crate) fn close_multipart(
    connection: &Connection,
    id: &str,
    upload_id: &str,
    now: i64,
) -> Result<(), DatabaseError> {
    exactly_one(connection.execute(
        "UPDATE videos SET multipart_upload_id = NULL, upload_updated_at = ?3
         WHERE id = ?1 AND status = 'uploading' AND multipart_upload_id = ?2",
        params![id, upload_id, now],
    )?)
}

/// (uploading | failed) → failed with nothing stored.
pub(crate) fn abandon(
    connection: &Connection,
    seen: &VideoRow,
    reason: &str,
    now: i64,
) -> Result<(), DatabaseError> {
    exactly_one(connection.execute(
        "UPDATE videos SET status = 'failed', upload_error = ?4, original = NULL,
             multipart_upload_id = NULL, part_size = NULL, part_count = NULL, crc64nvme = NULL,
             superseded_asset_id = coalesce(mux_asset_id, superseded_asset_id),
             mux_asset_id = NULL, upload_updated_at = ?5
         WHERE id = ?1 AND status IN ('uploading', 'failed')
             AND original IS ?2 AND multipart_upload_id IS ?3",
        params![
            seen.id,
            seen.original,
            seen.multipart.as_ref().map(|open| &open.upload_id),
            reason,
            now,
        ],
    )?)
}

/// (uploading | failed) → processing: the object is whole.
pub(crate) fn start_processing(
    connection: &Connection,
    id: &str,
    original: &StoredOriginal,
    now: i64,
) -> Result<(), DatabaseError> {
    exactly_one(connection.execute(
        "UPDATE videos SET status = 'processing', upload_error = NULL, file_size = ?3,
             content_type = ?4, crc64nvme = ?5, mux_playback_id = NULL, duration = NULL,
             superseded_asset_id = coalesce(mux_asset_id, superseded_asset_id),
             mux_asset_id = NULL, upload_updated_at = ?6
         WHERE id = ?1 AND status IN ('uploading', 'failed')
             AND original = ?2 AND multipart_upload_id IS NULL",
        params![
            id,
            original.key,
            stored(original.size),
            original.content_type,
            original.crc64nvme,
            now
        ],
    )?)
}

/// uploading → processing: all bytes came by this direct upload, and are this asset. False where the
/// video goes by another upload, or moved on.
pub(crate) fn direct_arrived(
    connection: &Connection,
    id: &str,
    upload_id: &str,
    asset_id: &str,
    now: i64,
) -> Result<bool, DatabaseError> {
    Ok(connection.execute(
        "UPDATE videos SET status = 'processing', mux_asset_id = ?3, upload_updated_at = ?4
         WHERE id = ?1 AND status = 'uploading' AND original = ?2",
        params![id, Original::Direct(upload_id.to_owned()), asset_id, now],
    )? == 1)
}

/// uploading → failed with nothing stored: no bytes come by this direct upload any more. False where
/// the video goes by another upload, or moved on.
pub(crate) fn direct_ended(
    connection: &Connection,
    id: &str,
    upload_id: &str,
    reason: &str,
    now: i64,
) -> Result<bool, DatabaseError> {
    Ok(connection.execute(
        "UPDATE videos SET status = 'failed', upload_error = ?3, original = NULL,
             upload_updated_at = ?4
         WHERE id = ?1 AND status = 'uploading' AND original = ?2",
        params![id, Original::Direct(upload_id.to_owned()), reason, now],
    )? == 1)
}

/// The media engine took the original. False where a webhook was faster.
pub(crate) fn set_asset(
    connection: &Connection,
    id: &str,
    asset_id: &str,
) -> Result<bool, DatabaseError> {
    Ok(connection.execute(
        "UPDATE videos SET mux_asset_id = ?2
         WHERE id = ?1 AND status = 'processing' AND mux_asset_id IS NULL
             AND superseded_asset_id IS NOT ?2",
        params![id, asset_id],
    )? == 1)
}

/// The media engine does not know the asset any more. False where the video moved on.
pub(crate) fn forget_asset(
    connection: &Connection,
    id: &str,
    asset_id: &str,
) -> Result<bool, DatabaseError> {
    Ok(connection.execute(
        "UPDATE videos SET mux_asset_id = NULL, superseded_asset_id = mux_asset_id
         WHERE id = ?1 AND status = 'processing' AND mux_asset_id = ?2",
        params![id, asset_id],
    )? == 1)
}

/// processing → failed: the media engine did not take the original.
pub(crate) fn media_refused(
    connection: &Connection,
    id: &str,
    reason: &str,
) -> Result<bool, DatabaseError> {
    Ok(connection.execute(
        "UPDATE videos SET status = 'failed', upload_error = ?2
         WHERE id = ?1 AND status = 'processing' AND mux_asset_id IS NULL",
        params![id, reason],
    )? == 1)
}

/// (processing | failed by this very asset) → ready. False where the event is another attempt's.
pub(crate) fn asset_ready(
    connection: &Connection,
    id: &str,
    asset_id: &str,
    playback_id: &str,
    duration: Option<f64>,
) -> Result<bool, DatabaseError> {
    Ok(connection.execute(
        "UPDATE videos SET status = 'ready', upload_error = NULL, mux_asset_id = ?2,
             mux_playback_id = ?3, duration = ?4
         WHERE id = ?1 AND superseded_asset_id IS NOT ?2
             AND ((status = 'processing' AND coalesce(mux_asset_id, ?2) = ?2)
                 OR (status = 'failed' AND mux_asset_id = ?2))",
        params![id, asset_id, playback_id, duration],
    )? == 1)
}

/// processing → failed, with the media engine's reason. Never undoes ready.
pub(crate) fn asset_errored(
    connection: &Connection,
    id: &str,
    asset_id: &str,
    reason: &str,
) -> Result<bool, DatabaseError> {
    Ok(connection.execute(
        "UPDATE videos SET status = 'failed', upload_error = ?3, mux_asset_id = ?2
         WHERE id = ?1 AND status = 'processing' AND superseded_asset_id IS NOT ?2
             AND coalesce(mux_asset_id, ?2) = ?2",
        params![id, asset_id, reason],
    )? == 1)
}

/// What a video says of which nothing is left but its row.
const NOT_IN_BACKUP: &str =
    "This video was not in the backup that the server was restored from. Upload the file again.";

/// ready → processing, for every video with an original: a restored server has no renditions. What
/// was with the media engine alone is lost: (processing | ready) → failed. Answers how many there
/// were.
pub(crate) fn make_media_again(connection: &Connection) -> Result<usize, DatabaseError> {
    let lost = connection.execute(
        &format!(
            "UPDATE videos SET status = 'failed', upload_error = ?1, original = NULL,
                 superseded_asset_id = mux_asset_id, mux_asset_id = NULL, mux_playback_id = NULL
             WHERE status IN ('processing', 'ready') AND {IS_DIRECT}"
        ),
        [NOT_IN_BACKUP],
    )?;
    let again = connection.execute(
        "UPDATE videos SET status = 'processing', superseded_asset_id = mux_asset_id,
             mux_asset_id = NULL, mux_playback_id = NULL
         WHERE status = 'ready'",
        [],
    )?;
    Ok(lost + again)
}
