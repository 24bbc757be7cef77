//! What of the queue is in memory: its numbers, and the uploads that something is done for. All
//! others stand in the store alone.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::census::{Census, Share};
use crate::job::{JustSent, Kind};
use crate::progress::Progress;
use crate::protocol::Opened;
use crate::send::{Compared, Writer};
use crate::store::{SessionKind, Upload};
use crate::transfer::{Growth, LONGEST_OBEYED, Pace, Phase, Timestamp, UploadId};
use crate::view::{DestinationView, ProgressNews, ProgressView, QueueView, Totals, UploadView};

/// Without a byte for so long, an upload does not keep the computer awake.
const STILL: Duration = Duration::from_secs(30);

/// The queue while the engine runs.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    loaded: BTreeMap<UploadId, Entry>,
    census: Census,
    /// Lists changed since this was last asked.
    changed: bool,
}

impl Queue {
    pub(crate) fn new(census: Census, begun: Vec<(Upload, u64)>) -> Self {
        let entries = begun.into_iter().map(|(row, done)| (row.id, Entry::new(row, done)));
        Self { loaded: entries.collect(), census, changed: false }
    }

    pub(crate) fn get(&self, id: UploadId) -> Option<&Entry> {
        self.loaded.get(&id)
    }

    pub(crate) fn get_mut(&mut self, id: UploadId) -> Option<&mut Entry> {
        self.loaded.get_mut(&id)
    }

    /// The uploads in memory.
    pub(crate) fn loaded(&self) -> impl Iterator<Item = &Entry> {
        self.loaded.values()
    }

    pub(crate) fn loaded_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        self.loaded.values_mut()
    }

    pub(crate) fn census(&self) -> &Census {
        &self.census
    }

    pub(crate) fn recount(&mut self, census: Census) {
        self.census = census;
        self.changed = true;
    }

    /// Takes an upload into memory as it stands in the store, until it is let go.
    pub(crate) fn load(&mut self, row: Upload, confirmed: u64) {
        self.loaded.entry(row.id).or_insert_with(|| Entry::new(row, confirmed));
    }

    /// A new upload, or one that was written as it is now. `before` is what was counted of one
    /// that is not in memory. It is there afterwards if something is to be done for it.
    pub(crate) fn put(&mut self, row: Upload, confirmed: u64, before: Option<Share>) {
        let id = row.id;
        self.changed = true;
        if let Some(entry) = self.loaded.get_mut(&id) {
            self.census.take(entry.counted);
            entry.row = row;
            entry.rests_until = None;
            entry.counted = Share::of(&entry.row, entry.progress.confirmed());
            self.census.add(entry.counted);
            return;
        }
        let entry = Entry::new(row, confirmed);
        if let Some(before) = before {
            self.census.take(before);
        }
        self.census.add(entry.counted);
        if entry.is_live() {
            self.loaded.insert(id, entry);
        }
    }

    /// Lets an upload go from memory for which nothing is to be done.
    pub(crate) fn let_go(&mut self, id: UploadId) {
        if self.loaded.get(&id).is_some_and(|entry| !entry.is_live()) {
            self.loaded.remove(&id);
        }
    }

    /// One that is in the queue no longer.
    pub(crate) fn remove(&mut self, row: &Upload, confirmed: u64) {
        let counted = match self.loaded.remove(&row.id) {
            Some(entry) => entry.counted,
            None => Share::of(row, confirmed),
        };
        self.census.take(counted);
        self.changed = true;
    }

    /// Counts what was confirmed since the last look.
    pub(crate) fn count_progress(&mut self) {
        for entry in self.loaded.values_mut().filter(|entry| entry.running.is_some()) {
            let counted = Share::of(&entry.row, entry.progress.confirmed());
            if counted != entry.counted {
                self.census.take(std::mem::replace(&mut entry.counted, counted));
                self.census.add(counted);
                self.changed = true;
            }
        }
    }

    pub(crate) fn has_changed(&self) -> bool {
        self.changed
    }

    /// The queue for an interface, if it has changed since it was last taken.
    pub(crate) fn take_changed(&mut self) -> Option<QueueView> {
        std::mem::take(&mut self.changed).then(|| self.view())
    }

    pub(crate) fn view(&self) -> QueueView {
        let speed = self.loaded.values().map(|entry| entry.progress_view().bytes_per_second).sum();
        let totals = Totals { bytes_per_second: speed, ..self.census.totals() };
        QueueView { lists: self.census.lists(), totals }
    }
}

