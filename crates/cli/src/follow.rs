//! Following uploads until they are where somebody waits for them to be.

use std::collections::{BTreeMap, HashSet};

use dailies_engine::EngineHandle;
use dailies_engine::error::{Code, EngineError};
use dailies_engine::transfer::{Hold, List, Phase, UploadId};
use dailies_engine::view::{
    Added, AllowanceView, Change, ConnectionView, News, ProgressNews, RefusedFile, UploadView,
};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::args::Wait;
use crate::bars::Bars;
use crate::events::{self, Allowance, Event, Output, What};
use crate::exit::Exit;
use crate::rules;

/// Uploads asked for at once.
const AT_ONCE: usize = 500;

/// Which uploads are followed.
enum Wanted {
    These(HashSet<UploadId>),
    All,
}

impl Wanted {
    fn has(&self, id: UploadId) -> bool {
        match self {
            Self::These(ids) => ids.contains(&id),
            Self::All => true,
        }
    }
}

/// Follows an engine's uploads and says what happens to them.
pub(crate) struct Follow<'a> {
    engine: &'a EngineHandle,
    output: Output,
    bars: Option<Bars>,
    uploads: BTreeMap<UploadId, UploadView>,
    uploaded: HashSet<UploadId>,
    ready: HashSet<UploadId>,
    failed: HashSet<UploadId>,
    /// Servers to which uploads may go on by themselves.
    connected: HashSet<String>,
    allowance: AllowanceView,
    /// What is seen for the first time has just been added.
    announces: bool,
}

impl<'a> Follow<'a> {
    pub(crate) fn new(engine: &'a EngineHandle, output: Output) -> Self {
        Self {
            engine,
            output,
            bars: (output == Output::Bars).then(Bars::default),
            uploads: BTreeMap::new(),
            uploaded: HashSet::new(),
            ready: HashSet::new(),
            failed: HashSet::new(),
            connected: HashSet::new(),
            allowance: AllowanceView::Full,
            announces: false,
        }
    }

    /// Follows what was added.
    pub(crate) async fn added(mut self, added: Added, wait: Wait) -> Result<Exit, EngineError> {
        let changes = self.engine.subscribe();
        for refused in &added.refused {
            self.refuse(refused);
        }
        let some_refused = !added.refused.is_empty();
        if added.beside > 0 && !matches!(self.output, Output::Json) {
            self.line(&format!("Left out  no videos: {} of the files", added.beside));
        }
        for upload in &added.uploads {
            self.say(upload, What::Added);
        }
        let ids = added.uploads.iter().map(|upload| upload.id).collect();
        let exit = self.follow(changes, Wanted::These(ids), wait).await?;
        Ok(if exit == Exit::Done && some_refused { Exit::SomeFailed } else { exit })
    }

    /// Follows everything until nothing can go on by itself.
    pub(crate) async fn work_off(self) -> Result<Exit, EngineError> {
        let changes = self.engine.subscribe();
        self.follow(changes, Wanted::All, Wait::Ready).await
    }

    async fn follow(
        mut self,
        mut changes: Receiver<Change>,
        wanted: Wanted,
        wait: Wait,
    ) -> Result<Exit, EngineError> {
        let whole_queue = matches!(wanted, Wanted::All);
        let mut seq = self.refresh(&wanted).await?;
        loop {
            let has_ended = |upload: &UploadView| has_ended(upload, wait, whole_queue);
            let stands =
                |upload: &UploadView| !self.connected.contains(&upload.server) && !upload.active;
            if self.uploads.values().all(|upload| has_ended(upload) || stands(upload)) {
                let failed = self.uploads.values().any(|upload| {
                    // Of a whole queue, what somebody cancelled is nothing that failed.
                    (upload.hold == Hold::Cancelled && !whole_queue)
                        // Nor is what befalls a video after it has come as far as was waited for.
                        || (!is_there(upload, wait)
                            && (!has_ended(upload) || events::problem(upload).is_some()))
                });
                return Ok(if failed { Exit::SomeFailed } else { Exit::Done });
            }
            let change = tokio::select! {
                change = changes.recv() => change,
                _ = tokio::signal::ctrl_c() => return Ok(Exit::Interrupted),
            };
            seq = self.take(change, seq, &wanted).await?;
        }
    }

