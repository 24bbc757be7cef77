//! Watched folders as a part of the engine: what is kept of them, and what becomes of what they
//! offer.
//!
//! The room `watch` says when a file is finished; here it is compared with what the team has, put
//! into the queue, and, where its folder's rules say so, put aside once the team has verified it.

mod change;
mod clear;
mod growing;
mod namesakes;
mod offer;
mod plan;
mod preview;
mod projects;
mod send_now;
mod standing;
mod watching;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

pub use plan::{Plan, Planned};
pub use preview::Preview;
pub(crate) use projects::ProjectLists;
pub use send_now::SentNow;
pub use standing::Standing;
pub use watching::{FolderNews, Watching};

use crate::candidates::Candidate;
use crate::engine::Engine;
use crate::error::{Code, EngineError};
pub(crate) use crate::folders::change::Change;
use crate::folders::offer::{Alike, Offer, Taken};
pub(crate) use crate::folders::standing::Sightings;
use crate::handle::{Command, EngineHandle, Goes, stopped};
use crate::protocol::UploadProtocol;
use crate::source::Fingerprint;
use crate::store::{Destination, Fate, Folder, Seen};
use crate::team::Team;
use crate::transfer::UploadId;
use crate::view::{DestinationView, News};
use crate::watch::{self, Answer, Entry, Existing, Filter, FolderId, Rules, Version, scan};

/// A watched folder, as an interface shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct FolderView {
    /// Its name.
    pub id: FolderId,
    /// Where it is, for reading only: lossy where it is no Unicode.
    pub path: String,
    /// The address of the team server that its files go to.
    pub server: String,
    /// Where its files go.
    pub destination: DestinationView,
    /// What somebody wants of it.
    pub rules: Rules,
    /// How it stands.
    pub standing: Standing,
}

impl FolderView {
    fn new(folder: Folder, standing: Standing) -> Self {
        let Destination { server, project_id, project, team, .. } = folder.destination;
        Self {
            id: folder.id,
            path: folder.path.to_string_lossy().into_owned(),
            server,
            destination: DestinationView { project_id, project, team },
            rules: folder.rules,
            standing,
        }
    }
}

/// What the loop is asked about watched folders. Each is answered.
pub(crate) enum Question {
    All(oneshot::Sender<Result<Vec<Folder>, EngineError>>),
    Views(oneshot::Sender<Result<Vec<FolderView>, EngineError>>),
    Changes(oneshot::Sender<tokio::sync::watch::Receiver<()>>),
    Add(Box<NewFolder>, oneshot::Sender<Result<FolderView, EngineError>>),
    Change(Box<Change>, oneshot::Sender<Result<FolderView, EngineError>>),
    Saw(Sightings, oneshot::Sender<()>),
    Remove(FolderId, oneshot::Sender<Result<(), EngineError>>),
    Seen(FolderId, oneshot::Sender<Result<Vec<Seen>, EngineError>>),
    KeepSeen(FolderId, Seen, oneshot::Sender<Result<(), EngineError>>),
    Alike(Box<(Fingerprint, Destination)>, oneshot::Sender<Result<Alike, EngineError>>),
    Protocol(String, oneshot::Sender<Option<Arc<dyn UploadProtocol>>>),
    Grow(Box<(Candidate, Destination, bool)>, oneshot::Sender<Result<Answer, EngineError>>),
    WriterClosed(Box<(PathBuf, String)>, oneshot::Sender<()>),
    GiveUpGrowing(Box<(PathBuf, String)>, oneshot::Sender<Result<(), EngineError>>),
    Moved {
        id: UploadId,
        path: PathBuf,
        done: oneshot::Sender<()>,
    },
    Offer(Box<Offer>, Taken),
    Team(String, oneshot::Sender<Option<Arc<Team>>>),
    /// Whether another file of the same title is on its way there.
    IsUnderWay(Box<(Candidate, Destination)>, oneshot::Sender<Result<bool, EngineError>>),
    ToClear(FolderId, PathBuf, oneshot::Sender<Result<Vec<Seen>, EngineError>>),
    Cleared(FolderId, Seen, oneshot::Sender<Result<(), EngineError>>),
}

