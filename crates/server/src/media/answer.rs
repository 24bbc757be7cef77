//! Answers that all routers of the engine give.

use axum::Json;
use axum::response::{IntoResponse, Response};
use dailies_api::mux::{ApiError, AssetErrors};
use dailies_database::DatabaseError;
use http::header::{CACHE_CONTROL, RETRY_AFTER};
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

    /// The upload has all its bytes, or takes none any more.
    pub(super) fn not_waiting() -> Self {
        let message = "The upload does not wait for bytes any more.";
        Self::new(StatusCode::FORBIDDEN, "invalid_state", message)
    }

    pub(super) fn gone() -> Self {
        let message = "This upload was cancelled, has timed out or has failed. Start a new one.";
        Self::new(StatusCode::GONE, "gone", message)
    }

    pub(super) fn too_large(largest: u64) -> Self {
        let message = format!("A file has at most {largest} bytes here.");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", message)
    }

    pub(super) fn too_many_uploads() -> Self {
        let message = "Too many uploads wait for their bytes. Cancel some, or let them time out.";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_requests", message)
    }

    /// Another request for the same upload has the right of way.
    pub(super) fn busy() -> Self {
        let message = "Another request sends bytes of this upload. Ask what is stored, then go on.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", message)
    }

    pub(super) fn too_slow() -> Self {
        let message = "No bytes came for a minute. What came before is kept.";
        Self::new(StatusCode::REQUEST_TIMEOUT, "timeout", message)
    }

    fn disk_full() -> Self {
        let message = "The server's disk is full. What is stored is kept; go on later.";
        Self::new(StatusCode::INSUFFICIENT_STORAGE, "disk_full", message)
    }

    fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> Self {
        Self { status, kind, message: message.into() }
    }
}

impl From<DatabaseError> for Refusal {
    fn from(error: DatabaseError) -> Self {
        if let DatabaseError::Sqlite(rusqlite::Error::SqliteFailure(failure, _)) = &error
            && failure.code == rusqlite::ErrorCode::DiskFull
        {
            tracing::error!("the disk is full");
            return Self::disk_full();
        }
        tracing::error!(%error, "the media database failed a request");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The server failed.")
    }
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::NotFound {
            return Self::not_found();
        }
        if matches!(
            error.kind(),
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded
        ) {
            tracing::error!("the disk is full");
            return Self::disk_full();
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
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