    /// Follows everything, and what is added meanwhile, until the engine stops.
    pub(crate) async fn for_ever(mut self) -> Result<Exit, EngineError> {
        let mut changes = self.engine.subscribe();
        let mut seq = self.refresh(&Wanted::All).await?;
        self.announces = true;
        loop {
            self.forget_what_has_ended();
            seq = self.take(changes.recv().await, seq, &Wanted::All).await?;
        }
    }

    /// Takes a change after number `seq`, and says up to which number all are taken now.
    async fn take(
        &mut self,
        change: Result<Change, RecvError>,
        seq: u64,
        wanted: &Wanted,
    ) -> Result<u64, EngineError> {
        match change {
            // It is in the snapshot already.
            Ok(change) if change.seq <= seq => Ok(seq),
            Ok(change) if change.seq == seq + 1 => {
                self.apply(change.news, wanted).await;
                Ok(change.seq)
            }
            Ok(_) | Err(RecvError::Lagged(_)) => self.refresh(wanted).await,
            Err(RecvError::Closed) => Err(stopped()),
        }
    }

    /// Nothing comes of these any more.
    fn forget_what_has_ended(&mut self) {
        let ended = self.uploads.extract_if(.., |_, upload| is_over(upload));
        for (id, _) in ended {
            self.uploaded.remove(&id);
            self.ready.remove(&id);
            self.failed.remove(&id);
        }
    }

    async fn refresh(&mut self, wanted: &Wanted) -> Result<u64, EngineError> {
        // What changes after this is in what is read next, too.
        let snapshot = self.engine.snapshot().await?;
        let seq = snapshot.seq;
        self.see_connections(snapshot.connections);
        self.see_allowance(snapshot.allowance);
        match wanted {
            Wanted::These(ids) => {
                for upload in self.engine.uploads(ids.iter().copied().collect()).await? {
                    self.see(upload, wanted).await;
                }
            }
            Wanted::All => {
                for list in [List::Uploading, List::NeedsYou, List::Waiting] {
                    for some in self.engine.ids(list).await?.chunks(AT_ONCE) {
                        for upload in self.engine.uploads(some.to_vec()).await? {
                            self.see(upload, wanted).await;
                        }
                    }
                }
                // What ended meanwhile is in none of these lists any more.
                for upload in self.engine.uploads(self.uploads.keys().copied().collect()).await? {
                    self.see(upload, wanted).await;
                }
            }
        }
        Ok(seq)
    }

    async fn apply(&mut self, news: News, wanted: &Wanted) {
        match news {
            News::Uploads { uploads } => {
                for upload in uploads {
                    self.see(upload, wanted).await;
                }
            }
            News::Progress { uploads } => {
                for ProgressNews { id, progress } in uploads {
                    let Some(mut upload) = self.uploads.remove(&id) else { continue };
                    upload.progress = progress;
                    self.say(&upload, What::progress(progress));
                    self.uploads.insert(id, upload);
                }
            }
            News::Removed { ids } => {
                for id in ids {
                    self.uploads.remove(&id);
                }
            }
            News::Connection { connections, .. } => self.see_connections(connections),
            News::Allowance { allowance } => self.see_allowance(allowance),
            News::Queue { .. } | News::Order | News::Folders => {}
        }
    }

    fn see_connections(&mut self, connections: Vec<ConnectionView>) {
        let connected = connections.into_iter().filter_map(|connection| match connection {
            ConnectionView::Connected { url, .. } => Some(url),
            ConnectionView::None | ConnectionView::Refused { .. } => None,
        });
        self.connected = connected.collect();
    }

