//! Watching the folders that are kept, until somebody lets go of it.

use std::collections::HashMap;
use std::path::PathBuf;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};

use crate::error::EngineError;
use crate::folders::offer::Became;
use crate::folders::standing::{self, Seeing};
use crate::folders::{Question, filter};
use crate::handle::{Command, EngineHandle};
use crate::store::Folder;
use crate::transfer::{Phase, UploadId};
use crate::view::{Change, News};
use crate::watch::{Answer, FolderId, Health, Ready, Stage, Watcher};

/// News that wait to be taken; past that, watching waits.
const NEWS: usize = 64;
/// What was seen and waits to be told; past that, seeing waits.
const SIGHTINGS: usize = 64;
/// Offers that wait to be taken.
const OFFERS: usize = 16;

/// What happens to watched folders besides what the queue shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FolderNews {
    /// How a folder can be seen.
    Health {
        /// Which.
        folder: FolderId,
        /// Where it is.
        path: PathBuf,
        /// As it is now.
        health: Health,
    },
    /// A file is not sent, because the team has its content.
    Same {
        /// Where it lies.
        folder: FolderId,
        /// Which file.
        path: PathBuf,
        /// The upload that sent it.
        of: UploadId,
    },
    /// A finished file cannot be sent now. It is tried again every few seconds, and said again only
    /// with another reason.
    Waits {
        /// Where it lies.
        folder: FolderId,
        /// Which file.
        path: PathBuf,
        /// In words.
        why: String,
    },
    /// A file that the team has was put aside.
    PutAside {
        /// Where it lay.
        folder: FolderId,
        /// Which file.
        path: PathBuf,
        /// Where it lies now; `None` for the trash.
        to: Option<PathBuf>,
    },
    /// It could not be.
    NotPutAside {
        /// Where it lies.
        folder: FolderId,
        /// Which file.
        path: PathBuf,
        /// In words.
        why: String,
    },
}

/// Folders that are watched for as long as this lives. Its news have to be taken.
#[derive(Debug)]
pub struct Watching {
    news: mpsc::Receiver<FolderNews>,
    _tasks: JoinSet<()>,
}

impl Watching {
    /// What happens next; `None` once the engine has stopped.
    pub async fn next(&mut self) -> Option<FolderNews> {
        self.news.recv().await
    }
}

impl EngineHandle {
    /// Watches a folder, or all that are kept, those that are added later, too.
    ///
    /// # Errors
    /// [`Code::Stopped`](crate::error::Code::Stopped).
    pub async fn watch(&self, only: Option<FolderId>) -> Result<Watching, EngineError> {
        let changes = self.ask(|done| Command::Folders(Question::Changes(done))).await?;
        let (tell, news) = mpsc::channel(NEWS);
        let mut tasks = JoinSet::new();
        let (see, seen) = mpsc::channel(SIGHTINGS);
        tasks.spawn(standing::tell(self.clone(), seen, self.subscribe()));
        tasks.spawn(watch_all(self.clone(), only, changes, tell, see));
        Ok(Watching { news, _tasks: tasks })
    }
}

/// Keeps one task for each folder, as it is kept now.
async fn watch_all(
    engine: EngineHandle,
    only: Option<FolderId>,
    mut changes: watch::Receiver<()>,
    tell: mpsc::Sender<FolderNews>,
    see: mpsc::Sender<(FolderId, Seeing)>,
) {
    let mut tasks = JoinSet::new();
    let mut watched: HashMap<FolderId, (Folder, AbortHandle)> = HashMap::new();
    loop {
        // Folders are read after this: what changes meanwhile is a change again.
        changes.mark_unchanged();
        let Ok(mut folders) = engine.kept_folders().await else { return };
        // One that is named is watched even if it is paused.
        folders.retain(|folder| only.map_or(!folder.rules.paused, |only| folder.id == only));
        watched.retain(|_, (before, task)| {
            let stays = folders.contains(before);
            if !stays {
                task.abort();
            }
            stays
        });
        for folder in folders {
            watched.entry(folder.id).or_insert_with(|| {
                let (engine, tell, see) = (engine.clone(), tell.clone(), see.clone());
                let task = tasks.spawn(watch_one(engine, folder.clone(), tell, see));
                (folder, task)
            });
        }
        loop {
            tokio::select! {
                changed = changes.changed() => match changed {
                    Ok(()) => break,
                    Err(_) => return,
                },
                Some(ended) = tasks.join_next() => {
                    if let Err(error) = ended && !error.is_cancelled() {
                        tracing::error!(%error, "watching a folder broke");
                    }
                }
            }
        }
    }
}

