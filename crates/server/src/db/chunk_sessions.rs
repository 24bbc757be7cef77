//! `chunk_sessions` and `chunks`: uploads whose chunks are confirmed one by one, each index once.
//!
//! A session's bytes are a video's multipart upload: chunk `i` is part `i + 1`.

use dailies_api::chunked_sessions::SessionStatus;
use dailies_database::{DatabaseError, exactly_one};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::{parsed, text};

/// `user_numbers`: the protocol names users by whole numbers.
pub(crate) const CREATE: &str = "
    CREATE TABLE user_numbers (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        user_id TEXT NOT NULL UNIQUE REFERENCES users (id) ON DELETE CASCADE
    ) STRICT;
    CREATE TABLE chunk_sessions (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        user_number INTEGER NOT NULL REFERENCES user_numbers (number) ON DELETE CASCADE,
        video_id TEXT REFERENCES videos (id) ON DELETE SET NULL,
        file_id TEXT NOT NULL UNIQUE,
        file_name TEXT NOT NULL,
        mime_type TEXT NOT NULL,
        total_size INTEGER NOT NULL CHECK (total_size > 0),
        duration INTEGER CHECK (duration >= 0),
        storage_key TEXT NOT NULL,
        chunk_size INTEGER NOT NULL CHECK (chunk_size > 0),
        total_chunks INTEGER NOT NULL CHECK (total_chunks BETWEEN 1 AND 10000),
        uploaded_chunks INTEGER NOT NULL DEFAULT 0
            CHECK (uploaded_chunks BETWEEN 0 AND total_chunks),
        uploaded_bytes INTEGER NOT NULL DEFAULT 0
            CHECK (uploaded_bytes BETWEEN 0 AND total_size),
        status TEXT NOT NULL CHECK
            (status IN ('initialized', 'uploading', 'assembling', 'completed', 'failed')),
        error_message TEXT,
        expires_at INTEGER NOT NULL,
        created_at INTEGER NOT NULL,
        updated_at INTEGER,
        completed_at INTEGER,
        CHECK ((status = 'failed') = (error_message IS NOT NULL)),
        CHECK ((status = 'completed') = (completed_at IS NOT NULL)),
        CHECK (status <> 'assembling' OR uploaded_chunks = total_chunks)
    ) STRICT;
    CREATE INDEX chunk_sessions_by_end ON chunk_sessions (expires_at);
    CREATE INDEX chunk_sessions_by_video ON chunk_sessions (video_id);
    CREATE TABLE chunks (
        session_id INTEGER NOT NULL REFERENCES chunk_sessions (id) ON DELETE CASCADE,
        chunk_index INTEGER NOT NULL,
        size INTEGER NOT NULL CHECK (size > 0),
        PRIMARY KEY (session_id, chunk_index)
    ) STRICT, WITHOUT ROWID";

/// A session to be.
pub(crate) struct NewSession {
    pub(crate) user_id: String,
    pub(crate) video_id: String,
    pub(crate) file_id: String,
    pub(crate) file_name: String,
    pub(crate) mime_type: String,
    /// Bytes.
    pub(crate) total_size: u64,
    /// Seconds.
    pub(crate) duration: Option<u64>,
    pub(crate) storage_key: String,
    /// Bytes.
    pub(crate) chunk_size: u64,
    pub(crate) total_chunks: u32,
    /// Milliseconds since 1970.
    pub(crate) expires_at: i64,
}

/// A session's row.
#[derive(Clone, Debug)]
pub(crate) struct SessionRow {
    pub(crate) id: i64,
    pub(crate) user_number: i64,
    pub(crate) user_id: String,
    /// `None`: the video was removed.
    pub(crate) video_id: Option<String>,
    /// The number that the protocol names the video by.
    pub(crate) media_file_id: Option<i64>,
    pub(crate) file_id: String,
    pub(crate) file_name: String,
    pub(crate) mime_type: String,
    pub(crate) total_size: u64,
    pub(crate) duration: Option<u64>,
    pub(crate) storage_key: String,
    pub(crate) chunk_size: u64,
    pub(crate) total_chunks: u32,
    pub(crate) uploaded_chunks: u32,
    pub(crate) uploaded_bytes: u64,
    pub(crate) status: SessionStatus,
    pub(crate) error_message: Option<String>,
    pub(crate) expires_at: i64,
    pub(crate) created_at: i64,
    pub(crate) updated_at: Option<i64>,
    pub(crate) completed_at: Option<i64>,
}

