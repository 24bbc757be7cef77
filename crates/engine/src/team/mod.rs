//! The team API's client: function calls, where uploads may go, playback sessions.
//!
//! Must not know: files, SQL.

mod call;
mod caller;
mod connection;

pub(crate) use call::function_failure;
pub use call::{TeamClient, TeamError};
pub(crate) use caller::Answer;
pub use caller::Caller;
pub use connection::{Connection, Dialect, Team};
