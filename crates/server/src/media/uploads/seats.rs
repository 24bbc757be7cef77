//! One writer per upload, and the latest has the right of way: a sender whose connection died comes
//! again long before this side learns that the old one is dead.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use tokio_util::sync::CancellationToken;

/// How long a request waits for the one before it to store what it has.
const PATIENCE: Duration = Duration::from_secs(20);

/// Seats that exist while somebody has or awaits them.
#[derive(Default)]
pub(super) struct Seats(Mutex<HashMap<String, Weak<Seat>>>);

#[derive(Default)]
struct Seat {
    turn: Arc<tokio::sync::Mutex<()>>,
    /// Of the request that came last.
    latest: Mutex<CancellationToken>,
}

/// The right to write, until it is dropped or [`Taken::interrupted`].
pub(super) struct Taken {
    interrupted: CancellationToken,
    _turn: OwnedMutexGuard<()>,
    _seat: Arc<Seat>,
}

impl Taken {
    /// Cancelled when another request came, or the upload ended.
    pub(super) fn interrupted(&self) -> &CancellationToken {
        &self.interrupted
    }
}

impl Seats {
    /// Interrupts whoever writes, and waits until they have stored what they have. `None` where
    /// that takes too long, or where a third request came meanwhile.
    pub(super) async fn take(&self, id: &str) -> Option<Taken> {
        let seat = self.seat(id);
        let interrupted = CancellationToken::new();
        std::mem::replace(&mut *lock(&seat.latest), interrupted.clone()).cancel();
        let turn =
            tokio::time::timeout(PATIENCE, Arc::clone(&seat.turn).lock_owned()).await.ok()?;
        if interrupted.is_cancelled() {
            return None;
        }
        Some(Taken { interrupted, _turn: turn, _seat: seat })
    }

    /// Interrupts whoever writes or waits.
    pub(super) fn interrupt(&self, id: &str) {
        let seat = lock(&self.0).get(id).and_then(Weak::upgrade);
        if let Some(seat) = seat {
            lock(&seat.latest).cancel();
        }
    }

    fn seat(&self, id: &str) -> Arc<Seat> {
        let mut seats = lock(&self.0);
        if let Some(seat) = seats.get(id).and_then(Weak::upgrade) {
            return seat;
        }
        seats.retain(|_, seat| seat.strong_count() > 0);
        let seat = Arc::new(Seat::default());
        seats.insert(id.to_owned(), Arc::downgrade(&seat));
        seat
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_latest_interrupts_the_one_before_and_waits_for_it() {
        let seats = Arc::new(Seats::default());
        let first = seats.take("a").await.expect("free");
        let others = seats.take("b").await.expect("free");
        let waiting = tokio::spawn({
            let seats = Arc::clone(&seats);
            async move { seats.take("a").await.is_some() }
        });
        first.interrupted().cancelled().await;
        assert!(!waiting.is_finished() && !others.interrupted().is_cancelled());
        drop(first);
        assert!(waiting.await.expect("no panic"));
        seats.interrupt("b");
        assert!(others.interrupted().is_cancelled());
    }
}
