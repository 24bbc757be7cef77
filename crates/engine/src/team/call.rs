//! One function call.

use dailies_api::convex::{FunctionAnswer, FunctionCall, FunctionKind, ValueFormat};
use dailies_api::error::{ErrorCode, ErrorData};
use reqwest::{Method, RequestBuilder, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::error::Code;
use crate::net::Clients;
use crate::team::Caller;
use crate::transfer::Failure;

/// Calls the functions of one team server as one caller.
#[derive(Clone, Debug)]
pub struct TeamClient {
    caller: Caller,
}

/// Why a call gave no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TeamError {
    /// The function threw. The code is `None` on deployments that hide it; the words then say
    /// nothing, and the video's state has to be asked for.
    #[error("the team server refused: {message}")]
    Function {
        /// Stable where there is one.
        code: Option<ErrorCode>,
        /// For people.
        message: String,
    },
    /// Anything else.
    #[error(transparent)]
    Other(#[from] Failure),
}

impl From<TeamError> for Failure {
    fn from(error: TeamError) -> Self {
        match error {
            TeamError::Other(failure) => failure,
            TeamError::Function { code, message } => function_failure(code, &message),
        }
    }
}

/// What a code of the team API means.
pub(crate) fn function_failure(code: Option<ErrorCode>, reason: &str) -> Failure {
    let refused = |code| Failure::Refused { code, reason: reason.to_owned() };
    match code {
        Some(ErrorCode::Unauthenticated | ErrorCode::BadCredentials) => refused(Code::SignedOut),
        Some(ErrorCode::Forbidden) => refused(Code::Forbidden),
        Some(ErrorCode::NotFound) => refused(Code::NotFound),
        Some(ErrorCode::UnsupportedType) => refused(Code::UnsupportedType),
        Some(ErrorCode::FileTooLarge) => refused(Code::FileTooLarge),
        Some(ErrorCode::QuotaExceeded | ErrorCode::DiskFull) => refused(Code::QuotaExceeded),
        Some(ErrorCode::RateLimited | ErrorCode::RequestTimeout) => Failure::Busy { after: None },
        Some(ErrorCode::WrongState | ErrorCode::NotReady) => refused(Code::WrongState),
        Some(ErrorCode::SizeMismatch | ErrorCode::ChecksumMismatch) => refused(Code::Damaged),
        Some(ErrorCode::NoUpload) => Failure::SessionGone,
        Some(ErrorCode::StorageUnavailable | ErrorCode::MediaUnavailable | ErrorCode::Internal) => {
            Failure::ServerFault { status: 500 }
        }
        Some(
            ErrorCode::FunctionNotFound
            | ErrorCode::InvalidArgument
            | ErrorCode::BodyTooLarge
            | ErrorCode::HeadersTooLarge,
        ) => refused(Code::Refused),
        // Production deployments hide why: a fault that passes and a refusal look alike.
        Some(ErrorCode::Unknown) | None => Failure::ServerFault { status: 200 },
    }
}

impl TeamClient {
    /// Functions of the server that `caller` calls.
    #[must_use]
    pub fn new(caller: Caller) -> Self {
        Self { caller }
    }

    /// For requests that are no function calls.
    #[must_use]
    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    /// The server's address.
    #[must_use]
    pub fn base(&self) -> &Url {
        self.caller.base()
    }

    /// The HTTP clients it calls with.
    #[must_use]
    pub fn clients(&self) -> &Clients {
        self.caller.clients()
    }

    /// Calls `path` (`module:function`).
    ///
    /// # Errors
    /// [`TeamError::Function`] where the function threw, a [`Failure`] otherwise.
    pub async fn call<A: Serialize, R: DeserializeOwned>(
        &self,
        kind: FunctionKind,
        path: &str,
        args: &A,
    ) -> Result<R, TeamError> {
        self.call_once(kind, path, args, None).await
    }

    /// The same with an idempotency key: a server that knows it (ours does) does nothing twice.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub async fn call_once<A: Serialize, R: DeserializeOwned>(
        &self,
        kind: FunctionKind,
        path: &str,
        args: &A,
        idempotency_key: Option<&str>,
    ) -> Result<R, TeamError> {
        let malformed = |error: serde_json::Error| {
            TeamError::Other(Failure::UnexpectedAnswer(format!("{path}: {error}")))
        };
        let args = serde_json::to_value(args).map_err(malformed)?;
        let call = FunctionCall { path: path.to_owned(), args, format: ValueFormat::Json };
        let endpoint = format!("api/{}", kind.endpoint());
        let fill = |request: RequestBuilder| match idempotency_key {
            Some(key) => request.json(&call).header("idempotency-key", key),
            None => request.json(&call),
        };
        let answer = self.caller.ask(Method::POST, &endpoint, fill).await?;
        // A failed function comes with 200 or 560: its body says so.
        if answer.status != StatusCode::OK && answer.status.as_u16() != 560 {
            return Err(answer.refusal().into());
        }
        match answer.json::<FunctionAnswer>(&call.path)? {
            FunctionAnswer::Success { value } => serde_json::from_value(value).map_err(malformed),
            FunctionAnswer::Error { error_message, error_data } => {
                let data = error_data.and_then(|d| serde_json::from_value::<ErrorData>(d).ok());
                Err(match data {
                    Some(data) => {
                        TeamError::Function { code: Some(data.code), message: data.message }
                    }
                    None => TeamError::Function { code: None, message: error_message },
                })
            }
        }
    }
}
