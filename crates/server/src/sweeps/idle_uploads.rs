//! Uploads that nothing happened to for a day: the client is gone, or never came.

use dailies_database::DatabaseError;

use super::{BATCH, Progress, SweepError, before};
use crate::clock::now_millis;
use crate::db::videos::{self, idle};
use crate::team_api::Team;

/// What the video says then.
const REASON: &str = "Nothing was uploaded for 24 hours. Upload the file again.";

pub(super) async fn sweep(team: &Team) -> Result<Progress, SweepError> {
    let before = before(team.limits.idle_upload);
    let idle = move |connection: &_| idle::idle(connection, before, BATCH);
    let idle = team.database.read::<_, DatabaseError, _>(idle).await?;
    let whole = idle.len() < BATCH as usize;
    for id in idle {
        expire(team, id, before).await?;
    }
    Ok(if whole { Progress::Done } else { Progress::More(None) })
}

/// Row first, under the time that was looked up: an upload that goes on at this very moment either
/// finds its row given up, or keeps all it has. What a crash in between leaves in the storage is
/// found by [`super::lost`].
async fn expire(team: &Team, id: String, before: i64) -> Result<(), SweepError> {
    let _held = team.locks.hold(&id).await;
    let get = move |connection: &_| videos::get(connection, &id);
    let Some(video) = team.database.read::<_, DatabaseError, _>(get).await? else { return Ok(()) };
    let seen = video.clone();
    let expired = team
        .database
        .write::<_, DatabaseError, _>(move |connection| {
            idle::expire(connection, &seen, before, REASON, now_millis())
        })
        .await?;
    if expired {
        tracing::info!(video = video.id, "an idle upload was given up");
        team.drop_stored(&video).await?;
    }
    Ok(())
}
