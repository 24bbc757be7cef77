//! `api_keys`: `sk-…` keys, of which only the SHA-256 is stored.
//!
//! A key holds 256 random bits, so a plain hash cannot be reversed by trying; a password hash at
//! every call would only cost the server its time.

use dailies_api::projects::Role;
use dailies_database::{DatabaseError, exactly_one};
use rusqlite::{Connection, OptionalExtension as _, Row, params};
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

/// Keys that people make, know by a name, and let end by themselves.
pub(crate) const NAMED: &str = "
    ALTER TABLE api_keys ADD COLUMN name TEXT NOT NULL DEFAULT '';
    ALTER TABLE api_keys ADD COLUMN hint TEXT NOT NULL DEFAULT '';
    ALTER TABLE api_keys ADD COLUMN created_by TEXT REFERENCES users (id);
    ALTER TABLE api_keys ADD COLUMN expires_at INTEGER;
    ALTER TABLE api_keys ADD COLUMN last_used_at INTEGER;
    CREATE INDEX api_keys_by_team ON api_keys (team_id, user_id)";

/// Keys of one team that may be good at the same time.
pub(crate) const MOST_KEYS: u32 = 1000;

/// How exact the time of the last use is, milliseconds: a key in use costs one write in it.
const USE_NOTED: i64 = 60 * 60 * 1000;
/// Characters after `sk-` by which a key is recognised: 36 of its 256 bits.
const HINT: usize = 6;

/// Whom a key speaks for.
#[derive(Clone, Debug)]
pub(crate) struct KeyRow {
    pub(crate) id: String,
    pub(crate) user_id: String,
    /// The one team it opens, whatever other teams its user is in.
    pub(crate) team_id: String,
    /// The most it may do there.
    pub(crate) role: Role,
    pub(crate) name: String,
    /// The user who made it; `None` where the server did.
    pub(crate) created_by: Option<String>,
    /// Milliseconds since 1970; `None` for a key that ends only when it is revoked.
    pub(crate) expires_at: Option<i64>,
}

/// A key as a list shows it.
#[derive(Clone, Debug)]
pub(crate) struct ListedKey {
    pub(crate) row: KeyRow,
    pub(crate) hint: String,
    pub(crate) user_name: String,
    pub(crate) created_at: i64,
    pub(crate) last_used_at: Option<i64>,
}

/// A key that opened something just now.
#[derive(Clone, Debug)]
pub(crate) struct GoodKey {
    pub(crate) row: KeyRow,
    /// Whether [`note_use`] has something to write.
    pub(crate) use_to_note: bool,
}

pub(crate) fn insert(
    connection: &Connection,
    key: &str,
    row: &KeyRow,
    now: i64,
) -> Result<(), DatabaseError> {
    connection.execute(
        "INSERT INTO api_keys
             (id, hash, hint, user_id, team_id, role, name, created_by, expires_at, created_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            row.id,
            hash(key),
            hint(key),
            row.user_id,
            row.team_id,
            text(row.role),
            row.name,
            row.created_by,
            row.expires_at,
            now
        ],
    )?;
    Ok(())
}

/// The key's row, unless it was revoked or has ended, or its user has left the team.
///
/// Asked at every call and kept nowhere, so that a revocation holds from the next call on, also
/// where another process wrote it. A lookup by hash tells nothing by the time it takes.
pub(crate) fn find(
    connection: &Connection,
    key: &str,
    now: i64,
) -> Result<Option<GoodKey>, DatabaseError> {
    Ok(connection
        .prepare_cached(
            "SELECT api_keys.* FROM api_keys JOIN members USING (team_id, user_id)
             WHERE hash = ?1 AND revoked_at IS NULL AND (expires_at IS NULL OR expires_at > ?2)",
        )?
        .query_row(params![hash(key), now], |row| {
            let last_used_at: Option<i64> = row.get("last_used_at")?;
            Ok(GoodKey {
                row: key_row(row)?,
                use_to_note: last_used_at.is_none_or(|at| at <= now - USE_NOTED),
            })
        })
        .optional()?)
}

/// Notes that the key is in use, at most once an hour.
pub(crate) fn note_use(connection: &Connection, id: &str, now: i64) -> Result<(), DatabaseError> {
    connection.execute(
        "UPDATE api_keys SET last_used_at = ?2
         WHERE id = ?1 AND (last_used_at IS NULL OR last_used_at <= ?3)",
        params![id, now, now - USE_NOTED],
    )?;
    Ok(())
}

/// The row of a key that was not revoked.
pub(crate) fn get(connection: &Connection, id: &str) -> Result<Option<KeyRow>, DatabaseError> {
    Ok(connection
        .prepare_cached("SELECT * FROM api_keys WHERE id = ?1 AND revoked_at IS NULL")?
        .query_row([id], key_row)
        .optional()?)
}

