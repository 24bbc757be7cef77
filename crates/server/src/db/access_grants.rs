//! `access_grants`: what a share link gave to somebody who opened it, by a token of which only the
//! SHA-256 is stored. A grant ends after a day, and at once with its link.

use dailies_database::DatabaseError;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::share_links::{self, LinkRow};
use crate::random;

pub(crate) const CREATE: &str = "
    CREATE TABLE access_grants (
        hash BLOB PRIMARY KEY CHECK (length(hash) = 32),
        link_id TEXT NOT NULL REFERENCES share_links (id),
        expires_at INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX access_grants_by_link ON access_grants (link_id);
    CREATE INDEX access_grants_by_end ON access_grants (expires_at)";

/// How long a grant lives, milliseconds.
const LIVES: i64 = 24 * 60 * 60 * 1000;

/// A grant that holds.
pub(crate) struct Grant {
    pub(crate) link: LinkRow,
    /// Milliseconds since 1970.
    pub(crate) expires_at: i64,
}

/// Grants, and drops what has ended; answers when this one ends, milliseconds since 1970.
pub(crate) fn insert(
    connection: &Connection,
    token: &str,
    link_id: &str,
    now: i64,
) -> Result<i64, DatabaseError> {
    connection.execute("DELETE FROM access_grants WHERE expires_at <= ?1", [now])?;
    connection.execute(
        "INSERT INTO access_grants (hash, link_id, expires_at) VALUES (?1, ?2, ?3)",
        params![random::hash(token), link_id, now + LIVES],
    )?;
    Ok(now + LIVES)
}

/// The grant with its link, while both hold.
pub(crate) fn find(
    connection: &Connection,
    token: &str,
    now: i64,
) -> Result<Option<Grant>, DatabaseError> {
    let row: Option<(String, i64)> = connection
        .prepare_cached(
            "SELECT link_id, expires_at FROM access_grants WHERE hash = ?1 AND expires_at > ?2",
        )?
        .query_row(params![random::hash(token), now], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let Some((link_id, expires_at)) = row else { return Ok(None) };
    let link = share_links::get(connection, &link_id)?;
    Ok(link.filter(|link| !link.is_expired(now)).map(|link| Grant { link, expires_at }))
}

/// Ends all grants of a link.
pub(crate) fn end(connection: &Connection, link_id: &str) -> Result<(), DatabaseError> {
    connection.execute("DELETE FROM access_grants WHERE link_id = ?1", [link_id])?;
    Ok(())
}
