//! What every request passes on its way in, and what is told of it on its way out.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, HttpBody as _};
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, AUTHORIZATION, CONNECTION,
    CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::{Json, Router};
use dailies_api::error::{ErrorCode, ErrorData};

use super::body::{Fate, Watched};
use super::rates::Rates;
use super::{Client, client};
use crate::config::Network;
use crate::metrics::{Metrics, Observed, Request as Seen};
use crate::random;
use crate::serve::Peer;

/// Headers of a request.
const MOST_HEADERS: usize = 100;
/// Bytes of all of them. A token with many claims is the longest thing in one.
const LARGEST_HEAD: usize = 64 << 10;
/// Bytes of a function's call; <https://docs.convex.dev/production/state/limits>.
const LARGEST_CALL: u64 = 16 << 20;
/// Bytes of a webhook's event.
const LARGEST_EVENT: u64 = 1 << 20;
/// Bytes of an HTTP action's request; the same page.
const LARGEST_ACTION: u64 = 20_000_000;
/// From a request's head to its answer's. A function has less than this itself.
const ANSWERING: Duration = Duration::from_mins(7);
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What stands before the routes.
pub(crate) struct Gate {
    network: Arc<Network>,
    rates: Rates,
    metrics: Arc<Metrics>,
}

impl Gate {
    pub(crate) fn new(network: Arc<Network>, metrics: Arc<Metrics>) -> Arc<Self> {
        let rates = Rates::new(&network);
        Arc::new(Self { network, rates, metrics })
    }
}

/// Puts the gate before the team API and what is beside it.
pub(crate) fn for_team(router: Router, gate: &Arc<Gate>) -> Router {
    router.layer(from_fn_with_state(Arc::clone(gate), team))
}

/// Puts the gate before the S3 endpoint, whose bodies are as large as they like.
pub(crate) fn for_storage(router: Router, gate: &Arc<Gate>) -> Router {
    router.layer(from_fn_with_state(Arc::clone(gate), storage))
}

