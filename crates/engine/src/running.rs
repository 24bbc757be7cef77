//! Starting jobs when their turn comes, and what follows from their ends.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{Id, JoinError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use dailies_database::DatabaseError;

use crate::engine::Engine;
use crate::error::Code;
use crate::job::{Job, Kind, Outcome, intent};
use crate::places::Places;
use crate::queue::{Entry, Running};
use crate::send::{Sending, Writer};
use crate::steps::Advance;
use crate::store::{Registration, SessionKind, Upload};
use crate::touched::same_bytes;
use crate::transfer::{
    Event, Failure, Growth, Hold, Input, LITTLE_PATIENCE, Phase, State, UploadId, Words,
};

/// How long what is under way is waited for where there is enough of a job.
const WIND_UP: Duration = Duration::from_secs(10);
/// Ends that are dealt with in one commit.
const AT_ONCE: usize = 64;

pub(crate) type Ended = Result<(Id, Option<Result<Outcome, Failure>>), JoinError>;

impl Engine {
    /// Starts the jobs that states call for, first come first served, within the limits. What
    /// goes to a server that cannot be reached, or refuses whoever calls, waits.
    pub(crate) async fn start_what_is_due(&mut self) {
        let now = self.clock.now();
        let open = |entry: &&Entry| self.connections.is_open(entry.server());
        let due = self.queue.loaded().filter(open);
        let mut due: Vec<_> =
            due.filter_map(|entry| Some((entry.turn(), entry.row.id, entry.due(now)?))).collect();
        due.sort_unstable_by_key(|(turn, id, _)| (*turn, *id));
        let mut places = self.places();
        let mut admitted = Vec::new();
        for (_, id, kind) in due {
            let Some(entry) = self.queue.get(id) else { continue };
            let waits = self.rules.pause() && kind != Kind::Finish;
            if kind.takes_slot() && !places.has_room_for(&entry.row) {
                continue;
            }
            if waits && (kind.takes_slot() || kind.sends()) {
                continue;
            }
            match kind {
                _ if self.waits_for_its_twin(&entry.row, &admitted) => self.rest(id),
                Kind::Abandon | Kind::ProcessAgain => self.run_job(id, kind).await,
                _ => {
                    if kind.takes_slot() {
                        places.take(&entry.row);
                    }
                    admitted.push(entry.row.clone());
                }
            }
        }
        self.admit(admitted).await;
        self.begin_what_waits().await;
    }

    /// Begins these uploads, in one commit. With it is written down which of them are about to be
    /// registered, where nothing has to be compared before that.
    async fn admit(&mut self, admitted: Vec<Upload>) {
        let unlike = self.unlike_all(&admitted).await;
        let mut advances = Vec::with_capacity(admitted.len());
        for id in admitted.into_iter().map(|row| row.id) {
            let mut admitted = Advance::by(id, Input::Admitted);
            if unlike.contains(&id) {
                admitted = admitted.with(|row| row.registration = Registration::Tried);
                if let Some(entry) = self.queue.get_mut(id) {
                    entry.untried = true;
                }
            }
            advances.push(admitted);
        }
        self.apply_each(advances).await;
    }

    /// Gives the free places to what waits in the store.
    async fn begin_what_waits(&mut self) {
        let mut places = self.places();
        let most = places.most(!self.no_first_waits);
        if most == 0 || self.nothing_waits || self.rules.pause() {
            return;
        }
        let next = match self.waiting(most).await {
            Ok(next) => next,
            Err(error) => {
                tracing::error!(%error, "what waits could not be read");
                return;
            }
        };
        self.nothing_waits = next.is_empty();
        self.no_first_waits = !next.iter().any(|(row, _)| row.first);
        let mut admitted = Vec::new();
        // Of each server: none goes before one that waits for room.
        let mut full = HashSet::new();
        for (row, confirmed) in next {
            let server = (row.destination.server.clone(), row.first);
            let kept = if row.first { 0 } else { self.kept(&server.0) };
            if full.contains(&server) || !places.less(kept).has_room_for(&row) {
                full.insert(server);
                continue;
            }
            places.take(&row);
            let (id, twin) = (row.id, self.waits_for_its_twin(&row, &admitted));
            if !twin {
                admitted.push(row.clone());
            }
            self.queue.load(row, confirmed);
            if twin {
                self.rest(id);
            }
        }
        self.admit(admitted).await;
    }

