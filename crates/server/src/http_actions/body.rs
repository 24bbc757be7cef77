//! Bodies of requests that are read whole. What announces itself as too large does not come here.

use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, StatusCode, header};
use dailies_api::error::ErrorCode;

use super::HttpRefusal;

/// Bytes at the most; <https://docs.convex.dev/functions/http-actions#limits>.
const LARGEST: usize = 20_000_000;
/// How long a caller may take to send one.
const SENDING: Duration = Duration::from_secs(30);

fn too_large() -> HttpRefusal {
    let message = "a body is at most 20 MB; videos go to the storage";
    HttpRefusal::new(StatusCode::PAYLOAD_TOO_LARGE, ErrorCode::BodyTooLarge, message)
}

/// The whole body.
pub(crate) async fn read(body: Body) -> Result<Bytes, HttpRefusal> {
    tokio::time::timeout(SENDING, to_bytes(body, LARGEST))
        .await
        .map_err(|_| {
            let message = "the request came too slowly";
            HttpRefusal::new(StatusCode::REQUEST_TIMEOUT, ErrorCode::InvalidArgument, message)
        })?
        .map_err(|_| too_large())
}

/// `Content-Length`, where there is one.
pub(crate) fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}
