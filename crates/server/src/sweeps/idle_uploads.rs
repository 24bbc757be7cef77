//! Uploads that nothing happened to for a day: the client is gone, or never came.

use dailies_api::direct_uploads::DirectUpload;
use dailies_database::DatabaseError;

use super::{BATCH, Progress, SweepError, before};
use crate::clock::now_millis;
use crate::db::videos::{self, Original, idle};
use crate::direct_uploads::standing;
use crate::team_api::Team;

/// What the video says then.
const REASON: &str = "Nothing was uploaded for 24 hours. Upload the file again.";

pub(super) async fn sweep(team: &Team) -> Result<Progress, SweepError> {
    let before = before(team.limits.idle_upload);
    let idle = move |connection: &_| idle::idle(connection, before, BATCH);
    let idle = team.database.read::<_, DatabaseError, _>(idle).await?;
    let mut whole = idle.len() < BATCH as usize;
    for id in idle {
        whole |= !decided(team, id, before).await?;
    }
    Ok(if whole { Progress::Done } else { Progress::More(None) })
}

/// False where nobody could say what is to become of it: it is asked about again later.
///
/// Row first, under the time that was looked up: an upload that goes on at this very moment either
/// finds its row given up, or keeps all it has. What a crash in between leaves in the storage is
/// found by [`super::lost`].
async fn decided(team: &Team, id: String, before: i64) -> Result<bool, SweepError> {
    let _held = team.locks.hold(&id).await;
    let get = move |connection: &_| videos::get(connection, &id);
    let Some(video) = team.database.read::<_, DatabaseError, _>(get).await? else {
        return Ok(true);
    };
    if let Some(Original::Direct(_)) = &video.original {
        // Only the media engine sees its bytes come, and it ends what none come for.
        match standing(team, &video).await {
            Ok(DirectUpload::Ended { .. }) => {}
            Ok(DirectUpload::Waiting { .. } | DirectUpload::Uploaded { .. }) => return Ok(true),
            Err(error) => {
                tracing::warn!(video = video.id, %error, "a direct upload was asked about in vain");
                return Ok(false);
            }
        }
    }
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
    Ok(true)
}
