//! `removals`: what videos that are gone have left in the storage and in the media engine.
//!
//! A video's row ends, and its removal begins, in one transaction: whatever a crash interrupts, each
//! stored thing is pointed to by the one or by the other.

use dailies_database::{DatabaseError, exactly_one};
use rusqlite::{Connection, params};

use super::share_links;
use super::videos::{Original, VideoRow, versions};

/// `emptied` once nothing is left; the row stays until no address to send to can still be valid.
pub(crate) const CREATE: &str = "
    CREATE TABLE removals (
        video_id TEXT PRIMARY KEY,
        s3_key TEXT,
        mux_asset_id TEXT,
        superseded_asset_id TEXT,
        removed_at INTEGER NOT NULL,
        emptied INTEGER NOT NULL DEFAULT 0 CHECK (emptied IN (0, 1))
    ) STRICT, WITHOUT ROWID";

/// After this, milliseconds, no presigned address of the video is valid any more (parts: 24 hours).
const LATE: i64 = 25 * 60 * 60 * 1000;
/// Taken up at once.
const BATCH: u32 = 100;

/// What is to be removed.
#[derive(Clone, Debug)]
pub(crate) struct Removal {
    pub(crate) video_id: String,
    pub(crate) original: Option<Original>,
    /// Assets of the media engine.
    pub(crate) assets: Vec<String>,
    /// Only what came late is looked for.
    pub(crate) emptied: bool,
}

/// Ends a video with its links and grants; answers the version that takes its place, if one does.
pub(crate) fn begin(
    connection: &Connection,
    video: &VideoRow,
    now: i64,
) -> Result<Option<String>, DatabaseError> {
    for link in share_links::of_video(connection, &video.id)? {
        share_links::delete(connection, &link.id)?;
    }
    connection.execute(
        "INSERT INTO removals (video_id, original, mux_asset_id, superseded_asset_id, removed_at)
         SELECT id, original, mux_asset_id, superseded_asset_id, ?2 FROM videos WHERE id = ?1",
        params![video.id, now],
    )?;
    let stack = versions::stack(connection, video)?;
    exactly_one(connection.execute("DELETE FROM videos WHERE id = ?1", [&video.id])?)?;
    versions::close_up(connection, video)?;
    let at = stack.iter().position(|version| version.id == video.id).unwrap_or_default();
    let next = stack.get(at + 1).or_else(|| stack.get(at.checked_sub(1)?));
    Ok(next.map(|version| version.id.clone()))
}

/// What has to be done now.
pub(crate) fn due(connection: &Connection, now: i64) -> Result<Vec<Removal>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT * FROM removals WHERE emptied = 0 OR removed_at <= ?1
         ORDER BY removed_at LIMIT ?2",
    )?;
    let rows = statement.query_map(params![now - LATE, BATCH], |row| {
        let assets: [Option<String>; 2] =
            [row.get("mux_asset_id")?, row.get("superseded_asset_id")?];
        Ok(Removal {
            video_id: row.get("video_id")?,
            original: row.get("original")?,
            assets: assets.into_iter().flatten().collect(),
            emptied: row.get("emptied")?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Nothing of it is left; the row goes once nothing can come any more.
pub(crate) fn done(connection: &Connection, removal: &Removal) -> Result<(), DatabaseError> {
    let sql = if removal.emptied {
        "DELETE FROM removals WHERE video_id = ?1 AND emptied = 1"
    } else {
        "UPDATE removals SET emptied = 1 WHERE video_id = ?1 AND emptied = 0"
    };
    exactly_one(connection.execute(sql, [&removal.video_id])?)
}
