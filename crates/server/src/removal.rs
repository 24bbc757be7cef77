//! Finishes what the removal of a video began: takes its bytes out of the storage and its assets out
//! of the media engine. What fails is tried again, also after a restart, until nothing is left.

use std::time::Duration;

use dailies_database::DatabaseError;
use tokio::sync::Notify;

use crate::clock::now_millis;
use crate::db::removals::{self, Removal};
use crate::db::videos::Original;
use crate::ingest::{Ingest, IngestError};
use crate::keys::object_prefix;

/// Between looks for what came late, and for what nobody told of.
const ROUND: Duration = Duration::from_mins(10);
/// After a failure; doubled at each that follows, up to [`ROUND`].
const AGAIN: Duration = Duration::from_secs(5);

/// Removes at once what waits, then whenever `begun` says so; ends when dropped.
pub(crate) async fn run(ingest: &Ingest, begun: &Notify) {
    let mut again = AGAIN;
    loop {
        let wait = match all(ingest).await {
            Ok(()) => {
                again = AGAIN;
                ROUND
            }
            Err(error) => {
                tracing::warn!(%error, "a removed video has left something; tried again");
                let wait = again;
                again = (again * 2).min(ROUND);
                wait
            }
        };
        tokio::select! {
            () = begun.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }
}

/// Everything that is due; one that fails does not hold up the others.
async fn all(ingest: &Ingest) -> Result<(), IngestError> {
    let due =
        ingest.database.read::<_, DatabaseError, _>(|c| removals::due(c, now_millis())).await?;
    let mut failed = None;
    for removal in due {
        if let Err(error) = one(ingest, removal).await {
            failed = Some(error);
        }
    }
    failed.map_or(Ok(()), Err)
}

async fn one(ingest: &Ingest, removal: Removal) -> Result<(), IngestError> {
    // Assets first: the engine may still be reading the original.
    for asset in &removal.assets {
        ingest.mux.delete_asset(asset).await?;
    }
    ingest.storage.empty(&object_prefix(&removal.video_id)).await?;
    match &removal.original {
        None => {}
        Some(Original::Stored(key)) => ingest.storage.delete(key).await?,
        Some(Original::Direct(upload_id)) => ingest.drop_direct(upload_id).await?,
    }
    tracing::info!(video = removal.video_id, "what was left of a removed video is gone");
    ingest
        .database
        .write::<_, DatabaseError, _>(move |connection| removals::done(connection, &removal))
        .await?;
    Ok(())
}
