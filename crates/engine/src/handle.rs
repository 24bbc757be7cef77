//! What others hold of a running engine.

use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::JoinHandle;
use url::Url;

use crate::candidates::{Candidate, Looked, look_through};
use crate::connections::{self, Ends, not_connected};
use crate::error::{Code, EngineError};
use crate::net::{Clients, NetOptions};
use crate::rules::{RulesView, Switch};
use crate::store::Spot;
use crate::team::{Api, Connection, Dialect, Team};
use crate::transfer::{Input, List, Rate, Schedule, UploadId};
use crate::view::{Added, Change, ConnectionView, Page, PlaybackView, Snapshot, UploadView};
use crate::{folders, ledger, preferences};

/// A running engine. Clones drive the same one.
#[derive(Clone, Debug)]
pub struct EngineHandle {
    pub(crate) commands: mpsc::Sender<Command>,
    pub(crate) changes: broadcast::Sender<Change>,
    pub(crate) net: NetOptions,
    pub(crate) projects: folders::ProjectLists,
}

/// The loop's end of an engine; ends it when told.
#[derive(Debug)]
pub struct EngineTask(pub(crate) JoinHandle<()>);

/// Where new files go.
#[derive(Clone, Debug)]
pub(crate) enum Goes {
    /// Where somebody chose.
    Usual,
    /// To this project.
    To { project_id: String },
    /// To this project, as the next version of a video.
    VersionOf { video_id: String, project_id: String },
}

/// What others need to know of an upload.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    pub(crate) path: PathBuf,
    pub(crate) video_id: Option<String>,
    /// Where it goes, while that is connected.
    pub(crate) team: Option<Arc<Team>>,
}

/// What the loop is asked to do. Each is answered.
pub(crate) enum Command {
    Connected {
        team: Box<Team>,
        wanted: bool,
        done: oneshot::Sender<ConnectionView>,
    },
    Expect {
        connection: Box<Connection>,
        clients: Clients,
        wanted: bool,
        done: oneshot::Sender<Option<ConnectionView>>,
    },
    Answered(String, oneshot::Sender<Option<ConnectionView>>),
    Refused {
        url: Url,
        code: Code,
        done: oneshot::Sender<()>,
    },
    Choose(String, oneshot::Sender<Result<(), EngineError>>),
    Disconnect(Ends, oneshot::Sender<()>),
    Team(oneshot::Sender<Option<Arc<Team>>>),
    LastServer(oneshot::Sender<Option<String>>),
    Servers(oneshot::Sender<Result<Vec<String>, EngineError>>),
    SetDestination(String, oneshot::Sender<Result<(), EngineError>>),
    Add(Vec<Candidate>, Goes, oneshot::Sender<Result<Added, EngineError>>),
    Steer(Vec<UploadId>, Input, oneshot::Sender<Result<(), EngineError>>),
    SteerAll(Input, oneshot::Sender<()>),
    Remove(Vec<UploadId>, oneshot::Sender<Result<(), EngineError>>),
    Snapshot(oneshot::Sender<Snapshot>),
    Put(Vec<UploadId>, Spot, oneshot::Sender<Result<(), EngineError>>),
    SetFirst(Vec<UploadId>, bool, oneshot::Sender<Result<(), EngineError>>),
    Page {
        list: List,
        offset: u64,
        limit: u64,
        done: oneshot::Sender<Result<Page, EngineError>>,
    },
    Ids(List, oneshot::Sender<Result<Vec<UploadId>, EngineError>>),
    Index(UploadId, oneshot::Sender<Result<(List, u64), EngineError>>),
    Uploads(Vec<UploadId>, oneshot::Sender<Result<Vec<UploadView>, EngineError>>),
    Find(UploadId, oneshot::Sender<Result<Found, EngineError>>),
    Rules(oneshot::Sender<RulesView>),
    SetLimit(Option<Rate>, oneshot::Sender<()>),
    SetSchedule(Schedule, oneshot::Sender<()>),
    SetUploads(usize, oneshot::Sender<()>),
    Turn(Switch, bool, oneshot::Sender<()>),
    SendHere(oneshot::Sender<()>),
    Ledger(ledger::Question),
    Prefer(preferences::Question),
    Folders(folders::Question),
    Ways(connections::Question),
    Stop,
}

