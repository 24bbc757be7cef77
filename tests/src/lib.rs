//! The harness of the end-to-end tests: real processes, real files, and a network that breaks on
//! order.
//!
//! A test sets up a [`Stage`]: a team server in a folder of its own, and a [`FaultProxy`] between
//! its storage and whoever uploads. The uploader is the real program ([`Dailies`]) or the engine
//! in the test's own process ([`Uploader`]). Every wait is for an event, and every wait ends.
//!
//! Must not know: the inside of the server or the engine. What it says of them it has from their
//! interfaces.

#[cfg(target_os = "linux")]
mod bus;
pub mod clips;
pub mod conformance;
pub mod counterparts;
mod dailies;
mod documented;
#[cfg(unix)]
pub mod faults;
mod garage;
mod gcs;
pub mod hash;
pub mod hls;
mod media;
mod oidc;
mod programs;
pub mod proxy;
#[cfg(unix)]
mod recording;
mod server;
mod server_log;
mod stage;
mod storage;
mod team;
mod uploader;
pub mod watched;
mod web_proxy;
mod wire;

#[cfg(target_os = "linux")]
pub use bus::{Bus, Metered};
pub use dailies::{Dailies, Ended, Running};
pub use documented::only_documented;
pub use garage::Garage;
pub use gcs::Gcs;
pub use oidc::OidcProvider;
pub use programs::{build_folder, kills, program};
pub use proxy::FaultProxy;
#[cfg(unix)]
pub use recording::Recording;
pub use server::Server;
pub use server_log::{ServerLog, StoredPart};
pub use stage::Stage;
pub use storage::Storage;
pub use team::TeamApi;
pub use uploader::{Uploader, quick};
pub use web_proxy::WebProxy;
pub use wire::Wire;
