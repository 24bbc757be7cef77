//! Chunked upload sessions, as a Serverpod deployment's `videoUpload` endpoint speaks them.
//!
//! A session is a video of the team whose multipart upload is sent by its chunks. Owns: the wire and
//! the life of a session. Must not know: how a video is processed.

mod confirm;
mod failure;
mod finish;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzed;
mod initialize;
mod models;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use dailies_api::chunked_sessions::{
    ChunkArgs, ChunkUploadProgress, ChunkUploadUrl, ChunkedUploadSession, ConfirmChunk, Exception,
    ExceptionCode, InitializeVideoUpload, MediaFile, SessionArgs,
};
use dailies_api::error::{ErrorCode, ErrorData};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use self::failure::Failure;
use crate::db::chunk_sessions::{self, SessionRow};
use crate::db::videos::VideoRow;
use crate::http_actions::{HttpRefusal, action, read};
use crate::team_api::{Caller, Principal, Role, Team, parse, to_its_end};

pub(crate) use self::finish::expire;
pub(crate) use self::models::iso8601;

/// The six methods. Serverpod's own clients name the method in the body.
pub(crate) fn router(team: Arc<Team>) -> Router {
    Router::new()
        .route("/videoUpload", action("POST", post(by_body)))
        .route("/videoUpload/initializeVideoUpload", action("POST", post(initialize_video_upload)))
        .route("/videoUpload/getChunkUploadUrl", action("POST", post(get_chunk_upload_url)))
        .route("/videoUpload/confirmChunkUpload", action("POST", post(confirm_chunk_upload)))
        .route("/videoUpload/completeVideoUpload", action("POST", post(complete_video_upload)))
        .route("/videoUpload/getUploadProgress", action("POST", post(get_upload_progress)))
        .route("/videoUpload/cancelUpload", action("POST", post(cancel_upload)))
        .with_state(team)
}

type Answer = Result<Response, Failure>;

/// A request as far as all methods have it in common.
struct Request {
    team: Arc<Team>,
    headers: HeaderMap,
    args: Map<String, Value>,
}

impl Request {
    async fn read(team: Arc<Team>, headers: HeaderMap, body: Body) -> Result<Self, Failure> {
        let body = read(body).await?;
        let args = serde_json::from_slice(&body).map_err(|error| {
            let message = format!("arguments are one JSON object: {error}");
            Failure::bad_request(ErrorData {
                code: ErrorCode::InvalidArgument,
                message,
                field: None,
            })
        })?;
        Ok(Self { team, headers, args })
    }

    /// Runs a method for whoever calls.
    async fn answer<A, T, F, R>(self, name: &str, run: R) -> Answer
    where
        A: DeserializeOwned + Send + 'static,
        T: Serialize + Send + 'static,
        R: FnOnce(Session, A) -> F,
        F: Future<Output = Result<T, Failure>> + Send + 'static,
    {
        let caller =
            Caller::of(&bearer(self.headers)?, &self.team).await.map_err(HttpRefusal::from)?;
        let Caller::User(user) = caller else {
            return Err(Failure::exception(
                ExceptionCode::Unauthenticated,
                "Please log in to upload videos",
            ));
        };
        let args = parse(self.args).map_err(|refusal| Failure::bad_request(refusal.0))?;
        let team = Arc::clone(&self.team);
        let answer =
            to_its_end(&team, name, Box::pin(run(Session { team: self.team, user }, args)));
        Ok(Json(answer.await?).into_response())
    }
}

/// Who calls, and what the server works with.
struct Session {
    team: Arc<Team>,
    user: Principal,
}

impl Session {
    /// The session, if it is the caller's. The protocol says `access_denied` only where it asks for
    /// an address, and otherwise does not tell that somebody else's session exists.
    async fn own(&self, id: i64) -> Result<SessionRow, Failure> {
        let unknown =
            || Failure::exception(ExceptionCode::SessionNotFound, "Upload session not found");
        let session = self.row(id).await?.ok_or_else(unknown)?;
        if session.user_id == self.user.user_id { Ok(session) } else { Err(unknown()) }
    }

    async fn row(&self, id: i64) -> Result<Option<SessionRow>, Failure> {
        let get = move |connection: &_| chunk_sessions::get(connection, id);
        Ok(self.team.database.read::<_, dailies_database::DatabaseError, _>(get).await?)
    }

    /// The session's video, if the caller may still upload to its team.
    async fn video(&self, session: &SessionRow) -> Result<VideoRow, Failure> {
        let gone = || Failure::exception(ExceptionCode::MediaNotFound, "Media record not found");
        let id = session.video_id.as_deref().ok_or_else(gone)?;
        let caller = Caller::User(self.user.clone());
        match self.team.video_for(&caller, id, Role::Member).await {
            Ok(access) => Ok(access.video),
            Err(refusal) => Err(refusal.into()),
        }
    }
}

