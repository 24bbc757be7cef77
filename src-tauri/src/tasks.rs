//! Owns what runs beside the window. Ends with the app.

use std::sync::{Mutex, PoisonError};

use tauri::async_runtime;
use tokio::task::JoinSet;

/// The running tasks.
#[derive(Default)]
pub(crate) struct Tasks(Mutex<JoinSet<()>>);

impl Tasks {
    /// Runs one more.
    pub(crate) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(ended) = tasks.try_join_next() {
            if let Err(error) = ended {
                tracing::error!(%error, "a task broke");
            }
        }
        tasks.spawn_on(task, async_runtime::handle().inner());
    }
}
