//! HTTP around a function: who calls, what they call, and the answer in either value format.
//!
//! Our values are strings, booleans, nulls, lists, objects and numbers within 2^53, which plain
//! JSON and Convex's encoded JSON write alike; so the format asked for needs no second writer.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use dailies_api::convex::{FunctionAnswer, FunctionCall, FunctionKind};
use dailies_api::error::{ErrorCode, ErrorData};
use http_body_util::LengthLimitError;
use serde_json::{Value, json};

use super::Team;
use super::caller::Caller;
use super::error::Refusal;
use super::functions::{self, KEY_HEADER};
use crate::limits::Client;
use crate::metrics::Observed;

/// Bytes of a call at the most; <https://docs.convex.dev/production/state/limits>.
const LARGEST_CALL: usize = 16 << 20;
/// How long a caller may take to send one.
const SENDING: Duration = Duration::from_secs(30);
/// How long a function may take. Completing a large upload in a foreign storage is the longest.
const RUNNING: Duration = Duration::from_mins(6);

/// `GET /health`.
#[utoipa::path(get, path = "/health", tag = "Server", operation_id = "health",
    responses((status = 200, description = "It answers")))]
pub(crate) async fn health() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

/// `POST /api/{kind}`.
pub(crate) async fn call(
    kind: FunctionKind,
    State(team): State<Arc<Team>>,
    client: Option<Extension<Client>>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let address = client.map(|Extension(Client(address))| address);
    let mut observed = Observed::default();
    let mut response = match answer(kind, &team, address, &headers, body, &mut observed).await {
        Ok(answer) => Json(answer).into_response(),
        Err(refused) => refused.into_response(),
    };
    response.extensions_mut().insert(observed);
    response
}

/// A call that did not come as far as its function.
struct Refused(StatusCode, ErrorCode, String);

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let Self(status, code, message) = self;
        (status, Json(ErrorData { code, message, field: None })).into_response()
    }
}

async fn answer(
    kind: FunctionKind,
    team: &Arc<Team>,
    address: Option<IpAddr>,
    headers: &HeaderMap,
    body: Body,
    observed: &mut Observed,
) -> Result<FunctionAnswer, Refused> {
    let caller = Caller::of(headers, team).await.map_err(|error| {
        let (status, code, message) = error.answer();
        Refused(status, code, message.into())
    })?;
    observed.caller = caller.id().map(str::to_owned);
    let call = read(headers, body).await?;
    // A value that is no text cannot be kept, and is refused as such with the call.
    let idempotency_key =
        headers.get(KEY_HEADER).map(|value| value.to_str().unwrap_or_default().to_owned());
    let name = call.path.clone();
    observed.function = functions::known(&name);
    let running = Arc::clone(team);
    let run =
        async move { functions::run(&running, kind, caller, call, idempotency_key, address).await };
    let result = to_its_end(team, &name, Box::pin(run)).await;
    observed.outcome = Some(match &result {
        Ok(_) => "ok".to_owned(),
        Err(Refusal(data)) => crate::db::text(data.code),
    });
    Ok(match result {
        Ok(value) => FunctionAnswer::Success { value },
        // The function is right and will work when there is room: nothing its caller could change.
        Err(Refusal(data)) if data.code == ErrorCode::DiskFull => {
            return Err(Refused(StatusCode::INSUFFICIENT_STORAGE, data.code, data.message));
        }
        Err(Refusal(data)) => {
            tracing::debug!(function = name, code = ?data.code, "refused");
            FunctionAnswer::Error {
                error_message: data.message.clone(),
                error_data: serde_json::to_value(data).ok(),
            }
        }
    })
}

/// Runs in a task of its own: a caller that goes away must not leave half of it done.
pub(crate) async fn to_its_end<T, E>(
    team: &Team,
    name: &str,
    run: impl Future<Output = Result<T, E>> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<Refusal> + Send + 'static,
{
    match team.calls.spawn(tokio::time::timeout(RUNNING, run)).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => {
            tracing::error!(function = name, "a function took too long");
            Err(Refusal::internal().into())
        }
        Err(_) => {
            tracing::error!(function = name, "a function panicked");
            Err(Refusal::internal().into())
        }
    }
}

async fn read(headers: &HeaderMap, body: Body) -> Result<FunctionCall, Refused> {
    let too_large = || {
        let message = "a call is at most 16 MiB".into();
        Refused(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::BodyTooLarge, message)
    };
    let announced = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok())
        .and_then(|length| length.parse::<usize>().ok());
    if announced.is_some_and(|length| length > LARGEST_CALL) {
        return Err(too_large());
    }
    let body = tokio::time::timeout(SENDING, to_bytes(body, LARGEST_CALL))
        .await
        .map_err(|_| {
            let message = "the call came too slowly".into();
            Refused(StatusCode::REQUEST_TIMEOUT, ErrorCode::RequestTimeout, message)
        })?
        .map_err(|error| {
            if error.into_inner().is::<LengthLimitError>() {
                return too_large();
            }
            let message = "the call did not come whole".into();
            Refused(StatusCode::BAD_REQUEST, ErrorCode::InvalidArgument, message)
        })?;
    serde_json::from_slice(&body).map_err(|error| {
        let message = format!("not a function call: {error}");
        Refused(StatusCode::BAD_REQUEST, ErrorCode::InvalidArgument, message)
    })
}
