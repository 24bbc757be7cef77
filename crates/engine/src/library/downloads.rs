//! The list of originals that somebody takes home: a few at a time, continued after a cut, a crash or
//! a start of the computer, compared with what the team says of them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dailies_api::videos::Video;
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::download::{self, Download};
use super::kept::Kept;
use super::no_such;
use crate::error::{Code, EngineError};
use crate::handle::EngineHandle;
use crate::store::{self, Stands, Wanted};
use crate::team::Team;

/// Downloads that work at the same time.
const AT_ONCE: usize = 2;
/// Downloads that are not done …
const MOST: usize = 100;
/// … and those that are, of which the oldest goes.
const DONE: usize = 20;
/// For those that work to put down what they have.
const GOODBYE: Duration = Duration::from_secs(5);
/// Characters of a name that a server proposes.
const LONGEST_NAME: usize = 120;

/// Names a download, in the order in which they were begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(transparent)]
pub struct DownloadId(pub(crate) u32);

/// A download.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct DownloadView {
    /// Its name.
    pub id: DownloadId,
    /// What is downloaded.
    pub video_id: String,
    /// What people call that.
    pub title: String,
    /// Where it stands.
    pub state: DownloadState,
    /// Bytes that are here.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub arrived_bytes: u64,
    /// Bytes of the whole, where that is known.
    #[cfg_attr(feature = "typescript", ts(type = "number | null"))]
    pub total_bytes: Option<u64>,
    /// Smoothed over the last seconds; zero when nothing moves.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub bytes_per_second: u64,
    /// Absent until it means something.
    #[cfg_attr(feature = "typescript", ts(type = "number | null"))]
    pub seconds_left: Option<u64>,
}

/// Where a download stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum DownloadState {
    /// Others are before it.
    Waiting,
    /// What an earlier run of the program has left of it is read once more.
    Checking,
    /// Its bytes come.
    Downloading,
    /// There is no way to the team. It goes on by itself.
    Offline,
    /// Nobody is let in at its team. It goes on by itself when somebody is.
    Held {
        /// Why.
        code: Code,
    },
    /// Something went wrong. It is tried again by itself.
    Again,
    /// All of it is here, and is made durable.
    Saving,
    /// It is in its place.
    Done {
        /// Its checksum is the one that the team says.
        verified: bool,
    },
    /// It stopped. What arrived is kept until it is tried again or taken off the list.
    Failed {
        /// Why.
        code: Code,
    },
}

/// A video whose original may be downloaded.
#[derive(Debug)]
pub struct Offer {
    team: Arc<Team>,
    video: Video,
    name: String,
}

impl Offer {
    /// What its file should be called: a name, without any folder.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// The downloads, whenever they were begun. Dropped, all of them stop, and go on at the next start.
#[derive(Debug)]
pub struct Downloads {
    engine: EngineHandle,
    shared: Arc<Shared>,
    tasks: Mutex<JoinSet<()>>,
    /// The program ends.
    quits: CancellationToken,
}

#[derive(Debug)]
pub(super) struct Shared {
    all: Mutex<BTreeMap<DownloadId, Entry>>,
    views: watch::Sender<Vec<DownloadView>>,
    pub(super) turns: Semaphore,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) view: DownloadView,
    pub(super) place: PathBuf,
    again: Arc<Notify>,
    stop: CancellationToken,
}

impl Downloads {
    /// Those that an earlier run of the program has left. What was under way goes on.
    pub async fn open(engine: EngineHandle) -> Self {
        let views = watch::Sender::new(Vec::new());
        let shared = Shared { all: Mutex::default(), views, turns: Semaphore::new(AT_ONCE) };
        let quits = CancellationToken::new();
        let all = Self { engine, shared: Arc::new(shared), tasks: Mutex::default(), quits };
        match all.left().await {
            Ok(rows) => rows.into_iter().for_each(|row| all.take_in(row)),
            // They are still there, for a start at which they can be read.
            Err(error) => tracing::error!(%error, "downloads could not be read"),
        }
        all
    }

    async fn left(&self) -> Result<Vec<store::Download>, EngineError> {
        Ok(self.engine.store().await?.downloads().await?)
    }

    /// All of them, in order, whenever something has changed.
    #[must_use]
    pub fn views(&self) -> watch::Receiver<Vec<DownloadView>> {
        self.shared.views.subscribe()
    }