async fn team(State(gate): State<Arc<Gate>>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let id = request_id(request.headers());
    let peer = request.extensions().get::<Peer>().map(|Peer(address)| address.ip());
    let client = peer.map(|peer| client::address(peer, request.headers(), &gate.network));
    if let Some(client) = client {
        request.extensions_mut().insert(Client(client));
    }
    let mut response = match admitted(&gate, client, &request) {
        Err(refused) => refused.into_response(),
        Ok(()) => {
            let credentials = request.headers().get(AUTHORIZATION).cloned();
            let guarded = is_guarded(request.uri().path()) && method != Method::OPTIONS;
            let response = within_limits(&gate.network, request, next).await;
            if let Some(client) = client {
                match (response.status(), credentials) {
                    (StatusCode::UNAUTHORIZED, _) => gate.rates.wrong(client),
                    (status, Some(good)) if guarded && status.is_success() => {
                        gate.rates.good(good.as_bytes());
                    }
                    _ => {}
                }
            }
            response
        }
    };
    let observed = response.extensions_mut().remove::<Observed>().unwrap_or_default();
    gate.metrics.request(&Seen {
        id: &id,
        method: &method,
        route: route.as_ref().map_or("none", MatchedPath::as_str),
        status: response.status(),
        bytes: response.body().size_hint().exact(),
        client,
        took: started.elapsed(),
        observed: &observed,
    });
    if let Ok(id) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

async fn storage(State(gate): State<Arc<Gate>>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let id = request_id(request.headers());
    let peer = request.extensions().get::<Peer>().map(|Peer(address)| address.ip());
    let client = peer.map(|peer| client::address(peer, request.headers(), &gate.network));
    let response = if request.body().is_end_stream() {
        next.run(request).await
    } else {
        let (parts, body) = request.into_parts();
        let (body, watch) = Watched::new(body, None, gate.network.stall_timeout);
        let response = next.run(Request::from_parts(parts, Body::new(body))).await;
        // S3's own words: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>.
        match watch.fate() {
            Fate::Stalled => (
                StatusCode::BAD_REQUEST,
                [(CONTENT_TYPE, "application/xml"), (CONNECTION, "close")],
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>RequestTimeout</Code>\
                 <Message>Your socket connection to the server was not read from or written to \
                 within the timeout period.</Message></Error>",
            )
                .into_response(),
            Fate::Fine | Fate::TooLarge => response,
        }
    };
    gate.metrics.request(&Seen {
        id: &id,
        method: &method,
        route: "s3",
        status: response.status(),
        bytes: response.body().size_hint().exact(),
        client,
        took: started.elapsed(),
        observed: &Observed::default(),
    });
    response
}

/// Why a request is not handed on, or its answer not given.
enum Refused {
    Headers,
    TooOften(Duration),
    TooLarge(u64),
    Stalled,
    TooLong,
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (status, code, message) = match &self {
            Self::Headers => (
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
                ErrorCode::HeadersTooLarge,
                format!("a request has at most {MOST_HEADERS} headers of 64 KiB in all"),
            ),
            Self::TooOften(_) => (
                StatusCode::TOO_MANY_REQUESTS,
                ErrorCode::RateLimited,
                "too many calls; try again after the time in Retry-After".to_owned(),
            ),
            Self::TooLarge(most) => (
                StatusCode::PAYLOAD_TOO_LARGE,
                ErrorCode::BodyTooLarge,
                format!("the body is larger than the {most} bytes that are taken here"),
            ),
            Self::Stalled => (
                StatusCode::REQUEST_TIMEOUT,
                ErrorCode::RequestTimeout,
                "the body came too slowly".to_owned(),
            ),
            Self::TooLong => (
                StatusCode::SERVICE_UNAVAILABLE,
                ErrorCode::RequestTimeout,
                "the answer took too long; try again".to_owned(),
            ),
        };
        let mut response = (status, Json(ErrorData { code, message, field: None })).into_response();
        let headers = response.headers_mut();
        // Before the routes there is nobody else to say that a page may read this.
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static("retry-after"));
        match self {
            Self::TooOften(wait) => {
                // Whole seconds, and never before the time.
                let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
                headers.insert(RETRY_AFTER, HeaderValue::from(seconds.max(1)));
            }
            // What is left of the body shall not be taken for the next request's head.
            Self::TooLarge(_) | Self::Stalled => {
                headers.insert(CONNECTION, HeaderValue::from_static("close"));
            }
            Self::Headers | Self::TooLong => {}
        }
        response
    }
}

fn admitted(gate: &Gate, client: Option<IpAddr>, request: &Request) -> Result<(), Refused> {
    let headers = request.headers();
    let bytes: usize =
        headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    if headers.len() > MOST_HEADERS || bytes > LARGEST_HEAD {
        return Err(Refused::Headers);
    }
    match client {
        Some(client) if is_counted(request.uri().path(), client) => {
            let credentials = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
            gate.rates.admit(client, credentials).map_err(Refused::TooOften)
        }
        _ => Ok(()),
    }
}

/// Whether a path takes credentials and is counted. Players and pages are not: what they open, they
/// open by the hundred, with a token of their own.
fn is_guarded(path: &str) -> bool {
    ["/api/", "/mux/", "/http/", "/videoUpload/", "/upload", "/webhooks/"]
        .iter()
        .any(|prefix| path.starts_with(prefix))
}

/// Whether a call counts against a rate. What the server's own parts say to each other does not: a
/// team that is busy must not keep its media engine from hearing of a video.
fn is_counted(path: &str, client: IpAddr) -> bool {
    let is_own = ["/mux/", "/webhooks/"].iter().any(|prefix| path.starts_with(prefix));
    is_guarded(path) && !(is_own && client.is_loopback())
}

