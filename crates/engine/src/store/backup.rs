//! Copies of the queue, for the day on which its file is damaged.

use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use dailies_database::{DatabaseError, snapshot};

use crate::transfer::Timestamp;

/// Copies that are kept.
const KEPT: usize = 2;
const FOLDER: &str = "backups";
/// The end of a copy's name. One that is not whole has another.
const END: &str = ".db";

/// Copies the queue, which others may go on writing to, and removes all but the newest copies.
/// Blocks.
///
/// # Errors
/// Where it cannot be read or the copy not be written; the older copies are there then.
pub(super) fn take(path: &Path, now: Timestamp) -> Result<(), DatabaseError> {
    let folder = path.with_file_name(FOLDER);
    std::fs::create_dir_all(&folder).map_err(DatabaseError::Folder)?;
    for unfinished in files(&folder, ".part") {
        std::fs::remove_file(unfinished).map_err(DatabaseError::Folder)?;
    }
    // Their names sort by their age.
    let name = format!("queue-{:015}", now.0);
    let part = folder.join(format!("{name}.part"));
    if let Err(error) = snapshot(path, &part) {
        // On a full disk, half a copy is in everybody's way. What is not there need not be removed.
        let _ = std::fs::remove_file(part);
        return Err(error);
    }
    let copy = folder.join(name + END);
    std::fs::rename(&part, &copy).map_err(DatabaseError::Folder)?;
    sync_folder(&copy).map_err(DatabaseError::Folder)?;
    let copies = files(&folder, END);
    for old in &copies[..copies.len().saturating_sub(KEPT)] {
        std::fs::remove_file(old).map_err(DatabaseError::Folder)?;
    }
    Ok(())
}

/// Whether the queue has changed since its newest copy, which is at least `age` old.
pub(super) fn is_due(path: &Path, now: Timestamp, age: Duration) -> bool {
    let Some(taken) = newest(path).as_deref().and_then(taken_at) else { return true };
    let mut journal = path.as_os_str().to_owned();
    journal.push("-wal");
    let changed = [path, Path::new(&journal)].map(|file| {
        let changed = std::fs::metadata(file).and_then(|file| file.modified()).ok()?;
        i64::try_from(changed.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()
    });
    // A clock that was set back must not put an end to copies.
    let is_old = now >= taken.after(age) || now < taken;
    is_old && changed.into_iter().flatten().any(|changed| changed > taken.0 || now < taken)
}

/// When a copy was taken, by its name.
fn taken_at(copy: &Path) -> Option<Timestamp> {
    copy.file_stem()?.to_str()?.strip_prefix("queue-")?.parse().ok().map(Timestamp)
}

/// The newest copy of the queue.
pub(super) fn newest(path: &Path) -> Option<PathBuf> {
    files(&path.with_file_name(FOLDER), END).pop()
}

/// Files with this end of their names, the newest last.
fn files(folder: &Path, end: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    let named = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with("queue-") && name.ends_with(end))
    };
    let mut files: Vec<_> = paths.filter(named).collect();
    files.sort();
    files
}

/// Makes what was renamed in a file's folder durable.
#[cfg(unix)]
pub(crate) fn sync_folder(file: &Path) -> std::io::Result<()> {
    file.parent().map_or(Ok(()), |folder| std::fs::File::open(folder)?.sync_all())
}

/// Windows makes renames durable by itself, and opens no folders.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "as elsewhere")]
pub(crate) fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}
