//! What others hold of a running engine.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use dailies_api::convex::FunctionKind::Query;
use dailies_api::projects::UploadTarget;
use dailies_api::videos::{Video, VideoArgs};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::JoinHandle;
use url::Url;

use crate::error::{Code, EngineError};
use crate::net::Clients;
use crate::rules::RulesView;
use crate::source::{Fingerprint, SourceError, content_type};
use crate::store::Spot;
use crate::team::{Connection, Team, TeamError};
use crate::transfer::{Input, List, Rate, Schedule, UploadId};
use crate::view::{
    Added, Change, ConnectionView, Page, PlaybackView, RefusedFile, Snapshot, UploadView,
};
use crate::{folders, ledger, preferences};

/// Media types that a team takes. A server that takes fewer refuses by itself.
const VIDEO_TYPES: [&str; 4] = ["video/mp4", "video/quicktime", "video/webm", "video/x-matroska"];

/// A running engine. Clones drive the same one.
#[derive(Clone, Debug)]
pub struct EngineHandle {
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) changes: broadcast::Sender<Change>,
    pub(crate) clients: Clients,
}

/// The loop's end of an engine; ends it when told.
#[derive(Debug)]
pub struct EngineTask(pub(crate) JoinHandle<()>);

/// A file that may be added.
#[derive(Clone, Debug)]
pub(crate) struct Candidate {
    pub(crate) path: PathBuf,
    pub(crate) title: String,
    pub(crate) content_type: String,
    pub(crate) fingerprint: Fingerprint,
}

/// What the loop is asked to do. Each is answered.
#[derive(Debug)]
pub(crate) enum Command {
    Connected(Arc<Team>, oneshot::Sender<ConnectionView>),
    Refused { url: Url, code: Code, done: oneshot::Sender<()> },
    Disconnect(oneshot::Sender<()>),
    Team(oneshot::Sender<Option<Arc<Team>>>),
    LastServer(oneshot::Sender<Option<String>>),
    SetDestination(String, oneshot::Sender<Result<(), EngineError>>),
    Add(Vec<Candidate>, Option<String>, oneshot::Sender<Result<Added, EngineError>>),
    Steer(Vec<UploadId>, Input, oneshot::Sender<Result<(), EngineError>>),
    SteerAll(Input, oneshot::Sender<()>),
    Remove(Vec<UploadId>, oneshot::Sender<Result<(), EngineError>>),
    Snapshot(oneshot::Sender<Snapshot>),
    Put(Vec<UploadId>, Spot, oneshot::Sender<Result<(), EngineError>>),
    SetFirst(Vec<UploadId>, bool, oneshot::Sender<Result<(), EngineError>>),
    Page { list: List, offset: u64, limit: u64, done: oneshot::Sender<Result<Page, EngineError>> },
    Ids(List, oneshot::Sender<Result<Vec<UploadId>, EngineError>>),
    Index(UploadId, oneshot::Sender<Result<(List, u64), EngineError>>),
    Uploads(Vec<UploadId>, oneshot::Sender<Result<Vec<UploadView>, EngineError>>),
    Find(UploadId, oneshot::Sender<Result<(PathBuf, Option<String>), EngineError>>),
    Rules(oneshot::Sender<RulesView>),
    SetLimit(Option<Rate>, oneshot::Sender<()>),
    SetSchedule(Schedule, oneshot::Sender<()>),
    SetUploads(usize, oneshot::Sender<()>),
    Ledger(ledger::Question),
    Prefer(preferences::Question),
    Folders(folders::Question),
    Stop,
}

impl EngineHandle {
    /// Connects to a team server and lets the uploads that wait for it go on.
    ///
    /// # Errors
    /// [`Code::SignedOut`], [`Code::Unreachable`], [`Code::NotATeamServer`]; an upload that waits
    /// goes on waiting.
    pub async fn connect(&self, connection: Connection) -> Result<ConnectionView, EngineError> {
        let url = connection.url().clone();
        match Team::connect(connection, self.clients.clone()).await {
            Ok(team) => self.ask(|done| Command::Connected(Arc::new(team), done)).await,
            Err(error) => {
                self.ask(|done| Command::Refused { url, code: error.code, done }).await?;
                Err(error)
            }
        }
    }

