//! Who may fetch what: the one door of playlists, segments and images.

use axum::Router;
use dailies_api::mux::{Audience, PlaybackPolicy};
use http::header::{ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, RANGE, REFERRER_POLICY};
use http::{HeaderName, HeaderValue, Method, Uri};
use tower_http::cors::{Any, CorsLayer};
use tower_http::set_header::SetResponseHeaderLayer;

use super::answer::Refusal;
use super::engine::Shared;
use super::store::playback_ids;

/// A video that the caller may play.
pub(super) struct Opened {
    /// Its asset.
    pub(super) asset: String,
    /// The token that opened it, to be carried on; `None` where none was needed.
    pub(super) token: Option<String>,
}

/// Lets a request for a resource of kind `audience` of `playback_id` in.
///
/// Without a right to it, nobody learns whether it exists.
pub(super) async fn open(
    shared: &Shared,
    playback_id: &str,
    audience: Audience,
    uri: &Uri,
) -> Result<Opened, Refusal> {
    let id = playback_id.to_owned();
    let target = shared.database.read(move |c| playback_ids::find(c, &id)).await?;
    let public = target.as_ref().is_some_and(|target| target.policy == PlaybackPolicy::Public);
    let token = if public { None } else { Some(token(uri).ok_or_else(Refusal::forbidden)?) };
    if let Some(token) = &token {
        shared.keys.verify(token, playback_id, audience).map_err(|reason| {
            tracing::debug!(%reason, "a playback token was refused");
            Refusal::forbidden()
        })?;
    }
    let target = target.filter(|target| target.ready).ok_or_else(Refusal::not_found)?;
    Ok(Opened { asset: target.asset, token })
}

/// Headers of everything that is played. Players run on other origins, `tauri://localhost` among
/// them, and send no cookies, so any origin may read what its token opens.
pub(super) fn with_headers(router: Router) -> Router {
    router
        .layer(
            CorsLayer::new()
                .allow_origin(Any)
                .allow_methods([Method::GET, Method::HEAD])
                .allow_headers([RANGE])
                .expose_headers([ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE]),
        )
        .layer(set(REFERRER_POLICY, "no-referrer"))
        .layer(set(http::header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
}

fn set(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::overriding(name, HeaderValue::from_static(value))
}

/// The first token in the query.
pub(super) fn token(uri: &Uri) -> Option<String> {
    let pairs = url::form_urlencoded::parse(uri.query()?.as_bytes());
    pairs.into_iter().find(|(name, _)| name == "token").map(|(_, value)| value.into_owned())
}
