//! The room that uploads work in at the same time.

use crate::store::Upload;

/// A file of at most this size is small: its time goes into asking, not into sending.
const SMALL: u64 = 16 << 20;
/// So many small files work in the place of a large one.
const SMALL_IN_A_PLACE: usize = 6;

/// Room that is free. What goes first has as much of its own: it does not wait until others end,
/// which may take a day.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Places {
    usual: usize,
    first: usize,
}

impl Places {
    /// Room for so many large files.
    pub(crate) fn of(uploads: usize) -> Self {
        let room = uploads * SMALL_IN_A_PLACE;
        Self { usual: room, first: room }
    }

    pub(crate) fn has_room_for(&self, row: &Upload) -> bool {
        let room = if row.first { self.first } else { self.usual };
        room >= needed(row)
    }

    pub(crate) fn take(&mut self, row: &Upload) {
        self.usual = self.usual.saturating_sub(needed(row));
        if row.first {
            self.first = self.first.saturating_sub(needed(row));
        }
    }

    /// The same without the room of so many large files.
    pub(crate) fn less(self, uploads: usize) -> Self {
        let kept = uploads * SMALL_IN_A_PLACE;
        Self { usual: self.usual.saturating_sub(kept), ..self }
    }

    /// The most uploads that have room.
    pub(crate) fn most(&self, with_first: bool) -> usize {
        if with_first { self.usual.max(self.first) } else { self.usual }
    }
}

fn needed(row: &Upload) -> usize {
    if row.fingerprint.size <= SMALL { 1 } else { SMALL_IN_A_PLACE }
}
