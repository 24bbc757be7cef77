//! The plain files below `data/`: made, opened, leased to readers, removed.
//!
//! Must not know: keys, buckets, SQL.

use std::collections::{HashMap, HashSet};
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;

use super::positioned;
use super::room::{Promised, Room};
use super::values::FileName;

/// The folder of the objects' bytes. Cloning is cheap.
#[derive(Debug, Clone)]
pub(super) struct Files {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    folder: PathBuf,
    room: Room,
    leased: Mutex<HashMap<FileName, Leases>>,
    /// Files that no row mentions yet, but one may soon.
    new: Mutex<HashSet<FileName>>,
    runtime: Handle,
}

#[derive(Debug, Default)]
struct Leases {
    holders: usize,
    removed: bool,
}

/// Keeps a file in the folder while somebody reads it, even if its object is deleted meanwhile.
#[derive(Debug)]
pub(super) struct Lease {
    files: Files,
    name: FileName,
}

/// A file that no row mentions yet. Dropped before [`NewFile::recorded`], it is removed.
#[derive(Debug)]
pub(super) struct NewFile {
    files: Files,
    name: FileName,
    recorded: bool,
}

impl Files {
    /// Opens or creates `folder`.
    ///
    /// # Panics
    /// Outside of a tokio runtime: removals run on its blocking threads.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        std::fs::create_dir_all(folder)?;
        if let Some(parent) = folder.parent() {
            positioned::sync_folder(parent)?;
        }
        Ok(Self {
            shared: Arc::new(Shared {
                folder: folder.to_owned(),
                room: Room::of(folder),
                leased: Mutex::default(),
                new: Mutex::default(),
                runtime: Handle::current(),
            }),
        })
    }

    /// Keeps room for a body of `bytes`. Blocks.
    pub(super) fn room_for(&self, bytes: u64) -> io::Result<Promised> {
        self.shared.room.promise(bytes)
    }

    /// Makes an empty file whose name survives a power cut. Blocks.
    pub(super) fn create(&self) -> io::Result<(NewFile, File)> {
        let name = FileName::fresh();
        // Before it can be listed.
        self.new_ones().insert(name);
        let new = NewFile { files: self.clone(), name, recorded: false };
        let file = OpenOptions::new().write(true).create_new(true).open(self.path(name))?;
        positioned::sync_folder(&self.shared.folder)?;
        Ok((new, file))
    }

    /// Opens a file to write into it at a position. Blocks.
    pub(super) fn open_to_write(&self, name: FileName) -> io::Result<File> {
        OpenOptions::new().write(true).open(self.path(name))
    }

    /// Opens a file to read it. Blocks.
    pub(super) fn open_to_read(&self, name: FileName) -> io::Result<File> {
        File::open(self.path(name))
    }

    /// Whether `name` is one that no row mentions yet, but one may soon.
    pub(super) fn is_new(&self, name: FileName) -> bool {
        self.new_ones().contains(&name)
    }

    /// Keeps `name` from being removed until the lease is dropped.
    pub(super) fn lease(&self, name: FileName) -> Lease {
        self.leased().entry(name).or_default().holders += 1;
        Lease { files: self.clone(), name }
    }

    /// Removes files that no row mentions any more, in the background; leased ones later.
    pub(super) fn remove(&self, names: Vec<FileName>) {
        let mut leased = self.leased();
        let free: Vec<FileName> = names
            .into_iter()
            .filter(|name| match leased.get_mut(name) {
                Some(leases) => {
                    leases.removed = true;
                    false
                }
                None => true,
            })
            .collect();
        drop(leased);
        self.unlink(free);
    }

    /// Every file of the folder. Blocks.
    pub(super) fn list(&self) -> io::Result<Vec<FileName>> {
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&self.shared.folder)? {
            let entry = entry?.file_name();
            match entry.to_str().and_then(FileName::parse) {
                Some(name) => names.push(name),
                None => tracing::warn!(target: super::LOG, "a file in the data folder is not ours"),
            }
        }
        Ok(names)
    }

    fn unlink(&self, names: Vec<FileName>) {
        if names.is_empty() {
            return;
        }
        let files = self.clone();
        // Not waited for: what is left behind is swept later.
        drop(self.shared.runtime.spawn_blocking(move || {
            for name in names {
                if let Err(error) = std::fs::remove_file(files.path(name))
                    && error.kind() != io::ErrorKind::NotFound
                {
                    tracing::warn!(target: super::LOG, %name, %error, "a file could not be removed");
                }
            }
        }));
    }

    fn path(&self, name: FileName) -> PathBuf {
        self.shared.folder.join(name.to_string())
    }

    fn new_ones(&self) -> MutexGuard<'_, HashSet<FileName>> {
        self.shared.new.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leased(&self) -> MutexGuard<'_, HashMap<FileName, Leases>> {
        self.shared.leased.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl NewFile {
    pub(super) fn name(&self) -> FileName {
        self.name
    }

    /// A row mentions the file now. To be said in the transaction that wrote it.
    pub(super) fn recorded(mut self) {
        self.recorded = true;
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        self.files.new_ones().remove(&self.name);
        if !self.recorded {
            self.files.unlink(vec![self.name]);
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut leased = self.files.leased();
        let Some(leases) = leased.get_mut(&self.name) else { return };
        leases.holders -= 1;
        if leases.holders > 0 {
            return;
        }
        let removed = leases.removed;
        leased.remove(&self.name);
        drop(leased);
        if removed {
            self.files.unlink(vec![self.name]);
        }
    }
}