    /// Asks for a video's original.
    ///
    /// # Errors
    /// [`Code::WrongState`] while it is not all there, [`Code::NotFound`] for one that is kept
    /// nowhere, and [`Code::Refused`] where there are too many downloads already.
    pub async fn offer(&self, video_id: &str) -> Result<Offer, EngineError> {
        if self.shared.lock().values().filter(|entry| !entry.is_done()).count() >= MOST {
            let words = format!("there are {MOST} downloads already: let some end first");
            return Err(EngineError::new(Code::Refused, words));
        }
        let team = self.engine.team().await?;
        let video = team.video(video_id).await?;
        let original = team.download_of(video_id).await;
        let original = original.map_err(|failure| team.refusal(failure))?;
        let name = file_name(original.filename.as_deref().unwrap_or(&video.title));
        Ok(Offer { team, video, name })
    }

    /// Downloads it to a file. One that is in that place now is replaced: whoever chose it was asked.
    ///
    /// # Errors
    /// [`Code::LocalStorage`] where that cannot be written down.
    pub async fn begin(&self, offer: Offer, place: PathBuf) -> Result<DownloadId, EngineError> {
        let replaces = tokio::fs::try_exists(&place).await.unwrap_or(false);
        let Offer { team, video, .. } = offer;
        let server = team.client().base().to_string();
        let wanted = Wanted { server, video_id: video.id, title: video.title, place, replaces };
        let store = self.engine.store().await?;
        let row = store.insert_download(wanted, video.file_size).await?;
        let id = row.id;
        self.take_in(row);
        if let Some(oldest) = self.shared.oldest_done()
            && let Err(error) = store.forget_download(oldest).await
        {
            tracing::warn!(%error, "a download that is done is not forgotten");
        }
        Ok(id)
    }

    /// Tries one again that stopped, from where it did.
    ///
    /// # Errors
    /// [`Code::NotFound`], and [`Code::WrongState`] for one that did not stop.
    pub fn again(&self, id: DownloadId) -> Result<(), EngineError> {
        let all = self.shared.lock();
        let entry = all.get(&id).ok_or_else(|| no_such("download"))?;
        if !matches!(entry.view.state, DownloadState::Failed { .. }) {
            return Err(EngineError::new(Code::WrongState, "this download did not stop"));
        }
        entry.again.notify_one();
        Ok(())
    }

    /// Ends one, if it has not ended, and takes it off the list. A file that is in its place stays.
    ///
    /// # Errors
    /// [`Code::NotFound`], and [`Code::LocalStorage`] where that cannot be written down.
    pub async fn remove(&self, id: DownloadId) -> Result<(), EngineError> {
        let is_done = self.shared.lock().get(&id).map(Entry::is_done);
        let is_done = is_done.ok_or_else(|| no_such("download"))?;
        let store = self.engine.store().await?;
        // Whatever happens from here on, it does not go on.
        match is_done {
            true => store.forget_download(id).await?,
            false => store.end_download(id).await?,
        }
        let mut all = self.shared.lock();
        if let Some(entry) = all.remove(&id) {
            entry.stop.cancel();
        }
        self.shared.tell(&all);
        Ok(())
    }

    /// Where one's file is.
    ///
    /// # Errors
    /// [`Code::NotFound`], and [`Code::WrongState`] for one that is not done.
    pub fn path_of(&self, id: DownloadId) -> Result<PathBuf, EngineError> {
        let all = self.shared.lock();
        let entry = all.get(&id).ok_or_else(|| no_such("download"))?;
        if !entry.is_done() {
            return Err(EngineError::new(Code::WrongState, "this download is not done"));
        }
        Ok(entry.place.clone())
    }

    /// Lets all of them put down what they have, to go on at the next start. The engine still works.
    pub async fn stop(&self) {
        self.quits.cancel();
        let mut tasks = std::mem::take(&mut *self.tasks());
        let all = async { while tasks.join_next().await.is_some() {} };
        if timeout(GOODBYE, all).await.is_err() {
            tracing::warn!("a download did not stop in time; it goes on at the next start");
        }
    }

