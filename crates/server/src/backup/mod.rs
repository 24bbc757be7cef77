//! A copy of everything a team has, made while its server runs, and a server made from such a copy.
//!
//! Owns: the folder of a backup. Must not know: HTTP, what a video is.
//!
//! What holds here:
//! - The server's lock is not taken and nothing of its folder is written to.
//! - `manifest.json` is replaced as the last step: until then the backup before it is whole.
//! - The data files of objects never change, so one that is there already is not copied again.
//! - Every object can be checked by itself: the index has its checksum, the manifest the index's.

mod copying;
mod manifest;
mod restore;
mod take;

use std::io;
use std::path::PathBuf;

use dailies_database::DatabaseError;
use serde::Serialize;

use crate::data_folder::DataFolderError;
use crate::object_store::ObjectStoreError;

pub use self::restore::restore;
pub use self::take::back_up;

/// What a backup or a restored folder has.
#[derive(Clone, Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// Objects that were read back and compared.
    pub verified_objects: u64,
    /// Files of originals.
    pub data_files: u64,
    /// Bytes of these.
    pub data_bytes: u64,
    /// Files that were there before.
    pub kept: u64,
    /// Files that share the bytes of the folder they come from.
    pub linked: u64,
    /// Files whose bytes were copied.
    pub copied: u64,
    /// Files of renditions.
    pub media_files: u64,
    /// Originals of videos that the storage of this server does not have.
    pub missing: Vec<String>,
}

/// Why there is no backup, or no restored folder.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// There is no database to back up.
    #[error("{0} is no data folder of a dailies-server: it has no team.db")]
    NoServer(PathBuf),
    /// Another backup into the same folder runs.
    #[error("another backup to {0} is running")]
    Busy(PathBuf),
    /// A file of the data folder is shorter than its objects.
    #[error("the original {0} is damaged: it has fewer bytes than were stored")]
    Truncated(String),
    /// Bytes were read back that are not those that were stored.
    #[error("{} originals are damaged: {}", .0.len(), .0.join(", "))]
    Damaged(Vec<String>),
    /// No manifest, or one that cannot be read.
    #[error("{0} holds no whole backup")]
    NoBackup(PathBuf),
    /// A newer program has made the backup.
    #[error("this backup was made by a newer version of this program")]
    Newer,
    /// A file of the backup is not the one that was written.
    #[error("the backup is damaged: {0} is not what the manifest says")]
    Altered(String),
    /// The folder to restore into is in use.
    #[error("{0} is not empty; restore into a new folder")]
    NotEmpty(PathBuf),
    /// The data folder cannot be used.
    #[error(transparent)]
    DataFolder(#[from] DataFolderError),
    /// A database refused.
    #[error("a database cannot be copied")]
    Database(#[from] DatabaseError),
    /// The index of the originals refused.
    #[error(transparent)]
    ObjectStore(#[from] ObjectStoreError),
    /// The file system refused.
    #[error("{0} cannot be used")]
    Io(PathBuf, #[source] io::Error),
}

/// Names the path that the file system refused.
fn at(path: &std::path::Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |error| BackupError::Io(path, error)
}
