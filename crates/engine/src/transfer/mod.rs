//! The pure core: what an upload is, how it moves, how its bytes are divided, what failures mean.
//!
//! Must not know: I/O, tokio, SQL, the wall clock. Time comes in as an argument.

mod event;
mod failure;
mod id;
mod list;
mod machine;
mod pace;
mod phase;
mod plan;
mod words;

pub use event::{Event, Why};
pub use failure::{Failure, Verdict, judge};
pub use id::UploadId;
pub use list::List;
pub use machine::{Effect, Input, State, step};
pub use pace::Pace;
pub use phase::{Hold, HoldKind, Phase, Timestamp};
pub use plan::{ByteRange, PartNumber, PartPlan, PlanError};
pub use words::Words;
