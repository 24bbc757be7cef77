//! Watching the folders that are kept, until somebody lets go of it.

use std::collections::HashMap;
use std::path::PathBuf;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::{AbortHandle, JoinSet};

use crate::error::EngineError;
use crate::folders::{Question, filter};
use crate::handle::{Command, EngineHandle};
use crate::store::Folder;
use crate::transfer::{Phase, UploadId};
use crate::view::{Change, News};
use crate::watch::{Answer, FolderId, Health, Ready, Stage, Watcher};

/// News that wait to be taken; past that, watching waits.
const NEWS: usize = 64;
/// Offers that wait to be taken.
const OFFERS: usize = 4;

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
        tasks.spawn(watch_all(self.clone(), only, changes, tell));
        Ok(Watching { news, _tasks: tasks })
    }
}

/// Keeps one task for each folder, as it is kept now.
async fn watch_all(
    engine: EngineHandle,
    only: Option<FolderId>,
    mut changes: watch::Receiver<()>,
    tell: mpsc::Sender<FolderNews>,
) {
    let mut tasks = JoinSet::new();
    let mut watched: HashMap<FolderId, (Folder, AbortHandle)> = HashMap::new();
    loop {
        // Folders are read after this: what changes meanwhile is a change again.
        changes.mark_unchanged();
        let Ok(mut folders) = engine.kept_folders().await else { return };
        folders.retain(|folder| only.is_none_or(|only| folder.id == only));
        watched.retain(|_, (before, task)| {
            let stays = folders.contains(before);
            if !stays {
                task.abort();
            }
            stays
        });
        for folder in folders {
            watched.entry(folder.id).or_insert_with(|| {
                let task = tasks.spawn(watch_one(engine.clone(), folder.clone(), tell.clone()));
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

async fn watch_one(engine: EngineHandle, folder: Folder, tell: mpsc::Sender<FolderNews>) {
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
    // All of them end together, and with this task.
    tokio::select! {
        () = watcher.run() => {}
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
    loop {
        tokio::select! {
            offer = ready.recv() => {
                let Some(offer) = offer else { return };
                let (engine, folder, tell) = (engine.clone(), folder.clone(), tell.clone());
                offers.spawn(async move {
                    let Ready { path, version, stage, answer } = offer;
                    let became = match stage {
                        Stage::Finished => engine.offer(&folder, path, version).await,
                        Stage::Growing => {
                            engine.grow(&folder, path, version).await.map(|became| (became, None))
                        }
                    };
                    let (became, news) = match became {
                        Ok(became) => became,
                        Err(error) => {
                            tracing::warn!(%error, "a file of a watched folder was not taken");
                            (Answer::Later, None)
                        }
                    };
                    // A watcher that has ended asks again at its next start.
                    let _ = answer.send(became);
                    if let Some(news) = news {
                        // Nobody may be listening any more.
                        let _ = tell.send(news).await;
                    }
                });
            }
            Some(_) = offers.join_next() => {}
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
