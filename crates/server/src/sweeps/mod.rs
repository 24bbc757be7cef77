//! Background jobs: what nobody is at any more is given up, what no row names is removed.
//!
//! Owns: which jobs there are and when. Each runs in small batches and remembers in the database
//! when it is due and how far it came, so that a restart neither skips one nor starts all at once.
//! Must not know: HTTP.

mod expired;
mod idle_uploads;
mod lost;

use std::sync::Arc;
use std::time::Duration;

use dailies_database::DatabaseError;

use crate::clock::now_millis;
use crate::db::sweeps::{self, Due};
use crate::ingest::IngestError;
use crate::storage::StorageError;
use crate::team_api::Team;

/// Rows, or things in the storage, of one batch.
const BATCH: u32 = 200;
/// Until the first job of a new server; the others follow at the same distance.
const FIRST: i64 = 60_000;
/// After a run that failed, or that did not end.
const AGAIN: i64 = 5 * 60_000;
/// The longest that one batch may take.
const PATIENCE: Duration = Duration::from_mins(4);

/// The jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sweep {
    /// Uploads that nothing happened to for a day, begun or not.
    IdleUploads,
    /// Multipart uploads in the bucket that no row names.
    LostUploads,
    /// Objects in the bucket that no row names.
    LostObjects,
    /// Rows past their time.
    ExpiredRows,
    /// Whether the teams' sums are those of their videos.
    Sums,
}

impl Sweep {
    const ALL: [Self; 5] =
        [Self::IdleUploads, Self::ExpiredRows, Self::LostUploads, Self::LostObjects, Self::Sums];

    fn name(self) -> &'static str {
        match self {
            Self::IdleUploads => "idle_uploads",
            Self::LostUploads => "lost_uploads",
            Self::LostObjects => "lost_objects",
            Self::ExpiredRows => "expired_rows",
            Self::Sums => "sums",
        }
    }

    /// Milliseconds from the end of a whole run to the next.
    fn every(self) -> i64 {
        const MINUTE: i64 = 60_000;
        match self {
            Self::IdleUploads | Self::ExpiredRows => 15 * MINUTE,
            Self::LostUploads | Self::LostObjects => 6 * 60 * MINUTE,
            Self::Sums => 24 * 60 * MINUTE,
        }
    }
}

/// How far a batch came.
enum Progress {
    Done,
    /// There is more, from here on if the job needs to know where.
    More(Option<String>),
}

/// Why a batch did not end well. What it did until then is done.
#[derive(Debug, thiserror::Error)]
enum SweepError {
    #[error(transparent)]
    Database(#[from] DatabaseError),
    #[error(transparent)]
    Storage(#[from] StorageError),
    #[error(transparent)]
    Ingest(#[from] IngestError),
    #[error("it took too long")]
    Slow,
}

/// Runs whatever is due; ends when dropped.
pub(crate) async fn run(team: Arc<Team>) {
    let mut rounds = tokio::time::interval(team.limits.sweep_round);
    rounds.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut planned = false;
    loop {
        rounds.tick().await;
        if !planned {
            planned = plan(&team).await.is_ok();
        }
        // One batch after the other, each by itself: a run that goes on is due at once.
        loop {
            match round(&team).await {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    tracing::warn!(%error, "background jobs could not be looked up");
                    break;
                }
            }
        }
    }
}

async fn plan(team: &Team) -> Result<(), DatabaseError> {
    let now = now_millis();
    team.database
        .write::<_, DatabaseError, _>(move |connection| {
            for (sweep, number) in Sweep::ALL.into_iter().zip(1..) {
                sweeps::plan(connection, sweep.name(), now + number * FIRST)?;
            }
            Ok(())
        })
        .await
}

/// One batch of the job that has been due longest; false where none is.
async fn round(team: &Team) -> Result<bool, DatabaseError> {
    let now = now_millis();
    let take = move |connection: &_| sweeps::take(connection, now, now + AGAIN);
    let Some(Due { name, cursor }) = team.database.write::<_, DatabaseError, _>(take).await? else {
        return Ok(false);
    };
    let Some(sweep) = Sweep::ALL.into_iter().find(|sweep| sweep.name() == name) else {
        // A newer version's; it is due again later, for whoever knows it.
        return Ok(true);
    };
    let batch = Box::pin(batch(team, sweep, cursor.as_deref()));
    let result = tokio::time::timeout(PATIENCE, batch).await.unwrap_or(Err(SweepError::Slow));
    let now = now_millis();
    let (due, cursor, error) = match result {
        Ok(Progress::Done) => (now + sweep.every(), None, None),
        Ok(Progress::More(cursor)) => (now, cursor, None),
        Err(error) => {
            tracing::warn!(job = sweep.name(), %error, "a background job failed; it tries again");
            (now + AGAIN, cursor, Some(error.to_string()))
        }
    };
    team.database
        .write::<_, DatabaseError, _>(move |connection| {
            sweeps::ended(connection, sweep.name(), due, cursor.as_deref(), error.as_deref())
        })
        .await?;
    Ok(true)
}

async fn batch(team: &Team, sweep: Sweep, cursor: Option<&str>) -> Result<Progress, SweepError> {
    match sweep {
        Sweep::IdleUploads => idle_uploads::sweep(team).await,
        Sweep::LostUploads => lost::uploads(team, cursor).await,
        Sweep::LostObjects => lost::objects(team, cursor).await,
        Sweep::ExpiredRows => expired::rows(team).await,
        Sweep::Sums => expired::sums(team).await,
    }
}

/// This long ago, in milliseconds since 1970.
fn before(age: Duration) -> i64 {
    now_millis() - i64::try_from(age.as_millis()).unwrap_or(i64::MAX / 2)
}
