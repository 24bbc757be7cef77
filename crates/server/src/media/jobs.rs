//! The jobs: from a stored input to a ready asset, a few at a time, across restarts. What comes
//! after that is the [`super::ladder`]'s.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use dailies_api::mux::AssetErrors;
use dailies_database::DatabaseError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use ulid::Ulid;

use super::engine::Shared;
use super::ffmpeg::{Failure, FailureKind, Ffmpeg, First, Progress};
use super::files::{self, MASTER};
use super::original::Door;
use super::playlist;
use super::store::assets::{self, Made};
use super::store::jobs::{self, Job};
use super::store::{self, deliveries, renditions};

/// Attempts to reach an input, with pauses of 1, 2, 4, 8 and 16 s: longer than a restart of the
/// storage, which may be starting at the same time as this engine.
const ATTEMPTS: u32 = 6;
/// Starts after which a job is taken for one that ends the process each time.
pub(super) const STARTS: u32 = 20;
/// How long the loop sleeps when nobody wakes it.
pub(super) const IDLE: Duration = Duration::from_mins(1);
/// How far an encoding of something that nobody can watch yet lets others go first.
const NICE: i32 = 10;

/// Works the queue off until the engine closes.
pub(super) async fn run(shared: Arc<Shared>, unsynced: Vec<String>) {
    let permits = Arc::new(Semaphore::new(shared.limits.parallel_jobs.max(1)));
    let mut running = JoinSet::new();
    for asset in unsynced {
        let shared = Arc::clone(&shared);
        running.spawn(async move { settle(&shared, &asset).await });
    }
    while let Some(permit) = wait(&shared, &permits).await {
        match shared.database.write(jobs::take).await {
            Ok(Some(job)) => {
                // It may have been the last one that the ladder waited for.
                shared.ladder.notify_one();
                let shared = Arc::clone(&shared);
                running.spawn(async move { work(&shared, &job, permit).await });
            }
            Ok(None) => tokio::select! {
                () = shared.jobs.notified() => {}
                () = tokio::time::sleep(IDLE) => {}
                () = shared.closing.cancelled() => break,
            },
            Err(error) => {
                tracing::error!(%error, "jobs cannot be read from the database");
                tokio::select! {
                    () = tokio::time::sleep(IDLE) => {}
                    () = shared.closing.cancelled() => break,
                }
            }
        }
        while let Some(ended) = running.try_join_next() {
            report(ended);
        }
    }
    while let Some(ended) = running.join_next().await {
        report(ended);
    }
}

pub(super) async fn wait(
    shared: &Shared,
    permits: &Arc<Semaphore>,
) -> Option<OwnedSemaphorePermit> {
    tokio::select! {
        permit = Arc::clone(permits).acquire_owned() => permit.ok(),
        () = shared.closing.cancelled() => None,
    }
}

pub(super) fn report(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a media job broke");
    }
}

/// One job. The permit is given back when the asset is ready, before its files are synced.
async fn work(shared: &Shared, job: &Job, permit: OwnedSemaphorePermit) {
    let cancelled = shared.closing.child_token();
    let progress = Progress::default();
    let _cancelled_by_delete =
        shared.running.enter(&job.asset, cancelled.clone(), progress.clone(), 1);
    let asset = job.asset.as_str();
    tracing::info!(asset, starts = job.starts, "preparing an asset");
    let result = if job.starts > STARTS {
        let message = "The work was interrupted too often.";
        Err(Failure::new(FailureKind::Internal, message))
    } else {
        make(shared, job, &cancelled, progress).await
    };
    let stored = match result {
        Ok(made) => ready(shared, job, made).await,
        // The row stays as it is: the job is resumed at the next start, or the asset is deleted.
        Err(failure) if failure.kind == FailureKind::Cancelled => return,
        Err(failure) => errored(shared, asset, failure).await,
    };
    drop(permit);
    match stored {
        Ok(true) => settle(shared, asset).await,
        Ok(false) => {}
        Err(DatabaseError::Stale) => {
            tracing::debug!(asset, "the asset was deleted while it was prepared");
            files::remove(&shared.folder.asset(asset)).await;
        }
        Err(error) => tracing::error!(%error, asset, "the result of a job could not be stored"),
    }
}

/// A first rendition that lies where it is served from.
struct Placed {
    first: First,
    bytes: u64,
}

/// Makes the files and puts them where they are served from.
async fn make(
    shared: &Shared,
    job: &Job,
    cancelled: &CancellationToken,
    progress: Progress,
) -> Result<Placed, Failure> {
    let source = shared.uploads.source(&job.input);
    let door = Door::open(shared.originals.clone(), source)
        .await
        .map_err(|error| Failure::disk(&error))?;
    let ffmpeg = Ffmpeg {
        programs: shared.programs.clone(),
        limits: shared.limits,
        cancelled: cancelled.clone(),
        proxy: door.proxy(),
        nice: NICE,
        progress,
        beside_a_copy: false,
    };
    let mut attempt = 1;
    loop {
        let work = Scratch(shared.folder.work(&Ulid::new().to_string()));
        match once(shared, &ffmpeg, job, &work.0).await {
            Err(failure) if failure.kind != FailureKind::Cancelled && door.is_empty() => {
                return Err(Failure::new(FailureKind::Input, "The file is empty."));
            }
            Err(failure) if failure.kind == FailureKind::Unreachable && attempt < ATTEMPTS => {
                tracing::warn!(asset = job.asset, reason = failure.message, "trying again");
                tokio::select! {
                    () = tokio::time::sleep(Duration::from_secs(1 << (attempt - 1))) => {}
                    () = cancelled.cancelled() => return Err(Failure::cancelled()),
                }
                attempt += 1;
            }
            ended => return ended,
        }
    }
}

