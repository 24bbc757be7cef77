//! `manifest.json`: which files a backup is made of. Whatever else lies beside it is none of it.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{BackupError, at};
use crate::data_folder::replace_private;

/// Its name.
pub(super) const NAME: &str = "manifest.json";
/// Raised when a program of before could not read it rightly.
const FORMAT: u32 = 1;

/// The files of a backup.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Manifest {
    format: u32,
    /// The server that made it.
    version: String,
    /// Milliseconds since 1970.
    created_at: i64,
    /// `team.db`.
    pub(super) team: Database,
    /// `objects/index.db`; none where the storage is not inside the server.
    pub(super) index: Option<Database>,
    /// Below `data/`.
    pub(super) data: Vec<Plain>,
    /// What is kept of renditions.
    pub(super) media: Media,
}

/// A snapshot of a database.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Database {
    /// Its name in the backup.
    pub(super) file: String,
    sha256: String,
}

/// A file that is no database.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Plain {
    /// Below `data/` or `media/`.
    pub(super) name: String,
    pub(super) bytes: u64,
}

/// Renditions.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub(super) enum Media {
    /// There are none in this server.
    None,
    /// They are made again from the originals.
    LeftOut,
    /// With them.
    Kept {
        /// `media.db`.
        database: Database,
        /// Below `media/`.
        files: Vec<Plain>,
    },
}

impl Manifest {
    pub(super) fn new(
        team: Database,
        index: Option<Database>,
        data: Vec<Plain>,
        media: Media,
    ) -> Self {
        let version = env!("CARGO_PKG_VERSION").to_owned();
        let created_at = crate::clock::now_millis();
        Self { format: FORMAT, version, created_at, team, index, data, media }
    }

    /// Puts it in the place of the one before, all or nothing.
    pub(super) fn write(&self, folder: &Path) -> Result<(), BackupError> {
        let path = folder.join(NAME);
        let text = serde_json::to_vec_pretty(self).map_err(|error| at(&path)(error.into()))?;
        replace_private(&path, &text).map_err(at(&path))
    }

    pub(super) fn read(folder: &Path) -> Result<Self, BackupError> {
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let none = || BackupError::NoBackup(folder.to_owned());
        let text = std::fs::read(folder.join(NAME)).map_err(|_| none())?;
        let Format { format } = serde_json::from_slice(&text).map_err(|_| none())?;
        if format > FORMAT {
            return Err(BackupError::Newer);
        }
        serde_json::from_slice(&text).map_err(|_| none())
    }
}

impl Database {
    /// That lies in `folder` as `file`.
    pub(super) fn of(folder: &Path, file: String) -> Result<Self, BackupError> {
        let path = folder.join(&file);
        let sha256 = sha256(&path).map_err(at(&path))?;
        Ok(Self { file, sha256 })
    }

    pub(super) fn check(&self, folder: &Path) -> Result<(), BackupError> {
        match sha256(&folder.join(&self.file)) {
            Ok(found) if found == self.sha256 => Ok(()),
            _ => Err(BackupError::Altered(self.file.clone())),
        }
    }
}

impl Plain {
    pub(super) fn check(&self, folder: &Path) -> Result<(), BackupError> {
        match std::fs::metadata(folder.join(&self.name)) {
            Ok(found) if found.len() == self.bytes => Ok(()),
            _ => Err(BackupError::Altered(self.name.clone())),
        }
    }
}

fn sha256(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut sha = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(sha.finalize().iter().map(|byte| format!("{byte:02x}")).collect());
        }
        sha.update(&buffer[..read]);
    }
}