    /// Puts a row on the list, and lets it go on where there is something left to do.
    fn take_in(&self, row: store::Download) {
        let (id, stop) = (row.id, self.quits.child_token());
        let kept = |row| Kept { engine: self.engine.clone(), row };
        let state = match row.stands {
            Stands::Ending => {
                return self.spawn(download::end(kept(row), None, self.quits.clone()));
            }
            Stands::Arriving | Stands::Placing { .. } => DownloadState::Waiting,
            Stands::Failed { code } => DownloadState::Failed { code },
            Stands::Done { verified } => DownloadState::Done { verified },
        };
        let view = DownloadView {
            id,
            video_id: row.wanted.video_id.clone(),
            title: row.wanted.title.clone(),
            state,
            arrived_bytes: row.arrived.bytes,
            total_bytes: row.size,
            bytes_per_second: 0,
            seconds_left: None,
        };
        let (place, again) = (row.wanted.place.clone(), Arc::new(Notify::new()));
        let entry = Entry { view, place, again: Arc::clone(&again), stop: stop.clone() };
        let is_done = entry.is_done();
        let mut all = self.shared.lock();
        all.insert(id, entry);
        self.shared.tell(&all);
        drop(all);
        if !is_done {
            let shared = Arc::clone(&self.shared);
            let download = Download { kept: kept(row), shared, again, stop };
            self.spawn(download.run(self.quits.clone()));
        }
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.tasks();
        while let Some(ended) = tasks.try_join_next() {
            if let Err(error) = ended {
                tracing::error!(%error, "a download broke");
            }
        }
        tasks.spawn(task);
    }

    fn tasks(&self) -> MutexGuard<'_, JoinSet<()>> {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn is_done(&self) -> bool {
        matches!(self.view.state, DownloadState::Done { .. })
    }
}

impl Shared {
    pub(super) fn lock(&self) -> MutexGuard<'_, BTreeMap<DownloadId, Entry>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, all: &BTreeMap<DownloadId, Entry>) {
        self.views.send_replace(all.values().map(|entry| entry.view.clone()).collect());
    }

    pub(super) fn change(&self, id: DownloadId, change: impl FnOnce(&mut Entry)) {
        let mut all = self.lock();
        // It may have been taken off the list.
        if let Some(entry) = all.get_mut(&id) {
            change(entry);
            self.tell(&all);
        }
    }

    /// Takes the oldest that is done off the list, where there are too many.
    fn oldest_done(&self) -> Option<DownloadId> {
        let mut all = self.lock();
        let done: Vec<_> = all.iter().filter(|(_, entry)| entry.is_done()).collect();
        let oldest = done.first().filter(|_| done.len() > DONE).map(|(id, _)| **id)?;
        all.remove(&oldest);
        self.tell(&all);
        Some(oldest)
    }
}

/// What a server proposes as a file's name, as one: nothing that leads to a folder, hides the file, or
/// that a file system cannot hold.
fn file_name(proposed: &str) -> String {
    let safe = |c: char| if c.is_control() || r#"/\:*?"<>|"#.contains(c) { '_' } else { c };
    let name: String = proposed.chars().map(safe).collect();
    let name = name.trim().trim_start_matches('.').trim_end_matches(['.', ' ']);
    let excess = name.chars().count().saturating_sub(LONGEST_NAME);
    match name.rsplit_once('.') {
        _ if name.is_empty() => "video".into(),
        Some((stem, ending)) if excess > 0 && ending.len() <= 8 => {
            let kept = stem.chars().count().saturating_sub(excess);
            format!("{}.{ending}", stem.chars().take(kept).collect::<String>())
        }
        _ => name.chars().take(LONGEST_NAME).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proposed_name_leads_nowhere() {
        for (proposed, name) in [
            ("reel 1.mov", "reel 1.mov"),
            ("../../etc/passwd", "_.._etc_passwd"),
            (r"C:\evil\reel.mov", "C__evil_reel.mov"),
            (".bashrc", "bashrc"),
            ("a\u{0}b\n.mp4", "a_b_.mp4"),
            ("   ", "video"),
            ("...", "video"),
            ("reel. ", "reel"),
        ] {
            assert_eq!(file_name(proposed), name, "{proposed:?}");
        }
        let long = file_name(&format!("{}.mov", "ä".repeat(300)));
        assert_eq!((long.chars().count(), long.ends_with("ä.mov")), (LONGEST_NAME, true));
    }
}
