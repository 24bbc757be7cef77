//! The ladder: renditions of other sizes for assets that are ready, one step after the other.
//!
//! A step is made beside what is served, brought to disk, and only then named by the master
//! playlist. A player that fetched an older one goes on with it, since nothing in it ever changes.

use std::sync::Arc;

use dailies_database::DatabaseError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use ulid::Ulid;

use super::engine::Shared;
use super::ffmpeg::{Failure, FailureKind, Ffmpeg, MAP, Progress, RENDITION};
use super::files;
use super::jobs::{IDLE, STARTS, Scratch, report, wait};
use super::original::{Door, Source};
use super::playlist;
use super::store;
use super::store::renditions::{self, Step};

/// Tries of one step. The pause before the second is [`super::config::Limits::retry`], each further
/// one four times as long.
const TRIES: u32 = 4;
/// Everything else goes first.
const NICE: i32 = 19;

/// Works the ladder off until the engine closes.
pub(super) async fn run(shared: Arc<Shared>) {
    let permits = Arc::new(Semaphore::new(shared.limits.parallel_jobs.div_ceil(2).max(1)));
    let idle = IDLE.min(shared.limits.retry);
    let mut running = JoinSet::new();
    while let Some(permit) = wait(&shared, &permits).await {
        match shared.database.write(|c| renditions::take(c, store::now())).await {
            Ok(Some(step)) => {
                let shared = Arc::clone(&shared);
                running.spawn(async move { work(&shared, &step, permit).await });
            }
            ended => {
                if let Err(error) = ended {
                    tracing::error!(%error, "renditions cannot be read from the database");
                }
                drop(permit);
                tokio::select! {
                    () = shared.ladder.notified() => {}
                    () = tokio::time::sleep(idle) => {}
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

/// One step.
async fn work(shared: &Shared, step: &Step, permit: OwnedSemaphorePermit) {
    let (asset, height) = (step.asset.as_str(), step.height);
    let cancelled = shared.closing.child_token();
    let progress = Progress::default();
    let result = {
        let _cancelled_by_delete =
            shared.running.enter(asset, cancelled.clone(), progress.clone(), step.planned);
        if step.starts > STARTS {
            let message = "The work was interrupted too often.";
            Err(Failure::new(FailureKind::Internal, message))
        } else {
            make(shared, step, &cancelled, progress).await
        }
    };
    let id = step.asset.clone();
    let stored = match result {
        Ok((variant, bytes)) => {
            tracing::info!(asset, height, "a rendition is ready");
            shared.database.write(move |c| renditions::done(c, &id, height, &variant, bytes)).await
        }
        // The row stays as it is: the step is resumed at the next start, or the asset is deleted.
        Err(failure) if failure.kind == FailureKind::Cancelled => return,
        Err(failure) => {
            let due_at = again(shared, step, &failure);
            let reason = failure.message;
            tracing::warn!(asset, height, reason, again = due_at.is_some(), "a rendition failed");
            shared.database.write(move |c| renditions::failed(c, &id, height, due_at)).await
        }
    };
    drop(permit);
    shared.ladder.notify_one();
    match stored {
        Ok(()) => {}
        Err(DatabaseError::Stale) => {
            tracing::debug!(asset, "the asset was deleted while a rendition was made");
            files::remove(&shared.folder.rendition(asset, height)).await;
        }
        Err(error) => tracing::error!(%error, asset, "the end of a step could not be stored"),
    }
}

/// When a step that failed is tried again, milliseconds.
fn again(shared: &Shared, step: &Step, failure: &Failure) -> Option<i64> {
    if step.failures + 1 >= TRIES || step.starts > STARTS || failure.kind == FailureKind::InputGone
    {
        return None;
    }
    let pause = shared.limits.retry.saturating_mul(4_u32.saturating_pow(step.failures));
    Some(store::now().saturating_add(i64::try_from(pause.as_millis()).unwrap_or(i64::MAX)))
}

/// Makes a rendition and puts it where it is served from; its attributes, and its bytes on disk.
async fn make(
    shared: &Shared,
    step: &Step,
    cancelled: &CancellationToken,
    progress: Progress,
) -> Result<(String, u64), Failure> {
    let disk = |error: std::io::Error| Failure::disk(&error);
    let source = match &step.input {
        Some(input) => shared.uploads.source(input),
        None => stored(shared, &step.asset).await.map_err(disk)?,
    };
    let door = Door::open(shared.originals.clone(), source).await.map_err(disk)?;
    let ffmpeg = Ffmpeg {
        programs: shared.programs.clone(),
        limits: shared.limits,
        cancelled: cancelled.clone(),
        proxy: door.proxy(),
        nice: NICE,
        progress,
        beside_a_copy: step.input.is_none(),
    };
    let work = Scratch(shared.folder.work(&Ulid::new().to_string()));
    tokio::fs::create_dir_all(&work.0).await.map_err(disk)?;
    let variant = ffmpeg.further(&work.0, step.height, step.duration).await?;
    let bytes = files::bytes(&work.0).await.map_err(disk)?;
    let target = shared.folder.rendition(&step.asset, step.height);
    // Left by a process that ended between the rename and the commit.
    files::remove(&target).await;
    tokio::fs::rename(&work.0, &target).await.map_err(disk)?;
    let _one_at_a_time = shared.syncing.acquire().await.map_err(|_| Failure::cancelled())?;
    match files::sync(&target, bytes).await {
        Ok(true) => Ok((variant, bytes)),
        Ok(false) => Err(Failure::new(FailureKind::Internal, "The files of it were changed.")),
        Err(error) => Err(disk(error)),
    }
}

/// The first rendition of an asset, to be read as one fragmented MP4.
async fn stored(shared: &Shared, asset: &str) -> std::io::Result<Source> {
    let folder = shared.folder.asset(asset);
    let text = tokio::fs::read_to_string(folder.join(RENDITION)).await?;
    let segments = playlist::segments(&text).into_iter().map(|(_, name)| folder.join(name));
    Ok(Source::Stored(std::iter::once(folder.join(MAP)).chain(segments).collect()))
}
