//! Room on the disk: bytes are taken in only where there is some left after them.
//!
//! A disk that is full to its last byte cannot be emptied any more, because deleting an object takes
//! a few pages in the index. So the last of it is not for objects.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes kept free for the index.
const KEPT_FREE: u64 = 16 << 20;

/// The room of one file system. Cloning is cheap.
#[derive(Debug, Clone)]
pub(super) struct Room {
    folder: Arc<PathBuf>,
    /// Bytes of bodies on their way.
    promised: Arc<AtomicU64>,
}

/// Room for one body, until that has arrived.
#[derive(Debug)]
pub(super) struct Promised {
    room: Room,
    bytes: u64,
}

impl Room {
    pub(super) fn of(folder: &Path) -> Self {
        Self { folder: Arc::new(folder.to_owned()), promised: Arc::default() }
    }

    /// Keeps room for `bytes`. What has arrived of them counts twice until all has: in doubt, there
    /// is less. Blocks.
    ///
    /// # Errors
    /// [`io::ErrorKind::StorageFull`].
    pub(super) fn promise(&self, bytes: u64) -> io::Result<Promised> {
        let before = self.promised.fetch_add(bytes, Ordering::AcqRel);
        let promised = Promised { room: self.clone(), bytes };
        let wanted = before.saturating_add(bytes).saturating_add(KEPT_FREE);
        match free(&self.folder) {
            Some(free) if free < wanted => Err(io::ErrorKind::StorageFull.into()),
            _ => Ok(promised),
        }
    }
}

impl Drop for Promised {
    fn drop(&mut self) {
        self.room.promised.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}

/// Bytes that may still be written; `None` where the system does not say.
#[cfg(unix)]
fn free(folder: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(folder).ok()?;
    Some(found.f_bavail.saturating_mul(found.f_frsize))
}

#[cfg(not(unix))]
fn free(_folder: &Path) -> Option<u64> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_promised_cannot_be_promised_again() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let room = Room::of(folder.path());
        let free = free(folder.path()).expect("this system says");
        let most = free / 2;
        let first = room.promise(most).expect("half of what there is");
        let refused = room.promise(most).expect_err("the other half, and what is kept free");
        assert_eq!(refused.kind(), io::ErrorKind::StorageFull);
        drop(first);
        room.promise(most).expect("it is free again");
    }
}
