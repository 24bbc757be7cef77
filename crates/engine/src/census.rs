//! The whole queue in numbers, kept while it changes: how many are in each list, where in a list an
//! index lies, how many bytes are still to come.

use std::collections::BTreeMap;

use crate::store::{Confirmed, Shelf, Tally, Upload};
use crate::transfer::{HoldKind, List, Phase};
use crate::view::{ListCount, Totals};

/// What is counted of one upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    list: List,
    shelf: Shelf,
    standing: Standing,
    left: u64,
}

impl Share {
    pub(crate) fn of(row: &Upload, confirmed: u64) -> Self {
        Self {
            list: row.list(),
            shelf: Shelf::of(row.place),
            standing: Standing::of(row.state.phase, row.state.hold.kind()),
            left: row.fingerprint.size.saturating_sub(confirmed),
        }
    }
}

/// What is still to be done for an upload's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// They come by themselves.
    Coming,
    /// They come once somebody wants it.
    Paused,
    /// They come once the file is back.
    Missing,
    /// They come once somebody has done something.
    Stands,
    /// Nothing: the team has them, or nobody wants them.
    Settled,
}

impl Standing {
    fn of(phase: Phase, hold: HoldKind) -> Self {
        match (phase, hold) {
            (Phase::Processing | Phase::Ready, _) | (_, HoldKind::Cancelled | HoldKind::Failed) => {
                Self::Settled
            }
            (_, HoldKind::None | HoldKind::Backoff | HoldKind::Offline) => Self::Coming,
            (_, HoldKind::Paused) => Self::Paused,
            (_, HoldKind::SourceMissing) => Self::Missing,
            (_, HoldKind::NeedsUser) => Self::Stands,
        }
    }
}

/// The numbers.
#[derive(Debug, Default)]
pub(crate) struct Census {
    shelves: BTreeMap<(List, Shelf), u64>,
    totals: Totals,
    missing: u64,
}

impl Census {
    pub(crate) fn new((tallies, confirmed): (Vec<Tally>, Vec<Confirmed>)) -> Self {
        let mut census = Self::default();
        for tally in tallies {
            *census.shelves.entry((tally.list, tally.shelf)).or_default() += tally.count;
            let standing = Standing::of(tally.phase, tally.hold);
            census.count(standing, tally.count, tally.bytes, u64::wrapping_add);
        }
        for Confirmed { phase, hold, bytes } in confirmed {
            census.count(Standing::of(phase, hold), 0, bytes, u64::wrapping_sub);
        }
        census
    }

    pub(crate) fn add(&mut self, share: Share) {
        *self.shelves.entry((share.list, share.shelf)).or_default() += 1;
        self.count(share.standing, 1, share.left, u64::wrapping_add);
    }

    pub(crate) fn take(&mut self, share: Share) {
        if let Some(count) = self.shelves.get_mut(&(share.list, share.shelf)) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.shelves.remove(&(share.list, share.shelf));
            }
        }
        self.count(share.standing, 1, share.left, u64::wrapping_sub);
    }

    /// The shelf on which a list's upload number `index` stands, and how many come before it there.
    pub(crate) fn locate(&self, list: List, index: u64) -> Option<(Shelf, u64)> {
        let mut left = index;
        for (shelf, count) in self.of(list) {
            if left < count {
                return Some((shelf, left));
            }
            left -= count;
        }
        None
    }

    /// How many of a list stand on shelves before this one.
    pub(crate) fn before(&self, list: List, shelf: Shelf) -> u64 {
        self.of(list).take_while(|(other, _)| *other < shelf).map(|(_, count)| count).sum()
    }

    pub(crate) fn lists(&self) -> Vec<ListCount> {
        let count = |list| ListCount { list, count: self.of(list).map(|(_, count)| count).sum() };
        List::ALL.into_iter().map(count).collect()
    }

    /// Uploads whose files are missing.
    pub(crate) fn missing(&self) -> u64 {
        self.missing
    }

    pub(crate) fn totals(&self) -> Totals {
        self.totals
    }

    fn of(&self, list: List) -> impl Iterator<Item = (Shelf, u64)> {
        let shelves = self.shelves.range((list, Shelf::FIRST)..=(list, Shelf::LAST));
        shelves.map(|((_, shelf), count)| (*shelf, *count))
    }

    /// Adds or takes away. What is taken away was added before.
    fn count(&mut self, standing: Standing, count: u64, left: u64, change: fn(u64, u64) -> u64) {
        if standing == Standing::Settled {
            return;
        }
        let totals = &mut self.totals;
        totals.unsent = change(totals.unsent, count);
        totals.unsent_bytes = change(totals.unsent_bytes, left);
        match standing {
            Standing::Coming => {
                totals.coming = change(totals.coming, count);
                totals.coming_bytes = change(totals.coming_bytes, left);
            }
            Standing::Paused => totals.paused = change(totals.paused, count),
            Standing::Missing => self.missing = change(self.missing, count),
            Standing::Stands | Standing::Settled => {}
        }
    }
}
