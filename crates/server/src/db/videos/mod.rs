//! `videos`: what the team uploaded, and where each stands.

pub(crate) mod growing;
pub(crate) mod idle;
pub(crate) mod listing;
mod original;
pub(crate) mod transitions;
pub(crate) mod versions;

use dailies_api::videos::{VideoStatus, Visibility};
use dailies_database::DatabaseError;
use rusqlite::{Connection, OptionalExtension as _, Params, Row, ToSql, params};

pub(crate) use self::original::{IS_DIRECT, Original, PLACED};

use super::{parsed, text};

/// `seq` orders by creation, also within one millisecond; it is what cursors name.
/// `superseded_asset_id` is the asset of an attempt before this one: its late webhooks count no more.
pub(crate) const CREATE: &str = "
    CREATE TABLE videos (
        seq INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        project_id TEXT NOT NULL REFERENCES projects (id),
        uploader_id TEXT NOT NULL REFERENCES users (id),
        uploader_name TEXT NOT NULL,
        title TEXT NOT NULL CHECK (title <> ''),
        description TEXT,
        visibility TEXT NOT NULL CHECK (visibility IN ('public', 'private')),
        public_id TEXT NOT NULL UNIQUE CHECK (length(public_id) >= 22),
        status TEXT NOT NULL CHECK (status IN ('uploading', 'processing', 'ready', 'failed')),
        upload_error TEXT,
        file_size INTEGER CHECK (file_size > 0),
        content_type TEXT,
        s3_key TEXT UNIQUE,
        multipart_upload_id TEXT,
        part_size INTEGER CHECK (part_size > 0),
        part_count INTEGER CHECK (part_count BETWEEN 1 AND 10000),
        crc64nvme TEXT,
        mux_asset_id TEXT,
        superseded_asset_id TEXT,
        mux_playback_id TEXT,
        duration REAL,
        created_at INTEGER NOT NULL,
        upload_updated_at INTEGER NOT NULL,
        CHECK ((status = 'failed') = (upload_error IS NOT NULL)),
        CHECK (status NOT IN ('processing', 'ready')
            OR (s3_key IS NOT NULL AND file_size IS NOT NULL AND multipart_upload_id IS NULL)),
        CHECK (status <> 'ready' OR (mux_asset_id IS NOT NULL AND mux_playback_id IS NOT NULL)),
        CHECK (multipart_upload_id IS NULL OR (status = 'uploading' AND s3_key IS NOT NULL
            AND file_size IS NOT NULL AND part_size IS NOT NULL AND part_count IS NOT NULL))
    ) STRICT;
    CREATE INDEX videos_by_project ON videos (project_id, seq);
    CREATE INDEX videos_in_work ON videos (status) WHERE status = 'processing'";

/// A video's versions are rows of one stack, numbered from 1; the one with the highest number is not
/// superseded. A video that never had a second version is in no stack.
pub(crate) const VERSIONS: &str = "
    ALTER TABLE videos ADD COLUMN stack_id TEXT;
    ALTER TABLE videos ADD COLUMN version_number INTEGER NOT NULL DEFAULT 1
        CHECK (version_number >= 1);
    ALTER TABLE videos ADD COLUMN superseded INTEGER NOT NULL DEFAULT 0
        CHECK (superseded IN (0, 1) AND (superseded = 0 OR stack_id IS NOT NULL));
    CREATE UNIQUE INDEX videos_by_stack ON videos (stack_id, version_number)
        WHERE stack_id IS NOT NULL;
    CREATE UNIQUE INDEX videos_one_latest ON videos (stack_id)
        WHERE stack_id IS NOT NULL AND superseded = 0;
    CREATE INDEX videos_latest ON videos (project_id, seq) WHERE superseded = 0;
    CREATE INDEX videos_by_title ON videos (project_id, title COLLATE NOCASE, seq)";

const SELECT: &str = "
    SELECT v.*, p.team_id FROM videos v JOIN projects p ON p.id = v.project_id";

/// A video to be.
pub(crate) struct NewVideo {
    pub(crate) id: String,
    pub(crate) project_id: String,
    pub(crate) uploader_id: String,
    pub(crate) uploader_name: String,
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) public_id: String,
    /// Bytes.
    pub(crate) file_size: Option<u64>,
    pub(crate) content_type: Option<String>,
}

/// A video's row, with the team it belongs to.
#[derive(Clone, Debug)]
pub(crate) struct VideoRow {
    pub(crate) seq: i64,
    pub(crate) id: String,
    pub(crate) project_id: String,
    pub(crate) team_id: String,
    pub(crate) uploader_id: String,
    pub(crate) uploader_name: String,
    pub(crate) title: String,
    pub(crate) description: Option<String>,
    pub(crate) visibility: Visibility,
    pub(crate) public_id: String,
    pub(crate) status: VideoStatus,
    pub(crate) upload_error: Option<String>,
    /// Bytes.
    pub(crate) file_size: Option<u64>,
    pub(crate) content_type: Option<String>,
    pub(crate) original: Option<Original>,
    /// Open until it is completed or aborted.
    pub(crate) multipart: Option<OpenMultipart>,
    pub(crate) crc64nvme: Option<String>,
    pub(crate) mux_asset_id: Option<String>,
    pub(crate) mux_playback_id: Option<String>,
    /// Seconds.
    pub(crate) duration: Option<f64>,
    /// Milliseconds since 1970.
    pub(crate) created_at: i64,
    /// What its versions have in common; `None` where there is only this one.
    pub(crate) stack_id: Option<String>,
    /// From 1.
    pub(crate) version_number: u32,
    /// There is a later version.
    pub(crate) superseded: bool,
}

