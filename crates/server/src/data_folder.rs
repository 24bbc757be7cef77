//! The data folder: who may use it, and files in it that must never be half written.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Why a data folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DataFolderError {
    /// Another server runs on it.
    #[error("another dailies-server is using {0}")]
    InUse(PathBuf),
    /// The file system refused.
    #[error("the data folder {0} cannot be used")]
    Io(PathBuf, #[source] io::Error),
}

/// A data folder that is ours until this is dropped, also by a crash: the system lets go the lock.
#[derive(Debug)]
pub(crate) struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Makes the folder where it is missing, closes it to others, and takes its lock.
    pub(crate) fn open(path: &Path) -> Result<Self, DataFolderError> {
        let failed = |error| DataFolderError::Io(path.to_owned(), error);
        std::fs::create_dir_all(path).map_err(failed)?;
        only_owner(path, 0o700).map_err(failed)?;
        let path = std::path::absolute(path).map_err(failed)?;
        let failed = |error| DataFolderError::Io(path.clone(), error);
        let lock = private_file(&path.join("server.lock"), false).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DataFolderError::InUse(path)),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        // SQLite gives its journals the mode of the database, so that is made private first.
        private_file(&path.join("team.db"), false).map_err(failed)?;
        Ok(Self { path, _lock: lock })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn database(&self) -> PathBuf {
        self.path.join("team.db")
    }

    pub(crate) fn credentials(&self) -> PathBuf {
        self.path.join("credentials.json")
    }

    pub(crate) fn objects(&self) -> PathBuf {
        self.path.join("objects")
    }

    pub(crate) fn media(&self) -> PathBuf {
        self.path.join("media")
    }
}

/// Whether a server runs on this folder. Asks for its lock, and gives that back at once.
pub(crate) fn is_in_use(folder: &Path) -> bool {
    let lock = OpenOptions::new().write(true).open(folder.join("server.lock"));
    lock.is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
}

/// Bytes that may still be written to the file system of `folder`.
pub(crate) fn free_space(folder: &Path) -> io::Result<u64> {
    #[cfg(unix)]
    {
        let all = rustix::fs::statvfs(folder)?;
        Ok(all.f_bavail.saturating_mul(all.f_frsize))
    }
    #[cfg(not(unix))]
    {
        let _ = folder;
        Err(io::Error::from(io::ErrorKind::Unsupported))
    }
}

/// Puts `contents` in the place of `file`, all or nothing, readable by its owner only.
pub(crate) fn replace_private(file: &Path, contents: &[u8]) -> io::Result<()> {
    let new = file.with_extension("new");
    let mut written = private_file(&new, true)?;
    written.write_all(contents)?;
    written.sync_all()?;
    std::fs::rename(&new, file)?;
    match file.parent() {
        // Without this the name may be lost with the power. Windows opens no folders.
        Some(folder) if cfg!(unix) => File::open(folder)?.sync_all(),
        _ => Ok(()),
    }
}

fn private_file(path: &Path, truncate: bool) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(truncate);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    only_owner(path, 0o600)?;
    Ok(file)
}

/// On Windows the folder for application data is the user's own already.
fn only_owner(path: &Path, mode: u32) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
    }
    #[cfg(not(unix))]
    {
        let _ = (path, mode);
        Ok(())
    }
}
