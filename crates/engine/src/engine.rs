//! The one loop that owns every upload's state.
//!
//! Commands and the ends of jobs come in; each becomes an [`Input`] of the machine; its result is
//! committed before anything follows from it. Must not know: windows, protocols' insides.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, broadcast, mpsc};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::error::{Code, EngineError};
use crate::handle::{Command, EngineHandle, EngineTask};
use crate::job::{Job, Kind, Outcome, intent};
use crate::net::{Clients, NetOptions};
use crate::protocol::{Earlier, UploadProtocol, VideoActions};
use crate::queue::{Entry, Queue, Running};
use crate::send::Sending;
use crate::source::Slices;
use crate::store::{Registration, Setting, Store, Upload};
use crate::team::Team;
use crate::transfer::{Effect, Failure, Input, Phase, Timestamp, UploadId, step};
use crate::view::{Change, ConnectionView, DestinationView, News, Snapshot};

/// Between two looks at what moves: ten changes a second.
const TICK: Duration = Duration::from_millis(100);
/// The longest sleep while something waits for a time: the clock may jump, or the computer sleep.
const LONGEST_NAP: Duration = Duration::from_secs(1);
/// Rest of an upload whose state could not be written, or whose clean-up failed.
const REST: Duration = Duration::from_secs(15);
/// How long a stopping engine takes to remove what was cancelled.
const GOODBYE: Duration = Duration::from_secs(5);
/// Commands that may wait.
const COMMANDS: usize = 64;
/// Changes a slow subscriber may be behind.
const CHANGES: usize = 512;
/// Buffers kept for reading.
const IDLE_SLICES: usize = 12;

/// How much at once, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Uploads that work at the same time.
    pub uploads: usize,
    /// Parts of one upload under way at the same time.
    pub lanes: usize,
    /// Parts of all uploads under way at the same time.
    pub parts: usize,
    /// Times of the network.
    pub net: NetOptions,
}

impl Default for Options {
    fn default() -> Self {
        Self { uploads: 3, lanes: 4, parts: 8, net: NetOptions::default() }
    }
}

/// Starts an engine on a queue.
///
/// # Errors
/// [`Code::ProfileTooNew`], [`Code::ProfileDamaged`], [`Code::LocalStorage`].
pub async fn start(
    queue: &Path,
    clock: Arc<dyn Clock>,
    options: Options,
) -> Result<(EngineHandle, EngineTask), EngineError> {
    start_connected(queue, clock, options, None).await
}

/// The same with a connection from the beginning.
pub(crate) async fn start_connected(
    queue: &Path,
    clock: Arc<dyn Clock>,
    options: Options,
    connected: Option<Connected>,
) -> Result<(EngineHandle, EngineTask), EngineError> {
    let store = Store::open(queue)?;
    let clients = Clients::new(options.net)
        .map_err(|error| EngineError::new(Code::LocalStorage, error.to_string()))?;
    let rows = store.uploads().await?;
    let (commands, inbox) = mpsc::channel(COMMANDS);
    let (changes, _) = broadcast::channel(CHANGES);
    let handle = EngineHandle { commands, changes: changes.clone(), clients };
    let engine = Engine {
        store,
        clock,
        options,
        slices: Slices::new(IDLE_SLICES),
        permits: Arc::new(Semaphore::new(options.parts)),
        connected,
        connection: ConnectionView::None,
        queue: rows.into_iter().map(|(row, done)| (row.id, Entry::new(row, done))).collect(),
        jobs: JoinSet::new(),
        owners: HashMap::new(),
        changes,
        seq: 0,
        ticked: Instant::now(),
    };
    Ok((handle, EngineTask(tokio::spawn(engine.run(inbox)))))
}

/// A team and the protocol its uploads take.
#[derive(Clone)]
pub(crate) struct Connected {
    pub(crate) team: Arc<Team>,
    pub(crate) protocol: Arc<dyn UploadProtocol>,
    /// Where new files go.
    pub(crate) destination: Option<DestinationView>,
}

impl Connected {
    pub(crate) fn server(&self) -> &str {
        self.team.client().base().as_str()
    }
}

pub(crate) struct Engine {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    options: Options,
    slices: Slices,
    permits: Arc<Semaphore>,
    pub(crate) connected: Option<Connected>,
    pub(crate) connection: ConnectionView,
    pub(crate) queue: Queue,
    jobs: JoinSet<Option<Result<Outcome, Failure>>>,
    owners: HashMap<Id, UploadId>,
    changes: broadcast::Sender<Change>,
    seq: u64,
    ticked: Instant,
}

