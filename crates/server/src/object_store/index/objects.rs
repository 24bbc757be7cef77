//! Objects: one row per bucket and key.

use dailies_database::M;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Attributes, Moment, Released, extents};
use crate::object_store::checksums::{Algorithm, Crc64, Proven};
use crate::object_store::part_lengths::PartLengths;
use crate::object_store::refusal::Refusal;
use crate::object_store::values::{Extent, count, stored};

// An id is never used again, so that a reader can tell whether an object was replaced.
pub(in crate::object_store) fn migration() -> M<'static> {
    M::up(
        "CREATE TABLE objects (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            bucket TEXT NOT NULL REFERENCES buckets (name),
            key TEXT NOT NULL CHECK (octet_length(key) BETWEEN 1 AND 1024),
            size INTEGER NOT NULL CHECK (size BETWEEN 0 AND 5497558138880),
            crc64 INTEGER NOT NULL,
            etag TEXT NOT NULL CHECK (length(etag) >= 32),
            attributes TEXT NOT NULL CHECK (json_valid(attributes)),
            modified_ms INTEGER NOT NULL CHECK (modified_ms >= 0),
            UNIQUE (bucket, key)
        ) STRICT",
    )
}

/// The lengths of the parts it was put together from, and the checksum its sender gave.
pub(in crate::object_store) fn parts_and_checksum() -> M<'static> {
    M::up(
        "ALTER TABLE objects ADD COLUMN parts TEXT CHECK (parts IS NULL OR json_valid(parts));
        ALTER TABLE objects ADD COLUMN algorithm TEXT;
        ALTER TABLE objects ADD COLUMN checksum TEXT
            CHECK ((checksum IS NULL) = (algorithm IS NULL))",
    )
}

/// An object without its bytes.
#[derive(Debug, Clone)]
pub(in crate::object_store) struct Object {
    pub(in crate::object_store) id: i64,
    pub(in crate::object_store) size: u64,
    pub(in crate::object_store) crc64: Crc64,
    pub(in crate::object_store) etag: String,
    pub(in crate::object_store) attributes: Attributes,
    pub(in crate::object_store) modified: Moment,
    /// Of one that was put together from parts.
    pub(in crate::object_store) parts: Option<PartLengths>,
    /// The checksum of all its bytes that a client sent with it.
    pub(in crate::object_store) proven: Option<Proven>,
}

/// An object that is to be.
#[derive(Debug, Clone, Default)]
pub(in crate::object_store) struct NewObject {
    pub(in crate::object_store) bucket: String,
    pub(in crate::object_store) key: String,
    pub(in crate::object_store) crc64: Crc64,
    pub(in crate::object_store) etag: String,
    pub(in crate::object_store) attributes: Attributes,
    pub(in crate::object_store) extents: Vec<Extent>,
    pub(in crate::object_store) parts: Option<PartLengths>,
    pub(in crate::object_store) proven: Option<Proven>,
}

pub(in crate::object_store) fn find(
    connection: &Connection,
    bucket: &str,
    key: &str,
) -> Result<Option<Object>, Refusal> {
    Ok(connection
        .prepare_cached("SELECT * FROM objects WHERE bucket = ?1 AND key = ?2")?
        .query_row([bucket, key], object)
        .optional()?)
}

/// # Errors
/// [`Refusal::NoSuchBucket`] or [`Refusal::NoSuchKey`].
pub(in crate::object_store) fn require(
    connection: &Connection,
    bucket: &str,
    key: &str,
) -> Result<Object, Refusal> {
    match find(connection, bucket, key)? {
        Some(object) => Ok(object),
        None => {
            super::buckets::require(connection, bucket)?;
            Err(Refusal::NoSuchKey)
        }
    }
}

/// Whether the object is still the one it was.
pub(in crate::object_store) fn is_there(connection: &Connection, id: i64) -> Result<bool, Refusal> {
    Ok(connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM objects WHERE id = ?1)")?
        .query_row([id], |row| row.get(0))?)
}

/// Puts `new` where it belongs, instead of what may be there, and returns when.
pub(in crate::object_store) fn put(
    connection: &Connection,
    new: &NewObject,
    released: &mut Released,
) -> Result<Moment, Refusal> {
    super::buckets::require(connection, &new.bucket)?;
    let old = remove_row(connection, &new.bucket, &new.key)?;
    let size = new.extents.iter().map(|extent| extent.length).sum();
    let modified = Moment::now();
    connection
        .prepare_cached(
            "INSERT INTO objects
                (bucket, key, size, crc64, etag, attributes, modified_ms, parts, algorithm, checksum)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        )?
        .execute(params![
            new.bucket,
            new.key,
            stored(size),
            new.crc64,
            new.etag,
            new.attributes,
            modified,
            new.parts,
            new.proven.as_ref().map(|proven| proven.algorithm.name()),
            new.proven.as_ref().map(|proven| &proven.value)
        ])?;
    extents::insert(connection, connection.last_insert_rowid(), &new.extents)?;
    extents::release(connection, old.iter().map(|extent| extent.file), released)?;
    Ok(modified)
}

/// Removes an object; one that is not there is no error.
pub(in crate::object_store) fn delete(
    connection: &Connection,
    bucket: &str,
    key: &str,
    released: &mut Released,
) -> Result<(), Refusal> {
    let old = remove_row(connection, bucket, key)?;
    extents::release(connection, old.iter().map(|extent| extent.file), released)
}

fn remove_row(connection: &Connection, bucket: &str, key: &str) -> Result<Vec<Extent>, Refusal> {
    let Some(old) = find(connection, bucket, key)? else { return Ok(Vec::new()) };
    let extents = extents::of(connection, old.id)?;
    connection.prepare_cached("DELETE FROM objects WHERE id = ?1")?.execute([old.id])?;
    Ok(extents)
}

fn object(row: &Row<'_>) -> rusqlite::Result<Object> {
    Ok(Object {
        id: row.get("id")?,
        size: count(row, "size")?,
        crc64: row.get("crc64")?,
        etag: row.get("etag")?,
        attributes: row.get("attributes")?,
        modified: row.get("modified_ms")?,
        parts: row.get("parts")?,
        proven: Algorithm::proven(row)?,
    })
}
