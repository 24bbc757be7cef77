//! What the store knows: buckets, objects, uploads, parts, and which bytes of which file are theirs.
//!
//! Owns: all SQL of this room, one file per table. Must not know: HTTP, S3's XML, the file system.

pub(super) mod buckets;
pub(super) mod completed;
pub(super) mod export;
pub(super) mod extents;
pub(super) mod listing;
pub(super) mod objects;
pub(super) mod parts;
pub(super) mod uploads;

use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

use dailies_database::{Database, DatabaseError, Migrations};
use rusqlite::Connection;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use s3s::dto::Timestamp;
use serde::{Deserialize, Serialize};

use super::refusal::Refusal;
use super::values::FileName;

/// The tables of the store. Cloning is cheap.
#[derive(Debug, Clone)]
pub(super) struct Index {
    database: Database,
}

/// Files that lost their last mention in a transaction, to be removed once it is committed.
pub(super) type Released = Vec<FileName>;

/// What a client wants kept with an object and given back with it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Attributes {
    pub(super) content_type: Option<String>,
    pub(super) content_disposition: Option<String>,
    pub(super) content_encoding: Option<String>,
    pub(super) content_language: Option<String>,
    pub(super) cache_control: Option<String>,
    /// `Expires`, as it was sent but in the form of S3's XML.
    pub(super) expires: Option<Timestamp>,
    /// `x-amz-meta-*`, without the prefix.
    pub(super) metadata: HashMap<String, String>,
}

/// A moment in milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(i64);

impl Index {
    /// Opens or creates the file. Blocks.
    pub(super) fn open(path: &Path) -> Result<Self, DatabaseError> {
        let migrations = Migrations::new(vec![
            buckets::migration(),
            objects::migration(),
            extents::migration(),
            uploads::migration(),
            parts::migration(),
            completed::migration(),
            objects::parts_and_checksum(),
        ]);
        Ok(Self { database: Database::open(path, &migrations)? })
    }

    pub(super) async fn read<T, F>(&self, work: F) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Refusal> + Send + 'static,
    {
        self.database.read(work).await
    }

    pub(super) async fn write<T, F>(&self, work: F) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Refusal> + Send + 'static,
    {
        self.database.write(work).await
    }
}

impl Moment {
    pub(super) fn now() -> Self {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    pub(super) fn before(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)).max(0))
    }

    pub(super) fn timestamp(self) -> Timestamp {
        Timestamp::from(SystemTime::UNIX_EPOCH + Duration::from_millis(self.0.unsigned_abs()))
    }

    /// To whole seconds, as HTTP dates are.
    pub(super) fn http_date(self) -> Timestamp {
        Self(self.0 / 1000 * 1000).timestamp()
    }
}

impl rusqlite::ToSql for Moment {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.0.into())
    }
}

impl FromSql for Moment {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(Self)
    }
}

impl rusqlite::ToSql for Attributes {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        serde_json::to_string(self)
            .map(ToSqlOutput::from)
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
    }
}

impl FromSql for Attributes {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        serde_json::from_str(value.as_str()?).map_err(|error| FromSqlError::Other(error.into()))
    }
}
