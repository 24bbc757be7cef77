//! Who writes which part of which upload to its final place right now.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::values::{PartNumber, UploadId};

/// The parts that are being written in place. Cloning is cheap.
///
/// A place has one writer at a time; whoever comes second writes to a file of its own.
#[derive(Debug, Clone, Default)]
pub(super) struct InPlace {
    uploads: Arc<Mutex<HashMap<UploadId, Writing>>>,
}

/// One upload's file.
#[derive(Debug, Default)]
struct Writing {
    parts: HashSet<PartNumber>,
    turn: Turn,
}

/// Writers of one file take turns: the kernel lets one of them in at a time anyway, and the others
/// would burn a core each while they wait there.
pub(super) type Turn = Arc<Mutex<()>>;

/// The right to write one part in place. Held until the write has ended and is recorded.
#[derive(Debug)]
pub(super) struct Reservation {
    in_place: InPlace,
    upload: UploadId,
    part: PartNumber,
    turn: Turn,
}

impl InPlace {
    /// `None` while somebody else holds it.
    pub(super) fn reserve(&self, upload: UploadId, part: PartNumber) -> Option<Reservation> {
        let mut uploads = self.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        let writing = uploads.entry(upload).or_default();
        let turn = Arc::clone(&writing.turn);
        writing.parts.insert(part).then(|| Reservation {
            in_place: self.clone(),
            upload,
            part,
            turn,
        })
    }

    /// Whether a part of `upload` is being written.
    pub(super) fn is_writing(&self, upload: UploadId) -> bool {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&upload)
    }
}

impl Reservation {
    /// To be held during each write.
    pub(super) fn turn(&self) -> Turn {
        Arc::clone(&self.turn)
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let mut uploads = self.in_place.uploads.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(writing) = uploads.get_mut(&self.upload) {
            writing.parts.remove(&self.part);
            if writing.parts.is_empty() {
                uploads.remove(&self.upload);
            }
        }
    }
}
