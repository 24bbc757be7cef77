//! The media engine: makes what was uploaded playable, behind the Mux Video API.
//!
//! Owns: assets, their HLS files and posters, the jobs that make them, playback tokens, webhooks
//! out. FFmpeg does the work, in child processes.
//!
//! Must not know: the team API and the object storage. It meets both as anyone would: an address
//! to fetch from, an address to report to.
//!
//! One asset: `POST /video/v1/assets` commits the asset, its job and the event
//! `video.asset.created` at once ([`api`]); [`jobs`] takes the job, lets [`ffmpeg`] write into
//! `work/`, renames that to `assets/{id}` and only then commits `ready` with its event; [`deliver`]
//! brings the events out; [`stream`] and [`images`] serve the files to who has a token.

mod answer;
mod api;
mod config;
mod deliver;
mod engine;
mod error;
mod ffmpeg;
mod file_response;
mod files;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzed;
mod images;
mod jobs;
mod playback;
mod playlist;
mod signature;
mod store;
mod stream;
mod token;

pub use config::{Limits, MediaConfig, Programs, SigningKey, WebhookTarget};
pub use engine::MediaEngine;
pub use error::MediaError;
