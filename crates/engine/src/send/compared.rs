//! What was sent of a recording and is the file's still: read again as soon as its writer has closed
//! it, while it is waited whether it stays like that.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use futures_util::{StreamExt as _, stream};

use crate::send::{Sending, blocking, local};
use crate::source::{Crc64, Fingerprint, Source};
use crate::store::Receipt;
use crate::transfer::{ByteRange, Failure, PartNumber};

/// Parts that are read at the same time to be compared.
pub(super) const AT_ONCE: usize = 4;
/// A file's time of change moves on in steps of up to 10 ms: only what was written longer ago than
/// that cannot be written to again without a trace.
const STEP: Duration = Duration::from_millis(100);

/// Parts that were found to be the file's, in one version of it. Nothing else is known of another one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Compared(Arc<Mutex<Option<Found>>>);

#[derive(Debug)]
struct Found {
    version: Fingerprint,
    same: HashMap<PartNumber, Crc64>,
}

impl Compared {
    /// Whether this part was sent as it is in this version of the file.
    pub(super) fn is_same(&self, version: &Fingerprint, receipt: &Receipt) -> bool {
        let found = self.lock();
        let found = found.as_ref().filter(|found| found.version == *version);
        found.and_then(|found| found.same.get(&receipt.part)) == Some(&receipt.checksum)
    }

    fn begin(&self, version: Fingerprint) {
        *self.lock() = Some(Found { version, same: HashMap::new() });
    }

    fn note(&self, receipt: &Receipt) {
        if let Some(found) = &mut *self.lock() {
            found.same.insert(receipt.part, receipt.checksum);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Found>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sending {
    /// Reads again what was sent of a file that its writer has just closed. Ends at the first part that
    /// is another one: then all of it is compared once the file is finished.
    ///
    /// # Errors
    /// Those of the file and the database.
    pub(super) async fn compare_ahead(
        &self,
        source: &Source,
        part_size: u64,
    ) -> Result<(), Failure> {
        tokio::time::sleep(STEP).await;
        let looked_at = source.clone();
        let version = blocking(move || looked_at.version()).await?;
        if !version.is_older_than(STEP / 2, SystemTime::now()) {
            return Ok(());
        }
        self.compared.begin(version);
        let receipts = self.store.receipts(self.intent.id).await.map_err(local)?;
        let compared = stream::iter(receipts).map(|receipt| async move {
            let offset = u64::from(receipt.part.get() - 1) * part_size;
            let range = ByteRange { offset, length: receipt.size };
            let same = source.checksum(range, &self.slices).await? == receipt.checksum;
            Ok::<_, Failure>(same.then(|| self.compared.note(&receipt)))
        });
        let mut compared = compared.buffer_unordered(AT_ONCE);
        while let Some(done) = compared.next().await {
            if done?.is_none() {
                break;
            }
        }
        Ok(())
    }
}
