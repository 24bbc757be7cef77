//! Watched folders as a part of the engine: what is kept of them, and what becomes of what they
//! offer.
//!
//! The room `watch` says when a file is finished; here it is compared with what the team has, put
//! into the queue, and, where its folder's rules say so, put aside once the team has verified it.

mod clear;
mod growing;
mod offer;
mod plan;
mod watching;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::{oneshot, watch};

pub use plan::{Plan, Planned};
pub use watching::{FolderNews, Watching};

use crate::engine::Engine;
use crate::error::{Code, EngineError};
use crate::folders::offer::{Alike, Offer};
use crate::handle::{Candidate, Command, EngineHandle, Goes, stopped};
use crate::protocol::UploadProtocol;
use crate::source::Fingerprint;
use crate::store::{Destination, Fate, Folder, Seen};
use crate::transfer::UploadId;
use crate::view::DestinationView;
use crate::watch::{Answer, Entry, Existing, Filter, FolderId, Rules, Version, scan};

/// A watched folder, as an interface shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct FolderView {
    /// Its name.
    pub id: FolderId,
    /// Where it is, for reading only: lossy where it is no Unicode.
    pub path: String,
    /// Where its files go.
    pub destination: DestinationView,
    /// What somebody wants of it.
    pub rules: Rules,
}

impl From<&Folder> for FolderView {
    fn from(folder: &Folder) -> Self {
        let Destination { project_id, project, team, .. } = folder.destination.clone();
        Self {
            id: folder.id,
            path: folder.path.to_string_lossy().into_owned(),
            destination: DestinationView { project_id, project, team },
            rules: folder.rules.clone(),
        }
    }
}

/// What the loop is asked about watched folders. Each is answered.
pub(crate) enum Question {
    All(oneshot::Sender<Result<Vec<Folder>, EngineError>>),
    Changes(oneshot::Sender<watch::Receiver<()>>),
    Add(Box<NewFolder>, oneshot::Sender<Result<FolderView, EngineError>>),
    Remove(FolderId, oneshot::Sender<Result<(), EngineError>>),
    Seen(FolderId, oneshot::Sender<Result<Vec<Seen>, EngineError>>),
    KeepSeen(FolderId, Seen, oneshot::Sender<Result<(), EngineError>>),
    Alike(Box<(Fingerprint, Destination)>, oneshot::Sender<Result<Alike, EngineError>>),
    Protocol(String, oneshot::Sender<Option<Arc<dyn UploadProtocol>>>),
    Grow(Box<(Candidate, Destination)>, oneshot::Sender<Result<Answer, EngineError>>),
    GiveUpGrowing(Box<(PathBuf, Destination)>, oneshot::Sender<Result<(), EngineError>>),
    Moved { id: UploadId, path: PathBuf, done: oneshot::Sender<()> },
    Offer(Box<Offer>, oneshot::Sender<Result<(), EngineError>>),
    ToClear(FolderId, PathBuf, oneshot::Sender<Result<Vec<Seen>, EngineError>>),
    Cleared(FolderId, Seen, oneshot::Sender<Result<(), EngineError>>),
}

/// A folder that is to be watched, and what lies in it already.
#[derive(Debug)]
pub(crate) struct NewFolder {
    path: PathBuf,
    project: Option<String>,
    rules: Rules,
    there: Vec<(PathBuf, Version)>,
}

/// Files that are read from the store at a time.
const PAGE: u64 = 500;

impl EngineHandle {
    /// Has a folder watched from now on, by [`Self::watch`], or changes what is wanted of one that
    /// is. Its files go to `project`, or where [`Self::set_destination`] said. What came into it
    /// while nobody watched is new.
    ///
    /// # Errors
    /// [`Code::NotConnected`] and [`Code::NotFound`] (the folder, the project).
    pub async fn add_folder(
        &self,
        path: PathBuf,
        project: Option<String>,
        rules: Rules,
    ) -> Result<FolderView, EngineError> {
        let new = filter(&rules)?;
        let existing = rules.existing;
        let kept = self.kept_folders().await?;
        let looking = tokio::task::spawn_blocking(move || {
            let path = whole(&path)?;
            let kept = kept.into_iter().find(|folder| folder.path == path);
            let old = kept.map(|folder| filter(&folder.rules)).transpose()?;
            let there = match existing {
                Existing::Leave => versions(&path, &new, old.as_ref())?,
                Existing::Send => Vec::new(),
            };
            Ok::<_, EngineError>((path, there))
        });
        let (path, there) = looking.await.map_err(|_| stopped())??;
        let folder = Box::new(NewFolder { path, project, rules, there });
        self.ask(|done| Command::Folders(Question::Add(folder, done))).await?
    }

    /// Every watched folder, oldest first.
    ///
    /// # Errors
    /// [`Code::LocalStorage`].
    pub async fn folders(&self) -> Result<Vec<FolderView>, EngineError> {
        Ok(self.kept_folders().await?.iter().map(FolderView::from).collect())
    }

    /// Has a folder watched no longer. What is in the queue stays there; no file is touched.
    ///
    /// # Errors
    /// [`Code::NotFound`].
    pub async fn remove_folder(&self, id: FolderId) -> Result<(), EngineError> {
        self.ask(|done| Command::Folders(Question::Remove(id, done))).await?
    }

