//! Starting jobs when their turn comes, and what follows from their ends.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::{Id, JoinError};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use dailies_database::DatabaseError;

use crate::engine::{Connected, Engine};
use crate::error::Code;
use crate::job::{Job, Kind, Outcome, intent};
use crate::protocol::Earlier;
use crate::queue::{Entry, Running};
use crate::send::Sending;
use crate::store::{Registration, Upload, Written};
use crate::touched::same_bytes;
use crate::transfer::{Failure, Hold, Input, UploadId, Words};
use crate::view::ConnectionView;

pub(crate) type Ended = Result<(Id, Option<Result<Outcome, Failure>>), JoinError>;

impl Engine {
    /// Starts the jobs that states call for, first come first served, within the limits.
    pub(crate) async fn start_what_is_due(&mut self) {
        let Some(connected) = self.connected.clone().filter(|connected| !connected.paused) else {
            return;
        };
        if self.network.is_lost() {
            return;
        }
        let now = self.clock.now();
        let here = |entry: &&Entry| entry.row.destination.server == connected.server();
        let due = self.queue.loaded().filter(here);
        let mut due: Vec<_> =
            due.filter_map(|entry| Some((entry.turn(), entry.row.id, entry.due(now)?))).collect();
        due.sort_unstable_by_key(|(turn, id, _)| (*turn, *id));
        for (_, id, kind) in due {
            let first = self.queue.get(id).is_some_and(|entry| entry.row.first);
            let waits = self.rules.pause() && kind != Kind::Finish;
            if kind.takes_slot() && (waits || self.places(first) == 0) {
                continue;
            }
            let twin = self.queue.get(id).is_some_and(|entry| self.waits_for_its_twin(&entry.row));
            match kind {
                _ if twin => self.rest(id),
                Kind::Abandon | Kind::ProcessAgain => self.run_job(id, kind, &connected).await,
                _ => self.apply(id, Input::Admitted, |_| {}).await,
            }
        }
        self.begin_what_waits(&connected).await;
    }

    /// Gives the free places to what waits in the store.
    async fn begin_what_waits(&mut self, connected: &Connected) {
        // What waits for the network keeps its place: a storage that is away would else make every
        // upload of the queue begin and wait.
        let offline = |entry: &&Entry| matches!(entry.row.state.hold, Hold::Offline { .. });
        let kept = self.queue.loaded().filter(offline).count();
        let mut usual = self.places(false).saturating_sub(kept);
        let mut first = if self.no_first_waits { 0 } else { self.places(true) };
        let free = usual.max(first);
        if free == 0 || self.nothing_waits || self.rules.pause() {
            return;
        }
        // One that rests stands in the store like those that wait.
        let resting = self.queue.loaded().filter(|entry| entry.rests_until.is_some()).count();
        let server = connected.server().to_owned();
        let next = match self.store.next(server, (free + resting) as u64).await {
            Ok(next) => next,
            Err(error) => {
                tracing::error!(%error, "what waits could not be read");
                return;
            }
        };
        let next: Vec<_> =
            next.into_iter().filter(|(row, _)| self.queue.get(row.id).is_none()).collect();
        self.nothing_waits = next.is_empty();
        self.no_first_waits = !next.iter().any(|(row, _)| row.first);
        for (row, confirmed) in next {
            let places = if row.first { &mut first } else { &mut usual };
            if *places == 0 {
                break;
            }
            *places -= 1;
            let id = row.id;
            let twin = self.waits_for_its_twin(&row);
            self.queue.load(row, confirmed);
            if twin {
                self.rest(id);
            } else {
                self.apply(id, Input::Admitted, |_| {}).await;
            }
        }
    }

    /// Places that are free for uploads to work in. What goes first has as many of its own: it does
    /// not wait until others end, which may take a day.
    fn places(&self, first: bool) -> usize {
        let takes = |entry: &&Entry| {
            let works = entry.running.as_ref().is_some_and(|running| running.kind.takes_slot());
            works && (entry.row.first || !first)
        };
        self.options.uploads.saturating_sub(self.queue.loaded().filter(takes).count())
    }

