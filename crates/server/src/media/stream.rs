//! Playlists, initialisation sections and segments.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use dailies_api::mux::Audience;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, Uri};

use super::answer::Refusal;
use super::engine::Shared;
use super::ffmpeg::{MAP, RENDITION, is_part_name};
use super::file_response::file_response;
use super::files::MASTER;
use super::playback::{self, Opened};
use super::playlist::addressed;

const PLAYLIST: &str = "application/vnd.apple.mpegurl";

/// The routes.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    let router = Router::new()
        .route("/{file}", get(master))
        .route("/{playback_id}/{file}", get(part))
        .with_state(shared);
    playback::with_headers(router)
}

/// `/{playbackId}.m3u8`: leads to the one rendition.
async fn master(
    State(shared): State<Arc<Shared>>,
    Path(file): Path<String>,
    uri: Uri,
) -> Result<Response, Refusal> {
    let id = file.strip_suffix(".m3u8").ok_or_else(Refusal::not_found)?;
    let opened = playback::open(&shared, id, Audience::Video, &uri).await?;
    playlist(&shared, &opened, MASTER, &format!("{id}/")).await
}

/// `/{playbackId}/{file}`: the rendition's playlist and what it names.
async fn part(
    State(shared): State<Arc<Shared>>,
    Path((id, file)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let opened = playback::open(&shared, &id, Audience::Video, &uri).await?;
    if file == RENDITION {
        return playlist(&shared, &opened, RENDITION, "").await;
    }
    if !is_part_name(&file) {
        return Err(Refusal::not_found());
    }
    let media_type = if file == MAP { "video/mp4" } else { "video/iso.segment" };
    let path = shared.folder.asset(&opened.asset).join(&file);
    Ok(file_response(&path, media_type, &headers).await?)
}

async fn playlist(
    shared: &Shared,
    opened: &Opened,
    name: &str,
    folder: &str,
) -> Result<Response, Refusal> {
    let path = shared.folder.asset(&opened.asset).join(name);
    let text = tokio::fs::read_to_string(path).await?;
    let text = addressed(&text, folder, opened.token.as_deref());
    Ok(([(CONTENT_TYPE, PLAYLIST), (CACHE_CONTROL, "no-store")], text).into_response())
}