async fn once(shared: &Shared, ffmpeg: &Ffmpeg, job: &Job, work: &Path) -> Result<Placed, Failure> {
    let disk = |error: std::io::Error| Failure::disk(&error);
    tokio::fs::create_dir_all(work).await.map_err(disk)?;
    let first = ffmpeg.first(work).await?;
    let only = vec![(first.variant.clone(), super::ffmpeg::RENDITION.to_owned())];
    tokio::fs::write(work.join(MASTER), playlist::master(only)).await.map_err(disk)?;
    let bytes = files::bytes(work).await.map_err(disk)?;
    let target = shared.folder.asset(&job.asset);
    // Left by a process that ended between the rename and the commit.
    files::remove(&target).await;
    tokio::fs::rename(work, &target).await.map_err(disk)?;
    Ok(Placed { first, bytes })
}

/// True: the asset is ready, and its files are to be synced.
async fn ready(shared: &Shared, job: &Job, placed: Placed) -> Result<bool, DatabaseError> {
    let Placed { first, bytes } = placed;
    let made = Made { duration: first.duration, aspect_ratio: first.aspect_ratio, bytes };
    let duration = made.duration;
    // What plays as it is lies here from now on; of anything else, the original is needed again.
    let input = if first.copied { None } else { Some(job.input.clone()) };
    let id = job.asset.clone();
    shared
        .database
        .write::<_, DatabaseError, _>(move |c| {
            assets::ready(c, &id, &made)?;
            jobs::syncing(c, &id)?;
            renditions::plan(c, &id, &first.ladder, input.as_deref())?;
            deliveries::insert(c, "video.asset.ready", &id, store::now())
        })
        .await?;
    tracing::info!(asset = job.asset, duration, "an asset is ready");
    shared.events.notify_one();
    Ok(true)
}

async fn errored(shared: &Shared, asset: &str, failure: Failure) -> Result<bool, DatabaseError> {
    let kind = match failure.kind {
        FailureKind::Input => "invalid_input",
        FailureKind::InputGone | FailureKind::Unreachable => "input_unavailable",
        FailureKind::Internal | FailureKind::Cancelled => "internal",
    };
    tracing::warn!(asset, kind, reason = failure.message, "an asset errored");
    let id = asset.to_owned();
    let error = AssetErrors { kind: kind.to_owned(), messages: vec![failure.message] };
    shared
        .database
        .write::<_, DatabaseError, _>(move |c| {
            assets::errored(c, &id, &error)?;
            jobs::done(c, &id)?;
            deliveries::insert(c, "video.asset.errored", &id, store::now())
        })
        .await?;
    shared.events.notify_one();
    Ok(false)
}

/// Brings the files of a ready asset to disk, after which its input is not needed any more. Where
/// they did not survive a power cut, the asset is made again.
async fn settle(shared: &Shared, asset: &str) {
    let id = asset.to_owned();
    let expected = match shared.database.read(move |c| assets::bytes(c, &id)).await {
        Ok(Some(expected)) => expected,
        Ok(None) => return,
        Err(error) => return tracing::error!(%error, asset, "an asset could not be read"),
    };
    let whole = match shared.syncing.acquire().await {
        Ok(_one_at_a_time) => files::sync(&shared.folder.asset(asset), expected).await,
        Err(_) => return,
    };
    let id = asset.to_owned();
    let stored = match whole {
        Ok(true) => {
            let done = shared.database.write(move |c| jobs::done(c, &id)).await;
            shared.ladder.notify_one();
            done
        }
        Ok(false) => {
            tracing::error!(asset, "the files of an asset are not whole; they are made again");
            let again = shared.database.write(move |c| jobs::again(c, &id)).await;
            shared.jobs.notify_one();
            again
        }
        Err(error) => {
            return tracing::error!(%error, asset, "the files of an asset could not be synced");
        }
    };
    match stored {
        Ok(()) | Err(DatabaseError::Stale) => shared.uploads.look(),
        Err(error) => tracing::error!(%error, asset, "the end of a job could not be stored"),
    }
}

/// A folder that is removed with what is left in it.
pub(super) struct Scratch(pub(super) PathBuf);

impl Drop for Scratch {
    fn drop(&mut self) {
        match std::fs::remove_dir_all(&self.0) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(%error, "a work folder could not be removed");
            }
            _ => {}
        }
    }
}
