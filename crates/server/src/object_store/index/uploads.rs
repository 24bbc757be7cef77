//! Multipart uploads in progress.

use dailies_database::M;
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::{Attributes, Moment, Released, extents, parts};
use crate::object_store::checksums::Algorithm;
use crate::object_store::refusal::Refusal;
use crate::object_store::values::{FileName, UploadId, count, stored};

// `unit` is the length of the part that came first. A part no longer than that has its final place
// in `file` at (number - 1) * unit.
pub(in crate::object_store) fn migration() -> M<'static> {
    M::up(
        "CREATE TABLE uploads (
            id TEXT PRIMARY KEY CHECK (length(id) = 26),
            bucket TEXT NOT NULL REFERENCES buckets (name),
            key TEXT NOT NULL CHECK (octet_length(key) BETWEEN 1 AND 1024),
            attributes TEXT NOT NULL CHECK (json_valid(attributes)),
            checksum_algorithm TEXT,
            file TEXT NOT NULL UNIQUE CHECK (length(file) = 26),
            unit INTEGER CHECK (unit > 0),
            created_ms INTEGER NOT NULL CHECK (created_ms >= 0)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX uploads_by_key ON uploads (bucket, key, id)",
    )
}

#[derive(Debug, Clone)]
pub(in crate::object_store) struct Upload {
    pub(in crate::object_store) id: UploadId,
    pub(in crate::object_store) bucket: String,
    pub(in crate::object_store) key: String,
    pub(in crate::object_store) attributes: Attributes,
    pub(in crate::object_store) checksum_algorithm: Option<Algorithm>,
    pub(in crate::object_store) file: FileName,
    pub(in crate::object_store) unit: Option<u64>,
    pub(in crate::object_store) created: Moment,
}

/// Where a page of uploads begins: after this key, and within it after this id.
#[derive(Debug, Default)]
pub(in crate::object_store) struct After {
    pub(in crate::object_store) key: String,
    pub(in crate::object_store) id: Option<String>,
}

pub(in crate::object_store) fn insert(
    connection: &Connection,
    upload: &Upload,
) -> Result<(), Refusal> {
    super::buckets::require(connection, &upload.bucket)?;
    connection
        .prepare_cached(
            "INSERT INTO uploads (id, bucket, key, attributes, checksum_algorithm, file, created_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![
            upload.id,
            upload.bucket,
            upload.key,
            upload.attributes,
            upload.checksum_algorithm.map(Algorithm::name),
            upload.file,
            upload.created
        ])?;
    Ok(())
}

/// # Errors
/// [`Refusal::NoSuchUpload`], also for an upload of another bucket or key.
pub(in crate::object_store) fn require(
    connection: &Connection,
    bucket: &str,
    key: &str,
    id: UploadId,
) -> Result<Upload, Refusal> {
    connection
        .prepare_cached("SELECT * FROM uploads WHERE id = ?1 AND bucket = ?2 AND key = ?3")?
        .query_row(params![id, bucket, key], upload)
        .optional()?
        .ok_or(Refusal::NoSuchUpload)
}

/// Sets the unit, unless another part came first, and returns what it is.
pub(in crate::object_store) fn settle_unit(
    connection: &Connection,
    id: UploadId,
    length: u64,
) -> Result<u64, Refusal> {
    connection
        .prepare_cached("UPDATE uploads SET unit = ?2 WHERE id = ?1 AND unit IS NULL")?
        .execute(params![id, stored(length)])?;
    connection
        .prepare_cached("SELECT unit FROM uploads WHERE id = ?1")?
        .query_row(params![id], |row| count(row, "unit"))
        .optional()?
        .ok_or(Refusal::NoSuchUpload)
}

/// Ends an upload and forgets its parts.
pub(in crate::object_store) fn remove(
    connection: &Connection,
    upload: &Upload,
    released: &mut Released,
) -> Result<(), Refusal> {
    let mut files = parts::files(connection, upload.id)?;
    files.push(upload.file);
    let changed = connection
        .prepare_cached("DELETE FROM uploads WHERE id = ?1")?
        .execute(params![upload.id])?;
    dailies_database::exactly_one(changed)?;
    extents::release(connection, files, released)
}

/// The uploads that were begun before `moment` and got no part since.
pub(in crate::object_store) fn untouched_since(
    connection: &Connection,
    moment: Moment,
) -> Result<Vec<UploadId>, Refusal> {
    let mut statement = connection.prepare_cached(
        "SELECT id FROM uploads WHERE created_ms < ?1 AND NOT EXISTS
            (SELECT 1 FROM parts WHERE upload_id = id AND stored_ms >= ?1)",
    )?;
    let rows = statement.query_map([moment], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// One of [`untouched_since`], if it is that still.
pub(in crate::object_store) fn untouched(
    connection: &Connection,
    id: UploadId,
    moment: Moment,
) -> Result<Option<Upload>, Refusal> {
    Ok(connection
        .prepare_cached(
            "SELECT * FROM uploads WHERE id = ?1 AND created_ms < ?2 AND NOT EXISTS
                (SELECT 1 FROM parts WHERE upload_id = id AND stored_ms >= ?2)",
        )?
        .query_row(params![id, moment], upload)
        .optional()?)
}

/// What a page of uploads has: an upload, or the common prefix of several.
#[derive(Debug)]
pub(in crate::object_store) enum Listed {
    Upload(Box<Upload>),
    CommonPrefix(String),
}

/// Uploads in the order of their keys, those folded together that have `delimiter` after `prefix`.
pub(in crate::object_store) fn list(
    connection: &Connection,
    bucket: &str,
    (prefix, delimiter): (&str, Option<&str>),
    after: &After,
    limit: usize,
) -> Result<Vec<Listed>, Refusal> {
    let mut statement = connection.prepare_cached(
        "SELECT * FROM uploads
         WHERE bucket = ?1 AND key >= ?2
           AND (key > ?3 OR (key = ?3 AND ?4 IS NOT NULL AND id > ?4))
         ORDER BY key, id",
    )?;
    let rows = statement.query_map(params![bucket, prefix, after.key, after.id], upload)?;
    let mut listed = Vec::new();
    // A page that ended with a common prefix is gone on with behind all that is folded into it.
    let mut last_folded = Some(after.key.clone());
    for row in rows {
        let row = row?;
        let Some(rest) = row.key.strip_prefix(prefix) else { break };
        let folded = delimiter.and_then(|delimiter| {
            let end = prefix.len() + rest.find(delimiter)? + delimiter.len();
            Some(row.key[..end].to_owned())
        });
        if folded.is_some() && folded == last_folded {
            continue;
        }
        if listed.len() == limit {
            break;
        }
        listed.push(match &folded {
            Some(folded) => Listed::CommonPrefix(folded.clone()),
            None => Listed::Upload(Box::new(row)),
        });
        if folded.is_some() {
            last_folded = folded;
        }
    }
    Ok(listed)
}

fn upload(row: &Row<'_>) -> rusqlite::Result<Upload> {
    let algorithm: Option<String> = row.get("checksum_algorithm")?;
    let unit: Option<i64> = row.get("unit")?;
    Ok(Upload {
        id: row.get("id")?,
        bucket: row.get("bucket")?,
        key: row.get("key")?,
        attributes: row.get("attributes")?,
        checksum_algorithm: algorithm.as_deref().and_then(Algorithm::from_name),
        file: row.get("file")?,
        unit: unit.map(i64::unsigned_abs),
        created: row.get("created_ms")?,
    })
}
