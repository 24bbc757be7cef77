//! Rows past their time, and the one check that nothing should ever need.

use dailies_database::DatabaseError;

use super::{BATCH, Progress, SweepError};
use crate::chunked_sessions;
use crate::clock::now_millis;
use crate::db::{chunk_sessions, idempotency, quota};
use crate::team_api::Team;

pub(super) async fn rows(team: &Team) -> Result<Progress, SweepError> {
    let now = now_millis();
    let over = move |connection: &_| chunk_sessions::expired(connection, now, BATCH);
    let over = team.database.read::<_, DatabaseError, _>(over).await?;
    let mut whole = over.len() < BATCH as usize;
    for id in over {
        if let Err(error) = chunked_sessions::expire(team, id).await {
            tracing::warn!(session = id, ?error, "an upload session could not be ended");
            whole = true;
        }
    }
    let dropped = team
        .database
        .write::<_, DatabaseError, _>(move |connection| {
            Ok(idempotency::drop_old(connection, now, BATCH)?
                .max(chunk_sessions::drop_old(connection, now, BATCH)?))
        })
        .await?;
    whole &= dropped < BATCH as usize;
    Ok(if whole { Progress::Done } else { Progress::More(None) })
}

/// The sums follow the rows by triggers; a difference is a fault of ours or of the disk.
pub(super) async fn sums(team: &Team) -> Result<Progress, SweepError> {
    let wrong = team.database.read::<_, DatabaseError, _>(quota::wrong_sums).await?;
    for team in wrong {
        tracing::error!(team, "what the team is charged is not what its videos take");
    }
    Ok(Progress::Done)
}
