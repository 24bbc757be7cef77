//! The table of watched folders.

use std::path::PathBuf;

use dailies_database::{DatabaseError, exactly_one};
use rusqlite::{Connection, OptionalExtension as _, Row, named_params};

use crate::store::columns::{bytes_path, from_json, json, path_bytes, sift_named, unreadable};
use crate::store::{Destination, Seen, Store, folder_files};
use crate::transfer::Timestamp;
use crate::watch::{FolderId, Rules};

/// A watched folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// Its name.
    pub id: FolderId,
    /// Where it is.
    pub path: PathBuf,
    /// Where its files go.
    pub destination: Destination,
    /// What somebody wants of it.
    pub rules: Rules,
    /// When it was watched first.
    pub added_at: Timestamp,
}

const COLUMNS: &str = "id, path, server, project_id, project, team, rules, added_at";

impl Store {
    /// Every watched folder, oldest first.
    ///
    /// # Errors
    /// Of the database.
    pub async fn folders(&self) -> Result<Vec<Folder>, DatabaseError> {
        self.read(|c| {
            let sql = format!("SELECT {COLUMNS} FROM folders ORDER BY id");
            let mut statement = c.prepare_cached(&sql)?;
            let rows = statement.query_map([], read)?;
            Ok(rows.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// Keeps a watched folder, in place of what was wanted of the same one before, and those of its
    /// files of which nothing was known. Its name: the one it had, if it is not new.
    ///
    /// # Errors
    /// Of the database.
    pub async fn keep_folder(
        &self,
        folder: Folder,
        files: Vec<Seen>,
    ) -> Result<FolderId, DatabaseError> {
        self.write(move |c| {
            let id = keep(c, &folder)?;
            files.iter().try_for_each(|file| folder_files::keep_new(c, id, file))?;
            Ok(id)
        })
        .await
    }

    /// Forgets a watched folder, and what became of its files. The receipts of what was sent stay.
    ///
    /// # Errors
    /// [`DatabaseError::Stale`] where there is none.
    pub async fn forget_folder(&self, id: FolderId) -> Result<(), DatabaseError> {
        self.write(move |c| {
            exactly_one(c.execute("DELETE FROM folders WHERE id = ?1", [id.to_string()])?)
        })
        .await
    }
}

fn keep(connection: &Connection, folder: &Folder) -> Result<FolderId, DatabaseError> {
    let path = path_bytes(&folder.path);
    let mut known = connection.prepare_cached("SELECT id FROM folders WHERE path = ?1")?;
    let known = known.query_row([&path], |row| id(row, 0)).optional()?;
    let id = known.unwrap_or(folder.id);
    let mut statement = connection.prepare_cached(
        "INSERT INTO folders (id, path, server, project_id, project, team, rules, added_at)
         VALUES (:id, :path, :server, :project_id, :project, :team, :rules, :added_at)
         ON CONFLICT (id) DO UPDATE SET server = excluded.server,
             project_id = excluded.project_id, project = excluded.project, team = excluded.team,
             rules = excluded.rules",
    )?;
    let to = &folder.destination;
    statement.execute(named_params! {
        ":id": id.to_string(),
        ":path": path,
        ":server": to.server,
        ":project_id": to.project_id,
        ":project": to.project,
        ":team": to.team,
        ":rules": json(&folder.rules)?,
        ":added_at": folder.added_at.0,
    })?;
    Ok(id)
}

pub(super) fn id(row: &Row<'_>, column: usize) -> rusqlite::Result<FolderId> {
    let text = row.get_ref(column)?.as_str()?;
    text.parse().map_err(|error: ulid::DecodeError| unreadable(column, error.to_string()))
}

fn read(row: &Row<'_>) -> rusqlite::Result<Folder> {
    Ok(Folder {
        id: id(row, 0)?,
        path: bytes_path(row.get(1)?),
        destination: Destination {
            server: row.get(2)?,
            project_id: row.get(3)?,
            project: row.get(4)?,
            team: row.get(5)?,
            // A version of what, each file would say for itself; who may watch it, the rules.
            version_of: None,
            visibility: None,
        },
        rules: from_json(6, row.get_ref(6)?.as_str()?)?,
        added_at: Timestamp(row.get(7)?),
    })
}

/// Removes rows that the table takes but that are no watched folders. How many there were.
pub(super) fn sift(connection: &Connection) -> Result<usize, DatabaseError> {
    sift_named(connection, "folders", COLUMNS, |row| Ok(read(row)?.id))
}
