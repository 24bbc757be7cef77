//! Making a backup.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ulid::Ulid;

use super::copying::{self, copy_changing, files_below, place, sync_folder};
use super::manifest::{Database, Manifest, Media, Plain};
use super::{BackupError, Summary, at};
use crate::data_folder::only_owner;
use crate::db::snapshots;
use crate::object_store::{DataFile, Snapshot};

/// Pairs of snapshots taken before one is taken that lacks originals.
const TRIES: usize = 10;
/// Between two of them, for what was being deleted.
const BREATH: Duration = Duration::from_millis(200);

/// Copies what the server of `data` has to `to`, while it runs.
///
/// # Errors
/// [`BackupError`]; the backup that was in `to` before is whole then.
pub fn back_up(
    data: &Path,
    to: &Path,
    with_media: bool,
    verify: bool,
) -> Result<Summary, BackupError> {
    if !data.join("team.db").is_file() {
        return Err(BackupError::NoServer(data.to_owned()));
    }
    std::fs::create_dir_all(to.join("data")).map_err(at(to))?;
    only_owner(to, 0o700).map_err(at(to))?;
    let _alone = lock(to)?;

    let mut summary = Summary::default();
    let taken = originals(data, to, &mut summary)?;
    let media = media(data, to, with_media, &mut summary)?;
    sync_folder(&to.join("data")).map_err(at(to))?;
    if verify && let Some(snapshot) = &taken.snapshot {
        let verified = snapshot.verify(&to.join("data"))?;
        if !verified.damaged.is_empty() {
            return Err(BackupError::Damaged(verified.damaged));
        }
        summary.verified_objects = verified.objects;
    }
    let index = taken.snapshot.is_some().then(|| Database::of(to, taken.index)).transpose()?;
    let manifest = Manifest::new(Database::of(to, taken.team)?, index, taken.data, media);
    // The manifest must not be there before the names that it says.
    sync_folder(to).map_err(at(to))?;
    manifest.write(to)?;
    forget_others(to, &manifest).map_err(at(to))?;
    Ok(summary)
}

/// Snapshots of both databases, and every file that they need.
struct Taken {
    team: String,
    index: String,
    snapshot: Option<Snapshot>,
    data: Vec<Plain>,
}

fn originals(data: &Path, to: &Path, summary: &mut Summary) -> Result<Taken, BackupError> {
    let embedded = data.join("objects/index.db");
    let mut tries = TRIES;
    loop {
        *summary = Summary::default();
        let id = Ulid::new();
        let (team, index) = (format!("{id}.team.db"), format!("{id}.index.db"));
        // The team's first: what it says was completed is in the index that is read after it.
        snapshots::take(&data.join("team.db"), &to.join(&team))?;
        if !embedded.is_file() {
            return Ok(Taken { team, index, snapshot: None, data: Vec::new() });
        }
        let snapshot = Snapshot::take(&embedded, &to.join(&index))?;
        let placed = data_files(data, to, snapshot.data_files()?, summary)?;
        let lost = snapshot.forget_deleted(&embedded, &placed.vanished)?;
        if !lost.is_empty() {
            return Err(BackupError::Damaged(lost));
        }
        let missing = missing(&to.join(&team), &snapshot)?;
        if missing.is_empty() || tries == 1 {
            summary.missing = missing;
            return Ok(Taken { team, index, snapshot: Some(snapshot), data: placed.files });
        }
        // A video was removed between the two snapshots. The next ones are without it.
        drop(snapshot);
        for name in [team, index] {
            std::fs::remove_file(to.join(name)).map_err(at(to))?;
        }
        std::thread::sleep(BREATH);
        tries -= 1;
    }
}

/// Keys of the originals that the team's snapshot wants and the index's has not.
fn missing(team: &Path, index: &Snapshot) -> Result<Vec<String>, BackupError> {
    let mut missing = Vec::new();
    for key in snapshots::originals(team)? {
        if !index.has_key(&key)? {
            missing.push(key);
        }
    }
    Ok(missing)
}

/// Files of originals that are in the backup now, and those that were gone.
#[derive(Default)]
struct Placed {
    files: Vec<Plain>,
    vanished: Vec<String>,
}

fn data_files(
    data: &Path,
    to: &Path,
    files: Vec<DataFile>,
    summary: &mut Summary,
) -> Result<Placed, BackupError> {
    let mut placed = Placed::default();
    (summary.data_files, summary.data_bytes) = (0, 0);
    for DataFile { name, bytes: least } in files {
        let from = data.join("objects/data").join(&name);
        let bytes = match place(&from, &to.join("data").join(&name), summary) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                placed.vanished.push(name);
                continue;
            }
            Err(error) => return Err(at(&from)(error)),
        };
        if bytes < least {
            return Err(BackupError::Truncated(name));
        }
        summary.data_files += 1;
        summary.data_bytes += bytes;
        placed.files.push(Plain { name, bytes });
    }
    Ok(placed)
}

fn media(
    data: &Path,
    to: &Path,
    with_media: bool,
    summary: &mut Summary,
) -> Result<Media, BackupError> {
    let from = data.join("media");
    if !from.join("media.db").is_file() {
        return Ok(Media::None);
    }
    if !with_media {
        return Ok(Media::LeftOut);
    }
    let name = format!("{}.media.db", Ulid::new());
    snapshots::take(&from.join("media.db"), &to.join(&name))?;
    let mut files = Vec::new();
    for path in files_below(&from).map_err(at(&from))? {
        // What is being made is made again; the database is copied by itself.
        if path.starts_with("work") || path.parent() == Some(Path::new("")) {
            continue;
        }
        let Some(text) = path.to_str().map(str::to_owned) else { continue };
        match copy_changing(&from.join(&path), &to.join("media").join(&path)) {
            Ok(bytes) => files.push(Plain { name: text, bytes }),
            // Its video was deleted.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(at(&from.join(path))(error)),
        }
    }
    summary.media_files = files.len() as u64;
    Ok(Media::Kept { database: Database::of(to, name)?, files })
}

/// Removes what backups before this one had, and it has not.
fn forget_others(to: &Path, manifest: &Manifest) -> std::io::Result<()> {
    let mut mine: Vec<PathBuf> = vec![manifest.team.file.clone().into()];
    mine.extend(manifest.index.iter().map(|index| PathBuf::from(&index.file)));
    mine.extend(manifest.data.iter().map(|file| Path::new("data").join(&file.name)));
    if let Media::Kept { database, files } = &manifest.media {
        mine.push(database.file.clone().into());
        mine.extend(files.iter().map(|file| Path::new("media").join(&file.name)));
    }
    mine.sort();
    let is_ours = |path: &Path| {
        path.starts_with("data")
            || path.starts_with("media")
            || path.to_str().is_some_and(|name| {
                [".team.db", ".index.db", ".media.db"].iter().any(|end| name.ends_with(end))
            })
    };
    for path in copying::files_below(to)? {
        if is_ours(&path) && mine.binary_search(&path).is_err() {
            std::fs::remove_file(to.join(path))?;
        }
    }
    Ok(())
}

fn lock(to: &Path) -> Result<File, BackupError> {
    let path = to.join("backup.lock");
    let file = File::create(&path).map_err(at(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(BackupError::Busy(to.to_owned())),
        Err(TryLockError::Error(error)) => Err(at(&path)(error)),
    }
}
