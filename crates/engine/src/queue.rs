//! The queue in memory: every upload's row, its counters, and the job that works on it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::job::Kind;
use crate::progress::Progress;
use crate::protocol::Opened;
use crate::store::{SessionKind, Upload};
use crate::transfer::{Hold, Pace, Phase, Timestamp, UploadId};
use crate::view::{DestinationView, ProgressNews, ProgressView, UploadView};

/// All uploads, in queue order.
pub(crate) type Queue = BTreeMap<UploadId, Entry>;

/// One upload while the engine runs.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) row: Upload,
    pub(crate) progress: Arc<Progress>,
    pub(crate) running: Option<Running>,
    /// The open session with its addresses; lost at a restart and after any doubt.
    pub(crate) opened: Option<Arc<Opened>>,
    /// Nothing is started before this time, whatever the state: this computer's own storage failed.
    pub(crate) rests_until: Option<Timestamp>,
    /// Somebody wants the media engine to try once more.
    pub(crate) processes_again: bool,
    pace: Pace,
    paced: u64,
    /// Confirmed bytes when they were last looked at.
    seen: u64,
}

/// A job under way.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) kind: Kind,
    pub(crate) stop: CancellationToken,
}

impl Entry {
    pub(crate) fn new(row: Upload, confirmed: u64) -> Self {
        Self {
            row,
            progress: Progress::new(confirmed),
            running: None,
            opened: None,
            rests_until: None,
            processes_again: false,
            pace: Pace::default(),
            paced: 0,
            seen: confirmed,
        }
    }

    /// The job that the state calls for, if one may start now.
    pub(crate) fn due(&self, now: Timestamp) -> Option<Kind> {
        if self.running.is_some() || self.rests_until.is_some_and(|until| until > now) {
            return None;
        }
        if self.row.state.cleanup {
            return Some(Kind::Abandon);
        }
        if self.row.state.hold == Hold::SourceMissing {
            return Some(Kind::LookForSource);
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

    /// Moves the pace on; whether anything is to be told.
    pub(crate) fn tick(&mut self, passed: Duration) -> Option<ProgressNews> {
        let sending = matches!(self.running, Some(Running { kind: Kind::Send, .. }));
        if !sending {
            self.pace = Pace::default();
            self.paced = self.progress.moved();
            return None;
        }
        let moved = self.progress.moved();
        self.pace.note(moved - self.paced, passed);
        self.paced = moved;
        Some(ProgressNews { id: self.row.id, progress: self.progress_view() })
    }

    pub(crate) fn progress_view(&self) -> ProgressView {
        let total = self.row.fingerprint.size;
        let there = matches!(
            (self.row.state.phase, self.row.session.as_ref().map(|session| &session.kind)),
            (Phase::Processing | Phase::Ready, _)
                | (Phase::Finishing, Some(SessionKind::AlreadyThere))
        );
        let confirmed = if there { total } else { self.progress.confirmed().min(total) };
        let sending = matches!(self.running, Some(Running { kind: Kind::Send, .. }));
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
            path: row.path.to_string_lossy().into_owned(),
            destination: DestinationView {
                project_id: row.destination.project_id.clone(),
                project: row.destination.project.clone(),
                team: row.destination.team.clone(),
            },
            phase: row.state.phase,
            hold: row.state.hold,
            active: self.running.is_some(),
            progress: self.progress_view(),
            added_at: row.added_at,
            uploaded_at: row.uploaded_at,
            video_id: row.video_id.clone(),
            duration: row.duration,
            reason: row.reason.clone(),
        }
    }
}