/// Serverpod's clients send a key as `Basic` with all of it in base64; others as the password of
/// `Basic`, or as `Bearer`.
/// <https://pub.dev/documentation/serverpod_auth_client/latest/serverpod_auth_client/wrapAsBasicAuthHeaderValue.html>
fn bearer(mut headers: HeaderMap) -> Result<HeaderMap, Failure> {
    let mut all = headers.get_all(header::AUTHORIZATION).iter();
    // None is anonymous; of two, neither is believed.
    let (Some(value), None) = (all.next(), all.next()) else { return Ok(headers) };
    let basic = value
        .to_str()
        .ok()
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"));
    let Some((_, encoded)) = basic else { return Ok(headers) };
    let refused = || HttpRefusal::from(crate::team_api::CallerError::BadCredentials);
    let decoded = STANDARD.decode(encoded.trim()).map_err(|_| refused())?;
    let decoded = String::from_utf8(decoded).map_err(|_| refused())?;
    let key = match decoded.split_once(':') {
        Some((_, password)) if password.starts_with("sk-") => password,
        _ => decoded.as_str(),
    };
    let mut value = HeaderValue::try_from(format!("Bearer {key}")).map_err(|_| refused())?;
    value.set_sensitive(true);
    headers.insert(header::AUTHORIZATION, value);
    Ok(headers)
}

async fn by_body(state: State<Arc<Team>>, headers: HeaderMap, body: Body) -> Answer {
    let mut request = Request::read(state.0, headers, body).await?;
    let method = request.args.remove("method");
    match method.as_ref().and_then(Value::as_str) {
        Some("initializeVideoUpload") => initialize(request).await,
        Some("getChunkUploadUrl") => chunk_url(request).await,
        Some("confirmChunkUpload") => confirmed(request).await,
        Some("completeVideoUpload") => completed(request).await,
        Some("getUploadProgress") => progress(request).await,
        Some("cancelUpload") => cancelled(request).await,
        _ => Err(Failure::no_method()),
    }
}

macro_rules! method {
    ($(#[$documented:meta])* $name:ident, $run:ident) => {
        $(#[$documented])*
        pub(crate) async fn $name(
            state: State<Arc<Team>>,
            headers: HeaderMap,
            body: Body,
        ) -> Result<Response, Failure> {
            $run(Request::read(state.0, headers, body).await?).await
        }
    };
}

method!(
    /// Begins a session.
    #[utoipa::path(post, path = "/videoUpload/initializeVideoUpload", tag = "Chunked upload sessions",
        operation_id = "initializeVideoUpload", request_body = InitializeVideoUpload,
        responses((status = 200, body = ChunkedUploadSession), (status = 400, body = Exception),
            (status = 401, body = ErrorData)),
        security(("key" = []), ("serverpod" = [])))]
    initialize_video_upload, initialize
);
method!(
    /// Where a chunk is sent to.
    #[utoipa::path(post, path = "/videoUpload/getChunkUploadUrl", tag = "Chunked upload sessions",
        operation_id = "getChunkUploadUrl", request_body = ChunkArgs,
        responses((status = 200, body = ChunkUploadUrl), (status = 400, body = Exception),
            (status = 401, body = ErrorData)),
        security(("key" = []), ("serverpod" = [])))]
    get_chunk_upload_url, chunk_url
);
method!(
    /// Says that a chunk was sent. Safe to repeat.
    #[utoipa::path(post, path = "/videoUpload/confirmChunkUpload", tag = "Chunked upload sessions",
        operation_id = "confirmChunkUpload", request_body = ConfirmChunk,
        responses((status = 200, body = ChunkUploadProgress), (status = 400, body = Exception),
            (status = 401, body = ErrorData)),
        security(("key" = []), ("serverpod" = [])))]
    confirm_chunk_upload, confirmed
);
method!(
    /// Makes the chunks one file, and has it processed. Safe to repeat.
    #[utoipa::path(post, path = "/videoUpload/completeVideoUpload", tag = "Chunked upload sessions",
        operation_id = "completeVideoUpload", request_body = SessionArgs,
        responses((status = 200, body = MediaFile), (status = 400, body = Exception),
            (status = 401, body = ErrorData)),
        security(("key" = []), ("serverpod" = [])))]
    complete_video_upload, completed
);
method!(
    /// How far a session is.
    #[utoipa::path(post, path = "/videoUpload/getUploadProgress", tag = "Chunked upload sessions",
        operation_id = "getUploadProgress", request_body = SessionArgs,
        responses((status = 200, body = ChunkUploadProgress), (status = 400, body = Exception),
            (status = 401, body = ErrorData)),
        security(("key" = []), ("serverpod" = [])))]
    get_upload_progress, progress
);
method!(
    /// Ends a session, and removes what was stored of it. Answers null.
    #[utoipa::path(post, path = "/videoUpload/cancelUpload", tag = "Chunked upload sessions",
        operation_id = "cancelUpload", request_body = SessionArgs,
        responses((status = 200, description = "null, also where there is no such session"),
            (status = 401, body = ErrorData)),
        security(("key" = []), ("serverpod" = [])))]
    cancel_upload, cancelled
);

async fn initialize(request: Request) -> Answer {
    request.answer("initializeVideoUpload", initialize::initialize).await
}

async fn chunk_url(request: Request) -> Answer {
    request.answer("getChunkUploadUrl", confirm::url).await
}

async fn confirmed(request: Request) -> Answer {
    request.answer("confirmChunkUpload", confirm::confirm).await
}

async fn completed(request: Request) -> Answer {
    request.answer("completeVideoUpload", finish::complete).await
}

async fn progress(request: Request) -> Answer {
    request.answer("getUploadProgress", confirm::progress).await
}

async fn cancelled(request: Request) -> Answer {
    // The protocol says nothing to whom it does not know.
    if !request.headers.contains_key(header::AUTHORIZATION) {
        return Ok(Json(Value::Null).into_response());
    }
    request.answer("cancelUpload", finish::cancel).await
}
