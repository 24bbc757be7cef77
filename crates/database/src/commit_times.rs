//! How long groups of writes take until they are on disk.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Upper ends, in milliseconds: from a disk with a cache that is safe to one that is in trouble.
const LIMITS: [u64; 10] = [1, 2, 5, 10, 25, 50, 100, 250, 1_000, 5_000];

/// Commits by how long they took.
#[derive(Clone, Debug)]
pub struct CommitTimes {
    /// Commits that took at most so long and longer than the entry before, in rising order.
    pub buckets: Vec<(Duration, u64)>,
    /// Those that took longer than any of them.
    pub slower: u64,
    /// All of them together.
    pub total: Duration,
}

#[derive(Debug, Default)]
pub(crate) struct Counts {
    buckets: [AtomicU64; LIMITS.len()],
    slower: AtomicU64,
    nanoseconds: AtomicU64,
}

impl Counts {
    pub(crate) fn add(&self, took: Duration) {
        let fits = |limit: &u64| took <= Duration::from_millis(*limit);
        let bucket = LIMITS.iter().position(fits).map_or(&self.slower, |at| &self.buckets[at]);
        bucket.fetch_add(1, Ordering::Relaxed);
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.nanoseconds.fetch_add(nanoseconds, Ordering::Relaxed);
    }

    pub(crate) fn read(&self) -> CommitTimes {
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        CommitTimes {
            buckets: LIMITS
                .map(Duration::from_millis)
                .into_iter()
                .zip(self.buckets.iter().map(count))
                .collect(),
            slower: count(&self.slower),
            total: Duration::from_nanos(count(&self.nanoseconds)),
        }
    }
}
