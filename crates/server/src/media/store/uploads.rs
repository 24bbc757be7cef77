//! Table `uploads`: direct uploads, from the address handed out to the asset made of the bytes.
//!
//! `waiting → asset_created | errored | cancelled | timed_out`. The row says how many bytes are
//! known to be on disk; what the file holds beyond them counts for nothing.

use dailies_api::mux::{Upload, UploadError, UploadStatus};
use dailies_database::{DatabaseError, exactly_one};
use rusqlite::{Connection, OptionalExtension, Row, params};

pub(super) const SCHEMA: &str = "
CREATE TABLE uploads (
    id TEXT PRIMARY KEY CHECK (length(id) = 26),
    status TEXT NOT NULL
        CHECK (status IN ('waiting', 'asset_created', 'errored', 'cancelled', 'timed_out')),
    created_at INTEGER NOT NULL,
    timeout INTEGER NOT NULL CHECK (timeout BETWEEN 60 AND 604800),
    expires_at INTEGER NOT NULL,
    cors_origin TEXT,
    settings TEXT,
    test INTEGER NOT NULL CHECK (test IN (0, 1)),
    total INTEGER CHECK (total > 0),
    stored INTEGER NOT NULL DEFAULT 0 CHECK (stored >= 0),
    file INTEGER NOT NULL DEFAULT 1 CHECK (file IN (0, 1)),
    asset TEXT,
    error_kind TEXT,
    error_message TEXT,
    CHECK (stored % 262144 = 0 OR stored = total),
    CHECK (total IS NULL OR stored <= total),
    CHECK ((status = 'asset_created') = (asset IS NOT NULL)),
    CHECK (status <> 'asset_created' OR stored = total),
    CHECK ((status = 'errored') = (error_kind IS NOT NULL)),
    CHECK ((error_kind IS NULL) = (error_message IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX uploads_waiting ON uploads (expires_at) WHERE status = 'waiting';
CREATE INDEX uploads_with_file ON uploads (status) WHERE file = 1;
CREATE INDEX uploads_by_asset ON uploads (asset) WHERE asset IS NOT NULL;
";

/// Bytes come in multiples of this, but for the last ones.
pub(in crate::media) use dailies_api::direct_uploads::GRANULE;

/// A new upload.
pub(in crate::media) struct NewUpload {
    pub(in crate::media) id: String,
    /// Seconds.
    pub(in crate::media) timeout: u32,
    pub(in crate::media) cors_origin: Option<String>,
    /// `new_asset_settings` as they were given.
    pub(in crate::media) settings: Option<serde_json::Value>,
    pub(in crate::media) test: bool,
}

/// What the one who takes the bytes has to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::media) struct Session {
    pub(in crate::media) status: UploadStatus,
    pub(in crate::media) cors_origin: Option<String>,
    /// Milliseconds.
    pub(in crate::media) expires_at: i64,
    /// Bytes of the whole, once somebody has said so.
    pub(in crate::media) total: Option<u64>,
    /// Bytes that are on disk.
    pub(in crate::media) stored: u64,
}

/// Adds an upload that waits for its bytes.
pub(in crate::media) fn insert(
    connection: &Connection,
    new: &NewUpload,
    now: i64,
) -> Result<(), DatabaseError> {
    connection.execute(
        "INSERT INTO uploads (id, status, created_at, timeout, expires_at, cors_origin, settings, test)
         VALUES (?1, 'waiting', ?2, ?3, ?4, ?5, ?6, ?7)",
        params![
            new.id,
            now,
            new.timeout,
            now.saturating_add(i64::from(new.timeout) * 1000),
            new.cors_origin,
            new.settings.as_ref().map(serde_json::Value::to_string),
            new.test,
        ],
    )?;
    Ok(())
}

const COLUMNS: &str =
    "id, status, timeout, cors_origin, settings, asset, test, error_kind, error_message";

/// One upload, without its address.
pub(in crate::media) fn get(
    connection: &Connection,
    id: &str,
) -> Result<Option<Upload>, DatabaseError> {
    let sql = format!("SELECT {COLUMNS} FROM uploads WHERE id = ?1");
    Ok(connection.query_row(&sql, [id], upload).optional()?)
}

/// The newest first, without their addresses.
pub(in crate::media) fn list(
    connection: &Connection,
    limit: u32,
    offset: u32,
) -> Result<Vec<Upload>, DatabaseError> {
    let sql = format!("SELECT {COLUMNS} FROM uploads ORDER BY id DESC LIMIT ?1 OFFSET ?2");
    let mut statement = connection.prepare(&sql)?;
    let uploads = statement.query_map([limit, offset], upload)?;
    Ok(uploads.collect::<Result<_, _>>()?)
}

/// How many wait for bytes.
pub(in crate::media) fn waiting(connection: &Connection) -> Result<u32, DatabaseError> {
    let sql = "SELECT count(*) FROM uploads WHERE status = 'waiting'";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

/// Where the bytes of an upload stand.
pub(in crate::media) fn session(
    connection: &Connection,
    id: &str,
) -> Result<Option<Session>, DatabaseError> {
    let sql = "SELECT status, cors_origin, expires_at, total, stored FROM uploads WHERE id = ?1";
    Ok(connection
        .query_row(sql, [id], |row| {
            Ok(Session {
                status: status(row.get_ref(0)?.as_str()?),
                cors_origin: row.get(1)?,
                expires_at: row.get(2)?,
                total: row.get::<_, Option<i64>>(3)?.map(bytes),
                stored: bytes(row.get(4)?),
            })
        })
        .optional()?)
}

/// The settings of the asset to make, as they were given.
pub(in crate::media) fn settings(
    connection: &Connection,
    id: &str,
) -> Result<Option<String>, DatabaseError> {
    Ok(connection
        .query_row("SELECT settings FROM uploads WHERE id = ?1", [id], |row| row.get(0))?)
}

/// More bytes are on disk. `total` where it is known, which never changes once it is.
pub(in crate::media) fn grow(
    connection: &Connection,
    id: &str,
    seen: u64,
    stored: u64,
    total: Option<u64>,
) -> Result<(), DatabaseError> {
    exactly_one(connection.execute(
        "UPDATE uploads SET stored = ?3, total = coalesce(total, ?4)
         WHERE id = ?1 AND status = 'waiting' AND stored = ?2
             AND coalesce(total, ?4) IS coalesce(?4, total)",
        params![id, number(seen), number(stored), total.map(number)],
    )?)
}

/// All bytes are on disk, and an asset is made of them.
pub(in crate::media) fn asset_created(
    connection: &Connection,
    id: &str,
    asset: &str,
) -> Result<(), DatabaseError> {
    exactly_one(connection.execute(
        "UPDATE uploads SET status = 'asset_created', asset = ?2
         WHERE id = ?1 AND status = 'waiting' AND stored = total",
        [id, asset],
    )?)
}

/// Its owner does not want it any more. False where it does not wait for bytes.
pub(in crate::media) fn cancel(connection: &Connection, id: &str) -> Result<bool, DatabaseError> {
    let sql = "UPDATE uploads SET status = 'cancelled' WHERE id = ?1 AND status = 'waiting'";
    Ok(connection.execute(sql, [id])? == 1)
}

/// No asset can be made of it.
pub(in crate::media) fn errored(
    connection: &Connection,
    id: &str,
    error: &UploadError,
) -> Result<(), DatabaseError> {
    exactly_one(connection.execute(
        "UPDATE uploads SET status = 'errored', error_kind = ?2, error_message = ?3
         WHERE id = ?1 AND status = 'waiting'",
        [id, &error.kind, &error.message],
    )?)
}

/// Gives up what did not come in time, and says what that was.
pub(in crate::media) fn time_out(
    connection: &Connection,
    now: i64,
) -> Result<Vec<String>, DatabaseError> {
    let mut statement = connection.prepare(
        "UPDATE uploads SET status = 'timed_out' WHERE status = 'waiting' AND expires_at <= ?1
         RETURNING id",
    )?;
    let ids = statement.query_map([now], |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// When the next one is to be given up, milliseconds.
pub(in crate::media) fn next_expiry(connection: &Connection) -> Result<Option<i64>, DatabaseError> {
    let sql = "SELECT min(expires_at) FROM uploads WHERE status = 'waiting'";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

/// Uploads whose bytes nobody needs any more: given up, or their asset is done or gone.
pub(in crate::media) fn unneeded(connection: &Connection) -> Result<Vec<String>, DatabaseError> {
    let mut statement = connection.prepare(
        "SELECT id FROM uploads WHERE file = 1 AND status <> 'waiting' AND NOT EXISTS (
             SELECT 1 FROM jobs WHERE jobs.asset = uploads.asset AND jobs.input IS NOT NULL)
         AND NOT EXISTS (SELECT 1 FROM renditions
             WHERE renditions.asset = uploads.asset AND renditions.input IS NOT NULL)",
    )?;
    let ids = statement.query_map([], |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// Its bytes are gone.
pub(in crate::media) fn removed(connection: &Connection, id: &str) -> Result<(), DatabaseError> {
    exactly_one(
        connection
            .execute("UPDATE uploads SET file = 0 WHERE id = ?1 AND status <> 'waiting'", [id])?,
    )
}

/// Uploads that wait, each with the bytes that are to be on disk.
pub(in crate::media) fn held(connection: &Connection) -> Result<Vec<(String, u64)>, DatabaseError> {
    let mut statement =
        connection.prepare("SELECT id, stored FROM uploads WHERE status = 'waiting'")?;
    let held = statement.query_map([], |row| Ok((row.get(0)?, bytes(row.get(1)?))))?;
    Ok(held.collect::<Result<_, _>>()?)
}

/// Whether bytes of this upload may lie on disk.
pub(in crate::media) fn has_file(connection: &Connection, id: &str) -> Result<bool, DatabaseError> {
    let sql = "SELECT EXISTS (SELECT 1 FROM uploads WHERE id = ?1 AND file = 1)";
    Ok(connection.query_row(sql, [id], |row| row.get(0))?)
}

/// The upload that an asset came by.
pub(super) fn of_asset(
    connection: &Connection,
    asset: &str,
) -> Result<Option<String>, DatabaseError> {
    let sql = "SELECT id FROM uploads WHERE asset = ?1";
    Ok(connection.query_row(sql, [asset], |row| row.get(0)).optional()?)
}

fn upload(row: &Row<'_>) -> rusqlite::Result<Upload> {
    let settings: Option<String> = row.get(4)?;
    let kind: Option<String> = row.get(7)?;
    let message: Option<String> = row.get(8)?;
    Ok(Upload {
        id: row.get(0)?,
        status: status(row.get_ref(1)?.as_str()?),
        timeout: row.get(2)?,
        cors_origin: row.get(3)?,
        new_asset_settings: settings.and_then(|text| serde_json::from_str(&text).ok()),
        url: None,
        asset_id: row.get(5)?,
        test: row.get(6)?,
        error: kind.zip(message).map(|(kind, message)| UploadError { kind, message }),
    })
}

/// An unknown word takes no bytes.
fn status(word: &str) -> UploadStatus {
    match word {
        "waiting" => UploadStatus::Waiting,
        "asset_created" => UploadStatus::AssetCreated,
        "cancelled" => UploadStatus::Cancelled,
        "timed_out" => UploadStatus::TimedOut,
        _ => UploadStatus::Errored,
    }
}

/// The table's checks keep it from being negative.
fn bytes(number: i64) -> u64 {
    number.unsigned_abs()
}

fn number(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
