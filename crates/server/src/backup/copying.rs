//! Files into another folder: whole and on disk, or not there.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::Summary;

/// Puts `from`, which does not change any more, at `to`: as another name of the same bytes where
/// both are on one file system, else as a copy. One of the same size that is there is kept.
pub(super) fn place(from: &Path, to: &Path, summary: &mut Summary) -> io::Result<u64> {
    let bytes = std::fs::metadata(from)?.len();
    match std::fs::metadata(to) {
        Ok(there) if there.len() == bytes => {
            summary.kept += 1;
            return Ok(bytes);
        }
        Ok(_) => std::fs::remove_file(to)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    match std::fs::hard_link(from, to) {
        Ok(()) => summary.linked += 1,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(error),
        Err(_) => {
            copy(from, to)?;
            summary.copied += 1;
        }
    }
    Ok(bytes)
}

/// Copies `from`, of which others may write a new version meanwhile. One of the same size and time
/// that is there is kept.
pub(super) fn copy_changing(from: &Path, to: &Path) -> io::Result<u64> {
    let source = std::fs::metadata(from)?;
    let (bytes, modified) = (source.len(), source.modified()?);
    match std::fs::metadata(to) {
        Ok(there) if there.len() == bytes && there.modified()? == modified => return Ok(bytes),
        _ => {}
    }
    if let Some(folder) = to.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let bytes = copy(from, to)?;
    File::options().write(true).open(to)?.set_modified(modified)?;
    Ok(bytes)
}

/// Copies the bytes of `from` to `to`, which has all of them or is not there.
pub(super) fn copy(from: &Path, to: &Path) -> io::Result<u64> {
    let mut part = to.as_os_str().to_owned();
    part.push(".part");
    let part = PathBuf::from(part);
    let bytes = std::fs::copy(from, &part)?;
    File::options().write(true).open(&part)?.sync_all()?;
    std::fs::rename(&part, to)?;
    Ok(bytes)
}

/// Makes the names in `folder` durable. Windows keeps them in a journal of its own.
pub(super) fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

/// The paths of all files below `root`, without it.
pub(super) fn files_below(root: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let entries = match std::fs::read_dir(root.join(&folder)) {
            // It may have been removed since it was listed.
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let path = folder.join(entry.file_name());
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