    /// The address of the server that was connected last, at this start or an earlier one.
    ///
    /// # Errors
    /// [`Code::Stopped`].
    pub async fn last_server(&self) -> Result<Option<String>, EngineError> {
        self.ask(Command::LastServer).await
    }

    /// Forgets the connection. Uploads wait until there is one again.
    ///
    /// # Errors
    /// [`Code::Stopped`].
    pub async fn disconnect(&self) -> Result<(), EngineError> {
        self.ask(Command::Disconnect).await
    }

    /// Where uploads may go. Empty for a server that cannot say.
    ///
    /// # Errors
    /// [`Code::NotConnected`].
    pub async fn targets(&self) -> Result<Vec<UploadTarget>, EngineError> {
        Ok(self.team().await?.targets().to_vec())
    }

    /// Chooses the project that new files go to.
    ///
    /// # Errors
    /// [`Code::NotFound`] for none of [`Self::targets`].
    pub async fn set_destination(&self, project_id: String) -> Result<(), EngineError> {
        self.ask(|done| Command::SetDestination(project_id, done)).await?
    }

    /// Puts files into the queue; folders are looked through. Goes to `project`, or where
    /// [`Self::set_destination`] said.
    ///
    /// # Errors
    /// [`Code::NotConnected`] and [`Code::NotFound`] (the project); what is wrong with single
    /// files is in [`Added::refused`].
    pub async fn add(
        &self,
        paths: Vec<PathBuf>,
        project: Option<String>,
    ) -> Result<Added, EngineError> {
        let looked = tokio::task::spawn_blocking(move || look_through(&paths)).await;
        let (candidates, refused) = looked.map_err(|_| stopped())?;
        let mut added = self.ask(|done| Command::Add(candidates, project, done)).await??;
        added.refused.extend(refused);
        Ok(added)
    }

    /// Makes uploads wait until they are resumed.
    ///
    /// # Errors
    /// [`Code::NotFound`] for an upload that there is not; the others are paused.
    pub async fn pause(&self, ids: Vec<UploadId>) -> Result<(), EngineError> {
        self.steer(ids, Input::Pause).await
    }

    /// Lets paused uploads go on.
    ///
    /// # Errors
    /// As [`Self::pause`].
    pub async fn resume(&self, ids: Vec<UploadId>) -> Result<(), EngineError> {
        self.steer(ids, Input::Resume).await
    }

    /// Ends uploads that are not finished, and removes what the team has of them.
    ///
    /// # Errors
    /// As [`Self::pause`].
    pub async fn cancel(&self, ids: Vec<UploadId>) -> Result<(), EngineError> {
        self.steer(ids, Input::Cancel).await
    }

    /// Tries uploads again that wait, need somebody or have failed.
    ///
    /// # Errors
    /// As [`Self::pause`].
    pub async fn retry(&self, ids: Vec<UploadId>) -> Result<(), EngineError> {
        self.steer(ids, Input::Retry).await
    }

    /// Pauses everything that can be.
    ///
    /// # Errors
    /// [`Code::Stopped`].
    pub async fn pause_all(&self) -> Result<(), EngineError> {
        self.ask(|done| Command::SteerAll(Input::Pause, done)).await
    }

    /// Resumes everything that is paused.
    ///
    /// # Errors
    /// [`Code::Stopped`].
    pub async fn resume_all(&self) -> Result<(), EngineError> {
        self.ask(|done| Command::SteerAll(Input::Resume, done)).await
    }

    /// Takes uploads that have ended off the list. No file is touched, here or there.
    ///
    /// # Errors
    /// [`Code::WrongState`] for one that has not ended; then none is taken off.
    pub async fn remove(&self, ids: Vec<UploadId>) -> Result<(), EngineError> {
        self.ask(|done| Command::Remove(ids, done)).await?
    }

    /// Gives uploads that wait another place in the queue, in the order in which they are named.
    ///
    /// # Errors
    /// [`Code::LocalStorage`].
    pub async fn put(&self, ids: Vec<UploadId>, spot: Spot) -> Result<(), EngineError> {
        self.ask(|done| Command::Put(ids, spot, done)).await?
    }

