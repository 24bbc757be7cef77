//! A file as an answer, whole or one range of it (RFC 9110, section 14).

use std::io::{Read, Seek, SeekFrom};
use std::path::Path;
use std::time::UNIX_EPOCH;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use dailies_api::ranges::AskedRange;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    IF_RANGE, RANGE,
};
use http::{HeaderMap, HeaderValue, StatusCode};
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;

/// Bytes read at a time.
const BUFFER: usize = 256 << 10;
/// Bytes of a file that is read whole: most images, and segments of little motion.
const AT_ONCE: u64 = 256 << 10;

/// The file at `path`, kept by the player alone: its address holds a token.
pub(super) async fn file_response(
    path: &Path,
    media_type: &'static str,
    request: &HeaderMap,
) -> std::io::Result<Response> {
    let path = path.to_owned();
    // At once, since each step would go through a queue of its own.
    let (mut file, metadata, whole) = tokio::task::spawn_blocking(move || {
        let mut file = std::fs::File::open(path)?;
        let metadata = file.metadata()?;
        let mut whole = None;
        if metadata.len() <= AT_ONCE {
            let mut bytes = Vec::with_capacity(metadata.len() as usize);
            file.read_to_end(&mut bytes)?;
            whole = Some(bytes::Bytes::from(bytes));
        }
        Ok::<_, std::io::Error>((file, metadata, whole))
    })
    .await
    .map_err(std::io::Error::other)??;
    let size = metadata.len();
    let tag = tag(&metadata);
    let headers = [
        (CONTENT_TYPE, media_type),
        (CACHE_CONTROL, "private, max-age=86400, immutable"),
        (ACCEPT_RANGES, "bytes"),
        (ETAG, tag.as_str()),
    ];
    let asked = |name| request.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    if asked(IF_NONE_MATCH).is_some_and(|tags| any_is(tags, &tag)) {
        return Ok((StatusCode::NOT_MODIFIED, headers).into_response());
    }
    let range = if asked(IF_RANGE).is_some_and(|known| known != tag) {
        AskedRange::Whole
    } else {
        AskedRange::read(asked(RANGE), size)
    };
    let (first, length) = match range {
        AskedRange::Whole => (0, size),
        AskedRange::Part { first, length } => (first, length),
        AskedRange::Outside => {
            let range = [(CONTENT_RANGE, format!("bytes */{size}"))];
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, range).into_response());
        }
    };
    let body = match whole {
        // A file that is cut while it is read has less than its size.
        Some(bytes) if bytes.len() as u64 == size => {
            Body::from(bytes.slice(first as usize..(first + length) as usize))
        }
        _ => {
            file.seek(SeekFrom::Start(first))?;
            let file = tokio::fs::File::from_std(file);
            Body::from_stream(ReaderStream::with_capacity(file.take(length), BUFFER))
        }
    };
    let length_header = [(CONTENT_LENGTH, length.to_string())];
    if range == AskedRange::Whole {
        return Ok((headers, length_header, body).into_response());
    }
    let range = [(CONTENT_RANGE, format!("bytes {first}-{}/{size}", first + length - 1))];
    Ok((StatusCode::PARTIAL_CONTENT, headers, length_header, range, body).into_response())
}

/// A file is made once and put in its place at once, so size and time tell it from one made anew.
fn tag(metadata: &std::fs::Metadata) -> String {
    let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    format!("\"{:x}-{:x}\"", metadata.len(), modified.unwrap_or_default().as_nanos())
}

/// Whether `If-None-Match` names the tag (RFC 9110, section 13.1.2: weak comparison).
fn any_is(tags: &str, tag: &str) -> bool {
    tags.split(',')
        .map(str::trim)
        .any(|given| given == "*" || given.trim_start_matches("W/") == tag)
}