/// One upload in memory.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) row: Upload,
    pub(crate) progress: Arc<Progress>,
    pub(crate) running: Option<Running>,
    /// The open session with its addresses; lost at a restart and after any doubt.
    pub(crate) opened: Option<Arc<Opened>>,
    /// That session has just been begun.
    pub(crate) anew: bool,
    /// Nothing is started before this time, whatever the state: this computer's own storage failed.
    pub(crate) rests_until: Option<Timestamp>,
    /// Somebody wants the media engine to try once more.
    pub(crate) processes_again: bool,
    /// Its last byte has just gone, and nobody has tried to put the parts together since.
    pub(crate) just_sent: Option<JustSent>,
    /// That it is about to be registered is written down, and nobody has tried yet.
    pub(crate) untried: bool,
    /// When its job last began or moved a byte.
    pub(crate) stirred: Instant,
    /// It was compared with what the team has, and is something else.
    pub(crate) is_unique: bool,
    pub(crate) compared: Compared,
    pace: Pace,
    paced: u64,
    /// Confirmed bytes when they were last looked at.
    seen: u64,
    /// What the census has of it.
    counted: Share,
}

/// A job under way.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) kind: Kind,
    pub(crate) stop: CancellationToken,
    /// Of the file that it follows, if it does.
    pub(crate) writer: watch::Sender<Writer>,
    /// The number of the connection that it works over.
    pub(crate) over: u64,
}

impl Entry {
    pub(crate) fn new(row: Upload, confirmed: u64) -> Self {
        Self {
            counted: Share::of(&row, confirmed),
            row,
            progress: Progress::new(confirmed),
            running: None,
            opened: None,
            anew: false,
            rests_until: None,
            processes_again: false,
            just_sent: None,
            untried: false,
            stirred: Instant::now(),
            is_unique: false,
            compared: Compared::default(),
            pace: Pace::default(),
            paced: 0,
            seen: confirmed,
        }
    }

    /// Something is done for it, or will be without anybody's doing.
    fn is_live(&self) -> bool {
        let state = self.row.state;
        self.running.is_some()
            || self.rests_until.is_some()
            || self.processes_again
            || state.cleanup
            || state.hold.due().is_some()
            || (state.can_run() && state.phase > Phase::Queued)
    }

    /// The address of the team server that it goes to.
    pub(crate) fn server(&self) -> &str {
        &self.row.destination.server
    }

    /// Its team waits for its bytes.
    pub(crate) fn has_begun(&self) -> bool {
        self.row.state.phase == Phase::Uploading && !self.row.state.hold.is_end()
    }

    /// The order in which uploads get what they need.
    pub(crate) fn turn(&self) -> (bool, i64) {
        (!self.row.first, self.row.place)
    }

    /// The job that the state calls for, if one may start now.
    pub(crate) fn due(&self, now: Timestamp) -> Option<Kind> {
        if self.running.is_some()
            || self.rests_until.is_some_and(|until| !until.is_over(now, LONGEST_OBEYED))
        {
            return None;
        }
        if self.row.state.cleanup {
            return Some(Kind::Abandon);
        }
        if !self.row.state.can_run() {
            return None;
        }
        if self.processes_again && self.row.state.phase == Phase::Processing {
            return Some(Kind::ProcessAgain);
        }
        let kind = Kind::for_upload(&self.row, self.opened.is_some());
        kind.or((self.row.state.phase == Phase::Queued).then_some(Kind::Register))
    }