/// The most a body may have; none for what carries videos, whose routes know better.
fn largest(method: &Method, path: &str) -> Option<u64> {
    match (method, path) {
        (&Method::PUT | &Method::PATCH, _) | (&Method::POST, "/api/client/v1/uploads") => None,
        (_, "/api/query" | "/api/mutation" | "/api/action") => Some(LARGEST_CALL),
        (_, path) if path.starts_with("/webhooks/") => Some(LARGEST_EVENT),
        _ => Some(LARGEST_ACTION),
    }
}

async fn within_limits(network: &Network, request: Request, next: Next) -> Response {
    let most = largest(request.method(), request.uri().path());
    let announced = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok())
        .and_then(|length| length.parse::<u64>().ok());
    if let (Some(most), Some(announced)) = (most, announced)
        && announced > most
    {
        return Refused::TooLarge(most).into_response();
    }
    if request.body().is_end_stream() {
        return in_time(most, next.run(request)).await;
    }
    let (parts, body) = request.into_parts();
    let (body, watch) = Watched::new(body, most, network.stall_timeout);
    let response = in_time(most, next.run(Request::from_parts(parts, Body::new(body)))).await;
    match (watch.fate(), most) {
        (Fate::TooLarge, most) => Refused::TooLarge(most.unwrap_or_default()).into_response(),
        (Fate::Stalled, _) => Refused::Stalled.into_response(),
        (Fate::Fine, _) => response,
    }
}

/// Where a body may be of any size, its answer may take any time: it moves, or is cut as stalled.
async fn in_time(most: Option<u64>, answer: impl Future<Output = Response>) -> Response {
    match most {
        None => answer.await,
        Some(_) => tokio::time::timeout(ANSWERING, answer)
            .await
            .unwrap_or_else(|_| Refused::TooLong.into_response()),
    }
}

/// The caller's own name for this request, where it is one that may stand in a log.
fn request_id(headers: &HeaderMap) -> String {
    let sane = |id: &&str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        (1..=64).contains(&id.len()) && id.bytes().all(allowed)
    };
    let given = headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).filter(sane);
    given.map_or_else(random::id, str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_route_has_its_size() {
        let of = |method: Method, path| largest(&method, path);
        assert_eq!(of(Method::POST, "/api/query"), Some(16 << 20));
        assert_eq!(of(Method::POST, "/webhooks/mux"), Some(1 << 20));
        assert_eq!(of(Method::POST, "/http/any"), Some(20_000_000));
        assert_eq!(of(Method::PUT, "/mux/uploads/x"), None);
        assert_eq!(of(Method::POST, "/api/client/v1/uploads"), None);
    }

    #[test]
    fn calls_count_and_what_players_and_the_servers_own_parts_ask_does_not() {
        let (stranger, here) = (IpAddr::from([192, 0, 2, 1]), IpAddr::from([127, 0, 0, 1]));
        for path in [
            "/api/query",
            "/mux/video/v1/assets",
            "/webhooks/mux",
            "/videoUpload/x",
            "/upload",
            "/upload/x",
        ] {
            assert!(is_counted(path, stranger), "{path}");
        }
        assert!(is_counted("/api/query", here));
        assert!(!is_counted("/mux/video/v1/assets", here) && !is_counted("/webhooks/mux", here));
        for path in
            ["/stream/x.m3u8", "/image/x/thumbnail.jpg", "/mux-upload/x/y", "/watch/x", "/health"]
        {
            assert!(!is_counted(path, stranger), "{path}");
        }
    }

    #[test]
    fn only_a_sane_request_id_is_taken_over() {
        let of = |id: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_str(id).expect("a value"));
            request_id(&headers)
        };
        assert_eq!(of("trace-1.a_B"), "trace-1.a_B");
        for id in ["", "a b", "{\"x\":1}", &"x".repeat(65)] {
            let made = of(id);
            assert!(made != id && made.len() == 26, "{made}");
        }
    }
}
