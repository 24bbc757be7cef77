//! The Video API: assets, playback ids, direct uploads, signing keys. HTTP Basic.
//!
//! Source: <https://docs.mux.com/api-reference/video>.

mod access;
mod assets;
mod playback_ids;
mod signing_keys;
mod uploads;

use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::extract::rejection::{JsonRejection, QueryRejection};
use axum::middleware::from_fn_with_state;
use axum::routing::{get, put};
use axum::{Json, Router};
use serde::Deserialize;

pub(super) use self::access::Access;
pub(super) use self::assets::{NewAsset, add};
use super::answer::Refusal;
use super::engine::Shared;
use super::signature::hex;

/// Longest body; a presigned address is about a kilobyte.
const LONGEST_BODY: usize = 64 << 10;
/// Entries of a list where the caller says nothing, and at the most.
const USUAL_LIMIT: u32 = 25;
const HIGHEST_LIMIT: u32 = 100;

/// The routes.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    let keys = get(signing_keys::list).post(signing_keys::create);
    let key = get(signing_keys::read).delete(signing_keys::delete);
    let asset = get(assets::read).patch(assets::update).delete(assets::delete);
    let named = get(playback_ids::read).delete(playback_ids::delete);
    Router::new()
        .route("/video/v1/assets", get(assets::list).post(assets::create))
        .route("/video/v1/assets/{id}", asset)
        .route(
            "/video/v1/assets/{id}/playback-ids",
            get(playback_ids::list).post(playback_ids::create),
        )
        .route("/video/v1/assets/{id}/playback-ids/{playback_id}", named)
        .route("/video/v1/playback-ids/{id}", get(playback_ids::target))
        .route("/video/v1/uploads", get(uploads::list).post(uploads::create))
        .route("/video/v1/uploads/{id}", get(uploads::read))
        .route("/video/v1/uploads/{id}/cancel", put(uploads::cancel))
        .route("/system/v1/signing-keys", keys.clone())
        .route("/system/v1/signing-keys/{id}", key.clone())
        // As Mux had it before, and still has.
        .route("/video/v1/signing-keys", keys)
        .route("/video/v1/signing-keys/{id}", key)
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(from_fn_with_state(Arc::clone(&shared), access::authenticate))
        .with_state(shared)
}

type Body<T> = Result<Json<T>, JsonRejection>;
type Query<T> = Result<axum::extract::Query<T>, QueryRejection>;

fn body<T>(body: Body<T>) -> Result<T, Refusal> {
    body.map(|Json(body)| body).map_err(|rejection| Refusal::invalid(rejection.body_text()))
}

fn query<T>(query: Query<T>) -> Result<T, Refusal> {
    query
        .map(|axum::extract::Query(query)| query)
        .map_err(|rejection| Refusal::invalid(rejection.body_text()))
}

/// Which part of a list.
#[derive(Deserialize)]
struct Page {
    limit: Option<u32>,
    page: Option<u32>,
}

impl Page {
    fn limit(&self) -> u32 {
        self.limit.unwrap_or(USUAL_LIMIT).clamp(1, HIGHEST_LIMIT)
    }

    fn offset(&self) -> u32 {
        self.page.unwrap_or(1).saturating_sub(1).saturating_mul(self.limit())
    }
}

/// So many random bytes, in hexadecimal.
fn random(bytes: usize) -> Result<String, Refusal> {
    let mut random = vec![0; bytes];
    aws_lc_rs::rand::fill(&mut random)
        .map_err(|_| std::io::Error::other("the system gives no randomness"))?;
    Ok(hex(&random))
}
