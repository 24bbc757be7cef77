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

    /// A further rendition of an asset.
    pub(super) fn rendition(&self, asset: &str, height: u32) -> PathBuf {
        self.asset(asset).join(rendition_name(height))
    }

    /// Images of an asset that were asked for.
    pub(super) fn images(&self, asset: &str) -> PathBuf {
        self.asset(asset).join("images")
    }

    /// The assets that have a folder.
    pub(super) fn assets(&self) -> io::Result<Vec<String>> {
        let names = std::fs::read_dir(self.0.join("assets"))?
            .map(|entry| Ok(entry?.file_name().into_string().ok()))
            .collect::<io::Result<Vec<_>>>()?;
        Ok(names.into_iter().flatten().collect())
    }
}

/// Folder of a further rendition, on disk as in addresses.
pub(super) fn rendition_name(height: u32) -> String {
    format!("{height}p")
}

/// The height in [`rendition_name`]'s answer, and in nothing else.
pub(super) fn rendition_height(name: &str) -> Option<u32> {
    let height = name.strip_suffix('p')?.parse().ok()?;
    (rendition_name(height) == name).then_some(height)
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

/// Moves a file that can be made again to `path`, among at most `most` of its kind.
///
/// # Errors
/// Among others where the asset is gone: its folder is not made anew.
pub(super) async fn keep(made: &Path, path: &Path, most: usize) -> io::Result<()> {
    let (made, path) = (made.to_owned(), path.to_owned());
    blocking(move || {
        let Some(folder) = path.parent() else { return Err(io::ErrorKind::NotFound.into()) };
        match std::fs::create_dir(folder) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
        let mut kept = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            kept.push((entry.metadata()?.modified()?, entry.path()));
        }
        kept.sort();
        for (_, oldest) in kept.iter().take((kept.len() + 1).saturating_sub(most)) {
            match std::fs::remove_file(oldest) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        std::fs::rename(&made, &path)
    })
    .await
}

/// Bytes of all files in `folder`, without its folders.
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

/// The files in `folder`. The folders in it are other renditions, with a job of their own.
fn entries(folder: &Path) -> io::Result<Vec<(PathBuf, u64)>> {
    let mut entries = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        if metadata.is_file() {
            entries.push((entry.path(), metadata.len()));
        }
    }
    Ok(entries)
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

#[cfg(test)]
mod tests {
    use super::rendition_height;

    #[test]
    fn only_names_of_renditions_are_folders() {
        assert_eq!(rendition_height("720p"), Some(720));
        for name in ["", "p", "720", "0720p", "+720p", "720pp", "..p", "99999999999p", "720P"] {
            assert_eq!(rendition_height(name), None, "{name}");
        }
    }
}
