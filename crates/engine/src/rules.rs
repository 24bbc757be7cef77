//! How fast uploads may go, how many at once, and where they wait: what somebody has set, and what
//! of it holds.

use std::time::Duration;

use dailies_database::DatabaseError;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use crate::engine::Engine;
use crate::store::{Setting, Store};
use crate::surroundings::{Power, Surroundings};
use crate::transfer::{Allowance, Rate, Schedule, Timestamp};
use crate::view::{AllowanceView, News};

/// Uploads that may work at the same time, at the most.
pub const MOST_UPLOADS: usize = 16;
/// The longest time until the schedule is looked at while something waits for it: the clock may be
/// set, or the computer be in another time zone.
const LOOK: Duration = Duration::from_secs(60);

/// What somebody has set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "camelCase")]
pub struct RulesView {
    /// Bytes a second of all uploads together, where the schedule says nothing.
    #[cfg_attr(feature = "typescript", ts(type = "number | null"))]
    pub limit: Option<Rate>,
    /// One rule each, in words.
    pub schedule: Vec<String>,
    /// Uploads that work at the same time.
    #[cfg_attr(feature = "typescript", ts(type = "number"))]
    pub uploads: usize,
    /// As [`Switch::PauseOnMetered`].
    pub pause_on_metered: bool,
    /// As [`Switch::PauseOnBattery`].
    pub pause_on_battery: bool,
    /// As [`Switch::KeepAwake`].
    pub keep_awake: bool,
}

/// Something that is on or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Switch {
    /// No bytes are sent over a network that is metered. On, where nobody says otherwise.
    PauseOnMetered,
    /// No bytes are sent while the computer runs on battery. Off, where nobody says otherwise.
    PauseOnBattery,
    /// The computer does not go to sleep of itself while bytes are sent. On, where nobody says
    /// otherwise.
    KeepAwake,
}

/// What is set, and what holds of it.
#[derive(Debug)]
pub(crate) struct Rules {
    limit: Option<Rate>,
    schedule: Schedule,
    pause_on_metered: bool,
    pause_on_battery: bool,
    keep_awake: bool,
    /// Somebody wants bytes to be sent in these surroundings, whatever is set.
    despite: Option<Surroundings>,
    /// What holds now.
    holds: Holds,
}

/// What holds at one moment, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    Usual(Option<Rate>),
    Scheduled(Allowance),
    Metered,
    Battery,
}

impl Rules {
    /// What was set at an earlier start, and the number of uploads, if one was.
    pub(crate) async fn load(store: &Store) -> Result<(Self, Option<usize>), DatabaseError> {
        let limit = read(store, Setting::Limit).await?;
        let schedule = read(store, Setting::Schedule).await?.unwrap_or_default();
        let uploads = read(store, Setting::Uploads).await?;
        let rules = Self {
            limit,
            schedule,
            pause_on_metered: read(store, Setting::PauseOnMetered).await?.unwrap_or(true),
            pause_on_battery: read(store, Setting::PauseOnBattery).await?.unwrap_or(false),
            keep_awake: read(store, Setting::KeepAwake).await?.unwrap_or(true),
            despite: None,
            holds: Holds::Usual(None),
        };
        Ok((rules, uploads))
    }

    /// Of several reasons to pause, the one that ends by itself is said last.
    fn at(&self, now: Timestamp, around: Surroundings) -> Holds {
        let heeded = self.despite.is_none();
        if heeded && self.pause_on_metered && around.metered.costs() {
            Holds::Metered
        } else if heeded && self.pause_on_battery && around.power == Power::Battery {
            Holds::Battery
        } else {
            let scheduled = self.schedule.at(now, &TimeZone::system());
            scheduled.map_or(Holds::Usual(self.limit), Holds::Scheduled)
        }
    }

    /// No bytes may go now.
    pub(crate) fn pause(&self) -> bool {
        match self.holds {
            Holds::Usual(_) | Holds::Scheduled(Allowance::Full | Allowance::Limit(_)) => false,
            Holds::Scheduled(Allowance::Pause) | Holds::Metered | Holds::Battery => true,
        }
    }

    pub(crate) fn keep_awake(&self) -> bool {
        self.keep_awake
    }

    pub(crate) fn allowance_view(&self, now: Timestamp) -> AllowanceView {
        match self.holds {
            Holds::Usual(None) | Holds::Scheduled(Allowance::Full) => AllowanceView::Full,
            Holds::Usual(Some(rate)) | Holds::Scheduled(Allowance::Limit(rate)) => {
                AllowanceView::Limit { bytes_per_second: rate.get() }
            }
            Holds::Scheduled(Allowance::Pause) => {
                AllowanceView::Schedule { until: self.schedule.ends(now, &TimeZone::system()) }
            }
            Holds::Metered => AllowanceView::Metered,
            Holds::Battery => AllowanceView::Battery,
        }
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
        let around = self.lookout.now();
        // It was said of those surroundings, not of the same ones on another day.
        self.rules.despite = self.rules.despite.filter(|despite| *despite == around);
        let holds = self.rules.at(self.now(), around);
        if holds == self.rules.holds {
            return;
        }
        self.rules.holds = holds;
        let allowance = self.allowance_view();
        tracing::info!(?allowance, "uploads may go at another speed");
        self.publish(News::Allowance { allowance });
        match holds {
            Holds::Usual(limit) => self.line.set_limit(limit),
            Holds::Scheduled(Allowance::Limit(rate)) => self.line.set_limit(Some(rate)),
            Holds::Scheduled(Allowance::Full) => self.line.set_limit(None),
            Holds::Scheduled(Allowance::Pause) | Holds::Metered | Holds::Battery => {
                let running = self.queue.loaded().filter_map(|entry| entry.running.as_ref());
                for running in running.filter(|running| running.kind.sends()) {
                    running.stop.cancel();
                }
            }
        }
    }

    pub(crate) fn allowance_view(&self) -> AllowanceView {
        self.rules.allowance_view(self.now())
    }

    pub(crate) fn rules_view(&self) -> RulesView {
        RulesView {
            limit: self.rules.limit,
            schedule: self.rules.schedule.rules().iter().map(ToString::to_string).collect(),
            uploads: self.options.uploads,
            pause_on_metered: self.rules.pause_on_metered,
            pause_on_battery: self.rules.pause_on_battery,
            keep_awake: self.rules.keep_awake,
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
        // What holds now may be the same, and end at another time.
        self.keep_rules();
        self.publish(News::Allowance { allowance: self.allowance_view() });
    }

    pub(crate) async fn set_uploads(&mut self, uploads: usize) {
        self.options.uploads = uploads.clamp(1, MOST_UPLOADS);
        self.remember(Setting::Uploads, Some(self.options.uploads.to_string())).await;
    }

    pub(crate) async fn turn(&mut self, switch: Switch, on: bool) {
        let (state, setting) = match switch {
            Switch::PauseOnMetered => (&mut self.rules.pause_on_metered, Setting::PauseOnMetered),
            Switch::PauseOnBattery => (&mut self.rules.pause_on_battery, Setting::PauseOnBattery),
            Switch::KeepAwake => (&mut self.rules.keep_awake, Setting::KeepAwake),
        };
        *state = on;
        self.remember(setting, Some(on.to_string())).await;
    }

    /// Lets bytes be sent in the surroundings of this moment, whatever is set for them.
    pub(crate) fn send_here(&mut self) {
        self.rules.despite = Some(self.lookout.now());
    }
}
