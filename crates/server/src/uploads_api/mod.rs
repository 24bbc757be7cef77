//! The Uploads API: one form per video, and its status by polling.
//!
//! Owns: the form, the ids and codes of its wire. An upload is a video of the team like any other,
//! so what came in by other ways is listed, too. Must not know: how a video is processed.

mod form;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzed;
mod receive;
mod status;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use dailies_api::error::{ErrorCode, ErrorData};
use dailies_api::uploads_api::{Accepted, BASE, OneUpload, Uploads};

use self::form::Form;
use crate::db::uploads;
use crate::http_actions::{HttpRefusal, action};
use crate::openapi;
use crate::team_api::{Caller, Principal, Refusal, Role, Team, roles, team_of};

/// How many uploads are listed.
const LISTED: u32 = 50;

/// `/uploads` and `/uploads/{id}` below the API's base, and its description.
pub(crate) fn router(team: Arc<Team>) -> Router {
    Router::new()
        .route(&format!("{BASE}/uploads"), action("GET, POST", get(list).post(upload)))
        .route(&format!("{BASE}/uploads/{{id}}"), action("GET", get(show)))
        .route(&format!("{BASE}/openapi.json"), action("GET", get(openapi::show)))
        .with_state(team)
}

/// Takes a video by one form. The file may come before its folder.
#[utoipa::path(post, path = "/api/client/v1/uploads", tag = "Uploads", operation_id = "upload",
    request_body(content = UploadForm, content_type = "multipart/form-data"),
    responses(
        (status = 202, description = "It is stored and on its way", body = Accepted),
        (status = 401, description = "No key, or a wrong one", body = ErrorData),
        (status = 403, description = "The key's role is below member", body = ErrorData),
        (status = 408, description = "The form stopped coming", body = ErrorData),
        (status = 413, description = "Too large, or above the team's quota", body = ErrorData),
        (status = 415, description = "No type that the team takes", body = ErrorData),
        (status = 422, description = "A field is missing or wrong", body = ErrorData),
        (status = 503, description = "Too many forms at once, or no storage", body = ErrorData)),
    security(("key" = [])))]
pub(crate) async fn upload(
    State(team): State<Arc<Team>>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, HttpRefusal> {
    let user = user(&team, &headers).await?;
    let form = Form::new(&headers, body, &team.limits)?;
    let accepted = receive::receive(&team, user, form).await?;
    Ok((StatusCode::ACCEPTED, Json(accepted)).into_response())
}

/// The form of an upload.
#[derive(utoipa::ToSchema)]
#[expect(dead_code, reason = "only describes what is read field by field")]
pub(crate) struct UploadForm {
    /// The video's bytes, with their file's name and type.
    #[schema(value_type = String, format = Binary)]
    video: Vec<u8>,
    /// Where it goes, such as `root/my-folder`; what is missing of it is made.
    folder: String,
}

/// The fifty most recent uploads of the key's team, the newest first.
#[utoipa::path(get, path = "/api/client/v1/uploads", tag = "Uploads", operation_id = "listUploads",
    responses((status = 200, body = Uploads), (status = 401, body = ErrorData)),
    security(("key" = [])))]
pub(crate) async fn list(
    State(team): State<Arc<Team>>,
    headers: HeaderMap,
) -> Result<Json<Uploads>, HttpRefusal> {
    let user = user(&team, &headers).await?;
    let rows = team
        .database
        .read::<_, Refusal, _>(move |connection| {
            let team_id = readable_team(connection, &user)?;
            Ok(uploads::newest(connection, &team_id, LISTED)?)
        })
        .await?;
    Ok(Json(Uploads { data: rows.into_iter().map(status::shown).collect() }))
}

/// One upload.
#[utoipa::path(get, path = "/api/client/v1/uploads/{id}", tag = "Uploads", operation_id = "getUpload",
    params(("id" = String, Path, description = "The upload's id")),
    responses((status = 200, body = OneUpload), (status = 401, body = ErrorData),
        (status = 404, description = "No such upload in the key's team", body = ErrorData)),
    security(("key" = [])))]
pub(crate) async fn show(
    State(team): State<Arc<Team>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Json<OneUpload>, HttpRefusal> {
    let user = user(&team, &headers).await?;
    let row = match status::video_id(&id) {
        None => None,
        Some(id) => {
            let get = move |connection: &_| {
                let team_id = readable_team(connection, &user)?;
                Ok(uploads::get(connection, &team_id, &id)?)
            };
            team.database.read::<_, Refusal, _>(get).await?
        }
    };
    match row {
        Some(row) => Ok(Json(OneUpload { data: status::shown(row) })),
        None => Err(Refusal::new(ErrorCode::NotFound, "no such upload").at("id").into()),
    }
}

async fn user(team: &Team, headers: &HeaderMap) -> Result<Principal, HttpRefusal> {
    match Caller::of(headers, team).await? {
        Caller::User(user) => Ok(user),
        Caller::Anonymous => Err(HttpRefusal::new(
            StatusCode::UNAUTHORIZED,
            ErrorCode::Unauthenticated,
            "this address needs `Authorization: Bearer sk-…`",
        )),
    }
}

/// The team whose uploads a caller sees: the one they upload to, or the first they may look at.
fn readable_team(connection: &rusqlite::Connection, user: &Principal) -> Result<String, Refusal> {
    if let Ok(team_id) = team_of(connection, user) {
        return Ok(team_id);
    }
    let teams = roles::teams(connection, user, Role::Viewer)?;
    let none = || Refusal::new(ErrorCode::Forbidden, "you are in no team");
    teams.into_iter().next().map(|(team_id, _)| team_id).ok_or_else(none)
}
