//! The table of what became of the files in watched folders.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use dailies_database::DatabaseError;
use rusqlite::{Connection, Row, named_params};

use crate::source::{Crc64, Fingerprint};
use crate::store::columns::{bytes_path, path_bytes, unreadable};
use crate::store::uploads::{Destination, Upload, some};
use crate::store::{Happened, Store, folders, history, receipts, uploads};
use crate::transfer::UploadId;
use crate::watch::{FolderId, Version};

/// A file in a watched folder that nothing more is to be sent of, as long as it stays as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Inside the folder.
    pub path: PathBuf,
    /// As it was.
    pub version: Version,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a file in a watched folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was there before, and was not wanted.
    WasThere,
    /// It was put into the queue.
    Sent(UploadId),
    /// This upload had sent the same content there before.
    Same(UploadId),
}

/// A file of a watched folder that is put into the queue.
#[derive(Clone, Debug)]
pub struct FoundFile {
    /// Its upload.
    pub row: Upload,
    /// What its history begins with.
    pub happened: Vec<Happened>,
    /// Where it lies.
    pub folder: FolderId,
    /// What became of it.
    pub file: Seen,
}

/// How many files of a watched folder became what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fates {
    /// They were there before, and were not wanted.
    pub was_there: u64,
    /// They are in the queue, and not with their team.
    pub queued: u64,
    /// Their team has their content.
    pub sent: u64,
}

impl Fate {
    fn columns(self) -> (&'static str, Option<String>) {
        match self {
            Self::WasThere => ("was_there", None),
            Self::Sent(id) => ("sent", Some(id.to_string())),
            Self::Same(id) => ("same", Some(id.to_string())),
        }
    }
}

