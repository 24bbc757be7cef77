//! What nobody will ask for again: uploads that were left, and files that a crash left.
//!
//! Safe at any time: a file is removed only when no row mentions it and nobody is about to write
//! one that does.

use std::time::Duration;

use tokio::time::MissedTickBehavior;

use super::LOG;
use super::files::Files;
use super::in_place::InPlace;
use super::index::{Index, Moment, Released, completed, extents, uploads};
use super::refusal::Refusal;
use super::values::FileName;

/// Between two sweeps; the first is at the start.
const ROUND: Duration = Duration::from_secs(3600);
/// Files looked up, or uploads removed, in one transaction: others wait for it.
const BATCH: usize = 256;

/// What a sweep needs.
#[derive(Debug, Clone)]
pub(super) struct Sweep {
    pub(super) index: Index,
    pub(super) files: Files,
    pub(super) in_place: InPlace,
    /// How long an upload may lie untouched.
    pub(super) uploads_kept: Duration,
}

impl Sweep {
    /// Sweeps until it is dropped.
    pub(super) async fn run(self) {
        let mut rounds = tokio::time::interval(ROUND);
        rounds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            rounds.tick().await;
            if let Err(error) = self.once().await {
                tracing::warn!(target: LOG, %error, "a sweep ended early");
            }
        }
    }

    /// One sweep of everything.
    pub(super) async fn once(&self) -> Result<(), Refusal> {
        self.abandoned_uploads().await?;
        self.leftover_files().await?;
        self.index.write(completed::forget_old).await
    }

    async fn abandoned_uploads(&self) -> Result<(), Refusal> {
        let before = Moment::now().before(self.uploads_kept);
        let abandoned =
            self.index.read(move |connection| uploads::untouched_since(connection, before)).await?;
        for batch in abandoned.chunks(BATCH) {
            let (batch, in_place) = (batch.to_vec(), self.in_place.clone());
            let swept = self.index.write(move |connection| {
                let (mut swept, mut released) = (Vec::new(), Released::new());
                for id in batch {
                    // A part of it may be on its way, or have arrived since it was found.
                    if in_place.is_writing(id) {
                        continue;
                    }
                    if let Some(upload) = uploads::untouched(connection, id, before)? {
                        uploads::remove(connection, &upload, &mut released)?;
                        swept.push(upload);
                    }
                }
                Ok((swept, released))
            });
            let (swept, released) = swept.await?;
            self.files.remove(released);
            for upload in swept {
                tracing::info!(
                    target: LOG, event = "upload_swept", bucket = upload.bucket, key = upload.key,
                    upload_id = %upload.id, "removed an upload that nobody went on with"
                );
            }
        }
        Ok(())
    }

    async fn leftover_files(&self) -> Result<(), Refusal> {
        let files = self.files.clone();
        let listed = tokio::task::spawn_blocking(move || files.list());
        let found = listed.await.map_err(std::io::Error::other)??;
        let mut removed = 0;
        for batch in found.chunks(BATCH) {
            let (batch, files) = (batch.to_vec(), self.files.clone());
            // On the writing thread, where files are recorded: one that is new is either still
            // among those that no row mentions yet, or its row can be seen.
            let leftover = self.index.write(move |connection| {
                let batch: Vec<FileName> =
                    batch.into_iter().filter(|name| !files.is_new(*name)).collect();
                let mut leftover = Released::new();
                extents::release(connection, batch, &mut leftover)?;
                Ok(leftover)
            });
            let leftover = leftover.await?;
            removed += leftover.len();
            self.files.remove(leftover);
        }
        if removed > 0 {
            tracing::info!(target: LOG, event = "swept", files = removed, "removed what a crash left");
        }
        Ok(())
    }
}
