//! The watch page, `/watch/{publicId}`: plays one video for anyone who has its address.
//!
//! Static files only. The page's script asks the team API for a playback session, as any client
//! does, so this needs nothing of the rest of the server.
//!
//! Must not know: videos, tokens, the database.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, StatusCode};
use sha2::{Digest, Sha256};

const PAGE: &str = include_str!("watch.html");
/// Name, media type, content.
const FILES: [(&str, &str, &[u8]); 4] = [
    ("icon.svg", "image/svg+xml", include_bytes!("icon.svg")),
    ("watch.css", "text/css; charset=utf-8", include_bytes!("watch.css")),
    ("watch.js", "text/javascript; charset=utf-8", include_bytes!("watch.js")),
    ("hls.js", "text/javascript; charset=utf-8", include_bytes!("vendor/hls.light.min.js")),
];

/// The page and its files.
///
/// `playback_origins` are the origins besides the page's own that videos and posters come from, for
/// instance `https://stream.mux.com`: the page's policy lets it reach no others.
pub fn router(playback_origins: &[String]) -> Router {
    let pages = Arc::new(Pages::new(playback_origins));
    Router::new()
        .route("/watch/{public_id}", get(watch))
        .route("/watch/files/{name}", get(file))
        .with_state(pages)
}

struct Pages {
    html: String,
    policy: HeaderValue,
    files: Vec<File>,
}

/// A file under a name that changes with its content, so that it can be kept forever.
struct File {
    name: String,
    media_type: &'static str,
    content: &'static [u8],
}

impl Pages {
    fn new(playback_origins: &[String]) -> Self {
        let mut html = PAGE.to_owned();
        let mut files = Vec::new();
        for (plain, media_type, content) in FILES {
            let name = format!("{}-{plain}", fingerprint(content));
            html = html.replace(&format!("files/{plain}"), &format!("files/{name}"));
            files.push(File { name, media_type, content });
        }
        Self { html, policy: policy(playback_origins), files }
    }
}

/// No third party, nothing inline, no frame around the page. Media Source plays from `blob:`.
fn policy(playback_origins: &[String]) -> HeaderValue {
    let origins = |origin: &String| url::Url::parse(origin).ok().map(|url| url.origin());
    let mut sources = String::from("'self'");
    for origin in playback_origins.iter().filter_map(origins).filter(url::Origin::is_tuple) {
        // Writing into a string cannot fail.
        let _ = write!(sources, " {}", origin.ascii_serialization());
    }
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src {sources}; \
         media-src blob: {sources}; connect-src {sources}; base-uri 'none'; form-action 'none'; \
         frame-ancestors 'none'"
    );
    HeaderValue::try_from(policy).expect("serialized origins are visible ASCII")
}

async fn watch(State(pages): State<Arc<Pages>>) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (CONTENT_SECURITY_POLICY, pages.policy.clone()),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    ];
    (headers, pages.html.clone()).into_response()
}

async fn file(State(pages): State<Arc<Pages>>, Path(name): Path<String>) -> Response {
    let Some(file) = pages.files.iter().find(|file| file.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let headers = [
        (CONTENT_TYPE, file.media_type),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, file.content).into_response()
}

fn fingerprint(content: &[u8]) -> String {
    Sha256::digest(content).iter().take(6).fold(String::new(), |mut text, byte| {
        // Writing into a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests;
