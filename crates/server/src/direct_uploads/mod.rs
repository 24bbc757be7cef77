//! `/upload`: videos whose bytes go to the media engine itself, by its direct uploads.
//!
//! Owns: the wire. The video is registered like any other, and what becomes of its upload is asked
//! of the media engine, which alone knows its address: that never enters the database. Must not
//! know: how bytes come to the media engine.

mod upload;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use dailies_api::direct_uploads::{CreateDirectUpload, DirectUpload, PATH, ReopenDirectUpload};
use dailies_api::error::ErrorData;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::http_actions::{HttpRefusal, action, read};
use crate::team_api::functions::KEY_HEADER;
use crate::team_api::{Caller, Refusal, Team, parse, to_its_end};

pub(crate) use self::upload::standing;

/// `/upload` and `/upload/{id}`.
pub(crate) fn router(team: Arc<Team>) -> Router {
    Router::new()
        .route(PATH, action("POST", post(create)))
        .route(
            &format!("{PATH}/{{id}}"),
            action("GET, POST, DELETE", get(show).post(reopen).delete(cancel)),
        )
        .with_state(team)
}

/// Registers a video, and opens the direct upload that its bytes go up by.
#[utoipa::path(post, path = "/upload", tag = "Direct uploads", operation_id = "createDirectUpload",
    params(("Idempotency-Key" = Option<String>, Header,
        description = "The same call under the same key registers nothing again")),
    request_body = CreateDirectUpload,
    responses((status = 201, body = DirectUpload),
        (status = 401, description = "No key or token, or a wrong one", body = ErrorData),
        (status = 403, description = "The caller's role is below member", body = ErrorData),
        (status = 404, description = "No such project of the caller's", body = ErrorData),
        (status = 413, description = "Too large, or above the team's quota", body = ErrorData),
        (status = 415, description = "No type that the team takes", body = ErrorData),
        (status = 422, description = "A field is missing or wrong", body = ErrorData),
        (status = 503, description = "The media engine did not answer", body = ErrorData)),
    security(("key" = [])))]
pub(crate) async fn create(
    State(team): State<Arc<Team>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, HttpRefusal> {
    let caller = Caller::of(&headers, &team).await?;
    let args: CreateDirectUpload = arguments(body).await?;
    let (key, origin) = (text(&headers, KEY_HEADER), text(&headers, header::ORIGIN.as_str()));
    let create = upload::create(Arc::clone(&team), caller, args, key, origin);
    let upload = to_its_end::<_, Refusal>(&team, "upload", Box::pin(create)).await?;
    Ok((StatusCode::CREATED, private(Json(upload))).into_response())
}

/// Where the upload of a video stands, with its address as long as it waits for bytes.
#[utoipa::path(get, path = "/upload/{id}", tag = "Direct uploads", operation_id = "getDirectUpload",
    params(("id" = String, Path, description = "The video's id")),
    responses((status = 200, body = DirectUpload), (status = 401, body = ErrorData),
        (status = 404, description = "No such video of the caller's", body = ErrorData),
        (status = 503, description = "The media engine did not answer", body = ErrorData)),
    security(("key" = [])))]
pub(crate) async fn show(
    State(team): State<Arc<Team>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, HttpRefusal> {
    let caller = Caller::of(&headers, &team).await?;
    let show = upload::show(Arc::clone(&team), caller, id);
    let upload = to_its_end::<_, Refusal>(&team, "upload", Box::pin(show)).await?;
    Ok(private(Json(upload)).into_response())
}

/// Opens another upload for a video in the place of one that has ended; answers the one that is open.
#[utoipa::path(post, path = "/upload/{id}", tag = "Direct uploads", operation_id = "reopenDirectUpload",
    params(("id" = String, Path, description = "The video's id")),
    request_body = ReopenDirectUpload,
    responses((status = 200, body = DirectUpload), (status = 401, body = ErrorData),
        (status = 404, description = "No such video of the caller's", body = ErrorData),
        (status = 413, description = "Above the team's quota", body = ErrorData),
        (status = 503, description = "The media engine did not answer", body = ErrorData)),
    security(("key" = [])))]
pub(crate) async fn reopen(
    State(team): State<Arc<Team>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, HttpRefusal> {
    let caller = Caller::of(&headers, &team).await?;
    let args: ReopenDirectUpload = arguments(body).await?;
    let origin = text(&headers, header::ORIGIN.as_str());
    let reopen = upload::open(Arc::clone(&team), caller, id, args, origin);
    let upload = to_its_end::<_, Refusal>(&team, "upload", Box::pin(reopen)).await?;
    Ok(private(Json(upload)).into_response())
}

/// Cancels the upload of a video, and removes the unfinished video.
#[utoipa::path(delete, path = "/upload/{id}", tag = "Direct uploads", operation_id = "cancelDirectUpload",
    params(("id" = String, Path, description = "The video's id")),
    responses((status = 204, description = "It is gone"), (status = 401, body = ErrorData),
        (status = 404, description = "No such video of the caller's", body = ErrorData),
        (status = 409, description = "All of it is there already", body = ErrorData),
        (status = 503, description = "The media engine did not answer", body = ErrorData)),
    security(("key" = [])))]
pub(crate) async fn cancel(
    State(team): State<Arc<Team>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, HttpRefusal> {
    let caller = Caller::of(&headers, &team).await?;
    let cancel = upload::cancel(Arc::clone(&team), caller, id);
    to_its_end::<_, Refusal>(&team, "upload", Box::pin(cancel)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The body as one JSON object; none is an empty one.
async fn arguments<T: DeserializeOwned>(body: Body) -> Result<T, HttpRefusal> {
    let body = read(body).await?;
    if body.is_empty() {
        return Ok(parse(Map::new())?);
    }
    let args: Map<String, Value> = serde_json::from_slice(&body).map_err(|error| {
        Refusal::argument("body", format!("the body is one JSON object: {error}"))
    })?;
    Ok(parse(args)?)
}

/// A header; one that is no text is none that anything can be done with, and is refused as such.
fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).map(|value| value.to_str().unwrap_or_default().to_owned())
}

/// An answer with an address in it that opens something.
fn private(answer: impl IntoResponse) -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "no-store")], answer)
}