impl SessionRow {
    /// Bytes of the chunk at this index, which must be one of the session's.
    pub(crate) fn size_of(&self, index: u32) -> u64 {
        let begin = u64::from(index) * self.chunk_size;
        self.chunk_size.min(self.total_size.saturating_sub(begin))
    }
}

/// Answers the session's id.
pub(crate) fn insert(
    connection: &Connection,
    session: &NewSession,
    now: i64,
) -> Result<i64, DatabaseError> {
    connection.execute(
        "INSERT INTO user_numbers (user_id) VALUES (?1) ON CONFLICT (user_id) DO NOTHING",
        [&session.user_id],
    )?;
    connection.execute(
        "INSERT INTO chunk_sessions (user_number, video_id, file_id, file_name, mime_type,
             total_size, duration, storage_key, chunk_size, total_chunks, status, expires_at,
             created_at)
         VALUES ((SELECT number FROM user_numbers WHERE user_id = ?1),
             ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        params![
            session.user_id,
            session.video_id,
            session.file_id,
            session.file_name,
            session.mime_type,
            signed(session.total_size),
            session.duration.map(signed),
            session.storage_key,
            signed(session.chunk_size),
            session.total_chunks,
            text(SessionStatus::Initialized),
            session.expires_at,
            now,
        ],
    )?;
    Ok(connection.last_insert_rowid())
}

pub(crate) fn get(connection: &Connection, id: i64) -> Result<Option<SessionRow>, DatabaseError> {
    Ok(connection
        .prepare_cached(
            "SELECT s.*, u.user_id, v.seq FROM chunk_sessions s
             JOIN user_numbers u ON u.number = s.user_number
             LEFT JOIN videos v ON v.id = s.video_id WHERE s.id = ?1",
        )?
        .query_row([id], session)
        .optional()?)
}

/// Notes that the chunk is there; nothing changes where that was noted before.
///
/// # Errors
/// [`DatabaseError::Stale`] where the session takes no chunks any more.
pub(crate) fn confirm(
    connection: &Connection,
    id: i64,
    index: u32,
    size: u64,
    now: i64,
) -> Result<(), DatabaseError> {
    let new = connection.execute(
        "INSERT INTO chunks (session_id, chunk_index, size) VALUES (?1, ?2, ?3)
         ON CONFLICT (session_id, chunk_index) DO NOTHING",
        params![id, index, signed(size)],
    )? == 1;
    exactly_one(connection.execute(
        "UPDATE chunk_sessions SET uploaded_chunks = uploaded_chunks + ?2,
             uploaded_bytes = uploaded_bytes + ?2 * ?3, updated_at = ?4,
             status = CASE WHEN uploaded_chunks + ?2 = total_chunks THEN 'assembling'
                 ELSE 'uploading' END
         WHERE id = ?1 AND expires_at > ?4
             AND status IN ('initialized', 'uploading', 'assembling')",
        params![id, new, signed(size), now],
    )?)?;
    connection.execute(
        "UPDATE videos SET upload_updated_at = ?2
         WHERE status = 'uploading' AND id = (SELECT video_id FROM chunk_sessions WHERE id = ?1)",
        [id, now],
    )?;
    Ok(())
}

