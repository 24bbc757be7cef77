//! The media engine from outside: real clips, real FFmpeg, real HTTP.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test ends where it is surprised")]

mod media;
