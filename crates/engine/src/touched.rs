//! A file whose times are other ones: whether it still has the bytes that were sent of it.
//!
//! Times alone say little: some file systems round them, others change them by themselves, and people
//! copy files back. So what went up is compared once more with what lies there now.

use crate::send::{blocking, local};
use crate::source::{Fingerprint, Slices, Source};
use crate::store::{SessionKind, Store, Upload};
use crate::transfer::{ByteRange, Failure};

/// Compares all that was confirmed of an upload with its file. The file's new fingerprint, if nothing
/// is different; then the rest of it belongs to what was sent.
///
/// # Errors
/// [`Failure::SourceChanged`], and those of the file and the database.
pub(crate) async fn same_bytes(
    row: &Upload,
    store: &Store,
    slices: &Slices,
) -> Result<Fingerprint, Failure> {
    let path = row.path.clone();
    let now = blocking(move || Fingerprint::take(&path)).await?;
    if !now.has_ends_of(&row.fingerprint) {
        return Err(Failure::SourceChanged);
    }
    let Some(session) = &row.session else { return Ok(now) };
    let plan = session.plan(now.size).map_err(|_| Failure::SourceChanged)?;
    let (path, fingerprint) = (row.path.clone(), now.clone());
    let source = blocking(move || Source::open(&path, &fingerprint)).await?;
    for receipt in store.receipts(row.id).await.map_err(local)? {
        let range = match session.kind {
            SessionKind::InOrder { .. } => Some(ByteRange { offset: 0, length: receipt.size }),
            _ => plan.range(receipt.part),
        };
        let range = range.ok_or(Failure::SourceChanged)?;
        if source.checksum(range, slices).await? != receipt.checksum {
            return Err(Failure::SourceChanged);
        }
    }
    Ok(now)
}
