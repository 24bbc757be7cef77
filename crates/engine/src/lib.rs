//! The transfer engine: a durable queue of chunked, resumable uploads, and the workers that carry
//! it out. Everything it needs of a screen, a keychain or a window system comes through arguments.
//!
//! [`start`] it on a queue, [`EngineHandle::connect`] it to a team, [`EngineHandle::add`] files.
//!
//! Must not know: Tauri, axum, the team server's code.

pub mod activity;
mod awake;
pub mod candidates;
mod census;
mod changes;
mod chores;
pub mod clock;
mod commands;
mod connections;
mod duplicates;
mod engine;
pub mod error;
pub mod folders;
mod handle;
mod heartbeat;
mod history;
mod id;
mod job;
pub mod ledger;
pub mod library;
pub mod local_playback;
mod looks;
pub mod net;
mod network;
#[cfg(test)]
mod order_tests;
pub mod part_map;
mod places;
pub mod preferences;
mod profile;
mod progress;
pub mod protocol;
mod queue;
pub mod rules;
mod running;
mod send;
pub mod source;
mod sources;
mod steps;
pub mod store;
mod surroundings;
pub mod team;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
mod touched;
pub mod transfer;
pub mod view;
pub mod watch;

pub use engine::{Options, start};
pub use handle::{EngineHandle, EngineTask};
pub use profile::Profile;