type Ended = Result<(Id, Option<Result<Outcome, Failure>>), JoinError>;

impl Engine {
    async fn run(mut self, mut inbox: mpsc::Receiver<Command>) {
        loop {
            self.start_what_is_due().await;
            let nap = self.nap();
            tokio::select! {
                command = inbox.recv() => match command {
                    Some(Command::Stop) | None => break,
                    Some(command) => self.obey(command).await,
                },
                Some(ended) = self.jobs.join_next_with_id() => self.ended(ended).await,
                () = sleep(nap) => self.tick().await,
            }
        }
        // Whoever comes back only to a next start may be long in coming.
        let _ = tokio::time::timeout(GOODBYE, self.remove_what_was_cancelled()).await;
        // What was under way is asked for at the next start.
        self.jobs.shutdown().await;
    }

    /// Lets nothing go on but the removal of what cancelled uploads left.
    async fn remove_what_was_cancelled(&mut self) {
        for entry in self.queue.values() {
            if let Some(running) = &entry.running
                && running.kind != Kind::Abandon
            {
                running.stop.cancel();
            }
        }
        let Some(connected) = self.connected.clone() else { return };
        loop {
            let now = self.clock.now();
            let here = |entry: &&Entry| entry.row.destination.server == connected.server();
            let due = self.queue.values().filter(here);
            let due = due.filter(|entry| entry.due(now) == Some(Kind::Abandon));
            let due: Vec<_> = due.map(|entry| entry.row.id).collect();
            for id in due {
                self.run_job(id, Kind::Abandon, &connected).await;
            }
            let mut left = self.queue.values().filter(|entry| entry.row.state.cleanup);
            if !left.any(|entry| entry.running.is_some()) {
                return;
            }
            let Some(ended) = self.jobs.join_next_with_id().await else { return };
            self.ended(ended).await;
        }
    }

    /// How long nothing has to be looked at; `None` for as long as nobody says anything.
    fn nap(&self) -> Option<Duration> {
        if self.queue.values().any(|entry| entry.running.is_some()) {
            return Some(TICK.saturating_sub(self.ticked.elapsed()));
        }
        let now = self.clock.now();
        let next = self.queue.values().filter_map(Entry::wakes).min()?;
        let wait = u64::try_from(next.0 - now.0).unwrap_or_default();
        Some(Duration::from_millis(wait).min(LONGEST_NAP))
    }

    async fn tick(&mut self) {
        let passed = self.ticked.elapsed();
        self.ticked = Instant::now();
        let now = self.clock.now();
        let news: Vec<_> = self.queue.values_mut().filter_map(|e| e.tick(passed)).collect();
        if !news.is_empty() {
            self.publish(News::Progress { uploads: news });
        }
        let mut inputs = Vec::new();
        for entry in self.queue.values_mut() {
            let state = entry.row.state;
            if state.hold.due().is_some_and(|due| due <= now) {
                inputs.push((entry.row.id, Input::Due));
            } else if entry.take_progress() && state.attempts > 0 {
                inputs.push((entry.row.id, Input::Progressed));
            }
        }
        for (id, input) in inputs {
            self.apply(id, input, |_| {}).await;
        }
    }

    /// Starts the jobs that states call for, first come first served, within the limits.
    async fn start_what_is_due(&mut self) {
        let Some(connected) = self.connected.clone() else { return };
        let now = self.clock.now();
        let here = |entry: &&Entry| entry.row.destination.server == connected.server();
        let due = self.queue.values().filter(here);
        let due: Vec<_> = due.filter_map(|entry| Some((entry.row.id, entry.due(now)?))).collect();
        for (id, kind) in due {
            if kind.takes_slot() && self.slots_taken() >= self.options.uploads {
                continue;
            }
            match kind {
                Kind::Abandon | Kind::LookForSource | Kind::ProcessAgain => {
                    self.run_job(id, kind, &connected).await;
                }
                _ => self.apply(id, Input::Admitted, |_| {}).await,
            }
        }
    }

    fn slots_taken(&self) -> usize {
        let running = self.queue.values().filter_map(|entry| entry.running.as_ref());
        running.filter(|running| running.kind.takes_slot()).count()
    }

