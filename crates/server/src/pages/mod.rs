//! The pages: `/watch/{publicId}` plays a public video, `/share/{token}` what a share link opens.
//!
//! Static files only. The pages' scripts ask the team API for what they show, as any client does, so
//! this needs nothing of the rest of the server.
//!
//! Must not know: videos, tokens, the database.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderName, HeaderValue, StatusCode};
use sha2::{Digest, Sha256};

const WATCH: &str = include_str!("watch.html");
const SHARE: &str = include_str!("share.html");
const ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");
const SCRIPT: &str = "text/javascript; charset=utf-8";
/// Name, media type, content. What a file imports stands before it.
const FILES: [(&str, &str, &str); 6] = [
    ("icon.svg", "image/svg+xml", include_str!("icon.svg")),
    ("watch.css", "text/css; charset=utf-8", include_str!("watch.css")),
    ("hls.js", SCRIPT, include_str!("vendor/hls.light.min.js")),
    ("player.js", SCRIPT, include_str!("player.js")),
    ("watch.js", SCRIPT, include_str!("watch.js")),
    ("share.js", SCRIPT, include_str!("share.js")),
];

/// The pages and their files.
///
/// `playback_origins` are the origins besides the pages' own that videos, posters and originals come
/// from, for instance `https://stream.mux.com`: the pages' policy lets them reach no others.
pub fn router(playback_origins: &[String]) -> Router {
    let pages = Arc::new(Pages::new(playback_origins));
    Router::new()
        .route("/watch/{public_id}", get(watch))
        .route("/share/{token}", get(share))
        .route("/watch/files/{name}", get(file))
        .with_state(pages)
}

struct Pages {
    watch: String,
    share: String,
    policy: HeaderValue,
    files: Vec<File>,
}

/// A file under a name that changes with its content, so that it can be kept forever.
struct File {
    name: String,
    media_type: &'static str,
    content: Bytes,
}

impl Pages {
    fn new(playback_origins: &[String]) -> Self {
        let (mut watch, mut share) = (WATCH.to_owned(), SHARE.to_owned());
        let mut files: Vec<File> = Vec::new();
        for (plain, media_type, content) in FILES {
            // Modules import each other by the names that they are served under.
            let mut content = content.to_owned();
            for (file, (imported, ..)) in files.iter().zip(FILES) {
                content =
                    content.replace(&format!("\"./{imported}\""), &format!("\"./{}\"", file.name));
            }
            let name = format!("{}-{plain}", fingerprint(content.as_bytes()));
            for html in [&mut watch, &mut share] {
                *html = html.replace(&format!("files/{plain}"), &format!("files/{name}"));
            }
            files.push(File { name, media_type, content: content.into() });
        }
        Self { watch, share, policy: policy(playback_origins), files }
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
    page(&pages, &pages.watch)
}

async fn share(State(pages): State<Arc<Pages>>) -> Response {
    page(&pages, &pages.share)
}

fn page(pages: &Pages, html: &str) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
        (CONTENT_SECURITY_POLICY, pages.policy.clone()),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (ROBOTS, HeaderValue::from_static("noindex")),
    ];
    (headers, html.to_owned()).into_response()
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
    (headers, file.content.clone()).into_response()
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
