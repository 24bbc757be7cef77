//! The words of this room, parsed once at the edge: file names, upload ids, part numbers, extents.

use std::fmt;
use std::str::FromStr;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use rusqlite::{Row, ToSql};
use ulid::Ulid;

use super::refusal::Refusal;

/// The most one object may hold, in bytes (5 TiB, the limit of S3).
pub(super) const MOST_OBJECT_BYTES: u64 = 5 << 40;
/// The most one request may bring, in bytes (5 GiB, the limit of S3 for `PutObject` and `UploadPart`).
pub(super) const MOST_BODY_BYTES: u64 = 5 << 30;
/// The least a part that is not the last may hold, in bytes (5 MiB, the limit of S3).
pub(super) const LEAST_PART_BYTES: u64 = 5 << 20;

/// The name of a file below `data/`. Never made from anything a client said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct FileName(Ulid);

/// The id of a multipart upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct UploadId(Ulid);

/// The number of a part: 1 to 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct PartNumber(u16);

/// A run of bytes in one file. An object's bytes are a list of these, mostly of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) file: FileName,
    pub(super) start: u64,
    pub(super) length: u64,
}

impl FileName {
    pub(super) fn fresh() -> Self {
        Self(Ulid::new())
    }

    /// The name, if `text` is one this store could have given.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let name = Self(Ulid::from_str(text).ok()?);
        // ULIDs parse in either case; only the case that was written names the same file.
        (name.to_string() == text).then_some(name)
    }
}

impl UploadId {
    pub(super) fn fresh() -> Self {
        Self(Ulid::new())
    }

    /// # Errors
    /// [`Refusal::NoSuchUpload`] for anything this store cannot have given out.
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        Ulid::from_str(text).map(Self).map_err(|_| Refusal::NoSuchUpload)
    }
}

impl PartNumber {
    pub(super) const LAST: u16 = 10_000;

    /// # Errors
    /// [`Refusal::InvalidArgument`] outside of 1 to 10,000.
    pub(super) fn parse(number: i32) -> Result<Self, Refusal> {
        u16::try_from(number).ok().filter(|n| (1..=Self::LAST).contains(n)).map(Self).ok_or(
            Refusal::InvalidArgument(
                "part number must be an integer between 1 and 10000, inclusive",
            ),
        )
    }

    pub(super) fn get(self) -> i32 {
        i32::from(self.0)
    }

    /// Where this part begins if every part before it holds `unit` bytes.
    pub(super) fn offset(self, unit: u64) -> u64 {
        u64::from(self.0 - 1).saturating_mul(unit)
    }
}

impl Extent {
    /// Joins what lies end to end in the same file, and leaves out what is empty.
    pub(super) fn merged(extents: impl IntoIterator<Item = Self>) -> Vec<Self> {
        let mut merged: Vec<Self> = Vec::new();
        for extent in extents.into_iter().filter(|extent| extent.length > 0) {
            match merged.last_mut() {
                Some(last)
                    if last.file == extent.file && last.start + last.length == extent.start =>
                {
                    last.length += extent.length;
                }
                _ => merged.push(extent),
            }
        }
        merged
    }

    /// The extents that hold the bytes from `first` up to but not including `end`.
    pub(super) fn within(extents: &[Self], first: u64, end: u64) -> Vec<Self> {
        let mut position = 0;
        let mut found = Vec::new();
        for extent in extents {
            let from = first.clamp(position, position + extent.length) - position;
            let to = end.clamp(position, position + extent.length) - position;
            if from < to {
                found.push(Self {
                    file: extent.file,
                    start: extent.start + from,
                    length: to - from,
                });
            }
            position += extent.length;
        }
        found
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for UploadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl ToSql for FileName {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.to_string().into())
    }
}

impl FromSql for FileName {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::parse(value.as_str()?).ok_or(FromSqlError::InvalidType)
    }
}

impl ToSql for UploadId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.to_string().into())
    }
}

impl FromSql for UploadId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        Self::parse(value.as_str()?).map_err(|_| FromSqlError::InvalidType)
    }
}

impl ToSql for PartNumber {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(i64::from(self.0).into())
    }
}

impl FromSql for PartNumber {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        u16::column_result(value).map(Self)
    }
}

/// A byte count as SQLite keeps it. Every count here is far below 2^63.
pub(super) fn stored(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// A byte count of a row.
pub(super) fn count(row: &Row<'_>, column: &str) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(0, value))
}
