//! A local file as an answer, whole or one range of it (RFC 9110, sections 14 and 15).

use std::sync::Arc;

use bytes::Bytes;
use dailies_api::ranges::AskedRange;
use futures_util::stream;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Empty, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{
    ACCEPT_RANGES, ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, HeaderMap,
    HeaderName, HeaderValue, IF_RANGE, RANGE, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::Notify;

use crate::error::{Code, EngineError};
use crate::handle::EngineHandle;
use crate::local_playback::file::LocalFile;
use crate::source::{Slices, Source, SourceError};
use crate::transfer::{ByteRange, UploadId};

pub(super) type Answer = Response<UnsyncBoxBody<Bytes, SourceError>>;

/// Why nothing is played.
#[derive(Debug)]
pub(super) enum Refused {
    /// It was not asked for by our page.
    Stranger,
    /// There is nothing at this address.
    Unknown,
    /// Only looking is allowed.
    Method,
    /// None of the bytes asked for are in the file, which has so many.
    Outside(u64),
    /// The file is not there, not the same, or cannot be read.
    File(EngineError),
}

/// The file of an upload, as it was asked for.
pub(super) async fn answer(
    engine: &EngineHandle,
    id: UploadId,
    request: &Request<Incoming>,
    slices: &Slices,
    moved: Arc<Notify>,
) -> Answer {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return refuse(Refused::Method);
    }
    let file = match LocalFile::of(engine, id).await {
        Ok(file) => file,
        Err(error) => return refuse(Refused::File(error)),
    };
    let asked = asked(request.headers(), file.size);
    let (status, range) = match asked {
        AskedRange::Whole => (StatusCode::OK, ByteRange { offset: 0, length: file.size }),
        AskedRange::Part { first, length } => {
            (StatusCode::PARTIAL_CONTENT, ByteRange { offset: first, length })
        }
        AskedRange::Outside => return refuse(Refused::Outside(file.size)),
    };
    let body = match *request.method() {
        Method::HEAD => empty(),
        _ => UnsyncBoxBody::new(StreamBody::new(bytes(file.source, range, slices, moved))),
    };
    let mut response = with_status(status, body);
    let headers = response.headers_mut();
    let kind = HeaderValue::from_str(&file.content_type);
    let unknown = HeaderValue::from_static("application/octet-stream");
    headers.insert(CONTENT_TYPE, kind.unwrap_or(unknown));
    headers.insert(CONTENT_LENGTH, range.length.into());
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    if status == StatusCode::PARTIAL_CONTENT {
        let last = range.offset + range.length - 1;
        put(headers, CONTENT_RANGE, &format!("bytes {}-{last}/{}", range.offset, file.size));
    }
    response
}

/// A range of another version is none of this one; no version is named here that could be meant.
fn asked(headers: &HeaderMap, size: u64) -> AskedRange {
    match headers.get(RANGE) {
        Some(range) if !headers.contains_key(IF_RANGE) => {
            AskedRange::read(range.to_str().ok(), size)
        }
        _ => AskedRange::Whole,
    }
}

/// A stretch of a file, slice by slice as it is taken: what is left unread when a player goes away is
/// never read, and a file that is changed meanwhile ends it.
fn bytes(
    source: Source,
    range: ByteRange,
    slices: &Slices,
    moved: Arc<Notify>,
) -> impl stream::Stream<Item = Result<Frame<Bytes>, SourceError>> + Send + 'static {
    stream::try_unfold(
        (source, range, slices.clone(), moved),
        |(source, left, slices, moved)| async move {
            if left.length == 0 {
                return Ok(None);
            }
            let bytes = source.slice(left, &slices).await?;
            moved.notify_one();
            let read = bytes.len() as u64;
            let left = ByteRange { offset: left.offset + read, length: left.length - read };
            Ok(Some((Frame::data(bytes), (source, left, slices, moved))))
        },
    )
}

/// Says why not: by its status, and by a code for who reads it.
pub(super) fn refuse(refused: Refused) -> Answer {
    let status = match &refused {
        Refused::Stranger => StatusCode::FORBIDDEN,
        Refused::Unknown => StatusCode::NOT_FOUND,
        Refused::Method => StatusCode::METHOD_NOT_ALLOWED,
        Refused::Outside(_) => StatusCode::RANGE_NOT_SATISFIABLE,
        Refused::File(error) => match error.code {
            Code::NotFound => StatusCode::NOT_FOUND,
            Code::SourceMissing => StatusCode::GONE,
            Code::SourceChanged => StatusCode::CONFLICT,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        },
    };
    let mut response = with_status(status, empty());
    match refused {
        Refused::Stranger | Refused::Unknown => {}
        Refused::Method => put(response.headers_mut(), ALLOW, "GET, HEAD"),
        Refused::Outside(size) => {
            put(response.headers_mut(), CONTENT_RANGE, &format!("bytes */{size}"));
        }
        Refused::File(error) => {
            tracing::info!(%error, "a local file is not played");
            // A code is a word; nothing about it can fail.
            let said = serde_json::to_vec(&serde_json::json!({ "code": error.code }));
            let said = Full::new(Bytes::from(said.unwrap_or_default()));
            *response.body_mut() = UnsyncBoxBody::new(said.map_err(|never| match never {}));
            put(response.headers_mut(), CONTENT_TYPE, "application/json");
        }
    }
    response
}

fn with_status(status: StatusCode, body: UnsyncBoxBody<Bytes, SourceError>) -> Answer {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    // What is on this disk needs no second copy on it.
    put(headers, CACHE_CONTROL, "no-store");
    put(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
    response
}

fn empty() -> UnsyncBoxBody<Bytes, SourceError> {
    UnsyncBoxBody::new(Empty::new().map_err(|never| match never {}))
}

/// Only of letters and figures that make a header.
fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
