//! Table `signing_keys`: public halves of the keys that were made through the API.

use dailies_api::mux::SigningKey;
use dailies_database::DatabaseError;
use rusqlite::{Connection, OptionalExtension, Row, params};

pub(super) const SCHEMA: &str = "
CREATE TABLE signing_keys (
    id TEXT PRIMARY KEY CHECK (length(id) = 26),
    public_key TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
";

/// Adds a key by its public half in PEM.
pub(in crate::media) fn insert(
    connection: &Connection,
    id: &str,
    public_key: &str,
    now: i64,
) -> Result<(), DatabaseError> {
    connection.execute(
        "INSERT INTO signing_keys (id, public_key, created_at) VALUES (?1, ?2, ?3)",
        params![id, public_key, now],
    )?;
    Ok(())
}

/// One key.
pub(in crate::media) fn get(
    connection: &Connection,
    id: &str,
) -> Result<Option<SigningKey>, DatabaseError> {
    let sql = "SELECT id, created_at FROM signing_keys WHERE id = ?1";
    Ok(connection.query_row(sql, [id], key).optional()?)
}

/// The newest first.
pub(in crate::media) fn list(
    connection: &Connection,
    limit: u32,
    offset: u32,
) -> Result<Vec<SigningKey>, DatabaseError> {
    let mut statement = connection
        .prepare("SELECT id, created_at FROM signing_keys ORDER BY id DESC LIMIT ?1 OFFSET ?2")?;
    let keys = statement.query_map([limit, offset], key)?;
    Ok(keys.collect::<Result<_, _>>()?)
}

/// How many there are.
pub(in crate::media) fn count(connection: &Connection) -> Result<u32, DatabaseError> {
    Ok(connection.query_row("SELECT count(*) FROM signing_keys", [], |row| row.get(0))?)
}

/// Every key: its id and its public half in PEM.
pub(in crate::media) fn all(
    connection: &Connection,
) -> Result<Vec<(String, String)>, DatabaseError> {
    let mut statement = connection.prepare("SELECT id, public_key FROM signing_keys")?;
    let keys = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(keys.collect::<Result<_, _>>()?)
}

/// Removes a key. False where there was none.
pub(in crate::media) fn delete(connection: &Connection, id: &str) -> Result<bool, DatabaseError> {
    Ok(connection.execute("DELETE FROM signing_keys WHERE id = ?1", [id])? == 1)
}

fn key(row: &Row<'_>) -> rusqlite::Result<SigningKey> {
    Ok(SigningKey {
        id: row.get(0)?,
        created_at: (row.get::<_, i64>(1)? / 1000).to_string(),
        private_key: None,
    })
}
