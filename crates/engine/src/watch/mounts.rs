//! Drives that come and go. A watch ends with the drive it is on, and nobody says so.

#[cfg(target_os = "linux")]
use std::fs::File;

#[cfg(target_os = "linux")]
use tokio::io::{Interest, unix::AsyncFd};

/// Tells when something was mounted or unmounted, where the system does.
#[derive(Debug)]
pub(super) struct Mounts {
    /// `proc(5)`, under `/proc/pid/mounts`: a change of it is urgent data.
    #[cfg(target_os = "linux")]
    table: Option<AsyncFd<File>>,
}

impl Mounts {
    #[cfg(target_os = "linux")]
    #[expect(deprecated, reason = "what takes its place is unsafe, for types unlike File that lie")]
    pub(super) fn new() -> Self {
        let table = File::open("/proc/self/mounts")
            .and_then(|table| AsyncFd::with_interest(table, Interest::PRIORITY | Interest::ERROR));
        Self { table: table.inspect_err(|error| tracing::info!(%error, "no table of mounts")).ok() }
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn new() -> Self {
        Self {}
    }

    /// Waits until something was.
    #[cfg(target_os = "linux")]
    pub(super) async fn changed(&mut self) {
        let Some(table) = &self.table else { return std::future::pending().await };
        match table.ready(Interest::PRIORITY | Interest::ERROR).await {
            Ok(mut ready) => ready.clear_ready(),
            Err(error) => {
                tracing::info!(%error, "the table of mounts says nothing");
                self.table = None;
            }
        }
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) async fn changed(&mut self) {
        std::future::pending().await
    }
}
