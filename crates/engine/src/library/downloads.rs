//! Originals that are taken home: a few at a time, continued after a cut, compared with what the team
//! says of them. They are as old as the program's run: what it leaves unfinished goes with it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use dailies_api::videos::Video;
use serde::{Deserialize, Serialize};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::{AbortHandle, JoinSet};

use super::no_such;
use super::original::{Original, Whole};
use crate::clock::{Clock as _, SystemClock};
use crate::error::{Code, EngineError};
use crate::handle::EngineHandle;
use crate::source::Crc64;
use crate::team::Team;
use crate::transfer::{Failure, Pace, Verdict, judge};

/// Downloads that work at the same time.
const AT_ONCE: usize = 2;
/// Downloads that are not done …
const MOST: usize = 100;
/// … and those that are, of which the oldest goes.
const DONE: usize = 20;
/// Between two views of one that moves.
const TOLD: Duration = Duration::from_millis(250);
/// Characters of a name that a server proposes.
const LONGEST_NAME: usize = 120;

/// Names a download, in the order in which they were begun.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(transparent)]
pub struct DownloadId(u32);

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
    /// Its bytes come.
    Downloading,
    /// There is no way to the team. It goes on by itself.
    Offline,
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

/// The downloads of this run of the program. Dropped, all of them end.
#[derive(Debug)]
pub struct Downloads {
    engine: EngineHandle,
    shared: Arc<Shared>,
    tasks: Mutex<JoinSet<()>>,
}

#[derive(Debug)]
struct Shared {
    all: Mutex<BTreeMap<DownloadId, Entry>>,
    views: watch::Sender<Vec<DownloadView>>,
    turns: Semaphore,
}

#[derive(Debug)]
struct Entry {
    view: DownloadView,
    place: PathBuf,
    again: Arc<Notify>,
    task: AbortHandle,
}

/// One of them, at work.
struct Download {
    id: DownloadId,
    offer: Offer,
    place: PathBuf,
    /// There was a file in its place, and whoever chose that was asked.
    replaces: bool,
    shared: Arc<Shared>,
}

