//! What is seen of a folder as a whole.

use serde::{Deserialize, Serialize};

use crate::watch::Unreadable;

/// How a folder can be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// The folder as a whole.
    pub sight: Sight,
    /// What in it cannot be looked at.
    pub unreadable: Unreadable,
}

/// How many files there is something to be said of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Files that are looked at until they are finished and taken.
    pub unsettled: usize,
    /// Files that the rules did not take when all of the folder was last looked through.
    pub ignored: usize,
}

/// How changes in a folder are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(tag = "kind", content = "why", rename_all = "snake_case")]
pub enum Sight {
    /// It has not been looked at yet.
    Starting,
    /// The system tells of them at once.
    Watching,
    /// They are found by looking again and again.
    Polling(Blind),
    /// The folder is not there.
    NotThere,
}

/// Why the system does not tell of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "typescript", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Blind {
    /// The drive is one that others may change, or that may be pulled out.
    Drive,
    /// There are more folders than the system watches.
    TooManyFolders,
    /// It refuses.
    Refused,
}
