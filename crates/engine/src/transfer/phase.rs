//! The two columns of an upload's state.

use serde::{Deserialize, Serialize};

use crate::error::Code;

/// Milliseconds since 1970 by the wall clock, which goes on while the computer sleeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS), ts(type = "number"))]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The time `duration` after this one.
    #[must_use]
    pub fn after(self, duration: std::time::Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// Whether a wait until this time is over: the time has come, or lies further ahead than the
    /// `longest` wait there is, because the clock was set back since.
    #[must_use]
    pub fn is_over(self, now: Self, longest: std::time::Duration) -> bool {
        self <= now || self > now.after(longest)
    }
}

/// How far an upload is. It only ever moves forward; each can be run again from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Known on this computer only.
    Queued,
    /// Being registered with the team and given a session.
    Beginning,
    /// Bytes go up.
    Uploading,
    /// Every part is there; the object is put together and checked.
    Finishing,
    /// The bytes are with the team; the media engine works.
    Processing,
    /// It can be played.
    Ready,
}

/// Why an upload is not moving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Hold {
    /// It moves, or will when its turn comes.
    None,
    /// Somebody paused it.
    Paused,
    /// Something failed that may pass.
    Backoff {
        /// When it is tried again.
        until: Timestamp,
    },
    /// There is no network, or no way to the other side. Burns no attempts.
    Offline {
        /// When the way is tried again.
        until: Timestamp,
    },
    /// The file is not where it was; goes on when it is back.
    SourceMissing,
    /// Somebody has to do something.
    NeedsUser {
        /// What.
        code: Code,
    },
    /// Somebody cancelled it.
    Cancelled,
    /// It will not go on by itself.
    Failed {
        /// Why.
        code: Code,
    },
}

/// A [`Hold`] without what goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum HoldKind {
    /// [`Hold::None`].
    None,
    /// [`Hold::Paused`].
    Paused,
    /// [`Hold::Backoff`].
    Backoff,
    /// [`Hold::Offline`].
    Offline,
    /// [`Hold::SourceMissing`].
    SourceMissing,
    /// [`Hold::NeedsUser`].
    NeedsUser,
    /// [`Hold::Cancelled`].
    Cancelled,
    /// [`Hold::Failed`].
    Failed,
}

impl Hold {
    /// Which it is.
    #[must_use]
    pub fn kind(self) -> HoldKind {
        match self {
            Self::None => HoldKind::None,
            Self::Paused => HoldKind::Paused,
            Self::Backoff { .. } => HoldKind::Backoff,
            Self::Offline { .. } => HoldKind::Offline,
            Self::SourceMissing => HoldKind::SourceMissing,
            Self::NeedsUser { .. } => HoldKind::NeedsUser,
            Self::Cancelled => HoldKind::Cancelled,
            Self::Failed { .. } => HoldKind::Failed,
        }
    }

    /// Nothing will happen to it without somebody's doing.
    #[must_use]
    pub fn is_end(self) -> bool {
        matches!(self, Self::Cancelled | Self::Failed { .. })
    }

    /// When it has to be looked at again.
    #[must_use]
    pub fn due(self) -> Option<Timestamp> {
        match self {
            Self::Backoff { until } | Self::Offline { until } => Some(until),
            _ => None,
        }
    }
}
