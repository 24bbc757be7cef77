//! The team API against real parts: embedded storage, embedded media engine, a database on disk.
#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

mod fake_mux;
mod harness;
mod idempotency;
mod lifecycle;
mod matrix;
mod members;
mod people;
mod process;
mod projects;
mod protocol;
mod removal;
mod roles;
mod shares;
mod uploads;
mod uploads_refused;
mod versions;
mod webhooks;
