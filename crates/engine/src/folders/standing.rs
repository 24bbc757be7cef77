//! How watched folders stand: what those who watch them see, and what became of their files.

use std::collections::HashMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{broadcast, mpsc, oneshot, watch};
use tokio::time::sleep;

use crate::engine::Engine;
use crate::error::EngineError;
use crate::folders::{FolderView, Question};
use crate::handle::{Command, EngineHandle};
use crate::store::{Fates, Folder, Store};
use crate::view::{Change, News};
use crate::watch::{FolderId, Health, Sight, Tally};

/// What is seen in so long is told together.
const GATHER: Duration = Duration::from_millis(250);

/// How a watched folder stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct Standing {
    /// How changes in it are known; absent while nobody watches it.
    pub sight: Option<Sight>,
    /// Places in it that cannot be read.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub unreadable: u64,
    /// The first of them, for reading only: lossy where it is no Unicode.
    pub unreadable_first: Option<String>,
    /// Files that are looked at until they are finished and taken.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub unsettled: u64,
    /// Files that are not sent: by the rules, when all of it was last looked through, or because
    /// they were there before and are not wanted.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub ignored: u64,
    /// Files that are in the queue.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub queued: u64,
    /// Files of which the team has the content.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub sent: u64,
}

/// What is seen of a folder by who watches it.
#[derive(Clone, Debug)]
pub(crate) struct Seeing {
    health: Health,
    tally: Tally,
}

/// What is seen of each folder.
pub(crate) type Sightings = HashMap<FolderId, Seeing>;

impl Standing {
    fn of(seeing: Option<&Seeing>, fates: Fates) -> Self {
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let standing = Self {
            ignored: fates.was_there,
            queued: fates.queued,
            sent: fates.sent,
            ..Self::default()
        };
        let Some(Seeing { health, tally }) = seeing else { return standing };
        let first = health.unreadable.some.first();
        Self {
            sight: Some(health.sight),
            unreadable: count(health.unreadable.count),
            unreadable_first: first.map(|path| path.to_string_lossy().into_owned()),
            unsettled: count(tally.unsettled),
            ignored: standing.ignored + count(tally.ignored),
            ..standing
        }
    }
}

/// Sees a folder for as long as it is watched. Of what changes quickly, only the last is seen.
pub(super) async fn see(
    folder: FolderId,
    mut health: watch::Receiver<Health>,
    mut tally: watch::Receiver<Tally>,
    seen: mpsc::Sender<(FolderId, Seeing)>,
) {
    loop {
        let now = Seeing {
            health: health.borrow_and_update().clone(),
            tally: *tally.borrow_and_update(),
        };
        if seen.send((folder, now)).await.is_err() {
            return;
        }
        let changed = tokio::select! {
            changed = health.changed() => changed,
            changed = tally.changed() => changed,
        };
        if changed.is_err() {
            return;
        }
        sleep(GATHER).await;
    }
}

/// Tells the loop what is seen, and that what became of files may have changed, which it has if a
/// list of the queue is longer or shorter.
pub(super) async fn tell(
    engine: EngineHandle,
    mut seen: mpsc::Receiver<(FolderId, Seeing)>,
    mut changes: broadcast::Receiver<Change>,
) {
    let (mut sightings, mut lists) = (Sightings::new(), Vec::new());
    loop {
        tokio::select! {
            next = seen.recv() => match next {
                Some((folder, seeing)) => drop(sightings.insert(folder, seeing)),
                None => return,
            },
            change = changes.recv() => match change {
                Ok(Change { news: News::Queue { queue }, .. }) if queue.lists != lists => {
                    lists = queue.lists;
                }
                Ok(_) => continue,
                Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
        }
        if sightings.is_empty() {
            continue;
        }
        sleep(GATHER).await;
        while let Ok((folder, seeing)) = seen.try_recv() {
            sightings.insert(folder, seeing);
        }
        let told = sightings.clone();
        if engine.ask(|done| Command::Folders(Question::Saw(told, done))).await.is_err() {
            return;
        }
    }
}

impl EngineHandle {
    /// Every watched folder, oldest first, and how it stands.
    ///
    /// # Errors
    /// [`Code::LocalStorage`](crate::error::Code::LocalStorage).
    pub async fn folders(&self) -> Result<Vec<FolderView>, EngineError> {
        self.ask(|done| Command::Folders(Question::Views(done))).await?
    }
}

impl Engine {
    pub(super) fn saw(&mut self, sightings: Sightings) {
        self.sightings = sightings;
        self.publish(News::Folders);
    }

    /// Away from the loop: files are counted for it, of which there may be many.
    pub(super) fn view_folders(
        &mut self,
        done: oneshot::Sender<Result<Vec<FolderView>, EngineError>>,
    ) {
        while self.chores.try_join_next().is_some() {}
        let (store, sightings) = (self.store.clone(), self.sightings.clone());
        self.chores.spawn(async move {
            // An asker that has gone away is not waited for.
            let _ = done.send(views(&store, &sightings).await);
        });
    }
}

async fn views(store: &Store, sightings: &Sightings) -> Result<Vec<FolderView>, EngineError> {
    let (folders, fates) = (store.folders().await?, store.fates().await?);
    let view = |folder: Folder| {
        let fates = fates.get(&folder.id).copied().unwrap_or_default();
        let seeing = sightings.get(&folder.id).filter(|_| !folder.rules.paused);
        FolderView::new(folder, Standing::of(seeing, fates))
    };
    Ok(folders.into_iter().map(view).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::folders::ProjectLists;
    use crate::net::NetOptions;
    use crate::watch::Unreadable;

    #[tokio::test(start_paused = true)]
    async fn of_much_that_is_seen_little_is_told_and_the_last_for_sure() {
        let (commands, mut inbox) = mpsc::channel(1);
        let (changes, listening) = broadcast::channel(1);
        let net = NetOptions::default();
        let engine = EngineHandle { commands, changes, net, projects: ProjectLists::default() };
        let (see, seen) = mpsc::channel(64);
        let telling = tokio::spawn(tell(engine, seen, listening));
        let counting = tokio::spawn(async move {
            let mut told = Vec::new();
            while let Some(Command::Folders(Question::Saw(sightings, done))) = inbox.recv().await {
                told.push(sightings);
                done.send(()).unwrap();
            }
            told
        });
        let folder = FolderId::new();
        // Ten seconds.
        for unsettled in 1..=1000 {
            let health = Health { sight: Sight::Watching, unreadable: Unreadable::default() };
            let seeing = Seeing { health, tally: Tally { unsettled, ignored: 0 } };
            see.send((folder, seeing)).await.unwrap();
            sleep(Duration::from_millis(10)).await;
        }
        sleep(2 * GATHER).await;
        drop(see);
        telling.await.unwrap();
        let told = counting.await.unwrap();
        assert!((30..=50).contains(&told.len()), "told {} times", told.len());
        assert_eq!(told.last().unwrap()[&folder].tally.unsettled, 1000);
    }
}
