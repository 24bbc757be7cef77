//! Why a method failed: an exception that the protocol knows, or a status.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use dailies_api::chunked_sessions::{EXCEPTION, Exception, ExceptionCode, ExceptionData};
use dailies_api::error::{ErrorCode, ErrorData};
use dailies_database::DatabaseError;

use crate::http_actions::HttpRefusal;
use crate::storage::StorageError;
use crate::team_api::Refusal;

/// An answer other than 200.
#[derive(Debug)]
pub(crate) enum Failure {
    Exception(ExceptionData),
    Http(HttpRefusal),
}

impl Failure {
    pub(super) fn exception(code: ExceptionCode, message: impl Into<String>) -> Self {
        Self::Exception(ExceptionData { code, message: message.into() })
    }

    /// The arguments are none of the method's.
    pub(super) fn bad_request(data: ErrorData) -> Self {
        Self::Http(HttpRefusal(StatusCode::BAD_REQUEST, data))
    }

    pub(super) fn no_method() -> Self {
        let message = "there is no such method";
        Self::Http(HttpRefusal::new(StatusCode::NOT_FOUND, ErrorCode::FunctionNotFound, message))
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        let code = match (refusal.0.code, refusal.0.field.as_deref()) {
            (ErrorCode::Unauthenticated, _) => ExceptionCode::Unauthenticated,
            (ErrorCode::UnsupportedType, _) => ExceptionCode::InvalidType,
            (ErrorCode::FileTooLarge, _) | (ErrorCode::InvalidArgument, Some("fileSize")) => {
                ExceptionCode::FileTooLarge
            }
            (ErrorCode::QuotaExceeded, _) => ExceptionCode::QuotaExceeded,
            (ErrorCode::Forbidden, _) | (ErrorCode::NotFound, Some("projectId")) => {
                ExceptionCode::AccessDenied
            }
            (ErrorCode::NotFound, Some("videoId")) => ExceptionCode::MediaNotFound,
            (ErrorCode::NotFound, _) => ExceptionCode::UserNotFound,
            // Changed by another call, or given up meanwhile.
            (ErrorCode::WrongState | ErrorCode::NoUpload, _) => ExceptionCode::SessionExpired,
            _ => return Self::Http(refusal.into()),
        };
        Self::exception(code, refusal.0.message)
    }
}

impl From<HttpRefusal> for Failure {
    fn from(refused: HttpRefusal) -> Self {
        Self::Http(refused)
    }
}

impl From<DatabaseError> for Failure {
    fn from(error: DatabaseError) -> Self {
        Refusal::from(error).into()
    }
}

impl From<StorageError> for Failure {
    fn from(error: StorageError) -> Self {
        Refusal::from(error).into()
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        match self {
            Self::Exception(data) => {
                let exception = Exception { class_name: EXCEPTION.to_owned(), data };
                (StatusCode::BAD_REQUEST, Json(exception)).into_response()
            }
            Self::Http(refused) => refused.into_response(),
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::db::tests::scratch;
    use crate::team_api::{Principal, team_of};

    #[tokio::test]
    async fn who_is_in_no_team_is_not_found() {
        let (_folder, database) = scratch();
        let user = Principal { user_id: "nobody".into(), scope: None };
        let team = move |connection: &Connection| team_of(connection, &user);
        let refusal = database.read::<_, Refusal, _>(team).await.expect_err("there is no team");
        let Failure::Exception(data) = Failure::from(refusal) else { panic!("an exception") };
        assert_eq!(data.code, ExceptionCode::UserNotFound);
    }
}
