//! What who runs a server relies on: limits, TLS, metrics, logs, checks and an orderly end.
#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

mod checks;
mod drain;
mod harness;
mod metrics;
mod rates;
mod requests;
mod secrets;
mod tls;
