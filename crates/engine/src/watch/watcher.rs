//! What watches one folder: it knows what is finished and offers it, until it is dropped.

use std::collections::{HashMap, HashSet, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::watch::events::{Events, NoEvents};
use crate::watch::hints::{Gathered, Hint, Hints};
use crate::watch::looks::{
    BATCH, Content, Looked, Place, Scanned, look_into, look_through, place, scanned,
};
use crate::watch::mounts::Mounts;
use crate::watch::offers::{grows, offered};
use crate::watch::scan::{Found, look};
use crate::watch::unsettled::Unsettled;
use crate::watch::{
    Answer, Blind, Filter, Health, Ready, Senses, Sight, Stage, Tally, Unreadable, Verdict,
    Version, drive,
};

/// Between two looks whether the folder is there at all …
const ROOT_LOOK: Duration = Duration::from_secs(15);
/// … where its own going makes an event, and only that of a folder around it does not …
const WATCHED_ROOT_LOOK: Duration = Duration::from_secs(300);
/// … and while it is not.
const MISSING_LOOK: Duration = Duration::from_secs(3);
/// What no event said is found after so long.
const FULL_SCAN: Duration = Duration::from_secs(3600);
/// The same, after something was mounted or unmounted somewhere.
const MOUNTED_SCAN: Duration = Duration::from_secs(30);
/// Between two scans where there are no events: so many times what a scan takes, within bounds.
const POLLS: u32 = 20;
const FASTEST_POLL: Duration = Duration::from_secs(2);
const SLOWEST_POLL: Duration = Duration::from_secs(60);
/// Events that come together are looked at together.
const GATHER: Duration = Duration::from_millis(20);
/// Batches of a scan that wait to be taken.
const BATCHES: usize = 4;
/// Files that are offered at a time: those of a card go into the queue together.
const OFFERS: usize = 16;
/// Subfolders that are looked through one by one; past that, everything is.
const SUBFOLDERS: usize = 256;
/// A file that grows is offered from so many bytes on: of a smaller one there is hardly anything
/// that could go up before its end.
const LEAST_GROWING: u64 = 16 << 20;
/// An offer that was put off is made again.
const AGAIN: Duration = Duration::from_secs(10);

/// Watches one folder.
#[derive(Debug)]
pub struct Watcher {
    root: PathBuf,
    filter: Arc<Filter>,
    known: HashMap<PathBuf, Version>,
    /// Files that are no videos, for as long as they stay as they are and where they are.
    others: HashMap<PathBuf, Version>,
    unsettled: Unsettled,
    /// Files that are being looked at, or that are finished and not answered for yet.
    busy: HashSet<PathBuf>,
    /// Finished files that wait to be offered.
    finished: VecDeque<(PathBuf, Version)>,
    ready: mpsc::Sender<Ready>,
    health: watch::Sender<Health>,
    tally: watch::Sender<Tally>,
    hints: Hints,
    events: Option<Events>,
    senses: Senses,
    place: Option<Place>,
    began: Instant,
    root_due: Instant,
    scan_due: Instant,
    /// Folders below that are to be looked through; the root, for all of it.
    to_scan: Vec<PathBuf>,
    scanning: Option<mpsc::Receiver<Scanned>>,
    looks: JoinSet<Vec<Looked>>,
    offers: JoinSet<(PathBuf, Version, Answer)>,
    /// Offers of files that grow.
    growing: JoinSet<(PathBuf, Answer)>,
}

impl Watcher {
    /// A watcher that offers what is finished in `root`, but for files in versions that are `known`.
    #[must_use]
    pub fn new(
        root: PathBuf,
        filter: Filter,
        known: HashMap<PathBuf, Version>,
        ready: mpsc::Sender<Ready>,
    ) -> (Self, watch::Receiver<Health>) {
        let starting = Health { sight: Sight::Starting, unreadable: Unreadable::default() };
        let (health, seen) = watch::channel(starting);
        let now = Instant::now();
        let watcher = Self {
            root,
            filter: Arc::new(filter),
            known,
            others: HashMap::new(),
            unsettled: Unsettled::default(),
            busy: HashSet::new(),
            finished: VecDeque::new(),
            ready,
            health,
            tally: watch::Sender::default(),
            hints: Hints::default(),
            events: None,
            senses: Senses::Events,
            place: None,
            began: now,
            root_due: now,
            scan_due: now + FULL_SCAN,
            to_scan: Vec::new(),
            scanning: None,
            looks: JoinSet::new(),
            offers: JoinSet::new(),
            growing: JoinSet::new(),
        };
        (watcher, seen)
    }

    /// How many files there is something to be said of, as it changes.
    #[must_use]
    pub fn tally(&self) -> watch::Receiver<Tally> {
        self.tally.subscribe()
    }

    /// Watches, until nobody takes what is ready any more.
    pub async fn run(mut self) {
        let mut mounts = Mounts::new();
        let (hints, ready) = (self.hints.clone(), self.ready.clone());
        loop {
            self.look_after_the_root().await;
            self.scan_what_is_due();
            self.offer_what_is_finished();
            self.look_at_what_is_due();
            self.count(|tally| tally.unsettled = self.unsettled.len());
            let nap = self.next();
            tokio::select! {
                () = ready.closed() => return,
                () = hints.wait() => {
                    tokio::time::sleep(GATHER).await;
                    self.take(hints.take()).await;
                }
                () = mounts.changed() => {
                    self.root_due = Instant::now();
                    // Who is pulled out and put in again between two looks is watched no longer; a
                    // scan watches everything anew.
                    self.scan_due = self.scan_due.min(Instant::now() + MOUNTED_SCAN);
                }
                scanned = scanned(&mut self.scanning) => self.take_scanned(scanned),
                Some(Ok(looked)) = self.looks.join_next() => self.judge(looked),
                Some(Ok((path, version, answer))) = self.offers.join_next() => {
                    self.answered(path, version, answer);
                }
                Some(Ok((path, answer))) = self.growing.join_next() => self.grew(&path, answer),
                () = tokio::time::sleep_until(nap) => {}
            }
        }
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// When there is something to be done, if nothing happens.
    fn next(&self) -> Instant {
        let file = if self.may_look() { self.unsettled.next(&self.busy) } else { None };
        let scan = self.scanning.is_none().then_some(self.scan_due);
        let file = file.map(|next| self.began + next);
        file.into_iter().chain(scan).fold(self.root_due, Instant::min)
    }

    /// Looks whether the folder is there, and is the one that is watched.
    async fn look_after_the_root(&mut self) {
        if self.root_due > Instant::now() {
            return;
        }
        let (root, before) = (self.root.clone(), self.place);
        let looking = tokio::task::spawn_blocking(move || {
            let place = place(&root)?;
            // Where a drive was, its empty mount point is left.
            let bare = before.is_some_and(|before| before.0 != place.0)
                && std::fs::read_dir(&root).ok()?.next().is_none();
            (!bare).then(|| (place, drive::of(&root)))
        });
        match looking.await.unwrap_or_default() {
            None => {
                self.root_due = Instant::now() + MISSING_LOOK;
                self.events = None;
                self.see(Sight::NotThere);
            }
            Some((place, drive)) => {
                if self.place != Some(place) || self.health.borrow().sight == Sight::NotThere {
                    self.place = Some(place);
                    self.begin(drive);
                }
                let look = match self.senses {
                    Senses::Events => WATCHED_ROOT_LOOK,
                    Senses::Polling { .. } => ROOT_LOOK,
                };
                self.root_due = Instant::now() + look;
            }
        }
    }

    /// Begins anew, with all of the folder.
    fn begin(&mut self, drive: drive::Drive) {
        self.events = None;
        self.scanning = None;
        match drive {
            drive::Drive::Fixed => self.watch_by_events(),
            drive::Drive::Elsewhere => self.poll(Blind::Drive),
        }
        self.doubt();
        self.to_scan = vec![self.root.clone()];
    }

    fn watch_by_events(&mut self) {
        match Events::of(&self.root, self.hints.clone()) {
            Ok(events) => {
                self.events = Some(events);
                self.senses = Senses::Events;
                self.see(Sight::Watching);
            }
            Err(NoEvents::Full) => self.poll(Blind::TooManyFolders),
            Err(NoEvents::Gone) => self.see(Sight::NotThere),
            Err(NoEvents::Refused(why)) => {
                tracing::warn!(%why, "a folder cannot be watched by events");
                self.poll(Blind::Refused);
            }
        }
    }

    fn poll(&mut self, blind: Blind) {
        self.events = None;
        self.scanning = None;
        self.senses = Senses::Polling { every: FASTEST_POLL };
        self.scan_due = self.scan_due.min(Instant::now() + FASTEST_POLL);
        self.doubt();
        self.see(Sight::Polling(blind));
    }

    /// Who writes is not known any more.
    fn doubt(&mut self) {
        self.unsettled.doubt(self.senses);
    }

    fn see(&self, sight: Sight) {
        self.health.send_if_modified(|health| {
            let news = health.sight != sight;
            health.sight = sight;
            news
        });
    }

    fn count(&self, change: impl FnOnce(&mut Tally)) {
        self.tally.send_if_modified(|tally| {
            let before = *tally;
            change(tally);
            *tally != before
        });
    }

    /// Takes what events said.
    async fn take(&mut self, gathered: Gathered) {
        if gathered.full {
            self.poll(Blind::TooManyFolders);
        }
        if gathered.lost {
            self.doubt();
            self.to_scan = vec![self.root.clone()];
        }
        if gathered.paths.contains_key(&self.root) {
            self.root_due = Instant::now();
        }
        let (root, filter) = (self.root.clone(), Arc::clone(&self.filter));
        let looking = tokio::task::spawn_blocking(move || {
            let looked = gathered.paths.into_iter().map(|(path, hint)| {
                let found = look(&root, &path, &filter).unwrap_or(Found::Nothing);
                (path, hint, found)
            });
            looked.collect::<Vec<_>>()
        });
        for (path, hint, found) in looking.await.unwrap_or_default() {
            let Ok(inside) = path.strip_prefix(&self.root).map(Path::to_owned) else { continue };
            match found {
                Found::File(Ok(version)) => self.consider(inside, version, hint),
                Found::File(Err(_)) | Found::Nothing => {
                    self.unsettled.remove(&inside);
                    if self.others.remove(&inside).is_some() {
                        self.count(|tally| tally.ignored = tally.ignored.saturating_sub(1));
                    }
                }
                Found::Folder if path == self.root => {}
                Found::Folder if self.to_scan.len() < SUBFOLDERS => self.to_scan.push(path),
                Found::Folder => self.to_scan = vec![self.root.clone()],
            }
        }
    }

    /// A file that the rules take was seen.
    fn consider(&mut self, inside: PathBuf, version: Version, hint: Hint) {
        let (now, senses) = (self.now(), self.senses);
        let seen = [self.known.get(&inside), self.others.get(&inside)];
        let known = seen.into_iter().flatten().any(|known| known.is_like(&version));
        if known && hint != Hint::Written {
            self.unsettled.remove(&inside);
            return;
        }
        if self.unsettled.see(&inside, version, senses, now) {
            tracing::debug!(file = %inside.display(), "a file that may be written to");
        }
        let Some(file) = self.unsettled.get_mut(&inside) else { return };
        let before = file.settle.version();
        let changed = before != version;
        if version.file != before.file || version.size < before.size {
            // Its writer begins anew.
            file.grows = Some(now);
        }
        file.settle.looked(version, now);
        match hint {
            Hint::Look => {}
            Hint::Written => file.settle.written(now),
            Hint::Closed => file.settle.closed(now),
        }
        let grows = version.size > before.size && version.size >= LEAST_GROWING;
        let grows =
            grows && file.grows.is_some_and(|from| from <= now) && self.growing.len() < OFFERS;
        if grows {
            file.grows = None;
        }
        let closed = hint == Hint::Closed && file.grows.is_none() && self.growing.len() < OFFERS;
        let due = file.settle.due(senses);
        if changed || hint != Hint::Look {
            self.unsettled.look_at(&inside, Some(due));
        }
        if grows {
            self.offer_growing(inside, version);
        } else if closed {
            let ready = self.ready.clone();
            self.growing.spawn(async move {
                let answer = offered(&ready, inside.clone(), version, Stage::Closed).await;
                (inside, answer)
            });
        }
    }

    /// Offers a file that somebody writes to, if it is valid while it grows.
    fn offer_growing(&mut self, inside: PathBuf, version: Version) {
        let (path, ready) = (self.root.join(&inside), self.ready.clone());
        self.growing.spawn(async move {
            let looking = tokio::task::spawn_blocking(move || grows(&path, version));
            let Some(head) = looking.await.unwrap_or_default() else {
                return (inside, Answer::Done);
            };
            let answer = offered(&ready, inside.clone(), version, Stage::Growing(head)).await;
            (inside, answer)
        });
    }

    fn grew(&mut self, inside: &Path, answer: Answer) {
        let again = self.now() + AGAIN;
        if answer == Answer::Later
            && let Some(file) = self.unsettled.get_mut(inside)
        {
            file.grows = Some(again);
        }
    }

    fn scan_what_is_due(&mut self) {
        if self.scanning.is_some() || self.health.borrow().sight == Sight::NotThere {
            return;
        }
        if self.scan_due <= Instant::now() {
            self.to_scan = vec![self.root.clone()];
        }
        let Some(from) = self.to_scan.pop() else { return };
        if from == self.root {
            self.to_scan.clear();
            self.scan_due = Instant::now() + FULL_SCAN;
        }
        let (batches, scanning) = mpsc::channel(BATCHES);
        self.scanning = Some(scanning);
        let (root, filter) = (self.root.clone(), Arc::clone(&self.filter));
        let events = self.events.take();
        // It ends by itself once nobody takes its batches.
        tokio::task::spawn_blocking(move || look_through(&root, &from, &filter, events, &batches));
    }

    fn take_scanned(&mut self, scanned: Scanned) {
        match scanned {
            Scanned::Files(files) => {
                for (inside, version) in files {
                    self.consider(inside, version, Hint::Look);
                }
            }
            Scanned::End { events, no_events, unreadable, ignored, took } => {
                tracing::debug!(?took, "it was looked through");
                self.scanning = None;
                self.events = events;
                if no_events == Some(NoEvents::Full) {
                    self.poll(Blind::TooManyFolders);
                }
                if let Senses::Polling { every } = &mut self.senses {
                    *every = (took * POLLS).clamp(FASTEST_POLL, SLOWEST_POLL);
                    self.scan_due = Instant::now() + *every;
                }
                if let Some(ignored) = ignored {
                    let others = self.others.len();
                    self.count(|tally| tally.ignored = ignored + others);
                }
                self.health.send_if_modified(|health| {
                    let news = health.unreadable != unreadable;
                    health.unreadable = unreadable;
                    news
                });
            }
            Scanned::Gone { events, whole } => {
                self.scanning = None;
                self.events = events;
                if whole {
                    self.root_due = Instant::now();
                }
            }
        }
    }

    /// One batch at a time, and none before what the last one found is offered.
    fn may_look(&self) -> bool {
        self.looks.is_empty() && self.finished.is_empty() && self.offers.len() < OFFERS
    }

    /// Looks at files that may be finished by now.
    fn look_at_what_is_due(&mut self) {
        let due = if self.may_look() {
            self.unsettled.due(self.now(), &self.busy, BATCH)
        } else {
            Vec::new()
        };
        if due.is_empty() {
            return;
        }
        self.busy.extend(due.iter().cloned());
        let (root, filter) = (self.root.clone(), Arc::clone(&self.filter));
        self.looks.spawn_blocking(move || {
            let one = |inside: PathBuf| {
                let looked = look_into(&root.join(&inside), &root, &filter);
                (inside, looked)
            };
            due.into_iter().map(one).collect()
        });
    }

    fn judge(&mut self, looked: Vec<Looked>) {
        let (now, senses) = (self.now(), self.senses);
        for (inside, seen) in looked {
            self.busy.remove(&inside);
            let Some(file) = self.unsettled.get_mut(&inside) else { continue };
            let Some((version, content)) = seen else {
                self.unsettled.remove(&inside);
                continue;
            };
            file.settle.looked(version, now);
            let due = file.settle.due(senses);
            if due > now {
                self.unsettled.look_at(&inside, Some(due));
                continue;
            }
            let Content::Video(container) = content else {
                self.unsettled.remove(&inside);
                if self.others.insert(inside, version).is_none() {
                    self.count(|tally| tally.ignored += 1);
                }
                continue;
            };
            match file.settle.verdict(container, senses, now) {
                Verdict::Ready => {
                    self.busy.insert(inside.clone());
                    self.finished.push_back((inside, version));
                }
                Verdict::Still { until } => self.unsettled.look_at(&inside, Some(until)),
                Verdict::Unfinished => self.unsettled.look_at(&inside, None),
            }
        }
    }

    /// Offers what was found finished and has not changed since.
    fn offer_what_is_finished(&mut self) {
        while self.offers.len() < OFFERS
            && let Some((inside, version)) = self.finished.pop_front()
        {
            let now = self.now();
            let is_still = self.unsettled.get(&inside).is_some_and(|file| {
                file.settle.version() == version && file.settle.due(self.senses) <= now
            });
            if !is_still {
                self.busy.remove(&inside);
                continue;
            }
            let ready = self.ready.clone();
            self.offers.spawn(async move {
                let answer = offered(&ready, inside.clone(), version, Stage::Finished).await;
                (inside, version, answer)
            });
        }
    }

    fn answered(&mut self, inside: PathBuf, version: Version, answer: Answer) {
        self.busy.remove(&inside);
        let now = self.now();
        let Some(file) = self.unsettled.get_mut(&inside) else {
            if answer == Answer::Done {
                self.known.insert(inside, version);
            }
            return;
        };
        match answer {
            Answer::Later => self.unsettled.look_at(&inside, Some(now + AGAIN)),
            Answer::Done if file.settle.version() == version => {
                self.unsettled.remove(&inside);
                self.known.insert(inside, version);
            }
            Answer::Done => {
                self.known.insert(inside, version);
            }
        }
    }
}
