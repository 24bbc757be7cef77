//! The team API: Convex functions over HTTP, in both dialects of the wire.
//!
//! Owns: who may do what ([`roles`]), what an upload, its completion and its playback are. Reaches
//! the storage and the media engine only by their protocols. Must not know: where those run.

mod api_keys;
mod argument;
mod caller;
mod completion;
mod content_type;
pub(crate) mod endpoint;
mod error;
mod folders;
pub mod functions;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzed;
mod grants;
mod growing;
mod idempotency;
mod invitations;
mod members;
mod originals;
mod parts;
mod playback;
mod project_tree;
mod projects;
mod public;
pub(crate) mod roles;
mod share_links;
mod shared;
mod teams;
mod uploads;
mod versions;
mod video_changes;
mod videos;

pub(crate) use dailies_api::projects::Role;

pub(crate) use self::argument::{parse, title};
pub(crate) use self::caller::{Caller, CallerError, Principal};
pub(crate) use self::content_type::{accepted, by_name};
pub(crate) use self::endpoint::{health, to_its_end};
pub(crate) use self::error::Refusal;
pub(crate) use self::folders::{FolderPath, first_project, team as team_of};
pub(crate) use self::uploads::{check_size, part_plan};

use std::sync::Arc;

use axum::Router;
use axum::http::{Method, header};
use axum::routing::post;
use dailies_api::convex::FunctionKind;
use dailies_database::Database;
use tokio::sync::{Notify, Semaphore};
use tokio_util::task::TaskTracker;
use tower_http::cors::{AllowHeaders, Any, CorsLayer};

use crate::config::Limits;
use crate::guesses::Guesses;
use crate::identity::Issuers;
use crate::ingest::Ingest;
use crate::locks::NamedLocks;
use crate::passwords::Passwords;
use crate::playback::PlaybackSigner;

/// Videos that may come in through this server at once.
pub(crate) const FORMS: usize = 8;

/// What every function works with.
pub(crate) struct Team {
    pub(crate) database: Database,
    /// The media engine, and with it the storage.
    pub(crate) ingest: Arc<Ingest>,
    pub(crate) signer: PlaybackSigner,
    /// Whose tokens are taken besides API keys.
    pub(crate) issuers: Issuers,
    pub(crate) limits: Limits,
    /// By video, and by caller and `Idempotency-Key`.
    pub(crate) locks: Arc<NamedLocks>,
    /// Calls that run; each to its end, also where its caller goes away.
    pub(crate) calls: TaskTracker,
    /// Told of every removal that begins.
    pub(crate) removals: Arc<Notify>,
    /// Of share links.
    pub(crate) passwords: Passwords,
    pub(crate) guesses: Guesses,
    /// Places for videos that come in through this server: each takes memory.
    pub(crate) forms: Arc<Semaphore>,
}

/// `/api/query`, `/api/mutation` and `/api/action`.
pub(crate) fn router(team: Arc<Team>) -> Router {
    let route = |kind: FunctionKind| {
        post(move |state, peer, headers, body| endpoint::call(kind, state, peer, headers, body))
    };
    let mut api = Router::new();
    for kind in [FunctionKind::Query, FunctionKind::Mutation, FunctionKind::Action] {
        api = api.route(&format!("/api/{}", kind.endpoint()), route(kind));
    }
    // Any page may call: what opens the API is the bearer it must know, never a cookie.
    let cors = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::POST, Method::OPTIONS])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([header::RETRY_AFTER])
        .max_age(std::time::Duration::from_hours(24));
    api.with_state(team).layer(cors)
}
