//! The pure core: what an upload is, how it moves, how its bytes are divided, what failures mean.
//!
//! Must not know: I/O, tokio, SQL, the wall clock. Time comes in as an argument.

mod event;
mod failure;
mod growth;
mod id;
mod lanes;
mod list;
mod machine;
mod pace;
mod phase;
mod plan;
mod rate;
mod reach;
mod schedule;
mod shares;
mod words;

pub use event::{Event, Why};
pub use failure::{Failure, Verdict, judge};
pub(crate) use failure::{LITTLE_PATIENCE, LONGEST_OBEYED};
pub use growth::Growth;
pub use id::UploadId;
pub use lanes::{Lanes, Losses};
pub use list::List;
pub use machine::{Effect, Input, State, step};
pub use pace::Pace;
pub use phase::{Hold, HoldKind, Phase, Timestamp};
pub use plan::{ByteRange, PartNumber, PartPlan, PlanError};
pub use rate::{NoRate, Rate};
pub use reach::{Reach, Turn};
pub use schedule::{Allowance, NoRule, Rule, Schedule};
pub use shares::{Leave, Shares};
pub use words::Words;
