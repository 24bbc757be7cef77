//! The line that all uploads share: whoever reads bytes to send them asks here first.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::transfer::{Leave, Rate, Shares, UploadId};

/// The longest time that somebody waits here without looking whether his bytes are still wanted.
const LOOK: Duration = Duration::from_millis(100);

/// The line. It knows nothing of hosts: what is short is this computer's way to the network.
#[derive(Debug)]
pub(crate) struct Line {
    shares: Mutex<Shares>,
    /// Somebody was given bytes, or wants none any more.
    news: Condvar,
    /// How many wait for that: telling nobody costs a system call for each slice of each file.
    waiting: AtomicUsize,
    /// Others go first now, or no longer.
    order: Notify,
}

impl Line {
    pub(crate) fn new(limit: Option<Rate>) -> Arc<Self> {
        let shares = Mutex::new(Shares::new(limit, Instant::now()));
        let (news, waiting) = (Condvar::new(), AtomicUsize::new(0));
        Arc::new(Self { shares, news, waiting, order: Notify::new() })
    }

    /// An upload's place on it.
    pub(crate) fn enter(self: &Arc<Self>, id: UploadId, size: u64, first: bool) -> Arc<Place> {
        self.lock().enter(id, size, first, Instant::now());
        Arc::new(Place { line: Arc::clone(self), id })
    }

    pub(crate) fn set_limit(&self, limit: Option<Rate>) {
        self.lock().set_limit(limit, Instant::now());
        self.news.notify_all();
    }

    pub(crate) fn set_first(&self, id: UploadId, first: bool) {
        self.lock().set_first(id, first);
        self.tell();
    }

    fn tell(&self) {
        self.news.notify_all();
        self.order.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, Shares> {
        self.shares.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An upload's place on the line, for as long as it lives.
#[derive(Debug)]
pub(crate) struct Place {
    line: Arc<Line>,
    id: UploadId,
}

impl Place {
    /// Waits until no other upload goes before this one: it begins no part before.
    pub(crate) async fn turn(&self) {
        loop {
            let order = self.line.order.notified();
            tokio::pin!(order);
            // What changes from here on is heard.
            order.as_mut().enable();
            if !self.line.lock().yields(self.id) {
                return;
            }
            order.await;
        }
    }

    /// Leave for up to `wanted` bytes, where there is some at once.
    pub(crate) fn leave_now(&self, wanted: u64) -> Option<u64> {
        self.ask(wanted).ok()
    }

    /// Leave for up to `wanted` bytes. Blocks, but not for long: `None` says to ask again.
    pub(crate) fn leave(&self, wanted: u64) -> Option<u64> {
        let (shares, wait) = match self.ask(wanted) {
            Ok(bytes) => return Some(bytes),
            Err(later) => later,
        };
        self.line.waiting.fetch_add(1, Relaxed);
        // Whether it was news or the time, he looks again.
        drop(self.line.news.wait_timeout(shares, wait));
        self.line.waiting.fetch_sub(1, Relaxed);
        None
    }

    /// Leave, or what to wait with and how long.
    fn ask(&self, wanted: u64) -> Result<u64, (MutexGuard<'_, Shares>, Duration)> {
        let mut shares = self.line.lock();
        match shares.ask(self.id, wanted, Instant::now()) {
            Leave::Bytes(bytes) => {
                // Whoever waits said so while he held what is held here.
                let waiting = self.line.waiting.load(Relaxed);
                drop(shares);
                if waiting > 0 {
                    self.line.news.notify_all();
                }
                Ok(bytes)
            }
            Leave::Others => Err((shares, LOOK)),
            Leave::Limit(wait) => Err((shares, wait.min(LOOK))),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.line.lock().leave(self.id);
        self.line.tell();
    }
}
