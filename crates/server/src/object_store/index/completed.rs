//! Uploads that were completed: an answer that was lost on the way can be given again.

use std::time::Duration;

use dailies_database::M;
use rusqlite::{Connection, OptionalExtension, params};

use super::Moment;
use crate::object_store::checksums::Crc64;
use crate::object_store::refusal::Refusal;
use crate::object_store::values::UploadId;

/// How long a completed upload is remembered.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

pub(in crate::object_store) fn migration() -> M<'static> {
    M::up(
        "CREATE TABLE completed (
            upload_id TEXT PRIMARY KEY CHECK (length(upload_id) = 26),
            bucket TEXT NOT NULL REFERENCES buckets (name),
            key TEXT NOT NULL,
            parts TEXT NOT NULL CHECK (length(parts) = 32),
            etag TEXT NOT NULL,
            crc64 INTEGER NOT NULL,
            completed_ms INTEGER NOT NULL CHECK (completed_ms >= 0)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX completed_by_bucket ON completed (bucket)",
    )
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::object_store) struct Answer {
    pub(in crate::object_store) etag: String,
    pub(in crate::object_store) crc64: Crc64,
}

/// `parts` stands for the list of parts that was asked for.
pub(in crate::object_store) fn remember(
    connection: &Connection,
    (bucket, key, id): (&str, &str, UploadId),
    parts: &str,
    answer: &Answer,
) -> Result<(), Refusal> {
    connection
        .prepare_cached(
            "INSERT INTO completed (upload_id, bucket, key, parts, etag, crc64, completed_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![id, bucket, key, parts, answer.etag, answer.crc64, Moment::now()])?;
    Ok(())
}

/// The answer of the same request, if it was made before.
pub(in crate::object_store) fn recall(
    connection: &Connection,
    (bucket, key, id): (&str, &str, UploadId),
    parts: &str,
) -> Result<Option<Answer>, Refusal> {
    Ok(connection
        .prepare_cached(
            "SELECT etag, crc64 FROM completed
             WHERE upload_id = ?1 AND bucket = ?2 AND key = ?3 AND parts = ?4",
        )?
        .query_row(params![id, bucket, key, parts], |row| {
            Ok(Answer { etag: row.get("etag")?, crc64: row.get("crc64")? })
        })
        .optional()?)
}

pub(in crate::object_store) fn forget_old(connection: &Connection) -> Result<(), Refusal> {
    connection
        .execute("DELETE FROM completed WHERE completed_ms < ?1", [Moment::now().before(KEPT)])?;
    Ok(())
}
