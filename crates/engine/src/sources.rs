//! Looking for files that were missing.

use std::path::Path;

use crate::store::Store;
use crate::transfer::UploadId;

/// Files looked for at a time.
const BATCH: u64 = 500;

/// The uploads whose missing files are there again, in whatever version.
pub(crate) async fn back(store: Store) -> Vec<UploadId> {
    let mut back = Vec::new();
    let mut last = None;
    loop {
        let batch = match store.missing(last, BATCH).await {
            Ok(batch) if batch.is_empty() => return back,
            Ok(batch) => batch,
            Err(error) => {
                tracing::error!(%error, "missing files could not be looked for");
                return back;
            }
        };
        last = batch.last().map(|(id, _)| *id);
        let there = |path: &Path| std::fs::metadata(path).is_ok_and(|file| file.is_file());
        let found = tokio::task::spawn_blocking(move || {
            let mut gone = None;
            let mut found = Vec::new();
            for (id, path) in batch {
                // A drive that is not there is asked for once, not once for each of its files.
                let folder = path.parent().map(Path::to_owned);
                if folder.is_some() && folder == gone {
                    continue;
                }
                if there(&path) {
                    found.push(id);
                } else if !folder.as_deref().is_some_and(Path::exists) {
                    gone = folder;
                }
            }
            found
        });
        back.extend(found.await.unwrap_or_default());
    }
}
