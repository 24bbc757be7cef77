//! A refusal as an HTTP answer.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use dailies_api::error::{ErrorCode, ErrorData};

use crate::team_api::{CallerError, Refusal};

/// A status, and why.
#[derive(Debug)]
pub(crate) struct HttpRefusal(pub(crate) StatusCode, pub(crate) ErrorData);

impl HttpRefusal {
    pub(crate) fn new(status: StatusCode, code: ErrorCode, message: &str) -> Self {
        Self(status, ErrorData { code, message: message.to_owned(), field: None })
    }
}

impl From<Refusal> for HttpRefusal {
    fn from(Refusal(data): Refusal) -> Self {
        Self(status(data.code), data)
    }
}

impl From<CallerError> for HttpRefusal {
    fn from(error: CallerError) -> Self {
        let (status, code, message) = error.answer();
        Self::new(status, code, message)
    }
}

impl IntoResponse for HttpRefusal {
    fn into_response(self) -> Response {
        let Self(status, data) = self;
        let mut response = (status, Json(data)).into_response();
        let headers = response.headers_mut();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        response
    }
}

fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::Unauthenticated | ErrorCode::BadCredentials => StatusCode::UNAUTHORIZED,
        ErrorCode::Forbidden => StatusCode::FORBIDDEN,
        ErrorCode::NotFound | ErrorCode::FunctionNotFound => StatusCode::NOT_FOUND,
        ErrorCode::InvalidArgument => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorCode::UnsupportedType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ErrorCode::FileTooLarge | ErrorCode::QuotaExceeded | ErrorCode::BodyTooLarge => {
            StatusCode::PAYLOAD_TOO_LARGE
        }
        ErrorCode::WrongState
        | ErrorCode::SizeMismatch
        | ErrorCode::ChecksumMismatch
        | ErrorCode::NoUpload
        | ErrorCode::NotReady => StatusCode::CONFLICT,
        ErrorCode::DiskFull => StatusCode::INSUFFICIENT_STORAGE,
        ErrorCode::StorageUnavailable | ErrorCode::MediaUnavailable => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