    /// Steps an upload, commits the result with `change`, and does what follows from it.
    pub(crate) async fn apply(
        &mut self,
        id: UploadId,
        input: Input,
        change: impl FnOnce(&mut Upload),
    ) {
        let now = self.clock.now();
        let Some(entry) = self.queue.get_mut(&id) else { return };
        let mut row = entry.row.clone();
        let (state, effects) = step(row.state, input, now);
        let forgets = row.session.clone();
        change(&mut row);
        row.state = state;
        if state.phase >= Phase::Processing && row.uploaded_at.is_none() {
            row.uploaded_at = Some(now);
        }
        let written = if row.session == forgets {
            self.store.update(&row).await
        } else {
            self.store.update_session(&row).await
        };
        if let Err(error) = written {
            // The state on disk stands; what was done meanwhile is found by asking once more.
            tracing::error!(upload = %id, %error, "an upload's state could not be written");
            entry.rests_until = Some(now.after(REST));
            return;
        }
        row.rev += 1;
        entry.row = row;
        entry.rests_until = None;
        for effect in effects {
            self.follow(id, effect).await;
        }
        self.publish_upload(id);
    }

    async fn follow(&mut self, id: UploadId, effect: Effect) {
        let Some(entry) = self.queue.get_mut(&id) else { return };
        match effect {
            Effect::Run => {
                let Some(connected) = self.connected.clone() else { return };
                let kind = Kind::for_upload(&entry.row, entry.opened.is_some());
                if let (Some(kind), None) = (kind, &entry.running) {
                    Box::pin(self.run_job(id, kind, &connected)).await;
                }
            }
            Effect::Stop => {
                if let Some(running) = &entry.running {
                    running.stop.cancel();
                }
            }
            Effect::ForgetSession => entry.opened = None,
            // Done by `start_what_is_due`, now or after a restart: the state remembers it.
            Effect::CleanUp => {}
            Effect::ProcessAgain => entry.processes_again = true,
            Effect::AddAgain => {
                let path = entry.row.path.clone();
                let destination = entry.row.destination.clone();
                self.add_again(path, destination).await;
            }
        }
    }