    /// Writes down that an upload is about to be registered. What is known of an earlier try.
    async fn intend(&mut self, id: UploadId) -> Result<Earlier, DatabaseError> {
        let Some(entry) = self.queue.get_mut(id) else { return Ok(Earlier::None) };
        if entry.row.registration == Registration::Tried {
            let taken = self.store.taken(&entry.row).await?;
            return Ok(Earlier::Maybe { taken });
        }
        let mut row = entry.row.clone();
        row.registration = Registration::Tried;
        self.store.update(vec![Written::only(row.clone(), self.clock.now())]).await?;
        row.rev += 1;
        entry.row = row;
        Ok(Earlier::None)
    }

    pub(crate) async fn run_job(&mut self, id: UploadId, kind: Kind, connected: &Connected) {
        let doubles = if kind == Kind::Register { self.doubles(id).await } else { Vec::new() };
        let kind = if doubles.is_empty() { kind } else { Kind::Compare };
        let mut earlier = Earlier::None;
        if kind == Kind::Register {
            match self.intend(id).await {
                Ok(known) => earlier = known,
                Err(error) => {
                    tracing::error!(upload = %id, %error, "an intent could not be written");
                    self.rest(id);
                    return;
                }
            }
        }
        let mut namesakes = Vec::new();
        if let (Kind::Open, Some(entry)) = (kind, self.queue.get(id)) {
            match self.store.namesakes(&entry.row).await {
                Ok(known) => namesakes = known,
                Err(error) => {
                    tracing::error!(upload = %id, %error, "uploads of the same name could not be read");
                    self.rest(id);
                    return;
                }
            }
        }
        let Some(entry) = self.queue.get_mut(id) else { return };
        let job = Job {
            row: entry.row.clone(),
            protocol: Arc::clone(&connected.protocol),
            store: self.store.clone(),
            slices: self.slices.clone(),
            namesakes,
        };
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        entry.running = Some(Running { kind, stop, over: connected.number });
        entry.stirred = Instant::now();
        // What the other side held is known for one sending only: the next one asks again.
        let opened = if kind == Kind::Send { entry.opened.take() } else { None };
        let sending = opened.map(|opened| Sending {
            protocol: Arc::clone(&connected.protocol),
            store: self.store.clone(),
            clock: Arc::clone(&self.clock),
            intent: Arc::new(intent(&entry.row)),
            opened,
            slices: self.slices.clone(),
            permits: Arc::clone(&self.permits),
            lanes: self.options.most_lanes,
            place: self.line.enter(id, entry.row.fingerprint.size, entry.row.first),
            progress: Arc::clone(&entry.progress),
        });
        let (row, store, slices) = (entry.row.clone(), self.store.clone(), self.slices.clone());
        let work = async move {
            let done = match (kind, sending) {
                (Kind::Compare, _) => job.compare(doubles).await,
                (Kind::Register, _) => job.register(earlier).await,
                (Kind::Send, Some(sending)) => job.send(sending).await,
                (Kind::Open | Kind::Send, _) => job.open().await,
                (Kind::Finish, _) => job.finish().await,
                (Kind::ProcessAgain, _) => job.process_again().await,
                (Kind::Watch, _) => job.watch().await,
                (Kind::Abandon, _) => job.abandon().await,
            };
            match done {
                Err(Failure::SourceChanged) => {
                    same_bytes(&row, &store, &slices).await.map(Outcome::OnlyTouched)
                }
                done => done,
            }
        };
        let task = self.jobs.spawn(async move {
            tokio::select! {
                biased;
                () = stopped => None,
                done = work => Some(done),
            }
        });
        self.owners.insert(task.id(), id);
    }

