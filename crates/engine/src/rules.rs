//! How fast uploads may go, and how many at once: what somebody has set, and when it holds.

use std::time::Duration;

use dailies_database::DatabaseError;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::engine::Engine;
use crate::job::Kind;
use crate::store::{Setting, Store};
use crate::transfer::{Allowance, Rate, Schedule, Timestamp};

/// Uploads that may work at the same time, at the most.
pub const MOST_UPLOADS: usize = 16;
/// The longest time until the schedule is looked at while something waits for it: the clock may be
/// set, or the computer be in another time zone.
const LOOK: Duration = Duration::from_secs(60);

/// What somebody has set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RulesView {
    /// Bytes a second of all uploads together, where the schedule says nothing.
    pub limit: Option<Rate>,
    /// One rule each, in words.
    pub schedule: Vec<String>,
    /// Uploads that work at the same time.
    pub uploads: usize,
}

/// What is set, and what holds of it.
#[derive(Debug)]
pub(crate) struct Rules {
    limit: Option<Rate>,
    schedule: Schedule,
    /// What holds now.
    allowance: Allowance,
}

impl Rules {
    /// What was set at an earlier start, and the number of uploads, if one was.
    pub(crate) async fn load(store: &Store) -> Result<(Self, Option<usize>), DatabaseError> {
        let limit = read(store, Setting::Limit).await?;
        let schedule = read(store, Setting::Schedule).await?.unwrap_or_default();
        let uploads = read(store, Setting::Uploads).await?;
        Ok((Self { limit, schedule, allowance: Allowance::Full }, uploads))
    }

    fn at(&self, now: Timestamp) -> Allowance {
        let usual = self.limit.map_or(Allowance::Full, Allowance::Limit);
        self.schedule.at(now, &TimeZone::system()).unwrap_or(usual)
    }

    /// No bytes may go now.
    pub(crate) fn pause(&self) -> bool {
        self.allowance == Allowance::Pause
    }

    /// When something else may hold.
    pub(crate) fn due(&self, now: Timestamp) -> Option<Timestamp> {
        let change = self.schedule.changes(now, &TimeZone::system())?;
        Some(change.min(now.after(LOOK)))
    }
}

/// A setting; one that makes no sense to this version is none.
async fn read<T: std::str::FromStr>(
    store: &Store,
    setting: Setting,
) -> Result<Option<T>, DatabaseError> {
    let text = store.setting(setting).await?;
    let value = text.as_deref().map(str::parse);
    if let Some(Err(_)) = value {
        tracing::warn!(?setting, "a setting makes no sense and is left out");
    }
    Ok(value.and_then(Result::ok))
}

impl Engine {
    /// Lets hold what is to hold now.
    pub(crate) fn keep_rules(&mut self) {
        let allowance = self.rules.at(self.now());
        if allowance == self.rules.allowance {
            return;
        }
        tracing::info!(%allowance, "uploads may go at another speed");
        self.rules.allowance = allowance;
        match allowance {
            Allowance::Full => self.line.set_limit(None),
            Allowance::Limit(rate) => self.line.set_limit(Some(rate)),
            Allowance::Pause => {
                let running = self.queue.loaded().filter_map(|entry| entry.running.as_ref());
                for running in running.filter(|running| running.kind == Kind::Send) {
                    running.stop.cancel();
                }
            }
        }
    }

    pub(crate) fn rules_view(&self) -> RulesView {
        RulesView {
            limit: self.rules.limit,
            schedule: self.rules.schedule.rules().iter().map(ToString::to_string).collect(),
            uploads: self.options.uploads,
        }
    }

    pub(crate) async fn set_limit(&mut self, limit: Option<Rate>) {
        self.rules.limit = limit;
        self.remember(Setting::Limit, limit.map(|rate| rate.to_string())).await;
    }

    pub(crate) async fn set_schedule(&mut self, schedule: Schedule) {
        let words = (!schedule.rules().is_empty()).then(|| schedule.to_string());
        self.rules.schedule = schedule;
        self.remember(Setting::Schedule, words).await;
    }

    pub(crate) async fn set_uploads(&mut self, uploads: usize) {
        self.options.uploads = uploads.clamp(1, MOST_UPLOADS);
        self.remember(Setting::Uploads, Some(self.options.uploads.to_string())).await;
    }
}
