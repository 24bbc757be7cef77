//! `GET /metrics`, in the text format of OpenMetrics.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;

use super::gauges::Sources;
use super::request::Metrics;

/// <https://prometheus.io/docs/specs/om/open_metrics_spec/#overall-structure>.
const FORMAT: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What is shown, and to whom.
pub(crate) struct Shown {
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) sources: Arc<Sources>,
    /// Asked for, where there is one.
    pub(crate) token: Option<SecretString>,
}

/// The route.
pub(crate) fn router(shown: Arc<Shown>) -> Router {
    Router::new().route("/metrics", get(show)).with_state(shown)
}

async fn show(State(shown): State<Arc<Shown>>, headers: HeaderMap) -> Response {
    if let Some(token) = &shown.token {
        let given = headers.get(AUTHORIZATION).and_then(|given| given.to_str().ok());
        let given = given.and_then(|given| given.strip_prefix("Bearer ")).unwrap_or_default();
        if !bool::from(given.as_bytes().ct_eq(token.expose_secret().as_bytes())) {
            return StatusCode::UNAUTHORIZED.into_response();
        }
    }
    shown.sources.refresh().await;
    let mut text = String::new();
    match prometheus_client::encoding::text::encode(&mut text, &shown.metrics.registry) {
        Ok(()) => ([(CONTENT_TYPE, FORMAT)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
