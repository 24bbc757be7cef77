//! A file of a watched folder that somebody wants sent now, without waiting until it is finished.
//!
//! What is known of it holds all the same: what was sent is not sent again. One that is still being
//! written goes up as a file that changes: it is noticed before it is put together, and what it is
//! once it is finished takes its place.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::error::{Code, EngineError};
use crate::folders::filter;
use crate::folders::offer::Became;
use crate::handle::{EngineHandle, stopped};
use crate::store::{Fate, Folder};
use crate::transfer::UploadId;
use crate::watch::{Skip, Version};

/// How often a file is looked at that is another one with each look, and how long between.
const LOOKS: u32 = 100;
const BETWEEN: Duration = Duration::from_millis(10);

/// What became of a file that somebody wants sent now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "became", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum SentNow {
    /// It is in the queue, or was sent.
    Sent {
        /// By this upload.
        upload_id: UploadId,
    },
    /// The team has its content under another name.
    Same {
        /// By this upload.
        upload_id: UploadId,
    },
}

/// A file as it lies in a watched folder.
struct There {
    folder: Folder,
    inside: PathBuf,
    version: Version,
}

impl EngineHandle {
    /// Puts a file of a watched folder into the queue now, whether or not it is finished, and whether
    /// or not it was there before. Never sends what was sent.
    ///
    /// # Errors
    /// [`Code::NotFound`] for a file that lies in no watched folder, [`Code::Refused`] for one that
    /// the folder's rules leave out, [`Code::SourceChanged`] for one that is written to all the time,
    /// and [`Code::WrongState`] where it cannot be taken now.
    pub async fn send_now(&self, path: PathBuf) -> Result<SentNow, EngineError> {
        for _ in 0..LOOKS {
            let (folders, path) = (self.kept_folders().await?, path.clone());
            let looking = tokio::task::spawn_blocking(move || look(folders, &path));
            let There { folder, inside, version } = looking.await.map_err(|_| stopped())??;
            let seen = self.seen(folder.id).await?.remove(&inside);
            let seen = seen.filter(|seen| seen.version.is_like(&version));
            match seen.map(|seen| seen.fate) {
                Some(Fate::Sent(upload_id)) => return Ok(SentNow::Sent { upload_id }),
                Some(Fate::Same(upload_id)) => return Ok(SentNow::Same { upload_id }),
                Some(Fate::WasThere) | None => {}
            }
            match self.offer(&folder, inside, version).await? {
                Became::Sent(upload_id) => return Ok(SentNow::Sent { upload_id }),
                Became::Same(upload_id) => return Ok(SentNow::Same { upload_id }),
                Became::Waits(why) => {
                    let twin = "another file is under way that may have the same content";
                    let words = why.unwrap_or_else(|| twin.to_owned());
                    return Err(EngineError::new(Code::WrongState, words));
                }
                Became::Changed => tokio::time::sleep(BETWEEN).await,
            }
        }
        Err(EngineError::new(Code::SourceChanged, "the file is another one with each look"))
    }
}

/// Looks in which folder a file lies, and whether its rules take it. Blocks.
fn look(folders: Vec<Folder>, path: &Path) -> Result<There, EngineError> {
    let not_there = |error: std::io::Error| {
        EngineError::new(Code::NotFound, format!("{}: {error}", path.display()))
    };
    // A link stays one: it is not followed in a watched folder either.
    let parent = path.parent().map(std::fs::canonicalize).transpose().map_err(not_there)?;
    let (Some(parent), Some(name)) = (parent, path.file_name()) else {
        return Err(EngineError::new(Code::NotAFile, format!("{} is no file", path.display())));
    };
    let whole = parent.join(name);
    let metadata = std::fs::symlink_metadata(&whole).map_err(not_there)?;
    if !metadata.is_file() {
        return Err(EngineError::new(Code::NotAFile, format!("{} is no file", path.display())));
    }
    let around = folders.into_iter().filter(|folder| whole.starts_with(&folder.path));
    let folder = around.max_by_key(|folder| folder.path.components().count());
    let Some((folder, inside)) = folder.and_then(|folder| {
        let inside = whole.strip_prefix(&folder.path).ok()?.to_owned();
        Some((folder, inside))
    }) else {
        let words = format!("{} lies in no watched folder", path.display());
        return Err(EngineError::new(Code::NotFound, words));
    };
    let filter = filter(&folder.rules)?;
    let taken = match filter.takes(&inside) {
        // By its name it is not finished: somebody knows better.
        Err(Skip::InProgress) => Ok(()),
        taken => taken,
    };
    if taken.and_then(|()| filter.fits(metadata.len())).is_err() {
        let words = format!("the rules of its folder leave {} out", path.display());
        return Err(EngineError::new(Code::Refused, words));
    }
    Ok(There { folder, inside, version: Version::of(&metadata) })
}
