//! An upload's bytes while they move: counters in memory, written by its lanes, read for its view.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use crate::send::Place;
use crate::source::Passage;

/// An upload's counters. Confirmed bytes are those with a receipt on disk.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    confirmed: AtomicU64,
    in_flight: AtomicU64,
    moved: AtomicU64,
    retries: AtomicU64,
    rewritten: AtomicU64,
    grown: AtomicU64,
}

impl Progress {
    pub(crate) fn new(confirmed: u64) -> Arc<Self> {
        Arc::new(Self { confirmed: AtomicU64::new(confirmed), ..Self::default() })
    }

    pub(crate) fn confirmed(&self) -> u64 {
        self.confirmed.load(Relaxed)
    }

    pub(crate) fn in_flight(&self) -> u64 {
        self.in_flight.load(Relaxed)
    }

    /// All bytes that were ever handed to the network, sent again or not: what speed is.
    pub(crate) fn moved(&self) -> u64 {
        self.moved.load(Relaxed)
    }

    pub(crate) fn set_confirmed(&self, bytes: u64) {
        self.confirmed.store(bytes, Relaxed);
    }

    /// A part has to be sent again.
    pub(crate) fn retry(&self) {
        self.retries.fetch_add(1, Relaxed);
    }

    /// How often a part had to be sent again since this was last asked.
    pub(crate) fn take_retries(&self) -> u64 {
        self.retries.swap(0, Relaxed)
    }

    /// So many confirmed bytes are to be sent again.
    pub(crate) fn take_back(&self, bytes: u64) {
        self.confirmed.fetch_sub(bytes.min(self.confirmed()), Relaxed);
    }

    /// So many parts were found to be other ones than were sent.
    pub(crate) fn rewrite(&self, parts: u64) {
        self.rewritten.fetch_add(parts, Relaxed);
    }

    /// How many parts that was since this was last asked.
    pub(crate) fn take_rewritten(&self) -> u64 {
        self.rewritten.swap(0, Relaxed)
    }

    /// Bytes that a file has which grows.
    pub(crate) fn grown(&self) -> u64 {
        self.grown.load(Relaxed)
    }

    pub(crate) fn grow(&self, bytes: u64) {
        self.grown.store(bytes, Relaxed);
    }

    pub(crate) fn confirm(&self, bytes: u64) {
        self.confirmed.fetch_add(bytes, Relaxed);
    }
}

/// A part on its way. Its bytes are in flight for as long as this lives.
#[derive(Debug)]
pub(crate) struct InFlight {
    progress: Arc<Progress>,
    place: Arc<Place>,
    bytes: AtomicU64,
}

impl InFlight {
    pub(crate) fn of(progress: &Arc<Progress>, place: &Arc<Place>) -> Arc<Self> {
        let (progress, place) = (Arc::clone(progress), Arc::clone(place));
        Arc::new(Self { progress, place, bytes: AtomicU64::new(0) })
    }
}

impl Passage for InFlight {
    fn leave_now(&self, wanted: u64) -> Option<u64> {
        self.place.leave_now(wanted)
    }

    fn leave(&self, wanted: u64) -> Option<u64> {
        self.place.leave(wanted)
    }

    fn moved(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Relaxed);
        self.progress.in_flight.fetch_add(bytes, Relaxed);
        self.progress.moved.fetch_add(bytes, Relaxed);
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.progress.in_flight.fetch_sub(self.bytes.load(Relaxed), Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::send::Line;
    use crate::transfer::UploadId;

    #[test]
    fn a_part_that_ends_is_no_longer_in_flight() {
        let progress = Progress::new(5);
        let place = Line::new(None).enter(UploadId::in_order().next().unwrap(), 10, false);
        let part = InFlight::of(&progress, &place);
        part.moved(7);
        part.moved(3);
        assert_eq!((progress.confirmed(), progress.in_flight(), progress.moved()), (5, 10, 10));
        drop(part);
        assert_eq!((progress.in_flight(), progress.moved()), (0, 10));
    }
}
