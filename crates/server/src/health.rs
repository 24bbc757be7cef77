//! `GET /health` and `GET /health/ready`: for who runs the server, and for what stands before it.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use tokio_util::sync::CancellationToken;

/// `/health/ready`: whether to send new requests here. Not from the moment on that `stop` says.
pub(crate) fn ready(stop: CancellationToken) -> Router {
    Router::new().route("/health/ready", get(answer)).with_state(stop)
}

/// `/health`: whether the process lives, which it does if it answers.
pub(crate) fn live() -> Router {
    Router::new().route("/health", get(|| async { Json(json!({"status": "ok"})) }))
}

async fn answer(State(stop): State<CancellationToken>) -> Response {
    if stop.is_cancelled() {
        let body = Json(json!({"status": "draining"}));
        return (StatusCode::SERVICE_UNAVAILABLE, body).into_response();
    }
    Json(json!({"status": "ready"})).into_response()
}
