//! Buckets.

use dailies_database::M;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Moment;
use crate::object_store::refusal::Refusal;

pub(in crate::object_store) fn migration() -> M<'static> {
    M::up(
        "CREATE TABLE buckets (
            name TEXT PRIMARY KEY CHECK (length(name) BETWEEN 3 AND 63),
            created_ms INTEGER NOT NULL CHECK (created_ms >= 0)
        ) STRICT, WITHOUT ROWID",
    )
}

#[derive(Debug)]
pub(in crate::object_store) struct Bucket {
    pub(in crate::object_store) name: String,
    pub(in crate::object_store) created: Moment,
}

/// `false` if it was there before.
pub(in crate::object_store) fn create(
    connection: &Connection,
    name: &str,
) -> Result<bool, Refusal> {
    let changed = connection
        .prepare_cached(
            "INSERT INTO buckets (name, created_ms) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        )?
        .execute(params![name, Moment::now()])?;
    Ok(changed == 1)
}

/// # Errors
/// [`Refusal::NoSuchBucket`].
pub(in crate::object_store) fn require(connection: &Connection, name: &str) -> Result<(), Refusal> {
    connection
        .prepare_cached("SELECT 1 FROM buckets WHERE name = ?1")?
        .query_row([name], |_| Ok(()))
        .optional()?
        .ok_or(Refusal::NoSuchBucket)
}

pub(in crate::object_store) fn list(connection: &Connection) -> Result<Vec<Bucket>, Refusal> {
    let mut statement = connection.prepare_cached("SELECT * FROM buckets ORDER BY name")?;
    let rows = statement.query_map([], bucket)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// # Errors
/// [`Refusal::BucketNotEmpty`] while it holds an object or an upload.
pub(in crate::object_store) fn delete(connection: &Connection, name: &str) -> Result<(), Refusal> {
    require(connection, name)?;
    let holds: bool = connection.query_row(
        "SELECT EXISTS (SELECT 1 FROM objects WHERE bucket = ?1)
             OR EXISTS (SELECT 1 FROM uploads WHERE bucket = ?1)",
        [name],
        |row| row.get(0),
    )?;
    if holds {
        return Err(Refusal::BucketNotEmpty);
    }
    connection.execute("DELETE FROM completed WHERE bucket = ?1", [name])?;
    connection.execute("DELETE FROM buckets WHERE name = ?1", [name])?;
    Ok(())
}

fn bucket(row: &Row<'_>) -> rusqlite::Result<Bucket> {
    Ok(Bucket { name: row.get("name")?, created: row.get("created_ms")? })
}
