//! HTTP actions: plain HTTP beside the functions, with a router of its own.
//!
//! Owns: exact and prefix routes, the answer to a preflight, 404 and 405 in JSON, the limit of a
//! body. Must not know: what is behind a route.

mod body;
mod refused;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, any, get};
use dailies_api::error::{ErrorCode, ErrorData};

pub(crate) use self::body::{announced, read};
pub(crate) use self::refused::HttpRefusal;

use crate::team_api::{Team, health};
use crate::{about, chunked_sessions, direct_uploads, uploads_api};

/// How long a browser may keep the answer to a preflight, seconds.
const PREFLIGHT_KEPT: &str = "86400";

/// Every route but those of the functions and of pages.
pub(crate) fn router(team: &Arc<Team>, webhooks: Router) -> Router {
    Router::new()
        .route("/health", action("GET", get(health)))
        .merge(about::router(Arc::clone(team)))
        .merge(direct_uploads::router(Arc::clone(team)))
        .merge(chunked_sessions::router(Arc::clone(team)))
        .merge(prefix("/videoUpload"))
        .merge(uploads_api::router(Arc::clone(team)))
        .merge(prefix(dailies_api::uploads_api::BASE))
        .merge(webhooks)
}

/// An address with its methods, its preflight, and 405 for any other method.
pub(crate) fn action<S: Clone + Send + Sync + 'static>(
    methods: &'static str,
    handlers: MethodRouter<S>,
) -> MethodRouter<S> {
    handlers
        .options(move |headers: HeaderMap| async move { preflight(methods, &headers) })
        .fallback(move || async move { wrong_method(methods) })
        .layer(middleware::from_fn(for_any_page))
}

/// 404 for whatever is below an address and is no route.
fn prefix(path: &str) -> Router {
    let nothing = || async {
        HttpRefusal(
            StatusCode::NOT_FOUND,
            ErrorData {
                code: ErrorCode::NotFound,
                message: "there is nothing at this address".into(),
                field: None,
            },
        )
    };
    Router::new().route(&format!("{path}/{{*rest}}"), any(nothing))
}

/// Only what a browser asks before a request is answered with what a browser needs to know;
/// <https://docs.convex.dev/functions/http-actions#cors>.
fn preflight(methods: &'static str, headers: &HeaderMap) -> Response {
    let asked = [
        header::ORIGIN,
        header::ACCESS_CONTROL_REQUEST_METHOD,
        header::ACCESS_CONTROL_REQUEST_HEADERS,
    ];
    if !asked.iter().all(|name| headers.contains_key(name)) {
        return ([(header::ALLOW, allowed(methods))], ()).into_response();
    }
    let answer = [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*")),
        (header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(methods)),
        (
            header::ACCESS_CONTROL_ALLOW_HEADERS,
            HeaderValue::from_static("Content-Type, Digest, Authorization, Idempotency-Key"),
        ),
        (header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(PREFLIGHT_KEPT)),
    ];
    (answer, ()).into_response()
}

fn wrong_method(methods: &'static str) -> Response {
    let error = ErrorData {
        code: ErrorCode::InvalidArgument,
        message: format!("this address takes {methods}"),
        field: None,
    };
    let refused = HttpRefusal(StatusCode::METHOD_NOT_ALLOWED, error);
    ([(header::ALLOW, allowed(methods))], refused).into_response()
}

fn allowed(methods: &'static str) -> String {
    format!("{methods}, OPTIONS")
}

/// Any page may call: what opens an address is the key it must know, never a cookie.
async fn for_any_page(request: Request, next: Next) -> Response {
    // What a preflight is told, it is told by `preflight`.
    let from_a_page =
        request.method() != Method::OPTIONS && request.headers().contains_key(header::ORIGIN);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("origin"));
    if from_a_page {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    response
}
