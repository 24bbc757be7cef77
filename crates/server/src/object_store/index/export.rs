//! The index as a backup has it: without what is in progress, and read without a server.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, params};

use super::{extents, objects};
use crate::object_store::checksums::Crc64;
use crate::object_store::refusal::Refusal;
use crate::object_store::values::{Extent, FileName, count};

/// A data file that objects have bytes in.
#[derive(Debug)]
pub(in crate::object_store) struct Needed {
    pub(in crate::object_store) name: FileName,
    /// The end of the last byte that an object has in it.
    pub(in crate::object_store) bytes: u64,
}

/// An object, as whoever reads its bytes back needs it.
#[derive(Debug)]
pub(in crate::object_store) struct Stored {
    pub(in crate::object_store) bucket: String,
    pub(in crate::object_store) key: String,
    pub(in crate::object_store) size: u64,
    pub(in crate::object_store) crc64: Crc64,
    pub(in crate::object_store) extents: Vec<Extent>,
}

/// Opens a snapshot to read it.
pub(in crate::object_store) fn open(path: &Path) -> Result<Connection, Refusal> {
    Ok(Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?)
}

/// Forgets the uploads in progress, whose files are still written to.
pub(in crate::object_store) fn forget_uploads(path: &Path) -> Result<(), Refusal> {
    writable(path)?.execute_batch("BEGIN; DELETE FROM parts; DELETE FROM uploads; COMMIT")?;
    Ok(())
}

/// Forgets the objects that had bytes in these files and that `live` does not have any more.
/// Answers those that it has, as `bucket/key`.
pub(in crate::object_store) fn forget_deleted(
    path: &Path,
    live: &Connection,
    files: &[FileName],
) -> Result<Vec<String>, Refusal> {
    let mut connection = writable(path)?;
    let transaction = connection.transaction()?;
    let mut lost = Vec::new();
    for file in files {
        let ids: Vec<i64> = transaction
            .prepare_cached("SELECT DISTINCT object_id FROM extents WHERE file = ?1")?
            .query_map([file], |row| row.get(0))?
            .collect::<rusqlite::Result<_>>()?;
        for id in ids {
            // An id is never used again.
            if objects::is_there(live, id)? {
                lost.push(transaction.query_row(
                    "SELECT bucket || '/' || key FROM objects WHERE id = ?1",
                    [id],
                    |row| row.get(0),
                )?);
            } else {
                transaction.execute("DELETE FROM objects WHERE id = ?1", [id])?;
            }
        }
    }
    transaction.commit()?;
    Ok(lost)
}

fn writable(path: &Path) -> Result<Connection, Refusal> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    Ok(connection)
}

pub(in crate::object_store) fn needed(connection: &Connection) -> Result<Vec<Needed>, Refusal> {
    let mut statement = connection.prepare(
        "SELECT file, max(start + length) AS bytes FROM extents GROUP BY file ORDER BY file",
    )?;
    let rows = statement
        .query_map([], |row| Ok(Needed { name: row.get("file")?, bytes: count(row, "bytes")? }))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

pub(in crate::object_store) fn has_key(
    connection: &Connection,
    key: &str,
) -> Result<bool, Refusal> {
    Ok(connection
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM objects WHERE key = ?1)")?
        .query_row([key], |row| row.get(0))?)
}

/// Calls `each` with every object there is.
pub(in crate::object_store) fn each_object(
    connection: &Connection,
    mut each: impl FnMut(Stored) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    let mut statement = connection
        .prepare("SELECT id, bucket, key, size, crc64 FROM objects ORDER BY bucket, key")?;
    let mut rows = statement.query(params![])?;
    while let Some(row) = rows.next()? {
        each(Stored {
            bucket: row.get("bucket")?,
            key: row.get("key")?,
            size: count(row, "size")?,
            crc64: row.get("crc64")?,
            extents: extents::of(connection, row.get("id")?)?,
        })?;
    }
    Ok(())
}