    /// Lets uploads go before all others, or no longer.
    ///
    /// # Errors
    /// [`Code::LocalStorage`].
    pub async fn set_first(&self, ids: Vec<UploadId>, first: bool) -> Result<(), EngineError> {
        self.ask(|done| Command::SetFirst(ids, first, done)).await?
    }

    /// How fast uploads may go, and how many at once.
    ///
    /// # Errors
    /// [`Code::Stopped`].
    pub async fn rules(&self) -> Result<RulesView, EngineError> {
        self.ask(Command::Rules).await
    }

    /// Lets all uploads together go at most so fast from now on, where the schedule says nothing.
    ///
    /// # Errors
    /// [`Code::Stopped`].
    pub async fn set_limit(&self, limit: Option<Rate>) -> Result<(), EngineError> {
        self.ask(|done| Command::SetLimit(limit, done)).await
    }

    /// Sets what holds at which times of the week, in place of what did.
    ///
    /// # Errors
    /// [`Code::Stopped`].
    pub async fn set_schedule(&self, schedule: Schedule) -> Result<(), EngineError> {
        self.ask(|done| Command::SetSchedule(schedule, done)).await
    }

    /// Sets how many uploads work at the same time: from one to
    /// [`MOST_UPLOADS`](crate::rules::MOST_UPLOADS). Those that work are not stopped.
    ///
    /// # Errors
    /// [`Code::Stopped`].
    pub async fn set_uploads(&self, uploads: usize) -> Result<(), EngineError> {
        self.ask(|done| Command::SetUploads(uploads, done)).await
    }

    /// Up to `limit` uploads of a list from number `offset` on, at most 500.
    ///
    /// # Errors
    /// [`Code::LocalStorage`].
    pub async fn page(&self, list: List, offset: u64, limit: u64) -> Result<Page, EngineError> {
        self.ask(|done| Command::Page { list, offset, limit, done }).await?
    }

    /// Every upload of a list, in order.
    ///
    /// # Errors
    /// [`Code::LocalStorage`].
    pub async fn ids(&self, list: List) -> Result<Vec<UploadId>, EngineError> {
        self.ask(|done| Command::Ids(list, done)).await?
    }

    /// The list that an upload is in, and its number there.
    ///
    /// # Errors
    /// [`Code::NotFound`].
    pub async fn index(&self, id: UploadId) -> Result<(List, u64), EngineError> {
        self.ask(|done| Command::Index(id, done)).await?
    }

    /// Uploads as they are now; one that there is not is left out.
    ///
    /// # Errors
    /// [`Code::LocalStorage`].
    pub async fn uploads(&self, ids: Vec<UploadId>) -> Result<Vec<UploadView>, EngineError> {
        self.ask(|done| Command::Uploads(ids, done)).await?
    }

    /// Everything but the uploads at this moment. To follow from here, [`Self::subscribe`] first.
    ///
    /// # Errors
    /// [`Code::Stopped`].
    pub async fn snapshot(&self) -> Result<Snapshot, EngineError> {
        self.ask(Command::Snapshot).await
    }

