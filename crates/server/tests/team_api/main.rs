//! The team API against real parts: embedded storage, embedded media engine, a database on disk.
#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

mod chunked_sessions;
mod direct_uploads;
mod fake_mux;
mod growing;
mod harness;
mod http_actions;
mod idempotency;
mod lifecycle;
mod matrix;
mod members;
mod openapi;
mod people;
mod process;
mod projects;
mod protocol;
mod quota;
mod races;
mod removal;
mod roles;
mod seeds_chunked_upload_sessions;
mod seeds_http_actions;
mod seeds_uploads_api;
mod seeds_video_actions;
mod shares;
mod sweeps;
mod uploads;
mod uploads_api;
mod uploads_refused;
mod versions;
mod webhooks;
