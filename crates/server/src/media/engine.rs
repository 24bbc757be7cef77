//! The engine's handle, and what its parts share.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use dailies_api::mux::{Asset, AssetStatus, ProgressState};
use dailies_database::{Database, DatabaseError};
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};
use ulid::Ulid;

use super::config::{Limits, MediaConfig, Programs, WebhookTarget};
use super::error::MediaError;
use super::ffmpeg::Progress;
use super::files::Folder;
use super::store::backlog::{self, Backlog};
use super::store::{assets, jobs, renditions, signing_keys};
use super::token::PlaybackKeys;
use super::uploads::Uploads;
use super::{api, deliver, images, store, stream, uploads};

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
    /// Fetches originals.
    pub(super) originals: reqwest::Client,
    pub(super) programs: Programs,
    pub(super) limits: Limits,
    /// Rung when a job was added.
    pub(super) jobs: Notify,
    /// Rung when a further rendition may be made.
    pub(super) ladder: Notify,
    /// Rung when an event was added.
    pub(super) events: Notify,
    /// Cancelled when the engine closes.
    pub(super) closing: CancellationToken,
    pub(super) running: Running,
    /// Images that are made at the same time.
    pub(super) images: Semaphore,
    pub(super) uploads: Uploads,
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
        let originals = super::original::client().map_err(MediaError::HttpClient)?;
        let (folder, database) = tokio::task::spawn_blocking(move || {
            let folder = Folder::open(config.folder).map_err(MediaError::Folder)?;
            let database = store::open(&folder.database())?;
            Ok::<_, MediaError>((folder, database))
        })
        .await
        .map_err(|panic| MediaError::Folder(std::io::Error::other(panic)))??;
        remove_orphans(&folder, &database).await?;
        let resumed = database
            .write::<_, DatabaseError, _>(|c| Ok(jobs::resume(c)? + renditions::resume(c)?))
            .await?;
        let unsynced = database.read(jobs::unsynced).await?;
        for (id, public_key) in database.read(signing_keys::all).await? {
            keys.add(&id, &public_key)
                .map_err(|_| DatabaseError::Damaged(format!("signing key {id}")))?;
        }
        if resumed > 0 {
            tracing::info!(resumed, "jobs go on after an interruption");
        }

        let closing = CancellationToken::new();
        let uploads = Uploads::new(
            folder.uploads(),
            &config.upload_url,
            &config.token_secret,
            config.limits.upload,
        );
        let shared = Arc::new(Shared {
            database,
            folder,
            keys,
            access: api::Access::new(config.token_id, config.token_secret),
            webhook: config.webhook,
            http,
            originals,
            programs: config.programs,
            limits: config.limits,
            jobs: Notify::new(),
            ladder: Notify::new(),
            events: Notify::new(),
            closing: closing.clone(),
            running: Running::default(),
            images: Semaphore::new(config.limits.parallel_jobs.max(1)),
            uploads,
            syncing: Semaphore::new(1),
        });
        uploads::settle(&shared).await?;
        let mut tasks = JoinSet::new();
        tasks.spawn(uploads::run(Arc::clone(&shared)));
        tasks.spawn(super::jobs::run(Arc::clone(&shared), unsynced));
        tasks.spawn(super::ladder::run(Arc::clone(&shared)));
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

    /// `/{playbackId}/thumbnail.jpg` and other images; what `https://image.mux.com` is to Mux.
    pub fn image_router(&self) -> Router {
        images::router(Arc::clone(&self.shared))
    }

    /// `/{id}/{key}`: where the bytes of direct uploads go; what Google's storage is to Mux.
    pub fn upload_router(&self) -> Router {
        uploads::router(Arc::clone(&self.shared))
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

/// The jobs that run, so that deleting an asset ends its own, and their progress can be asked for.
#[derive(Default)]
pub(super) struct Running(Mutex<HashMap<Ulid, Runs>>);

struct Runs {
    asset: String,
    cancelled: CancellationToken,
    progress: Progress,
    of: f64,
}

impl Running {
    /// Enters a job until the guard is dropped: one of `of` that make up the work on the asset.
    pub(super) fn enter(
        &self,
        asset: &str,
        cancelled: CancellationToken,
        progress: Progress,
        of: u32,
    ) -> Entered<'_> {
        let job = Ulid::new();
        self.lock().insert(
            job,
            Runs { asset: asset.to_owned(), cancelled, progress, of: of.max(1).into() },
        );
        Entered { running: self, job }
    }

    /// Ends the jobs of `asset` that run.
    pub(super) fn cancel(&self, asset: &str) {
        for runs in self.lock().values().filter(|runs| runs.asset == asset) {
            runs.cancelled.cancel();
        }
    }

    /// The asset with what its running jobs have done so far added to the progress that is stored.
    pub(super) fn in_progress(&self, mut asset: Asset) -> Asset {
        let running = self.lock();
        let of_asset = running.values().filter(|runs| runs.asset == asset.id);
        let percent: f64 = of_asset.map(|runs| runs.progress.share() * 100.0 / runs.of).sum();
        let open = asset.status != AssetStatus::Errored && percent > 0.0;
        if let Some(progress) = asset.progress.as_mut().filter(|_| open) {
            progress.state = ProgressState::Transcoding;
            progress.progress = (progress.progress + percent).min(99.0).round();
        }
        asset
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Ulid, Runs>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A job that runs.
pub(super) struct Entered<'a> {
    running: &'a Running,
    job: Ulid,
}

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.running.lock().remove(&self.job);
    }
}
