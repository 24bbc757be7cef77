//! `share_links`: what opens one video to whoever knows the link's token, perhaps with a password.
//!
//! The token is stored as it is, since the team reads it again in its list of links, as it does a
//! video's public id. A password is stored as its Argon2id hash; what a link leads to are grants.

use dailies_database::{DatabaseError, exactly_one};
use rusqlite::{Connection, OptionalExtension as _, Params, Row, params};

use super::access_grants;

/// `failed_attempts` counts wrong passwords since the last right one, or since the last lock-out.
pub(crate) const CREATE: &str = "
    CREATE TABLE share_links (
        id TEXT PRIMARY KEY,
        token TEXT NOT NULL UNIQUE CHECK (length(token) >= 43),
        video_id TEXT NOT NULL REFERENCES videos (id),
        creator_id TEXT NOT NULL REFERENCES users (id),
        creator_name TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER,
        allow_download INTEGER NOT NULL CHECK (allow_download IN (0, 1)),
        password_hash TEXT,
        failed_attempts INTEGER NOT NULL DEFAULT 0 CHECK (failed_attempts BETWEEN 0 AND 4),
        locked_until INTEGER NOT NULL DEFAULT 0,
        view_count INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX share_links_by_video ON share_links (video_id)";

/// Wrong passwords that lock a link.
pub(crate) const ATTEMPTS: u32 = 5;
/// For how long, milliseconds.
const LOCKED: i64 = 15 * 60 * 1000;

/// A link's row. Its token opens a video, so it has no `Debug`.
#[derive(Clone)]
pub(crate) struct LinkRow {
    pub(crate) id: String,
    pub(crate) token: String,
    pub(crate) video_id: String,
    pub(crate) creator_id: String,
    pub(crate) creator_name: String,
    /// Milliseconds since 1970.
    pub(crate) created_at: i64,
    /// The same; `None` for a link that does not expire.
    pub(crate) expires_at: Option<i64>,
    pub(crate) allow_download: bool,
    /// Argon2id, as a PHC string.
    pub(crate) password_hash: Option<String>,
    /// Milliseconds since 1970; 0 where it never was locked.
    pub(crate) locked_until: i64,
    pub(crate) view_count: u64,
}

impl LinkRow {
    pub(crate) fn is_expired(&self, now: i64) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

/// A link to be.
pub(crate) struct NewLink {
    pub(crate) id: String,
    pub(crate) token: String,
    pub(crate) video_id: String,
    pub(crate) creator_id: String,
    pub(crate) creator_name: String,
    pub(crate) expires_at: Option<i64>,
    pub(crate) allow_download: bool,
    pub(crate) password_hash: Option<String>,
}

/// What an update changes; `None` leaves it.
pub(crate) struct LinkChange {
    pub(crate) expires_at: Option<Option<i64>>,
    pub(crate) allow_download: Option<bool>,
    pub(crate) password_hash: Option<Option<String>>,
}

pub(crate) fn insert(
    connection: &Connection,
    link: &NewLink,
    now: i64,
) -> Result<(), DatabaseError> {
    connection.execute(
        "INSERT INTO share_links (id, token, video_id, creator_id, creator_name, created_at,
             expires_at, allow_download, password_hash)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        params![
            link.id,
            link.token,
            link.video_id,
            link.creator_id,
            link.creator_name,
            now,
            link.expires_at,
            link.allow_download,
            link.password_hash,
        ],
    )?;
    Ok(())
}

pub(crate) fn get(connection: &Connection, id: &str) -> Result<Option<LinkRow>, DatabaseError> {
    one(connection, "SELECT * FROM share_links WHERE id = ?1", [id])
}

pub(crate) fn by_token(
    connection: &Connection,
    token: &str,
) -> Result<Option<LinkRow>, DatabaseError> {
    one(connection, "SELECT * FROM share_links WHERE token = ?1", [token])
}

/// A video's links, oldest first.
pub(crate) fn of_video(
    connection: &Connection,
    video_id: &str,
) -> Result<Vec<LinkRow>, DatabaseError> {
    let mut statement = connection
        .prepare_cached("SELECT * FROM share_links WHERE video_id = ?1 ORDER BY created_at, id")?;
    let links = statement.query_map([video_id], link)?;
    Ok(links.collect::<Result<_, _>>()?)
}

/// A new password ends what the old one, or none, had opened, and the lock-out with it.
pub(crate) fn update(
    connection: &Connection,
    id: &str,
    change: &LinkChange,
) -> Result<(), DatabaseError> {
    if let Some(expires_at) = change.expires_at {
        let sql = "UPDATE share_links SET expires_at = ?2 WHERE id = ?1";
        exactly_one(connection.execute(sql, params![id, expires_at])?)?;
    }
    if let Some(allow_download) = change.allow_download {
        let sql = "UPDATE share_links SET allow_download = ?2 WHERE id = ?1";
        exactly_one(connection.execute(sql, params![id, allow_download])?)?;
    }
    if let Some(password_hash) = &change.password_hash {
        exactly_one(connection.execute(
            "UPDATE share_links SET password_hash = ?2, failed_attempts = 0, locked_until = 0
             WHERE id = ?1",
            params![id, password_hash],
        )?)?;
        if password_hash.is_some() {
            access_grants::end(connection, id)?;
        }
    }
    Ok(())
}

/// Ends the link and all that it opened.
pub(crate) fn delete(connection: &Connection, id: &str) -> Result<(), DatabaseError> {
    access_grants::end(connection, id)?;
    exactly_one(connection.execute("DELETE FROM share_links WHERE id = ?1", [id])?)
}

/// Counts a wrong password against the hash that it was tried on; the fifth locks the link, which
/// the answer says. False where the password was changed meanwhile.
pub(crate) fn wrong_password(
    connection: &Connection,
    seen: &LinkRow,
    now: i64,
) -> Result<bool, DatabaseError> {
    connection.execute(
        "UPDATE share_links SET
             locked_until = iif(failed_attempts + 1 >= ?3, ?4, locked_until),
             failed_attempts = iif(failed_attempts + 1 >= ?3, 0, failed_attempts + 1)
         WHERE id = ?1 AND password_hash IS ?2",
        params![seen.id, seen.password_hash, ATTEMPTS, now + LOCKED],
    )?;
    Ok(get(connection, &seen.id)?.is_some_and(|link| link.locked_until > now))
}

/// The right password, or none needed: counts a view. False where the link was taken away or got
/// another password meanwhile.
pub(crate) fn opened(connection: &Connection, seen: &LinkRow) -> Result<bool, DatabaseError> {
    Ok(connection.execute(
        "UPDATE share_links SET failed_attempts = 0, view_count = view_count + 1
         WHERE id = ?1 AND password_hash IS ?2",
        params![seen.id, seen.password_hash],
    )? == 1)
}

fn one(
    connection: &Connection,
    sql: &str,
    values: impl Params,
) -> Result<Option<LinkRow>, DatabaseError> {
    Ok(connection.prepare_cached(sql)?.query_row(values, link).optional()?)
}

fn link(row: &Row<'_>) -> rusqlite::Result<LinkRow> {
    Ok(LinkRow {
        id: row.get("id")?,
        token: row.get("token")?,
        video_id: row.get("video_id")?,
        creator_id: row.get("creator_id")?,
        creator_name: row.get("creator_name")?,
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
        allow_download: row.get("allow_download")?,
        password_hash: row.get("password_hash")?,
        locked_until: row.get("locked_until")?,
        view_count: row.get::<_, i64>("view_count")?.unsigned_abs(),
    })
}
