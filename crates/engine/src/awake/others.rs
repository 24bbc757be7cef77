//! What Windows and macOS have for it.

use tokio::sync::oneshot;

use super::{WHO, WHY};

/// Held by a thread of its own, because Windows asks it of the thread that took it.
#[derive(Debug)]
pub(super) struct Lock {
    _end: oneshot::Sender<()>,
}

impl Lock {
    /// `None` where the system gives none.
    pub(super) async fn take() -> Option<Self> {
        let (end, ended) = oneshot::channel::<()>();
        let (tell, told) = oneshot::channel();
        tokio::task::spawn_blocking(move || {
            let lock = keepawake::Builder::default().idle(true).app_name(WHO).reason(WHY).create();
            let _ = tell.send(lock.is_ok());
            // Until the other end is dropped.
            let _ = ended.blocking_recv();
        });
        told.await.unwrap_or(false).then_some(Self { _end: end })
    }
}