impl Store {
    /// What became of the files in a watched folder.
    ///
    /// # Errors
    /// Of the database.
    pub async fn seen(&self, folder: FolderId) -> Result<Vec<Seen>, DatabaseError> {
        self.read(move |c| {
            let mut statement = c.prepare_cached(
                "SELECT path, size, modified_ns, file, fate, upload_id FROM folder_files
                 WHERE folder_id = ?1",
            )?;
            let rows = statement.query_map([folder.to_string()], read)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// How many files of each watched folder became what. Reads all of the table.
    ///
    /// # Errors
    /// Of the database.
    pub async fn fates(&self) -> Result<HashMap<FolderId, Fates>, DatabaseError> {
        self.read(|c| {
            let mut statement = c.prepare_cached(
                "SELECT f.folder_id,
                     count(*) FILTER (WHERE f.fate = 'was_there'),
                     count(*) FILTER (WHERE f.fate = 'sent' AND r.upload_id IS NULL
                                        AND u.list <> 'done'),
                     count(*) FILTER (WHERE f.fate = 'same' OR r.upload_id IS NOT NULL)
                 FROM folder_files f
                 LEFT JOIN receipts r ON r.upload_id = f.upload_id
                 LEFT JOIN uploads u ON u.id = f.upload_id
                 GROUP BY f.folder_id",
            )?;
            let rows = statement.query_map([], |row| {
                let count = |column| row.get::<_, i64>(column).map(i64::cast_unsigned);
                let fates = Fates { was_there: count(1)?, queued: count(2)?, sent: count(3)? };
                Ok((folders::id(row, 0)?, fates))
            })?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Keeps what became of files, all or none, in place of what became of earlier versions.
    ///
    /// # Errors
    /// Of the database.
    pub async fn keep_seen(&self, folder: FolderId, files: Vec<Seen>) -> Result<(), DatabaseError> {
        self.write(move |c| files.iter().try_for_each(|file| note(c, folder, file))).await
    }

    /// Adds the uploads of files in watched folders, and remembers that: all of it or nothing. Their
    /// places.
    ///
    /// # Errors
    /// As [`Self::insert`].
    pub async fn insert_found(&self, found: Vec<FoundFile>) -> Result<Vec<i64>, DatabaseError> {
        self.has_room()?;
        self.write(move |c| {
            let insert = |FoundFile { row, happened, folder, file }: &FoundFile| {
                let place = uploads::insert(c, row)?;
                history::remember(c, row.id, row.added_at, happened)?;
                note(c, *folder, file)?;
                Ok(place)
            };
            found.iter().map(insert).collect()
        })
        .await
    }

    /// Finished uploads that could be of the same content and went to the same project, and the
    /// checksums of their files.
    ///
    /// # Errors
    /// Of the database.
    pub async fn sent_alike(
        &self,
        fingerprint: Fingerprint,
        to: Destination,
    ) -> Result<Vec<(UploadId, Crc64)>, DatabaseError> {
        self.read(move |c| receipts::doubles(c, &fingerprint, &to, None)).await
    }

    /// Uploads under way that could be of the same content and go to the same project.
    ///
    /// # Errors
    /// Of the database.
    pub async fn unsent_alike(
        &self,
        fingerprint: Fingerprint,
        to: Destination,
    ) -> Result<Vec<(Upload, u64)>, DatabaseError> {
        self.read(move |c| {
            // Cameras that cut at a size make hundreds of files of it: only those of this content
            // are read whole.
            let condition = "INDEXED BY uploads_unsent
                             WHERE phase <> 'processing' AND phase <> 'ready'
                               AND size = ?1 AND fingerprint ->> '$.sample' = ?2
                               AND server = ?3 AND project_id = ?4
                               AND list <> 'done' AND hold <> 'failed'";
            let size = fingerprint.size.cast_signed();
            let sample = fingerprint.sample().to_column();
            some(c, condition, (size, sample, &to.server, &to.project_id))
        })
        .await
    }

    /// Where the files of uploads of this title lie that are to go to the same project, or on their
    /// way there.
    ///
    /// # Errors
    /// Of the database.
    pub async fn under_way_called(
        &self,
        title: String,
        to: Destination,
    ) -> Result<Vec<PathBuf>, DatabaseError> {
        self.read(move |c| {
            let condition = "INDEXED BY uploads_by_title
                             WHERE title = ?1 AND server = ?2 AND project_id = ?3
                               AND list IN ('uploading', 'waiting')
                               AND phase NOT IN ('processing', 'ready')";
            let rows = some(c, condition, (&title, &to.server, &to.project_id))?;
            Ok(rows.into_iter().map(|(row, _)| row.path).collect())
        })
        .await
    }

    /// Up to `limit` files after the one at `after` that their team has, verified, and with which
    /// something may be done afterwards.
    ///
    /// # Errors
    /// Of the database.
    pub async fn to_clear(
        &self,
        folder: FolderId,
        after: PathBuf,
        limit: u64,
    ) -> Result<Vec<Seen>, DatabaseError> {
        self.read(move |c| {
            // Verified means that the team's side has compared content, not only counted bytes.
            let mut statement = c.prepare_cached(
                "SELECT f.path, f.size, f.modified_ns, f.file, f.fate, f.upload_id
                 FROM folder_files f JOIN receipts r ON r.upload_id = f.upload_id
                 WHERE f.folder_id = ?1 AND f.cleared = 0 AND f.upload_id IS NOT NULL
                   AND r.size = f.size AND (r.said_crc64 IS NOT NULL OR r.proof <> 'size')
                   AND f.path > ?2
                 ORDER BY f.path LIMIT ?3",
            )?;
            let values = (folder.to_string(), path_bytes(&after), limit.cast_signed());
            let rows = statement.query_map(values, read)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Remembers that nothing more is to be done with a file in the version that was seen.
    ///
    /// # Errors
    /// Of the database.
    pub async fn cleared(&self, folder: FolderId, file: Seen) -> Result<(), DatabaseError> {
        self.write(move |c| {
            // A newer version may have come into the row meanwhile: then it is not that one.
            let mut statement = c.prepare_cached(
                "UPDATE folder_files SET cleared = 1
                 WHERE folder_id = ?1 AND path = ?2 AND size = ?3 AND modified_ns = ?4",
            )?;
            let (path, version) = (path_bytes(&file.path), file.version);
            let size = version.size.cast_signed();
            statement.execute((folder.to_string(), path, size, version.modified_ns))?;
            Ok(())
        })
        .await
    }
}

const INSERT: &str = "INSERT INTO folder_files
    (folder_id, path, size, modified_ns, file, fate, upload_id, cleared)
    VALUES (:folder, :path, :size, :modified_ns, :file, :fate, :upload_id, 0)
    ON CONFLICT (folder_id, path) DO";

/// Keeps what became of a file, in place of what became of an earlier version.
fn note(connection: &Connection, folder: FolderId, file: &Seen) -> Result<(), DatabaseError> {
    let sql = format!(
        "{INSERT} UPDATE SET size = excluded.size, modified_ns = excluded.modified_ns,
             file = excluded.file, fate = excluded.fate, upload_id = excluded.upload_id, cleared = 0"
    );
    insert(connection, &sql, folder, file)
}

/// Keeps what became of a file of which nothing is known yet.
pub(super) fn keep_new(
    connection: &Connection,
    folder: FolderId,
    file: &Seen,
) -> Result<(), DatabaseError> {
    insert(connection, &format!("{INSERT} NOTHING"), folder, file)
}

fn insert(
    connection: &Connection,
    sql: &str,
    folder: FolderId,
    file: &Seen,
) -> Result<(), DatabaseError> {
    let mut statement = connection.prepare_cached(sql)?;
    let (fate, upload) = file.fate.columns();
    statement.execute(named_params! {
        ":folder": folder.to_string(),
        ":path": path_bytes(&file.path),
        ":size": file.version.size.cast_signed(),
        ":modified_ns": file.version.modified_ns,
        ":file": file.version.file.map(u64::cast_signed),
        ":fate": fate,
        ":upload_id": upload,
    })?;
    Ok(())
}

fn read(row: &Row<'_>) -> rusqlite::Result<Seen> {
    let upload = match row.get_ref(5)?.as_str_or_null()? {
        Some(id) => {
            let id: Result<UploadId, ulid::DecodeError> = id.parse();
            Some(id.map_err(|error| unreadable(5, error.to_string()))?)
        }
        None => None,
    };
    let fate = match (row.get_ref(4)?.as_str()?, upload) {
        ("was_there", None) => Fate::WasThere,
        ("sent", Some(id)) => Fate::Sent(id),
        ("same", Some(id)) => Fate::Same(id),
        _ => return Err(unreadable(4, "no fate of a file")),
    };
    Ok(Seen {
        path: bytes_path(row.get(0)?),
        version: Version {
            size: row.get::<_, i64>(1)?.cast_unsigned(),
            modified_ns: row.get(2)?,
            file: row.get::<_, Option<i64>>(3)?.map(i64::cast_unsigned),
        },
        fate,
    })
}

/// Removes rows that the table takes but that say nothing of a file. How many there were.
pub(super) fn sift(connection: &Connection) -> Result<usize, DatabaseError> {
    let mut statement = connection.prepare(
        "SELECT path, size, modified_ns, file, fate, upload_id, folder_id FROM folder_files",
    )?;
    let mut rows = statement.query([])?;
    let mut senseless = Vec::new();
    while let Some(row) = rows.next()? {
        let inside = |seen: &Seen| seen.path.is_relative() && seen.path != Path::new("");
        if !read(row).is_ok_and(|seen| inside(&seen)) {
            senseless.push((row.get::<_, String>(6)?, row.get::<_, Vec<u8>>(0)?));
        }
    }
    let mut remove =
        connection.prepare("DELETE FROM folder_files WHERE folder_id = ?1 AND path = ?2")?;
    for key in &senseless {
        remove.execute((&key.0, &key.1))?;
    }
    Ok(senseless.len())
}
