//! The parts that uploads in progress hold.

use dailies_database::M;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Moment, Released, extents};
use crate::object_store::checksums::{Algorithm, Crc64, Proven};
use crate::object_store::refusal::Refusal;
use crate::object_store::values::{Extent, FileName, PartNumber, UploadId, count, stored};

pub(in crate::object_store) fn migration() -> M<'static> {
    M::up(
        "CREATE TABLE parts (
            upload_id TEXT NOT NULL REFERENCES uploads (id) ON DELETE CASCADE,
            number INTEGER NOT NULL CHECK (number BETWEEN 1 AND 10000),
            file TEXT NOT NULL CHECK (length(file) = 26),
            start INTEGER NOT NULL CHECK (start >= 0),
            length INTEGER NOT NULL CHECK (length >= 0),
            crc64 INTEGER NOT NULL,
            etag TEXT NOT NULL CHECK (length(etag) >= 32),
            algorithm TEXT,
            checksum TEXT CHECK ((checksum IS NULL) = (algorithm IS NULL)),
            stored_ms INTEGER NOT NULL CHECK (stored_ms >= 0),
            PRIMARY KEY (upload_id, number)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX parts_by_file ON parts (file)",
    )
}

#[derive(Debug, Clone)]
pub(in crate::object_store) struct Part {
    pub(in crate::object_store) number: PartNumber,
    pub(in crate::object_store) extent: Extent,
    pub(in crate::object_store) crc64: Crc64,
    pub(in crate::object_store) etag: String,
    /// The checksum the client sent with the part.
    pub(in crate::object_store) proven: Option<Proven>,
    pub(in crate::object_store) stored: Moment,
}

pub(in crate::object_store) fn is_held(
    connection: &Connection,
    upload: UploadId,
    number: PartNumber,
) -> Result<bool, Refusal> {
    Ok(connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM parts WHERE upload_id = ?1 AND number = ?2)")?
        .query_row(params![upload, number], |row| row.get(0))?)
}

/// Puts `part` in the place of the one that may be held, and says whether there was one.
pub(in crate::object_store) fn put(
    connection: &Connection,
    upload: UploadId,
    part: &Part,
    released: &mut Released,
) -> Result<bool, Refusal> {
    let old: Option<FileName> = connection
        .prepare_cached("DELETE FROM parts WHERE upload_id = ?1 AND number = ?2 RETURNING file")?
        .query_row(params![upload, part.number], |row| row.get(0))
        .optional()?;
    connection
        .prepare_cached(
            "INSERT INTO parts
                (upload_id, number, file, start, length, crc64, etag, algorithm, checksum, stored_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            upload,
            part.number,
            part.extent.file,
            stored(part.extent.start),
            stored(part.extent.length),
            part.crc64,
            part.etag,
            part.proven.as_ref().map(|proven| proven.algorithm.name()),
            part.proven.as_ref().map(|proven| &proven.value),
            part.stored
        ])?;
    extents::release(connection, old, released)?;
    Ok(old.is_some())
}

/// The parts with numbers above `after`, in order.
pub(in crate::object_store) fn list(
    connection: &Connection,
    upload: UploadId,
    after: i32,
    limit: usize,
) -> Result<Vec<Part>, Refusal> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(
        "SELECT * FROM parts WHERE upload_id = ?1 AND number > ?2 ORDER BY number LIMIT ?3",
    )?;
    let rows = statement.query_map(params![upload, after, limit], part)?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(in crate::object_store) fn files(
    connection: &Connection,
    upload: UploadId,
) -> Result<Vec<FileName>, Refusal> {
    let mut statement =
        connection.prepare_cached("SELECT DISTINCT file FROM parts WHERE upload_id = ?1")?;
    let rows = statement.query_map(params![upload], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn part(row: &Row<'_>) -> rusqlite::Result<Part> {
    Ok(Part {
        number: row.get("number")?,
        extent: Extent {
            file: row.get("file")?,
            start: count(row, "start")?,
            length: count(row, "length")?,
        },
        crc64: row.get("crc64")?,
        etag: row.get("etag")?,
        proven: Algorithm::proven(row)?,
        stored: row.get("stored_ms")?,
    })
}
