//! Leave to have a part under way. One upload gets as many as carry bytes fastest; several share
//! them, and none is without.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::transfer::{Lanes, UploadId};

/// The permits for one host.
#[derive(Debug)]
pub(crate) struct Permits {
    state: Mutex<State>,
    /// One was given back, or there are more or fewer of them.
    news: Notify,
}

#[derive(Debug)]
struct State {
    lanes: Lanes,
    uploads: HashMap<UploadId, Holder>,
    /// Somebody had to wait since the lanes were last told how much they carry.
    full: bool,
    /// The host wants to be left alone until then.
    rests_until: Option<Instant>,
}

#[derive(Debug, Default)]
struct Holder {
    held: usize,
    waiting: usize,
}

impl Permits {
    pub(crate) fn new(lanes: Lanes) -> Self {
        let state = State { lanes, uploads: HashMap::new(), full: false, rests_until: None };
        Self { state: Mutex::new(state), news: Notify::new() }
    }

    /// A permit for a part of this upload, when it is its turn.
    pub(crate) async fn acquire(self: &Arc<Self>, id: UploadId) -> Permit {
        let _waiting = Waiting::new(self, id);
        loop {
            let news = self.news.notified();
            tokio::pin!(news);
            // What happens from here on is news.
            news.as_mut().enable();
            let rests_until = match self.lock().ask(id) {
                Answer::Now => return Permit { permits: Arc::clone(self), id },
                Answer::Later => None,
                Answer::NotBefore(until) => Some(until),
            };
            match rests_until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => news.await,
            }
        }
    }

    /// Bytes that went to the host, for whoever decides how many permits there are.
    pub(crate) fn note(&self, bytes: u64, passed: Duration) {
        let mut state = self.lock();
        let before = state.lanes.open();
        let full = std::mem::take(&mut state.full);
        let full = full || state.uploads.values().any(|holder| holder.waiting > 0);
        state.lanes.note(bytes, passed, full);
        let more = state.lanes.open() > before;
        tracing::trace!(bytes, open = state.lanes.open(), "lanes");
        drop(state);
        if more {
            self.news.notify_waiters();
        }
    }

    /// The host has too much to do: fewer parts at once, and none for as long as it said.
    pub(crate) fn slow_down(&self, after: Option<Duration>) {
        let mut state = self.lock();
        state.lanes.slow_down();
        let until = after.map(|after| Instant::now() + after);
        state.rests_until = state.rests_until.max(until);
    }

    /// It may be another network: what was found out in the old one is worth nothing.
    pub(crate) fn start_over(&self, lanes: Lanes) {
        self.lock().lanes = lanes;
        self.news.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Answer {
    Now,
    /// When there is news.
    Later,
    NotBefore(Instant),
}

impl State {
    fn ask(&mut self, id: UploadId) -> Answer {
        if let Some(until) = self.rests_until.filter(|until| *until > Instant::now()) {
            return Answer::NotBefore(until);
        }
        let held = |id| self.uploads.get(id).map_or(0, |holder: &Holder| holder.held);
        let mine = held(&id);
        let under_way: usize = self.uploads.values().map(|holder| holder.held).sum();
        let poorer = |holder: &Holder| holder.waiting > 0 && holder.held < mine;
        // One that has none does not wait for parts of others, which may take minutes.
        let free = under_way < self.lanes.open() && !self.uploads.values().any(poorer);
        if mine > 0 && !free {
            self.full = true;
            return Answer::Later;
        }
        self.uploads.entry(id).or_default().held += 1;
        Answer::Now
    }
}

/// Leave to have one part under way, for as long as it lives.
#[derive(Debug)]
pub(crate) struct Permit {
    permits: Arc<Permits>,
    id: UploadId,
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.permits.change(self.id, |holder| holder.held -= 1);
    }
}

/// Waits for a permit, for as long as it lives.
struct Waiting<'a> {
    permits: &'a Permits,
    id: UploadId,
}

impl<'a> Waiting<'a> {
    fn new(permits: &'a Permits, id: UploadId) -> Self {
        permits.lock().uploads.entry(id).or_default().waiting += 1;
        Self { permits, id }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.permits.change(self.id, |holder| holder.waiting -= 1);
    }
}

impl Permits {
    fn change(&self, id: UploadId, change: impl FnOnce(&mut Holder)) {
        let mut state = self.lock();
        if let Some(holder) = state.uploads.get_mut(&id) {
            change(holder);
            if holder.held == 0 && holder.waiting == 0 {
                state.uploads.remove(&id);
            }
        }
        drop(state);
        self.news.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfer::Losses;

    fn permits(open: usize) -> Arc<Permits> {
        Arc::new(Permits::new(Lanes::new(open, open, Losses::Harmless)))
    }

    fn upload() -> UploadId {
        UploadId::in_order().next().unwrap()
    }

    async fn waits(permits: &Arc<Permits>, id: UploadId) -> bool {
        tokio::time::timeout(Duration::from_secs(1), permits.acquire(id)).await.is_err()
    }

    #[tokio::test(start_paused = true)]
    async fn there_are_no_more_than_lanes() {
        let permits = permits(2);
        let one = upload();
        let held = [permits.acquire(one).await, permits.acquire(one).await];
        assert!(waits(&permits, one).await);
        drop(held);
        assert!(!waits(&permits, one).await);
    }

    #[tokio::test(start_paused = true)]
    async fn an_upload_without_any_never_waits() {
        let permits = permits(2);
        let (one, other) = (upload(), upload());
        let _held = [permits.acquire(one).await, permits.acquire(one).await];
        let _part = permits.acquire(other).await;
        assert!(waits(&permits, other).await, "one part is enough to begin with");
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_given_back_goes_to_whom_has_fewest() {
        let permits = permits(4);
        let (one, other) = (upload(), upload());
        let mut held = Vec::new();
        for _ in 0..4 {
            held.push(permits.acquire(one).await);
        }
        let _part = permits.acquire(other).await;
        let second = tokio::spawn({
            let permits = Arc::clone(&permits);
            async move { permits.acquire(other).await }
        });
        tokio::task::yield_now().await;
        held.truncate(2);
        assert!(waits(&permits, one).await, "the other has only one");
        let _second = second.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_host_that_wants_rest_gets_it() {
        let permits = permits(4);
        let one = upload();
        let begun = Instant::now();
        permits.slow_down(Some(Duration::from_secs(7)));
        permits.slow_down(None);
        let _first = permits.acquire(one).await;
        assert_eq!(begun.elapsed().as_secs(), 7);
        let _second = permits.acquire(one).await;
        assert!(waits(&permits, one).await, "half of four");
    }
}
