//! Who calls: API keys, tokens of issuers that answer well, badly or not at all, and the
//! subcommands that manage people while the server runs.
#![allow(clippy::unwrap_used, reason = "a test ends where it is surprised")]

mod commands;
mod issuer;
mod issuer_faults;
mod keys;
mod signing;
mod stand;
mod tokens;
mod users;
