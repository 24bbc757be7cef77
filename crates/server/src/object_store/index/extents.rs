//! Extents: which bytes of which file are an object's. Several objects may share a file.

use std::collections::BTreeSet;

use dailies_database::M;
use rusqlite::{Connection, Row, params};

use super::Released;
use crate::object_store::refusal::Refusal;
use crate::object_store::values::{Extent, FileName, count, stored};

pub(in crate::object_store) fn migration() -> M<'static> {
    M::up(
        "CREATE TABLE extents (
            object_id INTEGER NOT NULL REFERENCES objects (id) ON DELETE CASCADE,
            position INTEGER NOT NULL CHECK (position >= 0),
            file TEXT NOT NULL CHECK (length(file) = 26),
            start INTEGER NOT NULL CHECK (start >= 0),
            length INTEGER NOT NULL CHECK (length > 0),
            PRIMARY KEY (object_id, position)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX extents_by_file ON extents (file)",
    )
}

pub(in crate::object_store) fn of(
    connection: &Connection,
    object_id: i64,
) -> Result<Vec<Extent>, Refusal> {
    let mut statement = connection
        .prepare_cached("SELECT * FROM extents WHERE object_id = ?1 ORDER BY position")?;
    let rows = statement.query_map([object_id], extent)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(in crate::object_store) fn insert(
    connection: &Connection,
    object_id: i64,
    extents: &[Extent],
) -> Result<(), Refusal> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO extents (object_id, position, file, start, length)
         VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    for (position, extent) in (0_i64..).zip(extents) {
        statement.execute(params![
            object_id,
            position,
            extent.file,
            stored(extent.start),
            stored(extent.length)
        ])?;
    }
    Ok(())
}

/// Adds to `released` those of `files` that no row mentions any more.
pub(in crate::object_store) fn release(
    connection: &Connection,
    files: impl IntoIterator<Item = FileName>,
    released: &mut Released,
) -> Result<(), Refusal> {
    let mut statement = connection.prepare_cached(
        "SELECT EXISTS (SELECT 1 FROM extents WHERE file = ?1)
             OR EXISTS (SELECT 1 FROM parts WHERE file = ?1)
             OR EXISTS (SELECT 1 FROM uploads WHERE file = ?1)",
    )?;
    for file in files.into_iter().collect::<BTreeSet<_>>() {
        let mentioned: bool = statement.query_row([file], |row| row.get(0))?;
        if !mentioned {
            released.push(file);
        }
    }
    Ok(())
}

fn extent(row: &Row<'_>) -> rusqlite::Result<Extent> {
    Ok(Extent {
        file: row.get("file")?,
        start: count(row, "start")?,
        length: count(row, "length")?,
    })
}
