//! The store behind the protocol: index, files, and commits that are seen through.

use std::path::Path;
use std::sync::Arc;

use rusqlite::Connection;
use tokio_util::task::AbortOnDropHandle;

use super::ObjectStoreError;
use super::files::Files;
use super::in_place::InPlace;
use super::index::{Index, Released, completed, extents};
use super::refusal::Refusal;
use super::values::FileName;

/// Leftover files looked up in one read of the index.
const SWEEP_BATCH: usize = 256;

/// Everything an operation needs. Cloning is cheap.
#[derive(Debug, Clone)]
pub(super) struct Store {
    pub(super) index: Index,
    pub(super) files: Files,
    pub(super) in_place: InPlace,
    pub(super) region: Arc<str>,
    _sweep: Arc<AbortOnDropHandle<()>>,
}

impl Store {
    /// Opens or creates `index.db` and `data/` in `folder`, and begins to sweep what a crash left.
    pub(super) async fn open(folder: &Path, region: &str) -> Result<Self, ObjectStoreError> {
        let (database, data) = (folder.join("index.db"), folder.join("data"));
        let opened = tokio::task::spawn_blocking(move || {
            let files = Files::open(&data).map_err(ObjectStoreError::Folder)?;
            let index = Index::open(&database).map_err(ObjectStoreError::Index)?;
            // Listed before the first request: what is made later is none of the sweep's business.
            let found = files.list().map_err(ObjectStoreError::Folder)?;
            Ok((index, files, found))
        });
        let (index, files, found) =
            opened.await.map_err(|error| ObjectStoreError::Folder(error.into()))??;
        let sweep = tokio::spawn(sweep(index.clone(), files.clone(), found));
        Ok(Self {
            index,
            files,
            in_place: InPlace::default(),
            region: region.into(),
            _sweep: Arc::new(AbortOnDropHandle::new(sweep)),
        })
    }

    /// Runs `work` in a transaction, and removes what it released once that is on disk.
    ///
    /// A commit that has begun is seen through even if the client goes away, so that what `work`
    /// owns (a reservation, a new file) is let go only when its row is there or cannot be any more.
    pub(super) async fn commit<T, F>(&self, work: F) -> Result<T, Refusal>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, &mut Released) -> Result<T, Refusal> + Send + 'static,
    {
        let store = self.clone();
        let commit = tokio::spawn(async move {
            let committed = store.index.write(move |connection| {
                let mut released = Released::new();
                let value = work(connection, &mut released)?;
                Ok((value, released))
            });
            let (value, released) = committed.await?;
            store.files.remove(released);
            Ok(value)
        });
        commit.await.unwrap_or(Err(Refusal::Index(dailies_database::DatabaseError::Closed)))
    }
}

/// Removes those of `found` that no row mentions.
async fn sweep(index: Index, files: Files, found: Vec<FileName>) {
    let mut removed = 0;
    for batch in found.chunks(SWEEP_BATCH) {
        let batch = batch.to_vec();
        let leftover = index.read(move |connection| {
            let mut leftover = Released::new();
            extents::release(connection, batch, &mut leftover)?;
            Ok(leftover)
        });
        match leftover.await {
            Ok(leftover) => {
                removed += leftover.len();
                files.remove(leftover);
            }
            Err(error) => {
                tracing::warn!(target: super::LOG, %error, "the sweep of leftover files ended early");
                return;
            }
        }
    }
    if removed > 0 {
        tracing::info!(target: super::LOG, event = "swept", files = removed, "removed what a crash left");
    }
    if let Err(error) = index.write(completed::forget_old).await {
        tracing::warn!(target: super::LOG, %error, "old completed uploads could not be forgotten");
    }
}