    /// Up to `limit` uploads that may start for each server that can be reached, in their order.
    async fn waiting(&self, limit: usize) -> Result<Vec<(Upload, u64)>, DatabaseError> {
        // One that rests stands in the store like those that wait.
        let resting = self.queue.loaded().filter(|entry| entry.rests_until.is_some()).count();
        let limit = (limit + resting) as u64;
        let mut next = Vec::new();
        for connected in self.connections.iter().filter(|connected| connected.is_open()) {
            next.extend(self.store.next(connected.server().to_owned(), limit).await?);
        }
        next.retain(|(row, _)| self.queue.get(row.id).is_none());
        next.sort_by_key(|(row, _)| (!row.first, row.place));
        Ok(next)
    }

    /// What was read of the queue may be another now, or may start now.
    pub(crate) fn ask_the_store_again(&mut self) {
        self.nothing_waits = false;
        self.no_first_waits = false;
    }

    /// Places that uploads to a server keep while they wait for the network: a storage that is away
    /// would else make every upload of the queue begin and wait. Those to others may have them.
    fn kept(&self, server: &str) -> usize {
        let offline = |entry: &&Entry| {
            matches!(entry.row.state.hold, Hold::Offline { .. }) && entry.server() == server
        };
        self.queue.loaded().filter(offline).count()
    }

    /// The room that is free for uploads to work in.
    fn places(&self) -> Places {
        let mut places = Places::of(self.options.uploads);
        for entry in self.queue.loaded() {
            if entry.running.as_ref().is_some_and(|running| running.kind.takes_slot()) {
                places.take(&entry.row);
            }
        }
        places
    }

    pub(crate) async fn run_job(&mut self, id: UploadId, kind: Kind) {
        let doubles = if kind == Kind::Register { self.doubles(id).await } else { Vec::new() };
        let kind = if doubles.is_empty() { kind } else { Kind::Compare };
        let Some(entry) = self.queue.get_mut(id) else { return };
        let Some(connected) = self.connections.get(entry.server()) else { return };
        // A commit that failed has written down nothing.
        let untried = kind == Kind::Register
            && std::mem::take(&mut entry.untried)
            && entry.row.registration == Registration::Tried;
        let job = Job {
            row: entry.row.clone(),
            protocol: Arc::clone(&connected.protocol),
            looks: Arc::clone(&connected.looks),
            store: self.store.clone(),
            slices: self.slices.clone(),
            untried,
        };
        if kind == Kind::Register && entry.row.registration == Registration::No {
            // The job writes that down before it does it.
            entry.row.registration = Registration::Tried;
        }
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        let (writer, follows) = watch::channel(Writer::default());
        let mut ends = follows.clone();
        let wound_up = async move {
            // One that is gone has no job either.
            let _ = ends.wait_for(|writer| *writer == Writer::Ended).await;
            tokio::time::sleep(WIND_UP).await;
        };
        entry.running = Some(Running { kind, stop, writer, over: connected.number });
        entry.stirred = Instant::now();
        // What the other side held is known for one sending only: the next one asks again.
        let opened = if kind.sends() { entry.opened.take() } else { None };
        let sending = opened.map(|opened| Sending {
            protocol: Arc::clone(&connected.protocol),
            store: self.store.clone(),
            clock: Arc::clone(&self.clock),
            intent: Arc::new(intent(&entry.row)),
            opened,
            anew: std::mem::take(&mut entry.anew),
            slices: self.slices.clone(),
            permits: Arc::clone(&connected.permits),
            lanes: self.options.most_lanes,
            place: self.line.enter(id, entry.row.fingerprint.size, entry.row.first),
            progress: Arc::clone(&entry.progress),
            compared: entry.compared.clone(),
        });
        let just_sent = if kind == Kind::Finish { entry.just_sent.take() } else { None };
        let (row, store, slices) = (entry.row.clone(), self.store.clone(), self.slices.clone());
        let work = async move {
            let done = match (kind, sending) {
                (Kind::Compare, _) => job.compare(doubles).await,
                (Kind::Register, _) => job.register().await,
                (Kind::Send, Some(sending)) => job.send(sending).await,
                (Kind::Follow, Some(sending)) => match job.follow(sending, follows.clone()).await {
                    Err(failure) if *follows.borrow() != Writer::Ended => Err(failure),
                    // What arrived is asked by whoever sends the rest.
                    Ok(()) | Err(_) => return None,
                },
                (Kind::Open | Kind::Send | Kind::Follow, _) => job.open().await,
                (Kind::Finish, _) => job.finish(just_sent).await,
                (Kind::ProcessAgain, _) => job.process_again().await,
                (Kind::Watch, _) => job.watch().await,
                (Kind::Heartbeat, _) => job.heartbeat().await,
                (Kind::Abandon, _) => job.abandon().await,
            };
            Some(match done {
                Err(Failure::SourceChanged) => {
                    same_bytes(&row, &store, &slices).await.map(Outcome::OnlyTouched)
                }
                done => done,
            })
        };
        let task = self.jobs.spawn(async move {
            tokio::select! {
                biased;
                () = stopped => None,
                () = wound_up => None,
                done = work => done,
            }
        });
        self.owners.insert(task.id(), id);
    }