impl VideoRow {
    /// Of its original in the storage.
    pub(crate) fn s3_key(&self) -> Option<&str> {
        match &self.original {
            Some(Original::Stored(key)) => Some(key),
            Some(Original::Direct(_)) | None => None,
        }
    }
}

/// A multipart upload and its plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OpenMultipart {
    pub(crate) upload_id: String,
    /// Bytes of every part but the last.
    pub(crate) part_size: u64,
    /// While it grows, the most there may be.
    pub(crate) part_count: u32,
    /// Its file is still being written: the row's size is what is promised to it so far.
    pub(crate) grows: bool,
}

pub(crate) fn insert(
    connection: &Connection,
    video: &NewVideo,
    now: i64,
) -> Result<(), DatabaseError> {
    connection.execute(
        "INSERT INTO videos (id, project_id, uploader_id, uploader_name, title, description,
             visibility, public_id, status, file_size, content_type, created_at, upload_updated_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?12)",
        params![
            video.id,
            video.project_id,
            video.uploader_id,
            video.uploader_name,
            video.title,
            video.description,
            text(Visibility::Public),
            video.public_id,
            text(VideoStatus::Uploading),
            video.file_size.map(stored),
            video.content_type,
            now,
        ],
    )?;
    Ok(())
}

pub(crate) fn get(connection: &Connection, id: &str) -> Result<Option<VideoRow>, DatabaseError> {
    one(connection, "v.id = ?1", id)
}

/// The asset of the attempt before this one.
pub(crate) fn superseded_asset(
    connection: &Connection,
    id: &str,
) -> Result<Option<String>, DatabaseError> {
    let sql = "SELECT superseded_asset_id FROM videos WHERE id = ?1";
    Ok(connection.query_row(sql, [id], |row| row.get(0)).optional()?.flatten())
}

pub(crate) fn by_public_id(
    connection: &Connection,
    public_id: &str,
) -> Result<Option<VideoRow>, DatabaseError> {
    one(connection, "v.public_id = ?1", public_id)
}

pub(crate) fn by_asset(
    connection: &Connection,
    asset_id: &str,
) -> Result<Option<VideoRow>, DatabaseError> {
    one(connection, "v.mux_asset_id = ?1", asset_id)
}

/// The video whose bytes go up by this direct upload, or went.
pub(crate) fn by_direct_upload(
    connection: &Connection,
    upload_id: &str,
) -> Result<Option<VideoRow>, DatabaseError> {
    one(connection, "v.original = ?1", Original::Direct(upload_id.to_owned()))
}

/// How many there are in each state.
pub(crate) fn by_status(connection: &Connection) -> Result<Vec<(String, i64)>, DatabaseError> {
    let mut statement =
        connection.prepare_cached("SELECT status, count(*) FROM videos GROUP BY status")?;
    let states = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(states.collect::<Result<_, _>>()?)
}

/// Ids of the videos that the media engine should be working on.
pub(crate) fn processing(connection: &Connection) -> Result<Vec<String>, DatabaseError> {
    let mut statement =
        connection.prepare_cached("SELECT id FROM videos WHERE status = 'processing'")?;
    let ids = statement.query_map([], |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// Rows of `SELECT`, under conditions and in an order.
fn many(
    connection: &Connection,
    rest: &str,
    values: impl Params,
) -> Result<Vec<VideoRow>, DatabaseError> {
    let mut statement = connection.prepare_cached(&format!("{SELECT} {rest}"))?;
    let rows = statement.query_map(values, video)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

fn one(
    connection: &Connection,
    condition: &str,
    value: impl ToSql,
) -> Result<Option<VideoRow>, DatabaseError> {
    Ok(connection
        .prepare_cached(&format!("{SELECT} WHERE {condition}"))?
        .query_row([value], video)
        .optional()?)
}

fn video(row: &Row<'_>) -> rusqlite::Result<VideoRow> {
    let upload_id: Option<String> = row.get("multipart_upload_id")?;
    let multipart = match upload_id {
        None => None,
        Some(upload_id) => Some(OpenMultipart {
            upload_id,
            part_size: row.get::<_, i64>("part_size")?.unsigned_abs(),
            part_count: row.get("part_count")?,
            grows: row.get("grows")?,
        }),
    };
    Ok(VideoRow {
        seq: row.get("seq")?,
        id: row.get("id")?,
        project_id: row.get("project_id")?,
        team_id: row.get("team_id")?,
        uploader_id: row.get("uploader_id")?,
        uploader_name: row.get("uploader_name")?,
        title: row.get("title")?,
        description: row.get("description")?,
        visibility: parsed(row, "visibility")?,
        public_id: row.get("public_id")?,
        status: parsed(row, "status")?,
        upload_error: row.get("upload_error")?,
        file_size: row.get::<_, Option<i64>>("file_size")?.map(i64::unsigned_abs),
        content_type: row.get("content_type")?,
        original: row.get("original")?,
        multipart,
        crc64nvme: row.get("crc64nvme")?,
        mux_asset_id: row.get("mux_asset_id")?,
        mux_playback_id: row.get("mux_playback_id")?,
        duration: row.get("duration")?,
        created_at: row.get("created_at")?,
        stack_id: row.get("stack_id")?,
        version_number: row.get("version_number")?,
        superseded: row.get("superseded")?,
    })
}

/// SQLite's integers have a sign; sizes are bounded far below its limit before they get here.
fn stored(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}