    /// Says what holds for the bytes of all uploads, where that is something new.
    fn see_allowance(&mut self, allowance: AllowanceView) {
        if std::mem::replace(&mut self.allowance, allowance) == allowance {
            return;
        }
        match self.output {
            Output::Json => events::print(&Allowance { allowance }),
            Output::Bars | Output::Lines => self.line(&rules::sentence(&allowance)),
        }
        if let Some(bars) = &mut self.bars {
            for upload in self.uploads.values() {
                bars.show(upload, allowance);
            }
        }
    }

    /// Takes an upload's new state and says what is new in it.
    async fn see(&mut self, upload: UploadView, wanted: &Wanted) {
        if !wanted.has(upload.id) {
            return;
        }
        let id = upload.id;
        if self.announces && !is_over(&upload) && !self.uploads.contains_key(&id) {
            self.say(&upload, What::Added);
        }
        if upload.phase >= Phase::Processing && self.uploaded.insert(id) {
            self.say(&upload, What::progress(upload.progress));
            self.say(&upload, What::Uploaded);
        }
        if upload.phase == Phase::Ready && self.ready.insert(id) {
            let page = self.engine.watch_page(id).await.ok().map(String::from);
            self.say(&upload, What::Ready { watch_url: page });
        }
        match events::problem(&upload) {
            Some(EngineError { code, message }) => {
                if self.failed.insert(id) {
                    self.say(&upload, What::Failed { code, message });
                }
            }
            None => {
                self.failed.remove(&id);
            }
        }
        if let Some(bars) = &mut self.bars {
            bars.show(&upload, self.allowance);
        }
        self.uploads.insert(id, upload);
    }

    fn say(&mut self, upload: &UploadView, what: What) {
        match (self.output, what) {
            (Output::Json, what) => events::print(&Event {
                what,
                upload_id: Some(upload.id),
                path: &upload.path,
                video_id: upload.video_id.as_deref(),
            }),
            (Output::Bars, What::Progress { .. }) => {
                if let Some(bars) = &mut self.bars {
                    bars.show(upload, self.allowance);
                }
            }
            (Output::Lines, What::Progress { .. }) => {}
            (_, What::Added) => self.line(&format!("Added     {}", upload.path)),
            (_, What::Uploaded) => self.line(&format!("Uploaded  {}", upload.path)),
            (_, What::Ready { watch_url }) => {
                let page = watch_url.map(|url| format!("\n          {url}")).unwrap_or_default();
                self.line(&format!("Ready     {}{page}", upload.path));
            }
            (_, What::Failed { message, .. }) => {
                let gave_up = matches!(upload.hold, Hold::Failed { .. });
                let word = if gave_up { "Failed   " } else { "Needs you" };
                self.line(&format!("{word} {}\n          {message}", upload.path));
            }
        }
    }

    fn refuse(&mut self, refused: &RefusedFile) {
        let RefusedFile { path, code } = refused;
        let message = events::words(*code).to_owned();
        match self.output {
            Output::Json => events::print(&Event {
                what: What::Failed { code: *code, message },
                upload_id: None,
                path,
                video_id: None,
            }),
            Output::Bars | Output::Lines => {
                self.line(&format!("Refused   {path}\n          {message}"));
            }
        }
    }

    fn line(&self, line: &str) {
        match &self.bars {
            Some(bars) => bars.line(line),
            None => events::say(line),
        }
    }
}

fn is_over(upload: &UploadView) -> bool {
    upload.phase == Phase::Ready || upload.hold == Hold::Cancelled
}

/// Whether it has come as far as was waited for.
fn is_there(upload: &UploadView, wait: Wait) -> bool {
    match wait {
        Wait::Uploaded => upload.phase >= Phase::Processing,
        Wait::Ready => upload.phase == Phase::Ready,
    }
}

fn has_ended(upload: &UploadView, wait: Wait, whole_queue: bool) -> bool {
    is_there(upload, wait)
        || upload.hold == Hold::Cancelled
        || events::problem(upload).is_some()
        // What is still being written ends when its folder says so, and nobody watches that here.
        || (whole_queue && (upload.hold == Hold::Paused || upload.growing))
}

fn stopped() -> EngineError {
    EngineError::new(Code::Stopped, "the engine has stopped")
}
