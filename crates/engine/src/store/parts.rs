//! The table of parts that the other side holds.

use dailies_database::{DatabaseError, exactly_one};
use rusqlite::{Connection, named_params};
use serde::{Deserialize, Serialize};

use crate::source::Crc64;
use crate::store::columns::{name, named, unreadable};
use crate::transfer::{PartNumber, UploadId};

/// A confirmed part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// Which.
    pub part: PartNumber,
    /// Bytes.
    pub size: u64,
    /// As the storage said it.
    pub etag: String,
    /// Of the bytes that were read for it.
    pub checksum: Crc64,
    /// Why the bytes that arrived are believed to be those.
    pub proof: Proof,
}

/// How it is known that what arrived is what was read, from the strongest to the weakest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// The storage was told the checksum in a signed header and would have refused others.
    Signed,
    /// The storage said the same checksum.
    Reported,
    /// Only the size was compared.
    Size,
}

pub(super) fn all(connection: &Connection, id: UploadId) -> Result<Vec<Receipt>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT number, size, etag, crc64, proof FROM parts WHERE upload_id = ?1 ORDER BY number",
    )?;
    let rows = statement.query_map([id.to_string()], |row| {
        Ok(Receipt {
            part: PartNumber::new(row.get(0)?).ok_or_else(|| unreadable(0, "part zero"))?,
            size: row.get::<_, i64>(1)?.cast_unsigned(),
            etag: row.get(2)?,
            checksum: Crc64::from_column(row.get(3)?),
            proof: named(4, row.get(4)?)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// How many parts are confirmed in each of `runs` runs that a plan of `count` parts is cut into; a
/// run of which there is none is left out. A part's run is where it stands, in proportion.
pub(super) fn by_run(
    connection: &Connection,
    id: UploadId,
    count: u32,
    runs: u32,
) -> Result<Vec<(u32, u32)>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT (number - 1) * ?2 / ?3, count(*) FROM parts
         WHERE upload_id = ?1 AND number <= ?3 GROUP BY 1 ORDER BY 1",
    )?;
    let rows =
        statement.query_map((id.to_string(), runs, count), |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<Result<_, _>>()?)
}

pub(super) fn keep(
    connection: &Connection,
    id: UploadId,
    receipt: &Receipt,
) -> Result<(), DatabaseError> {
    let mut statement = connection.prepare_cached(
        "INSERT INTO parts (upload_id, number, size, etag, crc64, proof)
         VALUES (:upload, :number, :size, :etag, :crc64, :proof)
         ON CONFLICT (upload_id, number) DO UPDATE SET
             size = excluded.size, etag = excluded.etag, crc64 = excluded.crc64,
             proof = excluded.proof",
    )?;
    let changed = statement.execute(named_params! {
        ":upload": id.to_string(),
        ":number": receipt.part.get(),
        ":size": receipt.size.cast_signed(),
        ":etag": receipt.etag,
        ":crc64": receipt.checksum.to_column(),
        ":proof": name(&receipt.proof)?,
    })?;
    exactly_one(changed)
}

pub(super) fn forget(
    connection: &Connection,
    id: UploadId,
    part: PartNumber,
) -> Result<(), DatabaseError> {
    connection.execute(
        "DELETE FROM parts WHERE upload_id = ?1 AND number = ?2",
        (id.to_string(), part.get()),
    )?;
    Ok(())
}

/// Removes rows that the table takes but that are no parts. How many there were.
pub(super) fn sift(connection: &Connection) -> Result<usize, DatabaseError> {
    let most = i64::from(u32::MAX);
    Ok(connection.execute("DELETE FROM parts WHERE number > ?1", [most])?)
}

pub(super) fn forget_all(connection: &Connection, id: UploadId) -> Result<(), DatabaseError> {
    let mut statement = connection.prepare_cached("DELETE FROM parts WHERE upload_id = ?1")?;
    statement.execute([id.to_string()])?;
    Ok(())
}
