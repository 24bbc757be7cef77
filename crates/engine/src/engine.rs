//! The one loop that owns every upload's state.
//!
//! Commands and the ends of jobs come in; each becomes an [`Input`] of the machine; its result is
//! committed before anything follows from it. Must not know: windows, protocols' insides.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dailies_database::DatabaseError;
use futures_util::future::join_all;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::Instant;

use crate::awake::Awake;
use crate::census::Census;
use crate::clock::Clock;
use crate::connections::{Connected, Connections};
use crate::error::EngineError;
use crate::folders::{self, Sightings};
use crate::handle::{Command, EngineHandle, EngineTask};
use crate::job::{Kind, Outcome};
use crate::net::{NetOptions, losses};
use crate::network::Network;
use crate::preferences::Preferences;
use crate::protocol::UploadProtocol;
use crate::queue::{Entry, Queue};
use crate::rules::Rules;
use crate::send::Line;
use crate::source::Slices;
use crate::sources;
use crate::steps::Advance;
use crate::store::{Rebuilt, Setting, Store};
use crate::surroundings::Lookout;
use crate::team::{Caller, Team};
use crate::transfer::{Failure, Hold, Input, LONGEST_OBEYED, Lanes, Timestamp, UploadId};
use crate::view::{Change, News, RebuiltView, Snapshot};

/// Between two looks at what moves: ten changes a second.
const TICK: Duration = Duration::from_millis(100);
/// The longest sleep while something waits for a time: the clock may jump, or the computer sleep.
const LONGEST_NAP: Duration = Duration::from_secs(1);
/// How long a stopping engine takes to remove what was cancelled.
const GOODBYE: Duration = Duration::from_secs(5);
/// Commands that may wait.
const COMMANDS: usize = 64;
/// Changes a slow subscriber may be behind.
const CHANGES: usize = 512;
/// How often missing files are looked for.
const SOURCE_LOOK: Duration = Duration::from_secs(3);
/// Buffers of half a MiB for reading: what a few lanes need at full speed. Many lanes, of which each is
/// slow, get by with small ones.
const SLICES: usize = 20;

/// How much at once, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Uploads that work at the same time.
    pub uploads: usize,
    /// Parts under way at the same time to begin with.
    pub lanes: usize,
    /// The most of them, where more make bytes go faster: with losses on the way, each connection
    /// carries little, and only their number counts.
    pub most_lanes: usize,
    /// Times of the network.
    pub net: NetOptions,
    /// Between two backups of a queue that changes.
    pub backup: Duration,
}

impl Default for Options {
    fn default() -> Self {
        let (net, backup) = (NetOptions::default(), Duration::from_secs(600));
        Self { uploads: 3, lanes: 4, most_lanes: 32, net, backup }
    }
}

