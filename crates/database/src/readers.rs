//! Connections that only read, kept for the next caller; who finds none free waits for one.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{DatabaseError, open};

/// Readers at once. Each has read the whole schema, which takes longer than most queries: so all
/// are kept, and there are no more of them than can be of use.
const MOST: usize = 8;

#[derive(Debug)]
pub(crate) struct Readers {
    path: PathBuf,
    idle: Mutex<Vec<Connection>>,
    places: Arc<Semaphore>,
}

impl Readers {
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { path, idle: Mutex::default(), places: Arc::new(Semaphore::new(MOST)) }
    }

    /// The right to [`Self::run`] something.
    pub(crate) async fn place(&self) -> Result<OwnedSemaphorePermit, DatabaseError> {
        Arc::clone(&self.places).acquire_owned().await.map_err(|_| DatabaseError::Closed)
    }

    pub(crate) fn run<T, E, F>(&self, place: OwnedSemaphorePermit, work: F) -> Result<T, E>
    where
        F: FnOnce(&Connection) -> Result<T, E>,
        E: From<DatabaseError>,
    {
        let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match kept {
            Some(connection) => connection,
            None => open::reader(&self.path)?,
        };
        let result = work(&connection);
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
        drop(place);
        result
    }
}
