//! `users`: people, in any number of teams.

use dailies_database::DatabaseError;
use rusqlite::{Connection, params};

pub(crate) const CREATE: &str = "
    CREATE TABLE users (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL CHECK (name <> ''),
        created_at INTEGER NOT NULL
    ) STRICT";

pub(crate) fn insert(
    connection: &Connection,
    id: &str,
    name: &str,
    now: i64,
) -> Result<(), DatabaseError> {
    connection.execute(
        "INSERT INTO users (id, name, created_at) VALUES (?1, ?2, ?3)",
        params![id, name, now],
    )?;
    Ok(())
}

/// What people call the user.
pub(crate) fn name(connection: &Connection, id: &str) -> Result<String, DatabaseError> {
    Ok(connection
        .prepare_cached("SELECT name FROM users WHERE id = ?1")?
        .query_row([id], |row| row.get(0))?)
}
