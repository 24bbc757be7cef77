//! Answers that all routers of the engine give.

use axum::Json;
use axum::response::{IntoResponse, Response};
use dailies_api::mux::{ApiError, AssetErrors};
use dailies_database::DatabaseError;
use http::header::CACHE_CONTROL;
use http::{HeaderValue, StatusCode};

/// A refusal, in the form of the Mux Video API.
#[derive(Debug)]
pub(super) struct Refusal {
    status: StatusCode,
    kind: &'static str,
    message: String,
}

impl Refusal {
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_parameters", message)
    }

    pub(super) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "Token id or secret are not right.")
    }

    pub(super) fn forbidden() -> Self {
        let message = "A valid playback token for this resource is needed.";
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is no such thing here.")
    }

    fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, message: message.into() }
    }
}

impl From<DatabaseError> for Refusal {
    fn from(error: DatabaseError) -> Self {
        tracing::error!(%error, "the media database failed a request");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The server failed.")
    }
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::NotFound {
            return Self::not_found();
        }
        tracing::error!(%error, "a media file cannot be read");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The server failed.")
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let error = AssetErrors { kind: self.kind.to_owned(), messages: vec![self.message] };
        let mut response = (self.status, Json(ApiError { error })).into_response();
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}
