//! A profile: the folder that one engine works in, and the lock that keeps it to one.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use crate::error::{Code, EngineError};

/// A profile's folder, locked for as long as this lives. The system frees the lock of a process
/// that dies.
#[derive(Debug)]
pub struct Profile {
    folder: PathBuf,
    _lock: File,
}

impl Profile {
    /// Locks a profile, and makes its folder if there is none.
    ///
    /// # Errors
    /// [`Code::ProfileInUse`] while another process works on it.
    pub fn lock(folder: &Path) -> Result<Self, EngineError> {
        let refused = |error: std::io::Error| {
            EngineError::new(
                Code::LocalStorage,
                format!("the folder {} cannot be used: {error}", folder.display()),
            )
        };
        create_private(folder).map_err(refused)?;
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(folder.join("lock"))
            .map_err(refused)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { folder: folder.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(EngineError::new(
                Code::ProfileInUse,
                format!("another program works on the uploads in {}", folder.display()),
            )),
            Err(TryLockError::Error(error)) => Err(refused(error)),
        }
    }

    /// The queue's file in a profile's folder.
    #[must_use]
    pub fn queue(folder: &Path) -> PathBuf {
        folder.join("queue.db")
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// What people upload, and where to, is nobody else's business on a shared computer.
pub(crate) fn create_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_engine_works_on_a_profile() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        let first = Profile::lock(&path).unwrap();
        assert_eq!(Profile::lock(&path).unwrap_err().code, Code::ProfileInUse);
        drop(first);
        Profile::lock(&path).unwrap();
    }
}
