//! The folder: what lies where, and what is known about it after a power cut.

use std::io;
use std::path::{Path, PathBuf};

/// File name of the master playlist.
pub(super) const MASTER: &str = "master.m3u8";

/// The engine's folder.
#[derive(Clone, Debug)]
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Makes what is missing, and removes what an ended process left half made.
    pub(super) fn open(root: PathBuf) -> io::Result<Self> {
        let folder = Self(root);
        match std::fs::remove_dir_all(folder.0.join("work")) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        std::fs::create_dir_all(folder.0.join("work"))?;
        std::fs::create_dir_all(folder.0.join("assets"))?;
        std::fs::create_dir_all(folder.uploads())?;
        Ok(folder)
    }

    /// The database.
    pub(super) fn database(&self) -> PathBuf {
        self.0.join("media.db")
    }

    /// Where the bytes of direct uploads are.
    pub(super) fn uploads(&self) -> PathBuf {
        self.0.join("uploads")
    }

    /// Where one attempt writes.
    pub(super) fn work(&self, attempt: &str) -> PathBuf {
        self.0.join("work").join(attempt)
    }

    /// What is served of an asset. `id` is one of ours, never a caller's word.
    pub(super) fn asset(&self, id: &str) -> PathBuf {
        self.0.join("assets").join(id)
    }

    /// The assets that have a folder.
    pub(super) fn assets(&self) -> io::Result<Vec<String>> {
        let names = std::fs::read_dir(self.0.join("assets"))?
            .map(|entry| Ok(entry?.file_name().into_string().ok()))
            .collect::<io::Result<Vec<_>>>()?;
        Ok(names.into_iter().flatten().collect())
    }
}

/// Removes a folder of an asset, if there is one.
pub(super) async fn remove(folder: &Path) {
    match tokio::fs::remove_dir_all(folder).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            tracing::warn!(%error, "the files of an asset could not be removed");
        }
        _ => {}
    }
}

/// Bytes of all files in `folder`.
pub(super) async fn bytes(folder: &Path) -> io::Result<u64> {
    let folder = folder.to_owned();
    blocking(move || Ok(entries(&folder)?.iter().map(|(_, size)| size).sum())).await
}

/// Brings `folder` to disk. False where it does not hold `expected` bytes.
pub(super) async fn sync(folder: &Path, expected: u64) -> io::Result<bool> {
    let folder = folder.to_owned();
    blocking(move || {
        let entries = match entries(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        if entries.iter().map(|(_, size)| size).sum::<u64>() != expected {
            return Ok(false);
        }
        for (path, _) in &entries {
            // Windows flushes only what was opened for writing.
            std::fs::File::options().write(true).open(path)?.sync_all()?;
        }
        sync_folder(&folder)?;
        folder.parent().map_or(Ok(()), sync_folder)?;
        Ok(true)
    })
    .await
}

fn entries(folder: &Path) -> io::Result<Vec<(PathBuf, u64)>> {
    std::fs::read_dir(folder)?
        .map(|entry| {
            let entry = entry?;
            Ok((entry.path(), entry.metadata()?.len()))
        })
        .collect()
}

#[cfg(unix)]
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

/// Windows has no such thing; NTFS journals its folders.
#[cfg(not(unix))]
pub(super) fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}
