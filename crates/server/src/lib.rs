//! `dailies-server`: the team's side of Dailies on one computer.
//!
//! Three parts that talk to each other only through their public protocols: [`team_api`] (Convex
//! functions over HTTP), [`object_store`] (S3) and [`media`] (Mux). Each of the last two can be
//! replaced by the real thing with a change of address in the configuration.
//!
//! Must not know: the engine or the desktop app.

mod about;
pub mod app;
pub mod backup;
pub mod checks;
mod chunked_sessions;
mod clock;
pub mod commands;
pub mod config;
pub mod credentials_file;
pub mod data_folder;
mod db;
mod direct_uploads;
mod founding;
#[cfg(any(test, fuzzing))]
pub mod fuzz;
mod guesses;
mod health;
mod http_actions;
mod identity;
mod ingest;
mod keys;
mod limits;
pub mod listeners;
mod locks;
pub mod media;
mod metrics;
mod mux_client;
pub mod object_store;
pub mod openapi;
pub mod pages;
mod passwords;
mod playback;
mod random;
mod removal;
mod rsa_pair;
mod serve;
mod storage;
mod sweeps;
pub mod team_api;
pub mod tls;
mod uploads_api;
mod webhooks;