/// Takes back that the chunk is there: the storage has lost it, and it may be sent again.
pub(crate) fn forget(
    connection: &Connection,
    id: i64,
    index: u32,
    now: i64,
) -> Result<(), DatabaseError> {
    let size: Option<i64> = connection
        .prepare_cached(
            "DELETE FROM chunks WHERE session_id = ?1 AND chunk_index = ?2 RETURNING size",
        )?
        .query_row(params![id, index], |row| row.get(0))
        .optional()?;
    let Some(size) = size else { return Ok(()) };
    exactly_one(connection.execute(
        "UPDATE chunk_sessions SET uploaded_chunks = uploaded_chunks - 1,
             uploaded_bytes = uploaded_bytes - ?2, status = 'uploading', updated_at = ?3
         WHERE id = ?1 AND status IN ('uploading', 'assembling')",
        params![id, size, now],
    )?)
}

/// assembling → completed.
pub(crate) fn complete(connection: &Connection, id: i64, now: i64) -> Result<(), DatabaseError> {
    exactly_one(connection.execute(
        "UPDATE chunk_sessions SET status = 'completed', completed_at = ?2, updated_at = ?2
         WHERE id = ?1 AND status = 'assembling'",
        [id, now],
    )?)
}

/// (initialized | uploading | assembling) → failed, once the session's day is over. False where it
/// is not, or the session ended otherwise.
pub(crate) fn expire(
    connection: &Connection,
    id: i64,
    reason: &str,
    now: i64,
) -> Result<bool, DatabaseError> {
    Ok(connection.execute(
        "UPDATE chunk_sessions SET status = 'failed', error_message = ?2, updated_at = ?3
         WHERE id = ?1 AND expires_at <= ?3
             AND status IN ('initialized', 'uploading', 'assembling')",
        params![id, reason, now],
    )? == 1)
}

/// Ids of sessions whose day is over and which did not end.
pub(crate) fn expired(
    connection: &Connection,
    now: i64,
    limit: u32,
) -> Result<Vec<i64>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT id FROM chunk_sessions
         WHERE expires_at <= ?1 AND status IN ('initialized', 'uploading', 'assembling')
         ORDER BY expires_at LIMIT ?2",
    )?;
    let ids = statement.query_map(params![now, limit], |row| row.get(0))?;
    Ok(ids.collect::<Result<_, _>>()?)
}

/// Removes the session, in whatever state it is.
pub(crate) fn remove(connection: &Connection, id: i64) -> Result<(), DatabaseError> {
    exactly_one(connection.execute("DELETE FROM chunk_sessions WHERE id = ?1", [id])?)
}

/// Drops at most `limit` sessions that ended a week ago; says how many.
pub(crate) fn drop_old(
    connection: &Connection,
    now: i64,
    limit: u32,
) -> Result<usize, DatabaseError> {
    const KEPT: i64 = 7 * 24 * 60 * 60 * 1000;
    Ok(connection.execute(
        "DELETE FROM chunk_sessions WHERE id IN (SELECT id FROM chunk_sessions
             WHERE expires_at <= ?1 AND status IN ('completed', 'failed') LIMIT ?2)",
        params![now - KEPT, limit],
    )?)
}

fn session(row: &Row<'_>) -> rusqlite::Result<SessionRow> {
    let bytes = |column: &str| row.get::<_, i64>(column).map(i64::unsigned_abs);
    Ok(SessionRow {
        id: row.get("id")?,
        user_number: row.get("user_number")?,
        user_id: row.get("user_id")?,
        video_id: row.get("video_id")?,
        media_file_id: row.get("seq")?,
        file_id: row.get("file_id")?,
        file_name: row.get("file_name")?,
        mime_type: row.get("mime_type")?,
        total_size: bytes("total_size")?,
        duration: row.get::<_, Option<i64>>("duration")?.map(i64::unsigned_abs),
        storage_key: row.get("storage_key")?,
        chunk_size: bytes("chunk_size")?,
        total_chunks: row.get("total_chunks")?,
        uploaded_chunks: row.get("uploaded_chunks")?,
        uploaded_bytes: bytes("uploaded_bytes")?,
        status: parsed(row, "status")?,
        error_message: row.get("error_message")?,
        expires_at: row.get("expires_at")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
        completed_at: row.get("completed_at")?,
    })
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
