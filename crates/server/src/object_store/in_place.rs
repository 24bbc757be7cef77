//! Who writes which part of which upload to its final place right now.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use super::values::{PartNumber, UploadId};

/// The parts that are being written in place. Cloning is cheap.
///
/// A place has one writer at a time; whoever comes second writes to a file of its own.
#[derive(Debug, Clone, Default)]
pub(super) struct InPlace {
    writing: Arc<Mutex<HashSet<(UploadId, PartNumber)>>>,
}

/// The right to write one part in place. Held until the write has ended and is recorded.
#[derive(Debug)]
pub(super) struct Reservation {
    in_place: InPlace,
    part: (UploadId, PartNumber),
}

impl InPlace {
    /// `None` while somebody else holds it.
    pub(super) fn reserve(&self, upload: UploadId, number: PartNumber) -> Option<Reservation> {
        let part = (upload, number);
        let mut writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        writing.insert(part).then(|| Reservation { in_place: self.clone(), part })
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut writing = self.in_place.writing.lock().unwrap_or_else(PoisonError::into_inner);
        writing.remove(&self.part);
    }
}
