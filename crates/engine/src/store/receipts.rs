//! The table of receipts of finished uploads.

use std::path::PathBuf;

use dailies_database::DatabaseError;
use rusqlite::{Connection, Row, named_params};

use crate::source::{Crc64, Fingerprint};
use crate::store::columns::{bytes_path, name, named, path_bytes, sift_named, unreadable};
use crate::store::{Destination, Proof, Upload, history};
use crate::transfer::{Event, Timestamp, UploadId};

/// What proves that the bytes of a finished upload are with its team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadReceipt {
    /// Whose.
    pub id: UploadId,
    /// Where it went.
    pub destination: Destination,
    /// Where the file lay.
    pub path: PathBuf,
    /// Bytes.
    pub size: u64,
    /// The other side's name for the object or the session.
    pub key: String,
    /// The team's name for the video.
    pub video_id: Option<String>,
    /// What was compared.
    pub compared: Compared,
    /// When it was added.
    pub added_at: Timestamp,
    /// When its turn came.
    pub began_at: Option<Timestamp>,
    /// When what arrived had been compared.
    pub finished_at: Timestamp,
    /// Tries that failed, of parts and of the whole.
    pub retries: u64,
}

/// A whole file, as it was read here, beside what the server says of it. They do not contradict
/// each other: one that does is never finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compared {
    /// Of the whole file, out of its parts'.
    pub checksum: Crc64,
    /// How many.
    pub parts: u32,
    /// How it is known that what arrived is what was read: the weakest of the parts', unless the
    /// server says the checksum of the whole.
    pub proof: Proof,
    /// Bytes, as the server says them.
    pub said_size: Option<u64>,
    /// Checksum, as the server says it.
    pub said_checksum: Option<Crc64>,
}

/// Files that look the same are the same, or takes of one length by one camera: not many.
const MOST_DOUBLES: i64 = 64;

const COLUMNS: &str = "upload_id, server, project_id, project, team, path, size, crc64, key,
    video_id, parts, proof, said_size, said_crc64, added_at, began_at, finished_at, retries";

/// Keeps the receipt of an upload that has just been finished.
pub(super) fn keep(
    connection: &Connection,
    row: &Upload,
    compared: &Compared,
    at: Timestamp,
) -> Result<(), DatabaseError> {
    let episodes = history::page(connection, row.id, 0, u64::from(u32::MAX))?;
    let began = episodes.iter().find(|episode| episode.event == Event::Begun);
    let retries: u64 = episodes.iter().map(|e| e.event.retries(e.times)).sum();
    let mut statement = connection.prepare_cached(
        "INSERT OR REPLACE INTO receipts (upload_id, server, project_id, project, team, path, size,
             sample, crc64, key, video_id, parts, proof, said_size, said_crc64, added_at, began_at,
             finished_at, retries)
         VALUES (:id, :server, :project_id, :project, :team, :path, :size, :sample, :crc64, :key,
             :video_id, :parts, :proof, :said_size, :said_crc64, :added_at, :began_at,
             :finished_at, :retries)",
    )?;
    statement.execute(named_params! {
        ":id": row.id.to_string(),
        ":server": row.destination.server,
        ":project_id": row.destination.project_id,
        ":project": row.destination.project,
        ":team": row.destination.team,
        ":path": path_bytes(&row.path),
        ":size": row.fingerprint.size.cast_signed(),
        ":sample": row.fingerprint.sample().to_column(),
        ":crc64": compared.checksum.to_column(),
        ":key": row.session.as_ref().map(|session| session.key.as_str()).unwrap_or_default(),
        ":video_id": row.video_id,
        ":parts": compared.parts,
        ":proof": name(&compared.proof)?,
        ":said_size": compared.said_size.map(u64::cast_signed),
        ":said_crc64": compared.said_checksum.map(Crc64::to_column),
        ":added_at": row.added_at.0,
        ":began_at": began.map(|episode| episode.at.0),
        ":finished_at": at.0,
        ":retries": retries.cast_signed(),
    })?;
    Ok(())
}