    /// Every change from now on.
    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
    }

    /// A session for playing a video.
    ///
    /// # Errors
    /// [`Code::WrongState`] while it cannot be played.
    pub async fn playback(&self, video_id: &str) -> Result<PlaybackView, EngineError> {
        self.team().await?.playback(video_id).await
    }

    /// A session for playing an upload's video.
    ///
    /// # Errors
    /// [`Code::NotFound`] and [`Code::WrongState`].
    pub async fn playback_of(&self, id: UploadId) -> Result<PlaybackView, EngineError> {
        self.playback(&self.video_of(id).await?).await
    }

    /// The address of the page that plays an upload's video.
    ///
    /// # Errors
    /// [`Code::NotFound`] and [`Code::WrongState`].
    pub async fn watch_page(&self, id: UploadId) -> Result<Url, EngineError> {
        let args = VideoArgs { video_id: self.video_of(id).await? };
        let team = self.team().await?;
        let video: Video = team
            .client()
            .call(Query, "videos:get", &args)
            .await
            .map_err(|error: TeamError| EngineError::new(Code::NotFound, error.to_string()))?;
        team.client()
            .base()
            .join(&format!("watch/{}", video.public_id))
            .map_err(|error| EngineError::new(Code::UnexpectedAnswer, error.to_string()))
    }

    /// Where an upload's file lies.
    ///
    /// # Errors
    /// [`Code::NotFound`].
    pub async fn path_of(&self, id: UploadId) -> Result<PathBuf, EngineError> {
        Ok(self.find(id).await?.0)
    }

    /// Stops all work, so that it can go on at the next start.
    pub async fn stop(&self, task: EngineTask) {
        // An engine that has stopped already is what was wanted.
        let _ = self.commands.send(Command::Stop).await;
        if let Err(error) = task.0.await {
            tracing::error!(%error, "the engine's loop broke");
        }
    }

    async fn steer(&self, ids: Vec<UploadId>, input: Input) -> Result<(), EngineError> {
        self.ask(|done| Command::Steer(ids, input, done)).await?
    }

    async fn team(&self) -> Result<Arc<Team>, EngineError> {
        self.ask(Command::Team).await?.ok_or_else(|| {
            EngineError::new(Code::NotConnected, "no connection to a team has been made")
        })
    }

    async fn find(&self, id: UploadId) -> Result<(PathBuf, Option<String>), EngineError> {
        self.ask(|done| Command::Find(id, done)).await?
    }

    async fn video_of(&self, id: UploadId) -> Result<String, EngineError> {
        self.find(id).await?.1.ok_or_else(|| {
            EngineError::new(Code::WrongState, "the team does not know this video yet")
        })
    }

    pub(crate) async fn ask<T>(
        &self,
        command: impl FnOnce(oneshot::Sender<T>) -> Command,
    ) -> Result<T, EngineError> {
        let (done, answer) = oneshot::channel();
        self.commands.send(command(done)).await.map_err(|_| stopped())?;
        answer.await.map_err(|_| stopped())
    }
}

pub(crate) fn stopped() -> EngineError {
    EngineError::new(Code::Stopped, "the engine has stopped")
}

pub(crate) fn no_such_upload(id: UploadId) -> EngineError {
    EngineError::new(Code::NotFound, format!("there is no upload {id}"))
}

/// What may be added of these files and folders, and what not.
fn look_through(paths: &[PathBuf]) -> (Vec<Candidate>, Vec<RefusedFile>) {
    let (mut candidates, mut refused) = (Vec::new(), Vec::new());
    for path in paths {
        // Symbolic links inside a folder are not followed: they may lead out of it, or in circles.
        if path.is_dir() {
            let files = walkdir::WalkDir::new(path).sort_by_file_name().into_iter().flatten();
            for file in files.filter(|entry| entry.file_type().is_file()) {
                // What is no video in a folder is passed over: nobody offered it by name.
                if let Ok(candidate) = candidate(file.path()) {
                    candidates.push(candidate);
                }
            }
        } else {
            match candidate(path) {
                Ok(candidate) => candidates.push(candidate),
                Err(code) => {
                    let path = path.to_string_lossy().into_owned();
                    refused.push(RefusedFile { path, code });
                }
            }
        }
    }
    (candidates, refused)
}

pub(crate) fn candidate(path: &Path) -> Result<Candidate, Code> {
    let path = std::path::absolute(path).map_err(|_| Code::SourceUnreadable)?;
    let fingerprint = Fingerprint::take(&path).map_err(|error| match error {
        SourceError::Missing => Code::SourceMissing,
        SourceError::NotAFile => Code::NotAFile,
        SourceError::Changed | SourceError::Read { .. } => Code::SourceUnreadable,
    })?;
    if fingerprint.size == 0 {
        return Err(Code::EmptyFile);
    }
    let content_type = content_type(&path);
    if !VIDEO_TYPES.contains(&content_type) {
        return Err(Code::UnsupportedType);
    }
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    // No team takes a title of blanks only.
    let title = match stem.trim() {
        "" => path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        _ => stem.into_owned(),
    };
    Ok(Candidate { path, title, content_type: content_type.to_owned(), fingerprint })
}
