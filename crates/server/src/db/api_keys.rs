//! `api_keys`: `sk-…` keys, of which only the SHA-256 is stored.
//!
//! A key holds 256 random bits, so a plain hash cannot be reversed by trying; a password hash at
//! every call would only cost the server its time.

use dailies_api::projects::Role;
use dailies_database::DatabaseError;
use rusqlite::{Connection, OptionalExtension as _, params};
use sha2::{Digest as _, Sha256};

use super::{parsed, text};

pub(crate) const CREATE: &str = "
    CREATE TABLE api_keys (
        id TEXT PRIMARY KEY,
        hash BLOB NOT NULL UNIQUE CHECK (length(hash) = 32),
        user_id TEXT NOT NULL REFERENCES users (id),
        team_id TEXT NOT NULL REFERENCES teams (id),
        role TEXT NOT NULL CHECK (role IN ('owner', 'admin', 'member', 'viewer')),
        created_at INTEGER NOT NULL,
        revoked_at INTEGER
    ) STRICT";

/// Whom a key speaks for.
#[derive(Clone, Debug)]
pub(crate) struct KeyRow {
    pub(crate) id: String,
    pub(crate) user_id: String,
    /// The one team it opens, whatever other teams its user is in.
    pub(crate) team_id: String,
    /// The most it may do there.
    pub(crate) role: Role,
}

pub(crate) fn insert(
    connection: &Connection,
    key: &str,
    row: &KeyRow,
    now: i64,
) -> Result<(), DatabaseError> {
    connection.execute(
        "INSERT INTO api_keys (id, hash, user_id, team_id, role, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![row.id, hash(key), row.user_id, row.team_id, text(row.role), now],
    )?;
    Ok(())
}

/// The key's row, unless it was revoked.
pub(crate) fn find(connection: &Connection, key: &str) -> Result<Option<KeyRow>, DatabaseError> {
    Ok(connection
        .prepare_cached(
            "SELECT id, user_id, team_id, role FROM api_keys
             WHERE hash = ?1 AND revoked_at IS NULL",
        )?
        .query_row([hash(key)], |row| {
            Ok(KeyRow {
                id: row.get("id")?,
                user_id: row.get("user_id")?,
                team_id: row.get("team_id")?,
                role: parsed(row, "role")?,
            })
        })
        .optional()?)
}

fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}
