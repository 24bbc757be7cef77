//! Files that go up while they are still being written.

use serde::{Deserialize, Serialize};

/// How far the file is of an upload that began before it was finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Growth {
    /// It is still being written: what cannot change any more goes up, and its size is not said.
    Growing,
    /// It is finished. What was sent of it before is compared with it before it counts.
    Grown,
}