impl Options {
    /// The lanes to a server of which nothing is known yet.
    pub(crate) fn lanes(&self) -> Lanes {
        Lanes::new(self.lanes, self.most_lanes, losses())
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
    connected: Option<(Arc<Team>, Arc<dyn UploadProtocol>)>,
) -> Result<(EngineHandle, EngineTask), EngineError> {
    let (queue, now) = (queue.to_owned(), clock.now());
    let opening = tokio::task::spawn_blocking(move || Store::open_or_rebuild(&queue, now));
    let (mut store, mut rebuilt) = opening.await.map_err(|_| DatabaseError::Closed)??;
    let queue = match load(&store).await {
        Err(error) if error.is_damage() => {
            let (anew, what) = make_anew(store, &*clock).await?;
            (store, rebuilt) = (anew, Some(what));
            load(&store).await?
        }
        queue => queue?,
    };
    let preferences = Preferences::kept(&store).await;
    let (commands, inbox) = mpsc::channel(COMMANDS);
    let (changes, _) = broadcast::channel(CHANGES);
    let handle = EngineHandle {
        commands,
        changes: changes.clone(),
        net: options.net,
        projects: folders::ProjectLists::default(),
    };
    let (rules, uploads) = Rules::load(&store).await?;
    let options = Options { uploads: uploads.unwrap_or(options.uploads), ..options };
    let network = Network::new(clock.slept());
    let mut connections = Connections::new(store.setting(Setting::Server).await?);
    if let Some((team, protocol)) = connected {
        connections.put(Connected::new(team, protocol, options.lanes()), true);
    }
    let mut engine = Engine {
        store,
        preferences,
        folders: watch::Sender::new(()),
        sightings: HashMap::new(),
        rebuilt: rebuilt.map(RebuiltView::from),
        clock,
        network,
        lookout: Lookout::start().await,
        awake: Awake::new(),
        rules,
        options,
        slices: Slices::new(SLICES),
        line: Line::new(None),
        connections,
        queue,
        nothing_waits: false,
        no_first_waits: false,
        sources_due: Instant::now(),
        jobs: JoinSet::new(),
        owners: HashMap::new(),
        looking: JoinSet::new(),
        chores: JoinSet::new(),
        changes,
        seq: 0,
        ticked: Instant::now(),
    };
    engine.take_care();
    Ok((handle, EngineTask(tokio::spawn(engine.run_to_the_end(inbox)))))
}

async fn load(store: &Store) -> Result<Queue, DatabaseError> {
    Ok(Queue::new(Census::new(store.tallies().await?), store.begun().await?))
}

/// Puts a damaged queue aside, and makes it anew.
async fn make_anew(store: Store, clock: &dyn Clock) -> Result<(Store, Rebuilt), DatabaseError> {
    let (path, now) = (store.path().to_owned(), clock.now());
    store.close().await;
    let making = tokio::task::spawn_blocking(move || Store::rebuild(&path, now));
    making.await.unwrap_or(Err(DatabaseError::Closed))
}

/// Why the loop has ended.
enum Ended {
    /// Somebody wants it to.
    Stopped,
    /// The queue's file is damaged.
    Damaged,
}

pub(crate) struct Engine {
    pub(crate) store: Store,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) network: Network,
    pub(crate) lookout: Lookout,
    awake: Awake,
    pub(crate) rules: Rules,
    pub(crate) options: Options,
    pub(crate) slices: Slices,
    pub(crate) line: Arc<Line>,
    pub(crate) connections: Connections,
    pub(crate) queue: Queue,
    /// The store was asked for what starts next, and had nothing.
    pub(crate) nothing_waits: bool,
    /// The same, for what starts before all others.
    pub(crate) no_first_waits: bool,
    pub(crate) jobs: JoinSet<Option<Result<Outcome, Failure>>>,
    pub(crate) owners: HashMap<Id, UploadId>,
    /// Looks for missing files, one at a time.
    looking: JoinSet<Vec<UploadId>>,
    /// What is done for the queue's file besides.
    pub(crate) chores: JoinSet<()>,
    pub(crate) preferences: Preferences,
    /// Tells when other folders are watched, or others are wanted of them.
    pub(crate) folders: watch::Sender<()>,
    /// What is seen of the folders that are watched.
    pub(crate) sightings: Sightings,
    /// What was made of a queue that was damaged.
    pub(crate) rebuilt: Option<RebuiltView>,
    sources_due: Instant,
    changes: broadcast::Sender<Change>,
    pub(crate) seq: u64,
    ticked: Instant,
}

impl Engine {
    /// Works until it is told to stop, with a queue made anew where its file turns out damaged.
    async fn run_to_the_end(mut self, mut inbox: mpsc::Receiver<Command>) {
        loop {
            match self.run(&mut inbox).await {
                Ended::Stopped => break,
                Ended::Damaged => match self.rebuilt().await {
                    Ok(anew) => self = anew,
                    Err(error) => {
                        tracing::error!(%error, "the damaged queue could not be made anew");
                        return;
                    }
                },
            }
        }
        // Whoever comes back only to a next start may be long in coming.
        let _ = tokio::time::timeout(GOODBYE, self.remove_what_was_cancelled()).await;
        // What was under way is asked for at the next start.
        self.jobs.shutdown().await;
        // A token that the issuer has exchanged already is lost if the new one is not kept.
        let callers = self.connections.iter().map(|connected| connected.team.client().caller());
        let settled = join_all(callers.map(Caller::settle));
        let _ = tokio::time::timeout(GOODBYE, settled).await;
        self.end_care().await;
    }

    async fn run(&mut self, inbox: &mut mpsc::Receiver<Command>) -> Ended {
        let mut commands = Vec::new();
        loop {
            self.notice_sleep();
            self.connections.let_go_on();
            self.ask_for_a_way();
            self.keep_rules();
            self.start_what_is_due().await;
            self.send_heartbeats().await;
            self.awake.want(self.rules.keep_awake() && self.queue.loaded().any(Entry::keeps_awake));
            let nap = self.nap();
            let store = self.store.clone();
            tokio::select! {
                // Nothing is received where nobody is left who could ask.
                received = inbox.recv_many(&mut commands, COMMANDS) => {
                    let commands = std::mem::take(&mut commands);
                    if received == 0 || !self.obey_all(commands).await {
                        return Ended::Stopped;
                    }
                }
                () = store.damaged() => return Ended::Damaged,
                Some(ended) = self.jobs.join_next_with_id() => self.ended(ended).await,
                asked = self.network.answer() => self.answered(asked).await,
                () = self.lookout.changed() => {}
                Some(back) = self.looking.join_next() => self.sources_back(back).await,
                () = sleep(nap) => self.tick().await,
            }
        }
    }

    /// The same engine on a queue made anew. What was under way asks the other side what arrived.
    async fn rebuilt(mut self) -> Result<Self, EngineError> {
        self.jobs.shutdown().await;
        self.looking.shutdown().await;
        self.chores.shutdown().await;
        let (store, rebuilt) = make_anew(self.store, &*self.clock).await?;
        let queue = load(&store).await?;
        let mut anew = Self {
            store,
            queue,
            rebuilt: Some(rebuilt.into()),
            nothing_waits: false,
            no_first_waits: false,
            owners: HashMap::new(),
            // Whoever follows sees the gap, and asks for everything anew.
            seq: self.seq + 1,
            ..self
        };
        anew.publish(News::Queue { queue: anew.queue.view() });
        anew.take_care();
        Ok(anew)
    }

