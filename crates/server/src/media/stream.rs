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
use super::files::{self, MASTER};
use super::playback::{self, Opened};
use super::playlist;
use super::store::renditions;

const PLAYLIST: &str = "application/vnd.apple.mpegurl";

/// The routes.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    let router = Router::new()
        .route("/{file}", get(master))
        .route("/{playback_id}/{file}", get(first))
        .route("/{playback_id}/{rendition}/{file}", get(further))
        .with_state(shared);
    playback::with_headers(router)
}

/// `/{playbackId}.m3u8`: leads to the first rendition and to those that were added since.
async fn master(
    State(shared): State<Arc<Shared>>,
    Path(file): Path<String>,
    uri: Uri,
) -> Result<Response, Refusal> {
    let id = file.strip_suffix(".m3u8").ok_or_else(Refusal::not_found)?;
    let opened = playback::open(&shared, id, Audience::Video, &uri).await?;
    let text = tokio::fs::read_to_string(shared.folder.asset(&opened.asset).join(MASTER)).await?;
    let asset = opened.asset.clone();
    let added = shared.database.read(move |c| renditions::made(c, &asset)).await?;
    let mut variants = playlist::variants(&text);
    variants.extend(added.into_iter().map(|(height, attributes)| {
        (attributes, format!("{}/{RENDITION}", files::rendition_name(height)))
    }));
    Ok(answer(&playlist::master(variants), &format!("{id}/"), &opened))
}

/// `/{playbackId}/{file}`: the first rendition's playlist and what it names.
async fn first(
    State(shared): State<Arc<Shared>>,
    Path((id, file)): Path<(String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let opened = playback::open(&shared, &id, Audience::Video, &uri).await?;
    let folder = shared.folder.asset(&opened.asset);
    rendition(&folder, &file, &opened, &headers).await
}

/// `/{playbackId}/720p/{file}`: another rendition's.
async fn further(
    State(shared): State<Arc<Shared>>,
    Path((id, name, file)): Path<(String, String, String)>,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let opened = playback::open(&shared, &id, Audience::Video, &uri).await?;
    let height = files::rendition_height(&name).ok_or_else(Refusal::not_found)?;
    let folder = shared.folder.rendition(&opened.asset, height);
    rendition(&folder, &file, &opened, &headers).await
}

async fn rendition(
    folder: &std::path::Path,
    file: &str,
    opened: &Opened,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    if file == RENDITION {
        let text = tokio::fs::read_to_string(folder.join(RENDITION)).await?;
        return Ok(answer(&text, "", opened));
    }
    if !is_part_name(file) {
        return Err(Refusal::not_found());
    }
    let media_type = if file == MAP { "video/mp4" } else { "video/iso.segment" };
    Ok(file_response(&folder.join(file), media_type, headers).await?)
}

fn answer(playlist: &str, folder: &str, opened: &Opened) -> Response {
    let text = playlist::addressed(playlist, folder, opened.token.as_deref());
    ([(CONTENT_TYPE, PLAYLIST), (CACHE_CONTROL, "no-store")], text).into_response()
}