impl Downloads {
    /// None yet.
    #[must_use]
    pub fn new(engine: EngineHandle) -> Self {
        let views = watch::Sender::new(Vec::new());
        let shared = Shared { all: Mutex::default(), views, turns: Semaphore::new(AT_ONCE) };
        Self { engine, shared: Arc::new(shared), tasks: Mutex::default() }
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
    pub async fn begin(&self, offer: Offer, place: PathBuf) -> DownloadId {
        let replaces = tokio::fs::try_exists(&place).await.unwrap_or(false);
        let (shared, again) = (Arc::clone(&self.shared), Arc::new(Notify::new()));
        let mut all = self.shared.lock();
        let id = DownloadId(all.last_key_value().map_or(1, |(DownloadId(last), _)| last + 1));
        let view = DownloadView {
            id,
            video_id: offer.video.id.clone(),
            title: offer.video.title.clone(),
            state: DownloadState::Waiting,
            arrived_bytes: 0,
            total_bytes: offer.video.file_size,
            bytes_per_second: 0,
            seconds_left: None,
        };
        let download = Download { id, offer, place: place.clone(), replaces, shared };
        let task = self.spawn(download.run(Arc::clone(&again)));
        all.insert(id, Entry { view, place, again, task });
        let done: Vec<_> = all.iter().filter(|(_, entry)| entry.is_done()).collect();
        let oldest = done.first().filter(|_| done.len() > DONE).map(|(id, _)| **id);
        oldest.and_then(|oldest| all.remove(&oldest));
        self.shared.tell(&all);
        id
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
    /// [`Code::NotFound`].
    pub fn remove(&self, id: DownloadId) -> Result<(), EngineError> {
        let mut all = self.shared.lock();
        let entry = all.remove(&id).ok_or_else(|| no_such("download"))?;
        entry.task.abort();
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

    /// Ends all of them, and waits until nothing is left beside their places.
    pub async fn stop(&self) {
        let mut tasks = std::mem::take(&mut *self.tasks());
        tasks.shutdown().await;
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        let mut tasks = self.tasks();
        while let Some(ended) = tasks.try_join_next() {
            if let Err(error) = ended
                && !error.is_cancelled()
            {
                tracing::error!(%error, "a download broke");
            }
        }
        tasks.spawn(task)
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
    fn lock(&self) -> MutexGuard<'_, BTreeMap<DownloadId, Entry>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, all: &BTreeMap<DownloadId, Entry>) {
        self.views.send_replace(all.values().map(|entry| entry.view.clone()).collect());
    }

    fn change(&self, id: DownloadId, change: impl FnOnce(&mut Entry)) {
        let mut all = self.lock();
        // It may have been taken off the list.
        if let Some(entry) = all.get_mut(&id) {
            change(entry);
            self.tell(&all);
        }
    }
}

impl Download {
    async fn run(self, again: Arc<Notify>) {
        let mut arriving = None;
        loop {
            let ended = {
                let _turn = self.shared.turns.acquire().await;
                self.work(&mut arriving).await
            };
            match ended {
                Ok((place, verified)) => {
                    return self.shared.change(self.id, |entry| {
                        entry.place = place;
                        stand(&mut entry.view, DownloadState::Done { verified });
                    });
                }
                Err(code) => {
                    self.stands(DownloadState::Failed { code });
                    again.notified().await;
                    self.stands(DownloadState::Waiting);
                }
            }
        }
    }

    /// Tries until it is done, or until somebody has to do something.
    async fn work(&self, arriving: &mut Option<Original>) -> Result<(PathBuf, bool), Code> {
        let (clock, mut attempts) = (SystemClock, 0);
        loop {
            let before = arriving.as_ref().map_or(0, Original::arrived);
            let failure = match self.try_once(arriving).await {
                Ok(done) => return Ok(done),
                Err(failure) => failure,
            };
            tracing::info!(%failure, "a download stopped");
            if arriving.as_ref().map_or(0, Original::arrived) > before {
                attempts = 0;
            }
            let now = clock.now();
            let (at, state) = match judge(&failure, attempts, now, fastrand::f32()) {
                // Somebody has to make room: nothing is tried behind their back.
                _ if matches!(failure, Failure::LocalStorage(_)) => return Err(Code::LocalStorage),
                Verdict::WaitForNetwork { at } => (at, DownloadState::Offline),
                Verdict::TryAgain { at } | Verdict::AskAgain { at } => (at, DownloadState::Again),
                Verdict::FreshUrl => (now, DownloadState::Again),
                // Of an upload's file only.
                Verdict::WaitForSource => return Err(Code::UnexpectedAnswer),
                Verdict::Ask(code) | Verdict::GiveUp(code) => return Err(code),
            };
            attempts += 1;
            self.stands(state);
            let wait = u64::try_from(at.0 - now.0).unwrap_or_default();
            tokio::time::sleep(Duration::from_millis(wait)).await;
        }
    }

    async fn try_once(&self, arriving: &mut Option<Original>) -> Result<(PathBuf, bool), Failure> {
        let Offer { team, video, .. } = &self.offer;
        let checksum = video.crc64nvme.as_deref().and_then(Crc64::from_wire);
        let whole = Whole { size: video.file_size, checksum };
        let original = match arriving {
            Some(original) => original,
            None => arriving.insert(Original::begin(&self.place, whole).await?),
        };
        let mut meter = Meter::new(original.arrived());
        let tell = |arrived, total| {
            if let Some(pace) = meter.note(arrived) {
                self.moves(arrived, total, pace);
            }
        };
        if whole.size.is_none_or(|size| original.arrived() < size) {
            original.fetch(team, &video.id, tell).await?;
        }
        let verified = original.compare(whole).await?;
        self.stands(DownloadState::Saving);
        // What is kept is no longer arriving, whatever becomes of it.
        let Some(original) = arriving.take() else { return Err(Failure::Stalled) };
        Ok((original.keep(self.place.clone(), self.replaces).await?, verified))
    }

    fn moves(&self, arrived: u64, total: Option<u64>, pace: Pace) {
        self.shared.change(self.id, |entry| {
            let view = &mut entry.view;
            view.state = DownloadState::Downloading;
            view.arrived_bytes = arrived;
            view.total_bytes = total.or(view.total_bytes);
            view.bytes_per_second = pace.bytes_per_second();
            let left = view.total_bytes.map(|total| total.saturating_sub(arrived));
            view.seconds_left = left.and_then(|left| pace.seconds_left(left));
        });
    }

    fn stands(&self, state: DownloadState) {
        self.shared.change(self.id, |entry| stand(&mut entry.view, state));
    }
}

/// It does not move in any of these.
fn stand(view: &mut DownloadView, state: DownloadState) {
    (view.state, view.bytes_per_second, view.seconds_left) = (state, 0, None);
    if let (DownloadState::Saving | DownloadState::Done { .. }, Some(total)) =
        (state, view.total_bytes)
    {
        view.arrived_bytes = total;
    }
}

/// How fast bytes come, seldom enough to be shown.
struct Meter {
    pace: Pace,
    told: Option<Instant>,
    arrived: u64,
}

impl Meter {
    fn new(arrived: u64) -> Self {
        Self { pace: Pace::default(), told: None, arrived }
    }

    fn note(&mut self, arrived: u64) -> Option<Pace> {
        let now = Instant::now();
        let passed = match self.told {
            Some(told) if now - told < TOLD => return None,
            Some(told) => now - told,
            None => Duration::ZERO,
        };
        self.pace.note(arrived.saturating_sub(self.arrived), passed);
        (self.told, self.arrived) = (Some(now), arrived);
        Some(self.pace)
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

    #[test]
    fn speed_is_told_seldom() {
        let mut meter = Meter::new(100);
        assert!(meter.note(200).is_some());
        assert!(meter.note(300).is_none());
    }
}
