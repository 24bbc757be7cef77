//! Keeps the computer from going to sleep by itself while uploads move.
//!
//! Must not know: uploads.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod others;

use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

#[cfg(target_os = "linux")]
use self::linux::Lock;
#[cfg(not(target_os = "linux"))]
use self::others::Lock;

/// Between two uploads the computer is not let go.
const LINGER: Duration = Duration::from_secs(2);

/// What other programs and people are told of it.
const WHO: &str = "Dailies";
const WHY: &str = "Uploading videos";

/// Asks the system for as long as somebody wants it, and no longer than this lives.
#[derive(Debug)]
pub(crate) struct Awake {
    wanted: watch::Sender<bool>,
    _keeping: JoinSet<()>,
}

impl Awake {
    pub(crate) fn new() -> Self {
        let (wanted, wish) = watch::channel(false);
        let mut keeping = JoinSet::new();
        keeping.spawn(keep(wish));
        Self { wanted, _keeping: keeping }
    }

    /// Whether the computer is to stay awake from now on.
    pub(crate) fn want(&self, wanted: bool) {
        self.wanted.send_if_modified(|before| std::mem::replace(before, wanted) != wanted);
    }
}

async fn keep(mut wish: watch::Receiver<bool>) {
    let mut complained = false;
    while wish.wait_for(|wanted| *wanted).await.is_ok() {
        // Held until it is dropped.
        let lock = Lock::take().await;
        if lock.is_none() && !std::mem::replace(&mut complained, true) {
            tracing::warn!("this computer may go to sleep while uploads move");
        }
        loop {
            if wish.wait_for(|wanted| !*wanted).await.is_err() {
                return;
            }
            if tokio::time::timeout(LINGER, wish.wait_for(|wanted| *wanted)).await.is_err() {
                break;
            }
        }
    }
}