async fn watch_one(
    engine: EngineHandle,
    folder: Folder,
    tell: mpsc::Sender<FolderNews>,
    see: mpsc::Sender<(FolderId, Seeing)>,
) {
    let uploads = engine.subscribe();
    let (filter, seen) = match (filter(&folder.rules), engine.seen(folder.id).await) {
        (Ok(filter), Ok(seen)) => (filter, seen),
        (Err(error), _) | (_, Err(error)) => {
            tracing::error!(%error, path = %folder.path.display(), "a folder is not watched");
            return;
        }
    };
    let known = seen.into_iter().map(|(path, seen)| (path, seen.version)).collect();
    let (offers, ready) = mpsc::channel(OFFERS);
    let (watcher, health) = Watcher::new(folder.path.clone(), filter, known, offers);
    let tally = watcher.tally();
    // All of them end together, and with this task.
    tokio::select! {
        () = watcher.run() => {}
        () = standing::see(folder.id, health.clone(), tally, see) => {}
        () = take_offers(&engine, &folder, ready, &tell) => {}
        () = tell_health(&folder, health, &tell) => {}
        () = clear(&engine, &folder, uploads, &tell) => {}
    }
}

async fn take_offers(
    engine: &EngineHandle,
    folder: &Folder,
    mut ready: mpsc::Receiver<Ready>,
    tell: &mpsc::Sender<FolderNews>,
) {
    let mut offers = JoinSet::new();
    // Of the files that wait, what was said.
    let mut waiting = HashMap::new();
    loop {
        tokio::select! {
            offer = ready.recv() => {
                let Some(offer) = offer else { return };
                let (engine, folder) = (engine.clone(), folder.clone());
                offers.spawn(async move {
                    let Ready { path, version, stage, answer } = offer;
                    let goes_along = match stage {
                        Stage::Finished => None,
                        Stage::Growing(head) => {
                            Some(engine.grow(&folder, path.clone(), version, head).await)
                        }
                        Stage::Closed => Some(engine.writer_closed(&folder, &path).await),
                    };
                    if let Some(taken) = goes_along {
                        let _ = answer.send(taken.unwrap_or_else(|error| {
                            tracing::warn!(%error, "a file that grows was not taken");
                            Answer::Later
                        }));
                        return None;
                    }
                    let became = match engine.offer(&folder, path.clone(), version).await {
                        Ok(became) => became,
                        Err(error) => {
                            tracing::warn!(%error, "a file of a watched folder was not taken");
                            Became::Waits(None)
                        }
                    };
                    // A watcher that has ended asks again at its next start.
                    let _ = answer.send(match became {
                        Became::Sent(_) | Became::Same(_) => Answer::Done,
                        Became::Waits(_) | Became::Changed => Answer::Later,
                    });
                    Some((folder.path.join(path), became))
                });
            }
            Some(Ok(taken)) = offers.join_next() => {
                // Of what only grows, nothing is told but what the queue shows.
                let Some((path, became)) = taken else { continue };
                let folder = folder.id;
                let news = match became {
                    Became::Waits(Some(why)) if waiting.get(&path) != Some(&why) => {
                        waiting.insert(path.clone(), why.clone());
                        FolderNews::Waits { folder, path, why }
                    }
                    Became::Waits(_) | Became::Changed => continue,
                    Became::Same(of) => {
                        waiting.remove(&path);
                        FolderNews::Same { folder, path, of }
                    }
                    Became::Sent(_) => {
                        waiting.remove(&path);
                        continue;
                    }
                };
                // Nobody may be listening any more.
                let _ = tell.send(news).await;
            }
        }
    }
}

async fn tell_health(
    folder: &Folder,
    mut health: watch::Receiver<Health>,
    tell: &mpsc::Sender<FolderNews>,
) {
    loop {
        let now = health.borrow_and_update().clone();
        let (id, path) = (folder.id, folder.path.clone());
        let news = FolderNews::Health { folder: id, path, health: now };
        if tell.send(news).await.is_err() || health.changed().await.is_err() {
            return;
        }
    }
}

/// Puts aside what was verified before, and whenever an upload is.
async fn clear(
    engine: &EngineHandle,
    folder: &Folder,
    mut uploads: broadcast::Receiver<Change>,
    tell: &mpsc::Sender<FolderNews>,
) {
    let mut due = true;
    loop {
        if due {
            match engine.clear(folder).await {
                Ok(news) => {
                    for news in news {
                        // Nobody may be listening any more.
                        let _ = tell.send(news).await;
                    }
                }
                Err(error) => tracing::warn!(%error, "files were not put aside"),
            }
        }
        due = match uploads.recv().await {
            Ok(Change { news: News::Uploads { uploads }, .. }) => {
                uploads.iter().any(|upload| upload.phase >= Phase::Processing)
            }
            Ok(_) => false,
            Err(RecvError::Lagged(_)) => true,
            Err(RecvError::Closed) => return,
        };
    }
}
