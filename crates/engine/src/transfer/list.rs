//! The lists that a queue is shown in.

use serde::{Deserialize, Serialize};

use crate::transfer::{Hold, Phase, State};

/// Where an upload is shown. Follows from its state alone, so that a list can be read page by page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum List {
    /// Begun, and nothing holds it for longer than a hiccup.
    Uploading,
    /// Stands still until somebody does something.
    NeedsYou,
    /// Its turn has not come, somebody paused it, or there is no network.
    Waiting,
    /// Ready, or cancelled. Newest first.
    Done,
}

impl List {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 4] = [Self::Uploading, Self::NeedsYou, Self::Waiting, Self::Done];

    /// The list of a state. The table of uploads derives the same in SQL.
    #[must_use]
    pub fn of(State { phase, hold, .. }: State) -> Self {
        match (hold, phase) {
            (Hold::Cancelled, _) | (_, Phase::Ready) => Self::Done,
            (Hold::NeedsUser { .. } | Hold::Failed { .. } | Hold::SourceMissing, _) => {
                Self::NeedsYou
            }
            (Hold::Paused | Hold::Offline { .. }, _) | (_, Phase::Queued) => Self::Waiting,
            (Hold::None | Hold::Backoff { .. }, _) => Self::Uploading,
        }
    }
}
