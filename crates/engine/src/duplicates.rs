//! Files whose content the same project has already: found before a byte of them is sent.
//!
//! A file that has the size, the head and the tail of one with a receipt is read to its end and
//! compared with the checksum that stands there. One that has them of one under way waits for that.
//! Every other file costs one look into an index. A checksum does not prove that two files are the
//! same, and need not: somebody is asked.

use std::collections::HashSet;

use crate::engine::Engine;
use crate::error::{Code, EngineError};
use crate::handle::EngineHandle;
use crate::job::{Job, Outcome};
use crate::preferences::OnDuplicate;
use crate::queue::Entry;
use crate::send::blocking;
use crate::source::{Crc64, Slices, Source, SourceError};
use crate::store::{Registration, Upload};
use crate::transfer::{ByteRange, Failure, Hold, Phase, UploadId};

/// Bytes read before it is looked whether somebody wants it to end.
const STRETCH: u64 = 64 << 20;

/// An upload that this one could be the double of, and its file's checksum.
pub(crate) type Double = (UploadId, Crc64);

impl EngineHandle {
    /// Sends files although the same project has their content already.
    ///
    /// # Errors
    /// [`Code::WrongState`] if one of them does not wait for this; then none is sent.
    pub async fn send_anyway(&self, ids: Vec<UploadId>) -> Result<(), EngineError> {
        let waits = Hold::NeedsUser { code: Code::Duplicate };
        let uploads = self.uploads(ids.clone()).await?;
        if uploads.iter().any(|upload| upload.hold != waits) {
            let words = "the upload does not wait because the team has the same content";
            return Err(EngineError::new(Code::WrongState, words));
        }
        self.retry(ids).await
    }
}

impl Engine {
    /// Whether another upload of what may be the same file is under way, or about to be: once that
    /// is there, it is known.
    pub(crate) fn waits_for_its_twin(&self, row: &Upload, admitted: &[Upload]) -> bool {
        let is_twin = |other: &Upload| {
            other.id != row.id
                && other.destination == row.destination
                && other.fingerprint.has_ends_of(&row.fingerprint)
        };
        let under_way = |other: &&Entry| {
            let state = other.row.state;
            (Phase::Beginning..=Phase::Finishing).contains(&state.phase) && !state.hold.is_end()
        };
        self.preferences.duplicates == OnDuplicate::Ask
            && row.state.phase == Phase::Queued
            && (self.queue.loaded().filter(under_way).any(|other| is_twin(&other.row))
                || admitted.iter().any(is_twin))
    }

    /// Those of uploads of whole files, admitted for the first time, that need not be compared with
    /// anything. One look at all of them: the loop waits for it.
    pub(crate) async fn unlike_all(&self, admitted: &[Upload]) -> HashSet<UploadId> {
        let first = |row: &&Upload| {
            row.state.phase == Phase::Queued
                && row.registration == Registration::No
                && row.growth.is_none()
        };
        let first = admitted.iter().filter(first);
        let (asked, unlike): (Vec<_>, Vec<_>) = first.partition(|row| self.asks_about(row));
        let mut unlike: HashSet<_> = unlike.into_iter().map(|row| row.id).collect();
        if !asked.is_empty() {
            match self.store.without_doubles(asked.into_iter().cloned().collect()).await {
                Ok(without) => unlike.extend(without),
                // They are looked at one by one.
                Err(error) => tracing::error!(%error, "what the team has could not be read"),
            }
        }
        unlike
    }

    fn asks_about(&self, row: &Upload) -> bool {
        let is_unique = self.queue.get(row.id).is_some_and(|entry| entry.is_unique);
        // What a file that grows will be, nobody knows yet.
        self.preferences.duplicates == OnDuplicate::Ask && !is_unique && row.growth.is_none()
    }

    /// What an upload that is about to be registered has to be compared with first.
    pub(crate) async fn doubles(&self, id: UploadId) -> Vec<Double> {
        let Some(entry) = self.queue.get(id) else { return Vec::new() };
        if !self.asks_about(&entry.row) || entry.row.registration != Registration::No {
            return Vec::new();
        }
        match self.store.doubles(&entry.row).await {
            Ok(doubles) => doubles,
            Err(error) => {
                // Sent twice is better than not sent.
                tracing::error!(upload = %id, %error, "what the team has could not be read");
                Vec::new()
            }
        }
    }
}

impl Job {
    /// Reads the file and compares it with what the team has.
    pub(crate) async fn compare(self, doubles: Vec<Double>) -> Result<Outcome, Failure> {
        let total = self.row.fingerprint.size;
        let (path, fingerprint) = (self.row.path, self.row.fingerprint);
        let source = blocking(move || Source::open(&path, &fingerprint)).await?;
        let whole = checksum(&source, total, &self.slices).await?;
        match doubles.into_iter().find(|(_, checksum)| *checksum == whole) {
            Some((of, _)) => Err(Failure::Duplicate { of }),
            None => Ok(Outcome::Unique),
        }
    }
}

/// The checksum of a whole file. Can be ended every so often.
pub(crate) async fn checksum(
    source: &Source,
    total: u64,
    slices: &Slices,
) -> Result<Crc64, SourceError> {
    let (mut whole, mut offset) = (Crc64::EMPTY, 0);
    while offset < total {
        let length = STRETCH.min(total - offset);
        let stretch = source.checksum(ByteRange { offset, length }, slices).await?;
        whole = whole.then(stretch, length);
        offset += length;
    }
    Ok(whole)
}
