//! The store behind the protocol: index, files, and commits that are seen through.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tokio_util::task::AbortOnDropHandle;

use super::ObjectStoreError;
use super::files::Files;
use super::in_place::InPlace;
use super::index::{Index, Released};
use super::refusal::Refusal;
use super::sweep::Sweep;

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
    /// Opens or creates `index.db` and `data/` in `folder`, and begins to sweep them.
    pub(super) async fn open(
        folder: &Path,
        region: &str,
        uploads_kept: Duration,
    ) -> Result<Self, ObjectStoreError> {
        let (database, data) = (folder.join("index.db"), folder.join("data"));
        let opened = tokio::task::spawn_blocking(move || {
            let files = Files::open(&data).map_err(ObjectStoreError::Folder)?;
            let index = Index::open(&database).map_err(ObjectStoreError::Index)?;
            Ok((index, files))
        });
        let (index, files) =
            opened.await.map_err(|error| ObjectStoreError::Folder(error.into()))??;
        let in_place = InPlace::default();
        let sweep = Sweep {
            index: index.clone(),
            files: files.clone(),
            in_place: in_place.clone(),
            uploads_kept,
        };
        Ok(Self {
            index,
            files,
            in_place,
            region: region.into(),
            _sweep: Arc::new(AbortOnDropHandle::new(tokio::spawn(sweep.run()))),
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
