//! Table `assets`: what was made of each input, or why nothing was.

use dailies_api::mux::{Asset, AssetErrors, AssetProgress, AssetStatus, ProgressState};
use dailies_database::{DatabaseError, exactly_one};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{details, playback_ids, renditions, uploads};

pub(super) const SCHEMA: &str = "
CREATE TABLE assets (
    id TEXT PRIMARY KEY CHECK (length(id) = 26),
    status TEXT NOT NULL CHECK (status IN ('preparing', 'ready', 'errored')),
    passthrough TEXT CHECK (length(passthrough) <= 255),
    created_at INTEGER NOT NULL,
    duration REAL CHECK (duration > 0),
    aspect_ratio TEXT,
    bytes INTEGER CHECK (bytes > 0),
    error_kind TEXT,
    error_message TEXT,
    CHECK (status <> 'ready' OR (duration IS NOT NULL AND bytes IS NOT NULL)),
    CHECK ((status = 'errored') = (error_kind IS NOT NULL)),
    CHECK ((error_kind IS NULL) = (error_message IS NULL))
) STRICT, WITHOUT ROWID;
CREATE INDEX assets_by_age ON assets (created_at);
";

const COLUMNS: &str =
    "id, status, passthrough, created_at, duration, aspect_ratio, error_kind, error_message";

/// What a finished job says of its result.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::media) struct Made {
    /// Seconds.
    pub(in crate::media) duration: f64,
    /// `16:9`.
    pub(in crate::media) aspect_ratio: Option<String>,
    /// Size of all its files; what tells after a power cut whether they are whole.
    pub(in crate::media) bytes: u64,
}

/// Adds an asset in preparation.
pub(in crate::media) fn insert(
    connection: &Connection,
    id: &str,
    passthrough: Option<&str>,
    now: i64,
) -> Result<(), DatabaseError> {
    connection.execute(
        "INSERT INTO assets (id, status, passthrough, created_at) VALUES (?1, 'preparing', ?2, ?3)",
        params![id, passthrough, now],
    )?;
    Ok(())
}

/// One asset.
pub(in crate::media) fn get(
    connection: &Connection,
    id: &str,
) -> Result<Option<Asset>, DatabaseError> {
    let sql = format!("SELECT {COLUMNS} FROM assets WHERE id = ?1");
    let found = connection.query_row(&sql, [id], asset).optional()?;
    found.map(|asset| completed(connection, asset)).transpose()
}

/// Which assets to list, the newest first.
pub(in crate::media) struct Listed {
    pub(in crate::media) limit: u32,
    pub(in crate::media) offset: u32,
    /// Only those made before this one, which may be gone. Ids sort by time.
    pub(in crate::media) before: Option<String>,
    /// Only the one that came by this upload.
    pub(in crate::media) upload: Option<String>,
}

/// The newest first.
pub(in crate::media) fn list(
    connection: &Connection,
    listed: &Listed,
) -> Result<Vec<Asset>, DatabaseError> {
    let sql = format!(
        "SELECT {COLUMNS} FROM assets
         WHERE (?3 IS NULL OR id < ?3)
             AND (?4 IS NULL OR id IN (SELECT asset FROM uploads WHERE uploads.id = ?4))
         ORDER BY id DESC LIMIT ?1 OFFSET ?2"
    );
    let mut statement = connection.prepare(&sql)?;
    let Listed { limit, offset, before, upload } = listed;
    let assets = statement
        .query_map(params![limit, offset, before, upload], asset)?
        .collect::<Result<Vec<_>, _>>()?;
    assets.into_iter().map(|asset| completed(connection, asset)).collect()
}

/// Whether there is such an asset.
pub(in crate::media) fn exists(connection: &Connection, id: &str) -> Result<bool, DatabaseError> {
    Ok(connection
        .query_row("SELECT EXISTS (SELECT 1 FROM assets WHERE id = ?1)", [id], |row| row.get(0))?)
}

/// Bytes of a ready asset's files, as they were counted when they were made.
pub(in crate::media) fn bytes(
    connection: &Connection,
    id: &str,
) -> Result<Option<u64>, DatabaseError> {
    let bytes: Option<Option<i64>> = connection
        .query_row("SELECT bytes FROM assets WHERE id = ?1", [id], |row| row.get(0))
        .optional()?;
    Ok(bytes.flatten().and_then(|bytes| u64::try_from(bytes).ok()))
}

/// Makes an asset ready. One that was ready and had to be made again after a power cut may be so twice.
pub(in crate::media) fn ready(
    connection: &Connection,
    id: &str,
    made: &Made,
) -> Result<(), DatabaseError> {
    exactly_one(connection.execute(
        "UPDATE assets SET status = 'ready', duration = ?2, aspect_ratio = ?3, bytes = ?4
         WHERE id = ?1 AND status IN ('preparing', 'ready')",
        params![id, made.duration, made.aspect_ratio, i64::try_from(made.bytes).ok()],
    )?)
}

/// Says why an asset will not become ready.
pub(in crate::media) fn errored(
    connection: &Connection,
    id: &str,
    error: &AssetErrors,
) -> Result<(), DatabaseError> {
    exactly_one(connection.execute(
        "UPDATE assets SET status = 'errored', error_kind = ?2, error_message = ?3
         WHERE id = ?1 AND status IN ('preparing', 'ready')",
        params![id, error.kind, error.messages.join("\n")],
    )?)
}

/// Removes an asset with its playback ids and its job. False where there was none.
pub(in crate::media) fn delete(connection: &Connection, id: &str) -> Result<bool, DatabaseError> {
    Ok(connection.execute("DELETE FROM assets WHERE id = ?1", [id])? == 1)
}

/// Adds what other tables know of it.
fn completed(connection: &Connection, mut asset: Asset) -> Result<Asset, DatabaseError> {
    asset.playback_ids = playback_ids::of_asset(connection, &asset.id)?;
    let (state, progress) = match asset.status {
        AssetStatus::Preparing => (ProgressState::Ingesting, 0.0),
        AssetStatus::Errored => (ProgressState::Errored, -1.0),
        AssetStatus::Ready => {
            let count = renditions::count(connection, &asset.id)?;
            if count.ended == count.planned {
                (ProgressState::Completed, 100.0)
            } else {
                let percent = 100.0 * f64::from(count.ended) / f64::from(count.planned);
                (ProgressState::Transcoding, percent.round())
            }
        }
    };
    asset.progress = Some(AssetProgress { state, progress });
    asset.upload_id = uploads::of_asset(connection, &asset.id)?;
    asset.meta = details::meta(connection, &asset.id)?;
    Ok(asset)
}

fn asset(row: &Row<'_>) -> rusqlite::Result<Asset> {
    let status = match row.get_ref(1)?.as_str()? {
        "ready" => AssetStatus::Ready,
        "errored" => AssetStatus::Errored,
        _ => AssetStatus::Preparing,
    };
    let kind: Option<String> = row.get(6)?;
    let message: Option<String> = row.get(7)?;
    Ok(Asset {
        id: row.get(0)?,
        status,
        created_at: (row.get::<_, i64>(3)? / 1000).to_string(),
        duration: row.get(4)?,
        aspect_ratio: row.get(5)?,
        playback_ids: Vec::new(),
        passthrough: row.get(2)?,
        meta: None,
        upload_id: None,
        errors: kind
            .zip(message)
            .map(|(kind, message)| AssetErrors { kind, messages: vec![message] }),
        progress: None,
    })
}