/// Up to `limit` receipts of uploads after `after`, oldest upload first.
pub(super) fn page(
    connection: &Connection,
    after: Option<UploadId>,
    limit: u64,
) -> Result<Vec<UploadReceipt>, DatabaseError> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT {COLUMNS} FROM receipts WHERE upload_id > ?1 ORDER BY upload_id LIMIT ?2"
    ))?;
    let after = after.map(|id| id.to_string()).unwrap_or_default();
    let rows = statement.query_map((after, limit.cast_signed()), read)?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The receipt of one upload.
pub(super) fn of(
    connection: &Connection,
    id: UploadId,
) -> Result<Option<UploadReceipt>, DatabaseError> {
    let mut statement = connection
        .prepare_cached(&format!("SELECT {COLUMNS} FROM receipts WHERE upload_id = ?1"))?;
    let mut rows = statement.query_map([id.to_string()], read)?;
    Ok(rows.next().transpose()?)
}

/// Newest receipts of files that look like one and went to the same project, but for one upload's.
/// Of how they look, size and both ends are known.
pub(super) fn doubles(
    connection: &Connection,
    fingerprint: &Fingerprint,
    to: &Destination,
    except: Option<UploadId>,
) -> Result<Vec<(UploadId, Crc64)>, DatabaseError> {
    let mut statement = connection.prepare_cached(
        "SELECT upload_id, crc64 FROM receipts
         WHERE size = ?1 AND sample = ?2 AND server = ?3 AND project_id = ?4 AND upload_id <> ?5
         ORDER BY upload_id DESC LIMIT ?6",
    )?;
    let look = (fingerprint.size.cast_signed(), fingerprint.sample().to_column());
    let except = except.map(|id| id.to_string()).unwrap_or_default();
    let values = (look.0, look.1, &to.server, &to.project_id, except, MOST_DOUBLES);
    let rows = statement.query_map(values, |row| {
        let id = row.get_ref(0)?.as_str()?.parse();
        let id = id.map_err(|error: ulid::DecodeError| unreadable(0, error.to_string()))?;
        Ok((id, Crc64::from_column(row.get(1)?)))
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// The same for an upload; none where somebody wants it sent all the same.
pub(super) fn doubles_of(
    connection: &Connection,
    row: &Upload,
) -> Result<Vec<(UploadId, Crc64)>, DatabaseError> {
    match history::has(connection, row.id, &Event::SentAnyway)? {
        true => Ok(Vec::new()),
        false => doubles(connection, &row.fingerprint, &row.destination, Some(row.id)),
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<UploadReceipt> {
    let id = row.get_ref(0)?.as_str()?;
    Ok(UploadReceipt {
        id: id.parse().map_err(|error: ulid::DecodeError| unreadable(0, error.to_string()))?,
        destination: Destination {
            server: row.get(1)?,
            project_id: row.get(2)?,
            project: row.get(3)?,
            team: row.get(4)?,
            version_of: None,
            visibility: None,
        },
        path: bytes_path(row.get(5)?),
        size: row.get::<_, i64>(6)?.cast_unsigned(),
        key: row.get(8)?,
        video_id: row.get(9)?,
        compared: Compared {
            checksum: Crc64::from_column(row.get(7)?),
            parts: row.get(10)?,
            proof: named(11, row.get(11)?)?,
            said_size: row.get::<_, Option<i64>>(12)?.map(i64::cast_unsigned),
            said_checksum: row.get::<_, Option<i64>>(13)?.map(Crc64::from_column),
        },
        added_at: Timestamp(row.get(14)?),
        began_at: row.get::<_, Option<i64>>(15)?.map(Timestamp),
        finished_at: Timestamp(row.get(16)?),
        retries: row.get::<_, i64>(17)?.cast_unsigned(),
    })
}

/// Removes rows that the table takes but that are no receipts. How many there were.
pub(super) fn sift(connection: &Connection) -> Result<usize, DatabaseError> {
    sift_named(connection, "receipts", COLUMNS, |row| Ok(read(row)?.id))
}