    /// Does what follows from the end of a job, and of those that have ended since.
    pub(crate) async fn ended(&mut self, ended: Ended) {
        let mut advances = Vec::new();
        let mut next = Some(ended);
        while let Some(ended) = next.take() {
            advances.extend(self.follows(ended).await);
            if advances.len() < AT_ONCE {
                next = self.jobs.try_join_next_with_id();
            }
        }
        self.apply_each(advances).await;
    }

    /// What a job's end means to its upload. A failure's consequences are dealt with here.
    async fn follows(&mut self, ended: Ended) -> Option<Advance> {
        let (task, result) = match ended {
            Ok((task, result)) => (task, result),
            Err(error) => {
                let words = format!("a job broke: {error}");
                (error.id(), Some(Err(Failure::LocalStorage(words))))
            }
        };
        let id = self.owners.remove(&task)?;
        let entry = self.queue.get_mut(id)?;
        let running = entry.running.take();
        let kind = running.as_ref().map(|running| running.kind);
        let now_over = self.connections.get(entry.server()).map(|connected| connected.number);
        match result {
            result if kind == Some(Kind::Heartbeat) => {
                self.heartbeat_ended(id, result.and_then(Result::err).as_ref());
            }
            None => {
                self.publish_upload(id);
                self.queue.let_go(id);
            }
            Some(Ok(outcome)) => return self.succeeded(id, outcome),
            Some(Err(failure)) if kind == Some(Kind::Abandon) => {
                self.not_cleaned_up(id, &failure).await;
            }
            // Somebody has signed in again meanwhile.
            Some(Err(Failure::Refused { code: Code::SignedOut, .. }))
                if now_over != running.map(|running| running.over) =>
            {
                self.failed(id, Failure::Busy { after: Some(Duration::ZERO) }).await;
            }
            Some(Err(failure)) => self.failed(id, failure).await,
        }
        None
    }

