//! The team API's client: what answers at an address and as whom it is called, function calls,
//! where uploads may go, playback sessions.
//!
//! Must not know: SQL, browsers, files but the one that credentials are kept in.

mod about;
pub mod address;
mod call;
mod caller;
mod connection;
mod credentials;
mod identity;
mod issuer;
mod kind;
mod library;
mod loopback;
mod playback;
mod probe;
mod projects;
mod renewal;
mod sign_in;
mod vault;

pub(crate) use about::about;
pub(crate) use call::function_failure;
pub use call::{TeamClient, TeamError};
pub(crate) use caller::Answer;
pub use caller::Caller;
pub use connection::{Api, Connection, Dialect, Known, Team};
pub use credentials::{Credentials, SignedIn, Tokens};
pub use identity::Identity;
pub use kind::ProtocolKind;
pub use sign_in::{SigningIn, sign_out};
pub use vault::{Kept, Vault};