    /// Lets nothing go on but the removal of what cancelled uploads left.
    async fn remove_what_was_cancelled(&mut self) {
        for entry in self.queue.loaded() {
            if let Some(running) = &entry.running
                && running.kind != Kind::Abandon
            {
                running.stop.cancel();
            }
        }
        loop {
            let now = self.clock.now();
            let open = |entry: &&Entry| self.connections.is_open(entry.server());
            let due = self.queue.loaded().filter(open);
            let due = due.filter(|entry| entry.due(now) == Some(Kind::Abandon));
            let due: Vec<_> = due.map(|entry| entry.row.id).collect();
            for id in due {
                self.run_job(id, Kind::Abandon).await;
            }
            let works = |entry: &Entry| entry.row.state.cleanup && entry.running.is_some();
            if !self.queue.loaded().any(works) {
                return;
            }
            let Some(ended) = self.jobs.join_next_with_id().await else { return };
            self.ended(ended).await;
        }
    }

    /// How long nothing has to be looked at; `None` for as long as nobody says anything.
    fn nap(&self) -> Option<Duration> {
        if self.queue.loaded().any(Entry::moves) || self.queue.has_changed() {
            return Some(TICK.saturating_sub(self.ticked.elapsed()));
        }
        let now = self.clock.now();
        let waits = self.queue.loaded().filter(|entry| !self.waits_for_a_way(entry));
        let next = waits.filter_map(Entry::wakes).min();
        let waits = self.queue.census().totals().coming > 0;
        let rules = if waits { self.rules.due(now) } else { None };
        let rules = rules.map(|due| u64::try_from(due.0 - now.0).unwrap_or_default());
        let rules = rules.map(Duration::from_millis);
        let wait = next.map(|next| u64::try_from(next.0 - now.0).unwrap_or_default());
        let wait = wait.map(|wait| Duration::from_millis(wait).min(LONGEST_NAP));
        let looks = self.queue.census().missing() > 0 && self.looking.is_empty();
        let look = looks.then(|| self.sources_due.saturating_duration_since(Instant::now()));
        let ask = self.next_question();
        let ask = ask.map(|ask| ask.saturating_duration_since(Instant::now()));
        wait.into_iter().chain(look).chain(ask).chain(rules).chain(self.next_heartbeat()).min()
    }

    async fn tick(&mut self) {
        let passed = self.ticked.elapsed();
        self.ticked = Instant::now();
        let now = self.clock.now();
        let mut news = Vec::new();
        for entry in self.queue.loaded_mut() {
            if let Some((moved, progress)) = entry.tick(passed) {
                self.connections.count(entry.server(), moved);
                news.push(progress);
            }
        }
        self.connections.note(passed);
        if !news.is_empty() {
            self.publish(News::Progress { uploads: news });
        }
        self.queue.count_progress();
        if let Some(queue) = self.queue.take_changed() {
            self.publish(News::Queue { queue });
        }
        self.look_for_sources();
        self.notice_silence();
        let mut inputs = Vec::new();
        for entry in self.queue.loaded_mut() {
            let state = entry.row.state;
            let offline = matches!(state.hold, Hold::Offline { .. });
            let in_vain = offline && self.connections.is_lost(entry.server());
            if !in_vain && state.hold.due().is_some_and(|due| due.is_over(now, LONGEST_OBEYED)) {
                inputs.push(Advance::by(entry.row.id, Input::Due));
            } else if entry.take_progress() && state.attempts > 0 {
                inputs.push(Advance::by(entry.row.id, Input::Progressed));
            }
        }
        self.apply_each(inputs).await;
    }

    /// Looks whether missing files are back, all of them in one go.
    fn look_for_sources(&mut self) {
        let due = self.sources_due <= Instant::now() && self.looking.is_empty();
        if due && self.queue.census().missing() > 0 {
            self.looking.spawn(sources::back(self.store.clone()));
        }
    }

    /// Whether what comes back is the same file is for the next job.
    async fn sources_back(&mut self, back: Result<Vec<UploadId>, JoinError>) {
        self.sources_due = Instant::now() + SOURCE_LOOK;
        let back = back.unwrap_or_default().into_iter();
        self.apply_each(back.map(|id| Advance::by(id, Input::SourceBack)).collect()).await;
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        Snapshot {
            seq: self.seq,
            queue: self.queue.view(),
            connection: self.connections.view(),
            connections: self.connections.views(),
            allowance: self.allowance_view(),
            rebuilt: self.rebuilt.clone(),
        }
    }

    pub(crate) fn publish(&mut self, news: News) {
        self.seq += 1;
        // Nobody may be listening.
        let _ = self.changes.send(Change { seq: self.seq, news });
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
