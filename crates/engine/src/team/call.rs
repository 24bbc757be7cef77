//! One function call.

use std::time::SystemTime;

use dailies_api::convex::{FunctionAnswer, FunctionCall, FunctionKind, ValueFormat};
use dailies_api::error::{ErrorCode, ErrorData};
use reqwest::{Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;
use serde::de::DeserializeOwned;
use url::Url;

use crate::error::Code;
use crate::net::{Clients, retry_after, transport};
use crate::transfer::Failure;

/// Answers are small; a longer one comes from something that is no team server.
const LONGEST_ANSWER: usize = 4 << 20;

/// Calls the functions of one team server as one caller.
#[derive(Clone, Debug)]
pub struct TeamClient {
    base: Url,
    key: SecretString,
    clients: Clients,
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

fn function_failure(code: Option<ErrorCode>, reason: &str) -> Failure {
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
    /// A caller of the server at `base`.
    #[must_use]
    pub fn new(base: Url, key: SecretString, clients: Clients) -> Self {
        Self { base, key, clients }
    }

    /// The server's address.
    #[must_use]
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// The HTTP clients it calls with.
    #[must_use]
    pub fn clients(&self) -> &Clients {
        &self.clients
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
        let malformed =
            |what: &str| TeamError::Other(Failure::UnexpectedAnswer(format!("{path}: {what}")));
        let args = serde_json::to_value(args).map_err(|_| malformed("arguments without JSON"))?;
        let call = FunctionCall { path: path.to_owned(), args, format: ValueFormat::Json };
        let url = self
            .base
            .join(&format!("api/{}", kind.endpoint()))
            .map_err(|_| malformed("no address"))?;
        let mut request =
            self.clients.control.post(url).bearer_auth(self.key.expose_secret()).json(&call);
        if let Some(key) = idempotency_key {
            request = request.header("idempotency-key", key);
        }
        let response = request.send().await.map_err(transport)?;
        let status = response.status();
        let after = retry_after(response.headers(), SystemTime::now());
        let body = read(response).await?;
        // A failed function comes with 200 or 560: its body says so.
        if status != StatusCode::OK && status.as_u16() != 560 {
            return Err(refusal(status, after, &body).into());
        }
        let answer: FunctionAnswer =
            serde_json::from_slice(&body).map_err(|_| malformed("not an answer of a function"))?;
        match answer {
            FunctionAnswer::Success { value } => {
                serde_json::from_value(value).map_err(|error| malformed(&error.to_string()))
            }
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

async fn read(mut response: Response) -> Result<Vec<u8>, Failure> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(transport)? {
        if body.len() + chunk.len() > LONGEST_ANSWER {
            return Err(Failure::UnexpectedAnswer("an answer without end".into()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn refusal(status: StatusCode, after: Option<std::time::Duration>, body: &[u8]) -> Failure {
    let reason = serde_json::from_slice::<ErrorData>(body)
        .map_or_else(|_| status.to_string(), |data| data.message);
    match status.as_u16() {
        401 => Failure::Refused { code: Code::SignedOut, reason },
        403 => Failure::Refused { code: Code::Forbidden, reason },
        408 | 429 | 503 => Failure::Busy { after },
        407 => Failure::Transport("the network's proxy wants a sign-in".into()),
        402 | 413 | 507 => Failure::Refused { code: Code::QuotaExceeded, reason },
        500..=599 => Failure::ServerFault { status: status.as_u16() },
        _ => Failure::UnexpectedAnswer(format!("the team server answered {status}")),
    }
}