    /// Sleep would interrupt it. Bytes that have not moved for a while may not for long.
    pub(crate) fn keeps_awake(&self) -> bool {
        self.running.as_ref().is_some_and(|running| match running.kind {
            Kind::Compare | Kind::Register | Kind::Open | Kind::Finish => true,
            Kind::Send | Kind::Follow => self.stirred.elapsed() < STILL,
            Kind::Watch | Kind::ProcessAgain | Kind::Heartbeat | Kind::Abandon => false,
        })
    }

    /// When this has to be looked at, without anybody's doing.
    pub(crate) fn wakes(&self) -> Option<Timestamp> {
        if self.running.is_some() {
            return None;
        }
        self.row.state.hold.due().into_iter().chain(self.rests_until).max()
    }

    /// Whether more is confirmed than at the last look.
    pub(crate) fn take_progress(&mut self) -> bool {
        let confirmed = self.progress.confirmed();
        std::mem::replace(&mut self.seen, confirmed) < confirmed
    }

    /// Moves the pace on; the bytes that moved since the last time, and what is to be told of them.
    pub(crate) fn tick(&mut self, passed: Duration) -> Option<(u64, ProgressNews)> {
        if !self.sends() {
            self.pace = Pace::default();
            self.paced = self.progress.moved();
            return None;
        }
        let moved = self.progress.moved();
        let since = moved - self.paced;
        if since > 0 {
            self.stirred = Instant::now();
        }
        self.pace.note(since, passed);
        self.paced = moved;
        Some((since, ProgressNews { id: self.row.id, progress: self.progress_view() }))
    }

    /// Something is done for it that may hang, or that shows. Whoever waits for a media engine only
    /// asks from time to time.
    pub(crate) fn moves(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.kind != Kind::Watch)
    }

    /// Bytes move, or are to. What a stopped job still holds is dropped with it.
    fn sends(&self) -> bool {
        let sends = |running: &Running| running.kind.sends() && !running.stop.is_cancelled();
        self.running.as_ref().is_some_and(sends)
    }

    pub(crate) fn progress_view(&self) -> ProgressView {
        let total = match self.row.growth {
            Some(Growth::Growing) => self.row.fingerprint.size.max(self.progress.grown()),
            Some(Growth::Grown) | None => self.row.fingerprint.size,
        };
        let there = matches!(
            (self.row.state.phase, self.row.session.as_ref().map(|session| &session.kind)),
            (Phase::Processing | Phase::Ready, _)
                | (Phase::Finishing, Some(SessionKind::AlreadyThere))
        );
        let confirmed = if there { total } else { self.progress.confirmed().min(total) };
        let sending = self.sends();
        ProgressView {
            total_bytes: total,
            confirmed_bytes: confirmed,
            in_flight_bytes: self.progress.in_flight().min(total - confirmed),
            bytes_per_second: if sending { self.pace.bytes_per_second() } else { 0 },
            seconds_left: sending.then(|| self.pace.seconds_left(total - confirmed)).flatten(),
        }
    }

    pub(crate) fn view(&self) -> UploadView {
        let row = &self.row;
        UploadView {
            id: row.id,
            title: row.title.clone(),
            server: row.destination.server.clone(),
            path: row.path.to_string_lossy().into_owned(),
            destination: DestinationView {
                project_id: row.destination.project_id.clone(),
                project: row.destination.project.clone(),
                team: row.destination.team.clone(),
            },
            phase: row.state.phase,
            hold: row.state.hold,
            active: self.running.as_ref().is_some_and(|job| job.kind != Kind::Heartbeat),
            growing: row.growth == Some(Growth::Growing),
            place: row.place,
            first: row.first,
            progress: self.progress_view(),
            added_at: row.added_at,
            uploaded_at: row.uploaded_at,
            video_id: row.video_id.clone(),
            duration: row.duration,
            reason: row.reason.clone(),
        }
    }
}
