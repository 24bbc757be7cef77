//! What lies in the bucket and is no video's: left by a crash between the storage and the row.
//!
//! Only below the prefix that this server writes to, and only what is old enough that no call which
//! made it can still be running.

use dailies_database::DatabaseError;

use super::{Progress, SweepError, before};
use crate::db::videos::idle;
use crate::keys::OBJECTS;
use crate::storage::Stored;
use crate::team_api::Team;

/// Aborts multipart uploads that no row names.
pub(super) async fn uploads(team: &Team, after: Option<&str>) -> Result<Progress, SweepError> {
    let page = team.ingest.storage.open_uploads(OBJECTS, after).await?;
    let old = old(team, page.stored);
    let ids: Vec<String> = old.iter().filter_map(|upload| upload.upload_id.clone()).collect();
    let lost = team
        .database
        .read::<_, DatabaseError, _>(move |connection| idle::unnamed_uploads(connection, ids))
        .await?;
    for Stored { key, upload_id, .. } in old {
        if let Some(id) = upload_id.filter(|id| lost.contains(id)) {
            tracing::info!(key, "an upload that is no video's is removed from the storage");
            team.ingest.storage.abort_multipart(&key, &id).await?;
        }
    }
    Ok(page.next.map_or(Progress::Done, |next| Progress::More(Some(next))))
}

/// Deletes objects that no row names.
pub(super) async fn objects(team: &Team, after: Option<&str>) -> Result<Progress, SweepError> {
    let page = team.ingest.storage.objects(OBJECTS, after).await?;
    let keys = old(team, page.stored).into_iter().map(|object| object.key).collect();
    let lost = team
        .database
        .read::<_, DatabaseError, _>(move |connection| idle::unnamed_keys(connection, keys))
        .await?;
    for key in lost {
        tracing::info!(key, "an object that is no video's is removed from the storage");
        team.ingest.storage.delete(&key).await?;
    }
    Ok(page.next.map_or(Progress::Done, |next| Progress::More(Some(next))))
}

fn old(team: &Team, stored: Vec<Stored>) -> Vec<Stored> {
    let before = before(team.limits.lost_after);
    stored.into_iter().filter(|stored| stored.since <= before).collect()
}
