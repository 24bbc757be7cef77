//! A data folder from a backup.

use std::path::Path;

use super::copying::{copy, place, sync_folder};
use super::manifest::{Manifest, Media};
use super::{BackupError, Summary, at};
use crate::data_folder::DataFolder;
use crate::db::snapshots;
use crate::object_store::Snapshot;

/// Makes `data` a data folder that a server can be started on.
///
/// Everything is checked before anything is written: every database against the manifest, every
/// original against the checksum that it was stored with.
///
/// # Errors
/// [`BackupError`]; `data` may have been begun where the file system refused in the middle.
pub fn restore(from: &Path, data: &Path) -> Result<Summary, BackupError> {
    if std::fs::read_dir(data).is_ok_and(|mut entries| entries.next().is_some()) {
        return Err(BackupError::NotEmpty(data.to_owned()));
    }
    let manifest = Manifest::read(from)?;
    let mut summary = Summary { verified_objects: check(from, &manifest)?, ..Summary::default() };

    // Holds the folder against a server that is started too early.
    let folder = DataFolder::open(data)?;
    let objects = folder.objects();
    let into = objects.join("data");
    std::fs::create_dir_all(&into).map_err(at(&into))?;
    for file in &manifest.data {
        let to = into.join(&file.name);
        let path = from.join("data").join(&file.name);
        summary.data_bytes += place(&path, &to, &mut summary).map_err(at(&to))?;
        summary.data_files += 1;
    }
    sync_folder(&into).map_err(at(&into))?;
    if let Some(index) = &manifest.index {
        copy(&from.join(&index.file), &objects.join("index.db")).map_err(at(&objects))?;
        sync_folder(&objects).map_err(at(&objects))?;
    }
    if let Media::Kept { database, files } = &manifest.media {
        let media = folder.media();
        for file in files {
            let to = media.join(&file.name);
            if let Some(parent) = to.parent() {
                std::fs::create_dir_all(parent).map_err(at(parent))?;
            }
            copy(&from.join("media").join(&file.name), &to).map_err(at(&to))?;
            summary.media_files += 1;
        }
        std::fs::create_dir_all(&media).map_err(at(&media))?;
        copy(&from.join(&database.file), &media.join("media.db")).map_err(at(&media))?;
        sync_folder(&media).map_err(at(&media))?;
    }
    let team = folder.database();
    copy(&from.join(&manifest.team.file), &team).map_err(at(&team))?;
    crate::data_folder::only_owner(&team, 0o600).map_err(at(&team))?;
    if matches!(manifest.media, Media::LeftOut) {
        snapshots::make_media_again(&team)?;
    }
    sync_folder(data).map_err(at(data))?;
    Ok(summary)
}

/// The number of objects that are all whole.
fn check(from: &Path, manifest: &Manifest) -> Result<u64, BackupError> {
    manifest.team.check(from)?;
    for file in &manifest.data {
        file.check(&from.join("data"))?;
    }
    if let Media::Kept { database, files } = &manifest.media {
        database.check(from)?;
        for file in files {
            file.check(&from.join("media"))?;
        }
    }
    let Some(index) = &manifest.index else { return Ok(0) };
    index.check(from)?;
    let verified = Snapshot::open(&from.join(&index.file))?.verify(&from.join("data"))?;
    if verified.damaged.is_empty() {
        Ok(verified.objects)
    } else {
        Err(BackupError::Damaged(verified.damaged))
    }
}