impl EngineHandle {
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
        let Looked { candidates, refused, beside } = looked.map_err(|_| stopped())?;
        let goes = project.map_or(Goes::Usual, |project_id| Goes::To { project_id });
        let mut added = self.ask(|done| Command::Add(candidates, goes, done)).await??;
        added.refused.extend(refused);
        added.beside = beside;
        Ok(added)
    }

    /// Puts a file into the queue that becomes the next version of a video that the team has.
    ///
    /// # Errors
    /// [`Code::NotConnected`], [`Code::NotFound`] (the video), [`Code::Unreachable`], and
    /// [`Code::Refused`] of a team that knows no versions, or for more than one file.
    pub async fn add_version(&self, path: PathBuf, video_id: String) -> Result<Added, EngineError> {
        let team = self.team().await?;
        if team.api() != Api::VideoActions(Dialect::Current) {
            return Err(EngineError::new(Code::Refused, "this team server knows no versions"));
        }
        let project_id = team.video(&video_id).await?.project_id;
        let looked = tokio::task::spawn_blocking(move || look_through(&[path])).await;
        let Looked { candidates, refused, beside } = looked.map_err(|_| stopped())?;
        if candidates.len() > 1 {
            return Err(EngineError::new(Code::Refused, "one file is one version"));
        }
        let goes = Goes::VersionOf { video_id, project_id };
        let mut added = self.ask(|done| Command::Add(candidates, goes, done)).await??;
        added.refused.extend(refused);
        added.beside = beside;
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

    /// Gives uploads that wait another place in the queue, in the order in which they are named. What
    /// does not wait stays where it is.
    ///
    /// # Errors
    /// [`Code::NotFound`] and [`Code::WrongState`] where the one that they are to stand before is not
    /// in the queue, or has ended; [`Code::LocalStorage`]. Then none is moved.
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

    /// Turns something on or off.
    ///
    /// # Errors
    /// [`Code::Stopped`].
    pub async fn turn(&self, switch: Switch, on: bool) -> Result<(), EngineError> {
        self.ask(|done| Command::Turn(switch, on, done)).await
    }

    /// Sends bytes although the network is metered or the computer runs on battery, until either
    /// changes.
    ///
    /// # Errors
    /// [`Code::Stopped`].
    pub async fn send_here(&self) -> Result<(), EngineError> {
        self.ask(Command::SendHere).await
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

    /// A session for playing an upload's video; its original, while it has no renditions.
    ///
    /// # Errors
    /// [`Code::NotFound`] and [`Code::WrongState`].
    pub async fn playback_of(&self, id: UploadId) -> Result<PlaybackView, EngineError> {
        let (team, video) = self.video_of(id).await?;
        team.playback_or_original(&video).await
    }

    /// The address of the page that plays an upload's video.
    ///
    /// # Errors
    /// [`Code::NotFound`] and [`Code::WrongState`].
    pub async fn watch_page(&self, id: UploadId) -> Result<Url, EngineError> {
        let (team, video_id) = self.video_of(id).await?;
        let video = team.video(&video_id).await?;
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
        Ok(self.find(id).await?.path)
    }

    /// Stops all work, so that it can go on at the next start.
    pub async fn stop(&self, task: EngineTask) {
        // An engine that has stopped already is what was wanted.
        let _ = self.commands.send(Command::Stop).await;
        if let Err(error) = task.0.await {
            tracing::error!(%error, "the engine's loop broke");
        }
    }

    /// Waits until the engine has ended, as somebody wanted or not.
    pub async fn ended(&self) {
        self.commands.closed().await;
    }

    async fn steer(&self, ids: Vec<UploadId>, input: Input) -> Result<(), EngineError> {
        self.ask(|done| Command::Steer(ids, input, done)).await?
    }

    async fn find(&self, id: UploadId) -> Result<Found, EngineError> {
        self.ask(|done| Command::Find(id, done)).await?
    }

    async fn video_of(&self, id: UploadId) -> Result<(Arc<Team>, String), EngineError> {
        let Found { video_id, team, .. } = self.find(id).await?;
        let unknown =
            || EngineError::new(Code::WrongState, "the team does not know this video yet");
        Ok((team.ok_or_else(not_connected)?, video_id.ok_or_else(unknown)?))
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