/// Keys that were not revoked, newest first: one team's, or all.
pub(crate) fn list(
    connection: &Connection,
    team_id: Option<&str>,
) -> Result<Vec<ListedKey>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT api_keys.*, users.name AS user_name
         FROM api_keys JOIN users ON users.id = api_keys.user_id
         WHERE (?1 IS NULL OR team_id = ?1) AND revoked_at IS NULL ORDER BY api_keys.id DESC",
    )?;
    let keys = statement.query_map([team_id], |row| {
        Ok(ListedKey {
            row: key_row(row)?,
            hint: row.get("hint")?,
            user_name: row.get("user_name")?,
            created_at: row.get("created_at")?,
            last_used_at: row.get("last_used_at")?,
        })
    })?;
    Ok(keys.collect::<Result<_, _>>()?)
}

/// Keys of the team that were not revoked.
pub(crate) fn count(connection: &Connection, team_id: &str) -> Result<u32, DatabaseError> {
    Ok(connection
        .prepare_cached("SELECT count(*) FROM api_keys WHERE team_id = ?1 AND revoked_at IS NULL")?
        .query_row([team_id], |row| row.get(0))?)
}

/// Ends a key for good.
pub(crate) fn revoke(connection: &Connection, id: &str, now: i64) -> Result<(), DatabaseError> {
    exactly_one(connection.execute(
        "UPDATE api_keys SET revoked_at = ?2 WHERE id = ?1 AND revoked_at IS NULL",
        params![id, now],
    )?)
}

/// Ends every key that speaks for the user, in one team or in all: for whoever leaves, so that
/// coming back brings no old key to life. How many there were.
pub(crate) fn revoke_all(
    connection: &Connection,
    user_id: &str,
    team_id: Option<&str>,
    now: i64,
) -> Result<usize, DatabaseError> {
    Ok(connection.execute(
        "UPDATE api_keys SET revoked_at = ?3
         WHERE user_id = ?1 AND (?2 IS NULL OR team_id = ?2) AND revoked_at IS NULL",
        params![user_id, team_id, now],
    )?)
}

fn key_row(row: &Row<'_>) -> rusqlite::Result<KeyRow> {
    Ok(KeyRow {
        id: row.get("id")?,
        user_id: row.get("user_id")?,
        team_id: row.get("team_id")?,
        role: parsed(row, "role")?,
        name: row.get("name")?,
        created_by: row.get("created_by")?,
        expires_at: row.get("expires_at")?,
    })
}

/// How the key begins. One that is no longer than that shows nothing.
pub(crate) fn hint(key: &str) -> &str {
    let end = "sk-".len() + HINT;
    if key.len() > 2 * end { key.get(..end).unwrap_or_default() } else { "" }
}

fn hash(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::teams::NewTeam;
    use crate::db::tests::scratch;
    use crate::db::{members, teams, users};

    const KEY: &str = "sk-abcdefghijklmnopqrstuvwxyz";

    #[tokio::test]
    async fn a_key_ends_by_itself_and_its_use_is_noted_once_an_hour() {
        let (_folder, database) = scratch();
        database
            .write::<_, DatabaseError, _>(|connection| {
                teams::insert(connection, &NewTeam { id: "t", name: "T", slug: "t" }, 0)?;
                users::insert(connection, "u", "U", 0)?;
                members::insert(connection, "t", "u", Role::Viewer)?;
                let row = KeyRow {
                    id: "k".into(),
                    user_id: "u".into(),
                    team_id: "t".into(),
                    role: Role::Viewer,
                    name: "n".into(),
                    created_by: None,
                    expires_at: Some(2 * USE_NOTED),
                };
                insert(connection, KEY, &row, 0)?;
                let noted = |now| {
                    let good = find(connection, KEY, now)?.expect("it is good");
                    note_use(connection, "k", now)?;
                    Ok::<_, DatabaseError>((
                        good.use_to_note,
                        list(connection, Some("t"))?[0].last_used_at,
                    ))
                };
                assert_eq!(noted(5)?, (true, Some(5)));
                assert_eq!(noted(4 + USE_NOTED)?, (false, Some(5)));
                assert_eq!(noted(5 + USE_NOTED)?, (true, Some(5 + USE_NOTED)));
                assert!(find(connection, KEY, 2 * USE_NOTED)?.is_none(), "it has ended");
                assert_eq!(list(connection, None)?[0].hint, "sk-abcdef");
                assert_eq!(revoke_all(connection, "u", Some("other"), 9)?, 0);
                assert_eq!(revoke_all(connection, "u", None, 9)?, 1);
                assert!(find(connection, KEY, 6)?.is_none(), "it was revoked");
                assert!(matches!(revoke(connection, "k", 9), Err(DatabaseError::Stale)));
                Ok(())
            })
            .await
            .expect("plain statements");
    }
}