    pub(crate) async fn ended(&mut self, ended: Ended) {
        let (task, result) = match ended {
            Ok((task, result)) => (task, result),
            Err(error) => {
                let words = format!("a job broke: {error}");
                (error.id(), Some(Err(Failure::LocalStorage(words))))
            }
        };
        let Some(id) = self.owners.remove(&task) else { return };
        let Some(entry) = self.queue.get_mut(id) else { return };
        let running = entry.running.take();
        let kind = running.as_ref().map(|running| running.kind);
        let now_over = self.connected.as_ref().map(|connected| connected.number);
        match result {
            None => {
                self.publish_upload(id);
                self.queue.let_go(id);
            }
            Some(Ok(outcome)) => self.succeeded(id, outcome).await,
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
    }

    async fn succeeded(&mut self, id: UploadId, outcome: Outcome) {
        match outcome {
            Outcome::Unique => {
                if let Some(entry) = self.queue.get_mut(id) {
                    entry.is_unique = true;
                }
                self.apply(id, Input::Admitted, |_| {}).await;
            }
            Outcome::Registered(video) => {
                let registered = |row: &mut Upload| {
                    row.video_id = video;
                    row.registration = Registration::Done;
                };
                self.apply(id, Input::Registered, registered).await;
            }
            Outcome::Opened(opened) => {
                let session = opened.session.clone();
                if let Some(entry) = self.queue.get_mut(id) {
                    entry.opened = Some(Arc::new(opened));
                }
                self.apply(id, Input::Opened, |row| row.session = Some(session)).await;
            }
            Outcome::Sent => self.apply(id, Input::Sent, |_| {}).await,
            Outcome::Finished { video_id, compared } => {
                let finished = |row: &mut Upload| {
                    row.reason = None;
                    row.video_id = row.video_id.take().or(video_id);
                };
                self.apply_compared(id, Input::Finished, Some(compared), finished).await;
            }
            Outcome::ProcessesAgain => {
                if let Some(entry) = self.queue.get_mut(id) {
                    entry.processes_again = false;
                }
                self.queue.let_go(id);
            }
            Outcome::Playable { duration } => {
                self.apply(id, Input::BecamePlayable, |row| row.duration = duration).await;
            }
            Outcome::ProcessingFailed { reason } => {
                let reason = reason.map(|reason| Words::of(&reason).to_string());
                self.apply(id, Input::ProcessingFailed, |row| row.reason = reason).await;
            }
            Outcome::OnlyTouched(fingerprint) => {
                tracing::info!(upload = %id, "the file has other times and the same bytes");
                self.apply(id, Input::Admitted, |row| row.fingerprint = fingerprint).await;
            }
            Outcome::Abandoned => self.apply(id, Input::CleanedUp, |_| {}).await,
        }
    }

    async fn failed(&mut self, id: UploadId, failure: Failure) {
        tracing::info!(upload = %id, %failure, "a job failed");
        self.network.note(&failure);
        if let Failure::Refused { code: Code::SignedOut, .. } = failure
            && let Some(connected) = &mut self.connected
        {
            connected.paused = true;
            let url = connected.server().to_owned();
            self.set_connection(ConnectionView::Refused { url, code: Code::SignedOut });
        }
        let reason = match &failure {
            Failure::Refused { reason, .. } => Some(Words::of(reason).to_string()),
            _ => None,
        };
        let luck = fastrand::u16(0..=1000);
        let changed = failure == Failure::SourceChanged;
        self.apply(id, Input::Failed { failure, luck }, |row| row.reason = reason).await;
        if changed {
            self.changed(id).await;
        }
    }

    async fn not_cleaned_up(&mut self, id: UploadId, failure: &Failure) {
        tracing::warn!(upload = %id, %failure, "what an upload left could not be removed");
        self.network.note(failure);
        match failure {
            // After the next sign-in.
            Failure::Refused { code: Code::SignedOut, .. } => self.rest(id),
            // Asking again will not help, and the server sweeps what is idle for a day.
            Failure::Refused { .. } => self.apply(id, Input::CleanedUp, |_| {}).await,
            _ => self.rest(id),
        }
    }
}