    fn succeeded(&mut self, id: UploadId, outcome: Outcome) -> Option<Advance> {
        let by = |input| Advance::by(id, input);
        Some(match outcome {
            Outcome::Unique => {
                self.queue.get_mut(id)?.is_unique = true;
                by(Input::Admitted)
            }
            Outcome::Registered(video) => by(Input::Registered).with(|row| {
                row.video_id = video;
                row.registration = Registration::Done;
            }),
            Outcome::Opened(opened) => {
                let session = opened.session.clone();
                let entry = self.queue.get_mut(id)?;
                // A file may have come to its end since it was opened as one that grows.
                let fits = entry.row.growth == Some(Growth::Growing)
                    || session.plan(entry.row.fingerprint.size).is_ok();
                entry.opened = fits.then(|| Arc::new(opened));
                entry.anew = entry.row.session.is_none();
                by(Input::Opened).with(|row| row.session = Some(session))
            }
            // Of what grew, every part has been compared.
            Outcome::Sent(sent) => {
                let entry = self.queue.get_mut(id)?;
                // What was there before anything was sent may be more than there.
                let kind = entry.row.session.as_ref().map(|session| &session.kind);
                let begun = kind != Some(&SessionKind::AlreadyThere);
                entry.just_sent = begun.then(|| sent.clone());
                by(Input::Sent).with(|row| row.growth = None).keeping(sent.only)
            }
            Outcome::Finished { video_id, compared } => {
                let finished = |row: &mut Upload| {
                    row.reason = None;
                    row.video_id = row.video_id.take().or(video_id);
                };
                by(Input::Finished).with(finished).after(compared)
            }
            Outcome::ProcessesAgain => {
                self.queue.get_mut(id)?.processes_again = false;
                self.queue.let_go(id);
                return None;
            }
            Outcome::Playable { duration } => {
                by(Input::BecamePlayable).with(move |row| row.duration = duration)
            }
            Outcome::ProcessingFailed { reason } => {
                let reason = reason.map(|reason| Words::of(&reason).to_string());
                by(Input::ProcessingFailed).with(|row| row.reason = reason)
            }
            Outcome::OnlyTouched(fingerprint) => {
                tracing::info!(upload = %id, "the file has other times and the same bytes");
                by(Input::Admitted).with(|row| row.fingerprint = fingerprint)
            }
            Outcome::Heard => return None,
            Outcome::Abandoned => by(Input::CleanedUp),
        })
    }

    async fn failed(&mut self, id: UploadId, failure: Failure) {
        tracing::info!(upload = %id, %failure, "a job failed");
        let server = self.queue.get(id).map(|entry| entry.server().to_owned());
        if let Some(server) = server {
            self.note(&server, &failure);
            if let Failure::Refused { code: Code::SignedOut, .. } = failure {
                self.pause_connection(&server);
            }
        }
        if failure == Failure::SessionGone && self.is_to_be_sent_again(id).await {
            let anew = Advance::by(id, Input::Lost).with(|row| row.session = None);
            return self.apply(anew).await;
        }
        let reason = match &failure {
            Failure::Refused { reason, .. } => Some(Words::of(reason).to_string()),
            _ => None,
        };
        let luck = fastrand::u16(0..=1000);
        let changed = failure == Failure::SourceChanged;
        let failed = Advance::by(id, Input::Failed { failure, luck });
        self.apply(failed.with(|row| row.reason = reason)).await;
        if changed {
            self.changed(id).await;
        }
    }

    /// Whether what was sent is lost for good, by a session that ended before it was put together:
    /// once. A team that loses it twice would have it sent for ever.
    async fn is_to_be_sent_again(&self, id: UploadId) -> bool {
        let state = self.queue.get(id).map(|entry| entry.row.state);
        let lost =
            |state: State| state.phase == Phase::Finishing && state.attempts >= LITTLE_PATIENCE;
        if !state.is_some_and(lost) {
            return false;
        }
        let before = self.store.has_happened(id, Event::SentAgain).await;
        // What cannot be read is asked about.
        before.is_ok_and(|before| !before)
    }

    async fn not_cleaned_up(&mut self, id: UploadId, failure: &Failure) {
        tracing::warn!(upload = %id, %failure, "what an upload left could not be removed");
        if let Some(server) = self.queue.get(id).map(|entry| entry.server().to_owned()) {
            self.note(&server, failure);
        }
        match failure {
            // After the next sign-in.
            Failure::Refused { code: Code::SignedOut, .. } => self.rest(id),
            // Asking again will not help, and the server sweeps what is idle for a day.
            Failure::Refused { .. } => self.apply(Advance::by(id, Input::CleanedUp)).await,
            _ => self.rest(id),
        }
    }
}
