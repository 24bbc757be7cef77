//! The engine's handle, and what its parts share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use dailies_database::{Database, DatabaseError};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::config::{Limits, MediaConfig, Programs, WebhookTarget};
use super::error::MediaError;
use super::files::Folder;
use super::store::backlog::{self, Backlog};
use super::store::{assets, jobs};
use super::token::PlaybackKeys;
use super::{api, deliver, images, store, stream};

/// How long [`MediaEngine::shutdown`] waits for what is running.
const SHUTDOWN: Duration = Duration::from_secs(10);

/// A running media engine. Clones are handles on the same one; when the last is dropped, its work
/// stops as by a crash: child processes are killed, jobs and webhooks go on at the next start.
///
/// The routers keep answering after that, but nothing is prepared any more.
#[derive(Clone)]
pub struct MediaEngine {
    shared: Arc<Shared>,
    work: Arc<Work>,
}

struct Work {
    tasks: Mutex<JoinSet<()>>,
    _closes: DropGuard,
}

/// What the engine's parts share.
pub(super) struct Shared {
    pub(super) database: Database,
    pub(super) folder: Folder,
    pub(super) keys: PlaybackKeys,
    pub(super) access: api::Access,
    pub(super) webhook: WebhookTarget,
    pub(super) http: reqwest::Client,
    pub(super) programs: Programs,
    pub(super) limits: Limits,
    /// Rung when a job was added.
    pub(super) jobs: Notify,
    /// Rung when an event was added.
    pub(super) events: Notify,
    /// Cancelled when the engine closes.
    pub(super) closing: CancellationToken,
    pub(super) running: Running,
    /// One asset is synced at a time: it takes the whole disk.
    pub(super) syncing: Semaphore,
}

impl MediaEngine {
    /// Opens the folder and goes on with the jobs and webhooks that were left.
    ///
    /// # Errors
    /// [`MediaError`]; nothing was started then.
    pub async fn open(config: MediaConfig) -> Result<Self, MediaError> {
        let keys = PlaybackKeys::new(&config.signing_keys)?;
        let webhook_address = reqwest::Url::parse(&config.webhook.url);
        if !webhook_address.is_ok_and(|url| matches!(url.scheme(), "http" | "https")) {
            return Err(MediaError::WebhookUrl);
        }
        let http = reqwest::Client::builder()
            .timeout(deliver::ATTEMPT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .map_err(MediaError::HttpClient)?;
        let (folder, database) = tokio::task::spawn_blocking(move || {
            let folder = Folder::open(config.folder).map_err(MediaError::Folder)?;
            let database = store::open(&folder.database())?;
            Ok::<_, MediaError>((folder, database))
        })
        .await
        .map_err(|panic| MediaError::Folder(std::io::Error::other(panic)))??;
        remove_orphans(&folder, &database).await?;
        let resumed = database.write(jobs::resume).await?;
        let unsynced = database.read(jobs::unsynced).await?;
        if resumed > 0 {
            tracing::info!(resumed, "jobs go on after an interruption");
        }

        let closing = CancellationToken::new();
        let shared = Arc::new(Shared {
            database,
            folder,
            keys,
            access: api::Access::new(config.token_id, config.token_secret),
            webhook: config.webhook,
            http,
            programs: config.programs,
            limits: config.limits,
            jobs: Notify::new(),
            events: Notify::new(),
            closing: closing.clone(),
            running: Running::default(),
            syncing: Semaphore::new(1),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(super::jobs::run(Arc::clone(&shared), unsynced));
        tasks.spawn(deliver::run(Arc::clone(&shared)));
        let work = Work { tasks: Mutex::new(tasks), _closes: closing.drop_guard() };
        Ok(Self { shared, work: Arc::new(work) })
    }

    /// The Video API (`/video/v1/assets`), to be nested under the address a Mux client is given.
    pub fn api_router(&self) -> Router {
        api::router(Arc::clone(&self.shared))
    }

    /// `/{playbackId}.m3u8` and all it leads to; what `https://stream.mux.com` is to Mux.
    pub fn stream_router(&self) -> Router {
        stream::router(Arc::clone(&self.shared))
    }

    /// `/{playbackId}/thumbnail.jpg`; what `https://image.mux.com` is to Mux.
    pub fn image_router(&self) -> Router {
        images::router(Arc::clone(&self.shared))
    }

    /// How much work waits.
    pub(crate) async fn backlog(&self) -> Result<Backlog, DatabaseError> {
        self.shared.database.read(backlog::count).await
    }

    /// Stops all work and waits until the child processes are gone, at most ten seconds.
    pub async fn shutdown(&self) {
        self.shared.closing.cancel();
        let mut tasks =
            std::mem::take(&mut *self.work.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        let ended = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(SHUTDOWN, ended).await.is_err() {
            tracing::warn!("media work did not end in time and is aborted");
        }
    }
}

/// Removes files whose asset was deleted, but not they, before the process ended.
async fn remove_orphans(folder: &Folder, database: &Database) -> Result<(), MediaError> {
    for name in folder.assets().map_err(MediaError::Folder)? {
        let id = name.clone();
        if !database.read::<_, DatabaseError, _>(move |c| assets::exists(c, &id)).await? {
            super::files::remove(&folder.asset(&name)).await;
        }
    }
    Ok(())
}

/// The jobs that run, so that deleting an asset ends its own.
#[derive(Default)]
pub(super) struct Running(Mutex<HashMap<String, CancellationToken>>);

impl Running {
    /// Enters a job until the guard is dropped.
    pub(super) fn enter(&self, asset: &str, cancelled: CancellationToken) -> Entered<'_> {
        self.lock().insert(asset.to_owned(), cancelled);
        Entered { running: self, asset: asset.to_owned() }
    }

    /// Ends the job of `asset`, if it runs.
    pub(super) fn cancel(&self, asset: &str) {
        if let Some(cancelled) = self.lock().get(asset) {
            cancelled.cancel();
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, CancellationToken>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A job that runs.
pub(super) struct Entered<'a> {
    running: &'a Running,
    asset: String,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.running.lock().remove(&self.asset);
    }
}