    async fn run_job(&mut self, id: UploadId, kind: Kind, connected: &Connected) {
        let taken = self.taken(id);
        let namesakes = if kind == Kind::Open { self.namesakes(id) } else { Vec::new() };
        let Some(entry) = self.queue.get_mut(&id) else { return };
        let mut earlier = Earlier::None;
        if kind == Kind::Register {
            if entry.row.registration == Registration::Tried {
                earlier = Earlier::Maybe { taken };
            } else {
                let mut row = entry.row.clone();
                row.registration = Registration::Tried;
                if let Err(error) = self.store.update(&row).await {
                    tracing::error!(upload = %id, %error, "an intent could not be written");
                    entry.rests_until = Some(self.clock.now().after(REST));
                    return;
                }
                row.rev += 1;
                entry.row = row;
            }
        }
        let job = Job {
            row: entry.row.clone(),
            protocol: Arc::clone(&connected.protocol),
            store: self.store.clone(),
            slices: self.slices.clone(),
            namesakes,
        };
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        entry.running = Some(Running { kind, stop });
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
            lanes: self.options.lanes,
            progress: Arc::clone(&entry.progress),
        });
        let work = async move {
            match (kind, sending) {
                (Kind::Register, _) => job.register(earlier).await,
                (Kind::Send, Some(sending)) => job.send(sending).await,
                (Kind::Open | Kind::Send, _) => job.open().await,
                (Kind::Finish, _) => job.finish().await,
                (Kind::ProcessAgain, _) => job.process_again().await,
                (Kind::Watch, _) => job.watch().await,
                (Kind::Abandon, _) => job.abandon().await,
                (Kind::LookForSource, _) => job.look_for_source().await,
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

    async fn ended(&mut self, ended: Ended) {
        let (task, result) = match ended {
            Ok((task, result)) => (task, result),
            Err(error) => {
                let words = format!("a job broke: {error}");
                (error.id(), Some(Err(Failure::LocalStorage(words))))
            }
        };
        let Some(id) = self.owners.remove(&task) else { return };
        let Some(entry) = self.queue.get_mut(&id) else { return };
        let kind = entry.running.take().map(|running| running.kind);
        match result {
            None => self.publish_upload(id),
            Some(Ok(outcome)) => self.succeeded(id, outcome).await,
            Some(Err(failure)) if kind == Some(Kind::Abandon) => {
                self.not_cleaned_up(id, &failure).await;
            }
            Some(Err(failure)) => self.failed(id, failure).await,
        }
    }

    async fn succeeded(&mut self, id: UploadId, outcome: Outcome) {
        match outcome {
            Outcome::Registered(video) => {
                let registered = |row: &mut Upload| {
                    row.video_id = video;
                    row.registration = Registration::Done;
                };
                self.apply(id, Input::Registered, registered).await;
            }
            Outcome::Opened(opened) => {
                let session = opened.session.clone();
                if let Some(entry) = self.queue.get_mut(&id) {
                    entry.opened = Some(Arc::new(opened));
                }
                self.apply(id, Input::Opened, |row| row.session = Some(session)).await;
            }
            Outcome::Sent => self.apply(id, Input::Sent, |_| {}).await,
            Outcome::Finished { video_id } => {
                let finished = |row: &mut Upload| {
                    row.reason = None;
                    row.video_id = row.video_id.take().or(video_id);
                };
                self.apply(id, Input::Finished, finished).await;
            }
            Outcome::ProcessesAgain => {
                if let Some(entry) = self.queue.get_mut(&id) {
                    entry.processes_again = false;
                }
            }
            Outcome::Playable { duration } => {
                self.apply(id, Input::BecamePlayable, |row| row.duration = duration).await;
            }
            Outcome::ProcessingFailed { reason } => {
                self.apply(id, Input::ProcessingFailed, |row| row.reason = reason).await;
            }
            Outcome::SourceBack => self.apply(id, Input::SourceBack, |_| {}).await,
            Outcome::Abandoned => self.apply(id, Input::CleanedUp, |_| {}).await,
        }
    }

    async fn failed(&mut self, id: UploadId, failure: Failure) {
        tracing::info!(upload = %id, %failure, "a job failed");
        if let Failure::Refused { code: Code::SignedOut, .. } = failure
            && let Some(connected) = &self.connected
        {
            let url = connected.server().to_owned();
            self.set_connection(ConnectionView::Refused { url, code: Code::SignedOut });
        }
        let reason = match &failure {
            Failure::Refused { reason, .. } => Some(reason.clone()),
            _ => None,
        };
        let luck = fastrand::u16(0..=1000);
        self.apply(id, Input::Failed { failure, luck }, |row| row.reason = reason).await;
    }

    async fn not_cleaned_up(&mut self, id: UploadId, failure: &Failure) {
        tracing::warn!(upload = %id, %failure, "what an upload left could not be removed");
        match failure {
            // Asking again will not help, and the server sweeps what is idle for a day.
            Failure::Refused { .. } => self.apply(id, Input::CleanedUp, |_| {}).await,
            _ => {
                if let Some(entry) = self.queue.get_mut(&id) {
                    entry.rests_until = Some(self.clock.now().after(REST));
                }
            }
        }
    }

    /// Videos that belong to other uploads.
    fn taken(&self, id: UploadId) -> Vec<String> {
        let others = self.queue.values().filter(|entry| entry.row.id != id);
        others.filter_map(|entry| entry.row.video_id.clone()).collect()
    }

    /// Videos of other uploads of files with the same name; see [`crate::protocol::Intent::namesakes`].
    fn namesakes(&self, id: UploadId) -> Vec<Option<String>> {
        let Some(own) = self.queue.get(&id) else { return Vec::new() };
        let others = self.queue.values().map(|entry| &entry.row).filter(|other| {
            other.id != id
                && other.registration != Registration::No
                && other.path.file_name() == own.row.path.file_name()
                && other.destination.server == own.row.destination.server
        });
        others.map(|other| other.video_id.clone()).collect()
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            seq: self.seq,
            uploads: self.queue.values().map(Entry::view).collect(),
            connection: self.connection.clone(),
        }
    }

    pub(crate) fn set_connection(&mut self, connection: ConnectionView) {
        self.connection = connection.clone();
        self.publish(News::Connection { connection });
    }

    pub(crate) fn publish_upload(&mut self, id: UploadId) {
        if let Some(entry) = self.queue.get(&id) {
            let uploads = vec![entry.view()];
            self.publish(News::Uploads { uploads });
        }
    }

    pub(crate) fn publish(&mut self, news: News) {
        self.seq += 1;
        // Nobody may be listening.
        let _ = self.changes.send(Change { seq: self.seq, news });
    }

    pub(crate) fn protocol(team: &Arc<Team>) -> Arc<dyn UploadProtocol> {
        Arc::new(VideoActions::new(Arc::clone(team)))
    }

    /// Remembers a setting; one that could not be kept is only lost at the next start.
    pub(crate) async fn remember(&self, setting: Setting, value: Option<String>) {
        if let Err(error) = self.store.set(setting, value).await {
            tracing::error!(%error, "a setting could not be kept");
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

async fn sleep(nap: Option<Duration>) {
    match nap {
        Some(nap) => tokio::time::sleep(nap).await,
        None => std::future::pending().await,
    }
}