    pub(crate) async fn kept_folders(&self) -> Result<Vec<Folder>, EngineError> {
        self.ask(|done| Command::Folders(Question::All(done))).await?
    }

    /// What became of the files in a watched folder.
    pub(crate) async fn seen(&self, id: FolderId) -> Result<HashMap<PathBuf, Seen>, EngineError> {
        let seen = self.ask(|done| Command::Folders(Question::Seen(id, done))).await??;
        Ok(seen.into_iter().map(|seen| (seen.path.clone(), seen)).collect())
    }
}

impl Engine {
    pub(crate) async fn answer_about_folders(&mut self, question: Question) {
        // An asker that has gone away is not waited for.
        match question {
            Question::All(done) => {
                let _ = done.send(self.store.folders().await.map_err(EngineError::from));
            }
            Question::Changes(done) => {
                let _ = done.send(self.folders.subscribe());
            }
            Question::Add(folder, done) => {
                let _ = done.send(self.add_folder(*folder).await);
            }
            Question::Remove(id, done) => {
                let _ = done.send(self.remove_folder(id).await);
            }
            Question::Seen(id, done) => {
                let _ = done.send(self.store.seen(id).await.map_err(EngineError::from));
            }
            Question::KeepSeen(id, seen, done) => {
                let kept = self.store.keep_seen(id, vec![seen]).await;
                let _ = done.send(kept.map_err(EngineError::from));
            }
            Question::Alike(what, done) => {
                let (fingerprint, to) = *what;
                let _ = done.send(self.alike(fingerprint, to).await);
            }
            Question::Protocol(server, done) => {
                let _ = done.send(self.way_to(&server));
            }
            Question::Grow(what, done) => {
                let (candidate, to) = *what;
                let _ = done.send(self.begin_growing(candidate, &to).await);
            }
            Question::GiveUpGrowing(what, done) => {
                let (path, to) = *what;
                let _ = done.send(self.give_up_growing(&path, &to).await);
            }
            Question::Moved { id, path, done } => {
                self.moved(id, path).await;
                let _ = done.send(());
            }
            Question::Offer(offer, done) => {
                let _ = done.send(self.take_offer(*offer).await);
            }
            Question::ToClear(id, after, done) => {
                let files = self.store.to_clear(id, after, PAGE).await;
                let _ = done.send(files.map_err(EngineError::from));
            }
            Question::Cleared(id, seen, done) => {
                let cleared = self.store.cleared(id, seen).await;
                let _ = done.send(cleared.map_err(EngineError::from));
            }
        }
    }

    async fn add_folder(&mut self, new: NewFolder) -> Result<FolderView, EngineError> {
        let goes = match new.project {
            Some(project_id) => Goes::To { project_id },
            None => Goes::Usual,
        };
        let destination = self.destination(goes)?;
        let folder = Folder {
            id: FolderId::new(),
            path: new.path,
            destination,
            rules: new.rules,
            added_at: self.now(),
        };
        let id = self.store.keep_folder(folder.clone(), was_there(new.there)).await?;
        self.folders.send_replace(());
        Ok(FolderView::from(&Folder { id, ..folder }))
    }

    async fn remove_folder(&mut self, id: FolderId) -> Result<(), EngineError> {
        let folders = self.store.folders().await?;
        let Some(folder) = folders.iter().find(|folder| folder.id == id) else {
            let words = format!("there is no watched folder {id}");
            return Err(EngineError::new(Code::NotFound, words));
        };
        self.give_up_growing(&folder.path, &folder.destination).await?;
        self.store.forget_folder(id).await?;
        self.folders.send_replace(());
        Ok(())
    }
}

/// A folder's path, from the root of the file system on and without links. Blocks.
fn whole(path: &Path) -> Result<PathBuf, EngineError> {
    let no_folder = |why: String| {
        let words = format!("{} is no folder that can be watched: {why}", path.display());
        EngineError::new(Code::NotFound, words)
    };
    let path = std::fs::canonicalize(path).map_err(|error| no_folder(error.to_string()))?;
    if path.is_dir() { Ok(path) } else { Err(no_folder("it is a file".into())) }
}

fn filter(rules: &Rules) -> Result<Filter, EngineError> {
    Filter::new(rules).map_err(|error| EngineError::new(Code::WrongState, error.to_string()))
}

/// The files in a folder that its rules take, and that the old ones did not. Blocks.
fn versions(
    root: &Path,
    new: &Filter,
    old: Option<&Filter>,
) -> Result<Vec<(PathBuf, Version)>, EngineError> {
    let took = |path: &Path, version: Version| {
        old.is_some_and(|old| old.takes(path).and_then(|()| old.fits(version.size)).is_ok())
    };
    let mut there = Vec::new();
    let scanned = scan(root, root, new, |entry| {
        if let Entry::File(path, Ok(version)) = entry
            && !took(&path, version)
        {
            there.push((path, version));
        }
        std::ops::ControlFlow::Continue(())
    });
    let unreadable = |error: std::io::Error| {
        EngineError::new(Code::SourceUnreadable, format!("{}: {error}", root.display()))
    };
    scanned.map_err(unreadable)?;
    Ok(there)
}

fn was_there(files: Vec<(PathBuf, Version)>) -> Vec<Seen> {
    let seen = |(path, version)| Seen { path, version, fate: Fate::WasThere };
    files.into_iter().map(seen).collect()
}