/// A folder that is to be watched, and what lies in it already.
#[derive(Debug)]
pub struct NewFolder {
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
    /// [`Code::NotConnected`], [`Code::NotFound`] (the folder, the project), and [`Code::Refused`] of a
    /// team that cannot do what the rules want.
    pub async fn add_folder(
        &self,
        path: PathBuf,
        project: Option<String>,
        rules: Rules,
    ) -> Result<FolderView, EngineError> {
        let folder = self.look_at_folder(path, project, rules).await?;
        self.keep_folder(folder).await
    }

    /// The first half of [`Self::add_folder`], which needs no team: what comes into the folder from
    /// now on is new.
    ///
    /// # Errors
    /// [`Code::NotFound`], of the folder.
    pub async fn look_at_folder(
        &self,
        path: PathBuf,
        project: Option<String>,
        rules: Rules,
    ) -> Result<NewFolder, EngineError> {
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
        Ok(NewFolder { path, project, rules, there })
    }

    /// The second half of [`Self::add_folder`].
    ///
    /// # Errors
    /// [`Code::NotConnected`], [`Code::NotFound`] (the project), and [`Code::Refused`] of a team that
    /// cannot do what the rules want.
    pub async fn keep_folder(&self, folder: NewFolder) -> Result<FolderView, EngineError> {
        let folder = Box::new(folder);
        self.ask(|done| Command::Folders(Question::Add(folder, done))).await?
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
            Question::Views(done) => self.view_folders(done),
            Question::Change(change, done) => self.change_folder(*change, done).await,
            Question::Saw(sightings, done) => {
                self.saw(sightings);
                let _ = done.send(());
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
                let (candidate, to, first) = *what;
                let _ = done.send(self.begin_growing(candidate, &to, first).await);
            }
            Question::WriterClosed(what, done) => {
                let (path, server) = *what;
                self.writer_closed(&path, &server);
                let _ = done.send(());
            }
            Question::GiveUpGrowing(what, done) => {
                let (path, server) = *what;
                let _ = done.send(self.give_up_growing(&path, &server).await);
            }
            Question::Moved { id, path, done } => {
                self.moved(id, path).await;
                let _ = done.send(());
            }
            Question::Offer(offer, done) => self.take_offers(vec![(*offer, done)]).await,
            Question::IsUnderWay(what, done) => {
                let _ = done.send(self.is_under_way(&what.0, &what.1).await);
            }
            Question::Team(server, done) => {
                let connected = self.connections.get(&server);
                let _ = done.send(connected.map(|connected| Arc::clone(&connected.team)));
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
        let connected = self.connections.get(&destination.server);
        if let Some(connected) = connected {
            can_do(&connected.team, &new.rules)?;
        }
        let folder = Folder {
            id: FolderId::new(),
            path: new.path,
            destination,
            rules: new.rules,
            added_at: self.now(),
        };
        let id = self.store.keep_folder(folder.clone(), was_there(new.there)).await?;
        self.folders.send_replace(());
        self.publish(News::Folders);
        Ok(FolderView::new(Folder { id, ..folder }, Standing::default()))
    }

    async fn remove_folder(&mut self, id: FolderId) -> Result<(), EngineError> {
        let folders = self.store.folders().await?;
        let Some(folder) = folders.iter().find(|folder| folder.id == id) else {
            return Err(no_such_folder(id));
        };
        self.give_up_growing(&folder.path, &folder.destination.server).await?;
        self.store.forget_folder(id).await?;
        self.folders.send_replace(());
        self.publish(News::Folders);
        Ok(())
    }
}

fn no_such_folder(id: FolderId) -> EngineError {
    EngineError::new(Code::NotFound, format!("there is no watched folder {id}"))
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

/// Whether a team can do what rules want.
fn can_do(team: &Team, rules: &Rules) -> Result<(), EngineError> {
    let wants = [
        (rules.projects == watch::Projects::PerSubfolder, "a project for each subfolder"),
        (rules.visibility.is_some(), "visibility"),
        (rules.namesakes == watch::Namesakes::Version, "versions"),
    ];
    match wants.into_iter().find(|(wanted, _)| *wanted) {
        Some((_, what)) if !team.has_projects() => {
            let speaks = team.api().kind().words();
            let words = format!("this team server cannot do {what}: it speaks {speaks}");
            Err(EngineError::new(Code::Refused, words))
        }
        _ => Ok(()),
    }
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
    let took =
        |path: &Path, version: Version| old.is_some_and(|old| old.takes_all_of(path, version.size));
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

#[cfg(test)]
mod tests;
