//! Still images of a video.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::get;
use dailies_api::mux::Audience;
use http::{HeaderMap, Uri};

use super::answer::Refusal;
use super::engine::Shared;
use super::ffmpeg::POSTER;
use super::file_response::file_response;
use super::playback;

/// The routes.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    let router =
        Router::new().route("/{playback_id}/thumbnail.jpg", get(thumbnail)).with_state(shared);
    playback::with_headers(router)
}

async fn thumbnail(
    State(shared): State<Arc<Shared>>,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let opened = playback::open(&shared, &id, Audience::Thumbnail, &uri).await?;
    let path = shared.folder.asset(&opened.asset).join(POSTER);
    Ok(file_response(&path, "image/jpeg", &headers).await?)
}
