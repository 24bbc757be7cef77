//! Wire types of every protocol Dailies speaks, for both sides of each.
//!
//! Owns: the shapes that cross the network and their serde rules. Must not know: I/O, time, policy.
//! Where the two dialects of the team API differ, one type carries the union: a field that only one
//! of them sends is an `Option`, and absent fields are omitted, never null.

pub mod about;
pub mod api_keys;
pub mod chunked_sessions;
pub mod convex;
pub mod crc64;
pub mod credentials;
pub mod direct_uploads;
pub mod error;
pub mod mux;
pub mod number;
pub mod playback;
pub mod projects;
pub mod ranges;
pub mod share_links;
pub mod teams;
pub mod uploads;
pub mod uploads_api;
pub mod videos;
